/** What a kind of message is called where one line tells of it. */
import type { Kind } from '../protocol/events.ts'
import { type SafeText, safeText } from './safe-text.ts'

const words: Readonly<Partial<Record<Kind, SafeText>>> = {
	user_prompt: safeText`prompt`,
	agent_response: safeText`response`,
	agent_thinking: safeText`thinking`,
	tool_use: safeText`tool`,
	tool_result: safeText`result`,
	permission_request: safeText`request`,
	permission_response: safeText`answer`,
	error: safeText`error`,
}

export function kindText(kind: Kind): SafeText {
	return words[kind] ?? safeText`note`
}
