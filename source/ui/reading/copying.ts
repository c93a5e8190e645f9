/** Copies what is selected, or else the newest answer of the agent on the screen. */
import { eventText } from '../../text/message-text.ts'
import { displayText, joinText, revealText, type SafeText, safeText } from '../../text/safe-text.ts'
import { formatCount } from '../../text/time.ts'
import { commandOf } from '../../text/tool-input.ts'
import { openedEvent } from '../../viewer/opened-event.ts'
import type { ShownMessage } from '../../viewer/viewer.ts'
import type { App } from '../app.ts'
import { foldOf, transcriptOf } from '../state.ts'
import { bodyOf, type Item } from '../transcript/items.ts'
import { itemChosen, itemsOnScreen } from './here.ts'
import { sessionOnScreen } from './place.ts'

interface Copy {
	what: SafeText
	/** As it is shown, so that nothing hidden is pasted anywhere. */
	text: SafeText
}

export function copy(app: App): void {
	const session = sessionOnScreen(app)
	const item = itemChosen(app) ?? newestOnScreen(itemsOnScreen(app))
	const open =
		session !== null && item && foldOf(transcriptOf(app.ui, session), item.key) !== 'folded'
	const found = item && copyOf(item, open === true)
	if (!found || found.text === '') {
		app.toast(safeText`There is nothing here to copy: tab selects a command or an edit.`, 'warn')
		return
	}
	const { bytes, of } = app.options.copy(found.text)
	const size = safeText`${formatCount(bytes)} bytes`
	if (bytes < of) {
		const all = safeText`${formatCount(of)}`
		app.toast(safeText`Copied ${found.what}: ${size} of ${all}, more no terminal takes.`, 'warn')
	} else app.toast(safeText`Copied ${found.what}, ${size}, if your terminal allows it.`, 'ok')
}

function newestOnScreen(items: readonly Item[]): Item | null {
	const has = (kind: ShownMessage['kind']) => (item: Item) =>
		item.type === 'message' && item.message.kind === kind && item.message.problem === null
	return items.findLast(has('agent_response')) ?? items.findLast(has('user_prompt')) ?? null
}

function copyOf(item: Item, unfolded: boolean): Copy | null {
	switch (item.type) {
		case 'call':
			return callCopy(item, unfolded)
		case 'request':
			return { what: safeText`the request`, text: inputText(item.message) }
		case 'message':
			return { what: nameOf(item.message), text: displayText(wordsOf(item.message).trimEnd()) }
		default:
			return null
	}
}

/** What was called; with what came of it, where that is unfolded. */
function callCopy({ call, result }: Extract<Item, { type: 'call' }>, unfolded: boolean): Copy {
	const asked = inputText(call)
	if (!unfolded || !result) return { what: safeText`the command`, text: asked }
	const output = displayText(wordsOf(result).trimEnd())
	return {
		what: safeText`the command and what came of it`,
		text: joinText([asked, output], safeText`\n`),
	}
}

function inputText(message: ShownMessage): SafeText {
	const input = bodyOf(message, 'tool_use')?.input ?? bodyOf(message, 'permission_request')?.input
	return revealText(commandOf(input) ?? JSON.stringify(input, null, 2) ?? '')
}

function wordsOf(message: ShownMessage): string {
	const event = openedEvent(message)
	return event ? eventText(event) : ''
}

function nameOf({ kind }: ShownMessage): SafeText {
	if (kind === 'user_prompt') return safeText`the prompt`
	if (kind === 'agent_response') return safeText`the answer`
	return kind === 'agent_thinking' ? safeText`the thought` : safeText`the message`
}
