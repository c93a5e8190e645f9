/**
 * The transcript as a list of items: a tool call and its result are one, a request and its answer are one,
 * what only bookkeeping needs is left out.
 */
import type { Body } from '../../protocol/events.ts'
import type {
	LiveText,
	RequestView,
	Sender,
	SessionState,
	ShownMessage,
} from '../../viewer/viewer.ts'

export type Item =
	| { type: 'message'; key: string; message: ShownMessage; sender: Sender | null }
	| { type: 'call'; key: string; call: ShownMessage; result: ShownMessage | null }
	| {
			type: 'request'
			key: string
			message: ShownMessage
			/** What the viewer knows of it; `null`: only the message is left. */
			request: RequestView | null
			answer: { body: Body<'permission_response'>; at: string } | null
			/** The call that it is about stands right above it. */
			called: boolean
			/** What the tool answered; of questions only, where the answer to them is in it. */
			result: ShownMessage | null
	  }
	| { type: 'live'; key: string; live: LiveText }
	/** Where the window ends: something older is not loaded, or there is nothing older. */
	| { type: 'edge'; key: 'edge'; more: boolean; loading: boolean }

export function transcriptItems(
	state: SessionState,
	requests: ReadonlyMap<string, RequestView>,
): readonly Item[] {
	const results = new Map<string, ShownMessage>()
	const calls = new Set<string>()
	const answers = new Map<string, { body: Body<'permission_response'>; at: string }>()
	const asked = new Set<string>()
	/** Calls that are questions: a request shows them, with the answers. */
	const questions = new Set<string>()
	for (const message of state.messages) {
		const result = bodyOf(message, 'tool_result')
		if (result) results.set(result.tool_use, message)
		const call = bodyOf(message, 'tool_use')
		if (call) calls.add(call.tool_use)
		const answer = bodyOf(message, 'permission_response')
		if (answer) answers.set(answer.request, { body: answer, at: message.at })
		const request = bodyOf(message, 'permission_request')
		if (request) asked.add(request.request)
		if (request?.questions && request.tool_use !== null) questions.add(request.tool_use)
	}
	const items: Item[] = [
		{ type: 'edge', key: 'edge', more: state.hasOlder, loading: state.loading },
	]
	for (const message of state.messages) {
		const item = itemOf(message)
		if (item?.type === 'request') item.called = standsAbove(items, item)
		if (item) items.push(item)
	}
	for (const live of state.live) items.push({ type: 'live', key: `live-${live.block}`, live })
	return items

	function itemOf(message: ShownMessage): Item | null {
		const key = `m${message.seq}`
		const sender = state.senders.get(message.seq) ?? null
		const shown = { type: 'message', key, message, sender } as const
		if (message.problem !== null || message.kind === null) return shown
		const call = bodyOf(message, 'tool_use')
		if (call && questions.has(call.tool_use)) return null
		if (call)
			return { type: 'call', key, call: message, result: results.get(call.tool_use) ?? null }
		const result = bodyOf(message, 'tool_result')
		if (result && (calls.has(result.tool_use) || questions.has(result.tool_use))) return null
		const request = bodyOf(message, 'permission_request')
		if (request) {
			const view = requests.get(request.request) ?? null
			const answer = answers.get(request.request) ?? null
			const told = request.questions && request.tool_use !== null && results.get(request.tool_use)
			const result = told || null
			return { type: 'request', key, message, request: view, answer, called: false, result }
		}
		const answer = bodyOf(message, 'permission_response')
		if (answer && asked.has(answer.request)) return null
		return isBookkeeping(message, sender) ? null : shown
	}
}

/**
 * Whether the last item is the call that a request is about. While the request waits, its card shows all of
 * the call: once is enough.
 */
function standsAbove(items: Item[], item: Extract<Item, { type: 'request' }>): boolean {
	const last = items.at(-1)
	const asked = bodyOf(item.message, 'permission_request')?.tool_use ?? null
	if (last?.type !== 'call' || asked === null) return false
	if (bodyOf(last.call, 'tool_use')?.tool_use !== asked) return false
	if (item.request?.status === 'pending' && last.result === null) {
		items.pop()
		return false
	}
	return true
}

/** The body of a message of one kind that was verified; `null` for any other. */
export function bodyOf<K extends NonNullable<ShownMessage['kind']>>(
	message: ShownMessage,
	kind: K,
): Body<K> | null {
	if (message.kind !== kind || message.problem !== null) return null
	// The viewer checked the body against the schema of its kind when it opened the message.
	return message.body as Body<K> | null
}

/** Token counts are in the title; that an agent went idle or on is in the list; facts have no text. */
function isBookkeeping(message: ShownMessage, sender: Sender | null): boolean {
	if (message.kind === 'usage') return true
	const system = bodyOf(message, 'system')
	// Who sent a prompt is said with the prompt.
	if (system && sender) return sender.became !== null
	if (system?.type === 'interrupted') return false
	if (system) return system.text === null || system.text === ''
	const status = bodyOf(message, 'status')
	return status !== null && status.detail === null && !['stopped', 'error'].includes(status.status)
}

/** Whether a message changes nothing that is shown. */
export function isSilent(message: ShownMessage): boolean {
	if (message.problem !== null || message.kind === null) return false
	return isBookkeeping(message, null)
}
