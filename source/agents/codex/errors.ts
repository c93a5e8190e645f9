/** Failures of a turn, as Codex tells them. */
import * as v from 'valibot'
import type { SessionEvent } from '../../protocol/events.ts'
import { typeName } from '../foreign.ts'
import { system } from './items.ts'
import type { RawError } from './schema.ts'

const bodySchema = v.object({ error: v.object({ message: v.string() }) })
const statusSchema = v.record(
	v.string(),
	v.object({ httpStatusCode: v.optional(v.nullable(v.number()), null) }),
)

export function errorEvent(error: RawError): Extract<SessionEvent, { kind: 'error' }> {
	const { name, status } = kindOf(error)
	const code = status === null ? `agent_${name}` : `agent_api_error_${status}`
	return { kind: 'error', body: { code, text: textOf(error) } }
}

/** The model is asked again by itself. */
export function retryEvent(error: RawError): SessionEvent {
	return system('api_retry', `The model did not answer: ${textOf(error)}`, {
		error_status: kindOf(error).status,
	})
}

/** `snake_case` of Codex's name for it, and the HTTP status where there is one. */
function kindOf({ codexErrorInfo: info }: RawError): { name: string; status: number | null } {
	if (typeof info === 'string') return { name: snake(info), status: null }
	const parsed = v.safeParse(statusSchema, info)
	const [entry] = parsed.success ? Object.entries(parsed.output) : []
	if (entry === undefined) return { name: 'failed', status: null }
	return { name: snake(entry[0]), status: entry[1].httpStatusCode }
}

function snake(name: string): string {
	return typeName(name.replace(/[A-Z]/g, (sign) => `_${sign.toLowerCase()}`))
}

/** The model's own words, where the message is its answer. */
function textOf({ message, additionalDetails }: RawError): string {
	const text = message ?? additionalDetails ?? 'The agent gave no reason.'
	try {
		const parsed = v.safeParse(bodySchema, JSON.parse(text))
		return parsed.success ? parsed.output.error.message : text
	} catch {
		return text
	}
}
