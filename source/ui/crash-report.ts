import { StyrbyError } from '../protocol/errors.ts'
import { oneLine } from '../text/one-line.ts'

const longest = 300

/** What is loaded only when it is needed has another name in another version. */
function isOwnPartGone(error: unknown): boolean {
	return (
		error instanceof Error &&
		'code' in error &&
		error.code === 'ERR_MODULE_NOT_FOUND' &&
		'url' in error &&
		typeof error.url === 'string' &&
		error.url.startsWith(new URL('.', import.meta.url).href)
	)
}

/** What a person is told of a crash: at most three lines, no stack, nothing that could drive a terminal. */
export function crashReport(error: unknown): string {
	if (error instanceof StyrbyError) return `${oneLine(error.message).slice(0, longest)}\n`
	if (isOwnPartGone(error)) {
		return 'styrby-tui was updated or removed while it ran: start it again.\n'
	}
	const what = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
	return [
		'styrby-tui stopped because of a mistake of its own; nothing that was stored is lost.',
		`  ${oneLine(what).slice(0, longest)}`,
		'Start it again; with STYRBY_LOG=debug the log says more.',
		'',
	].join('\n')
}
