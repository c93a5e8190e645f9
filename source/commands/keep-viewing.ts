/** What goes on beside a viewer on the screen. */
import type { OpenedViewer } from '../viewer/open-viewer.ts'
import type { Context } from './context.ts'
import { keepFinishing } from './finish-dead.ts'
import { keepBackend } from './keep-backend.ts'
import { keepLastList } from './last-list.ts'

/** Until it is disposed of. */
export function keepViewing(context: Context, viewer: OpenedViewer): AsyncDisposable {
	const stack = new AsyncDisposableStack()
	stack.use(keepFinishing(context))
	stack.use(keepBackend(context))
	stack.use(keepLastList(context, viewer))
	return stack
}
