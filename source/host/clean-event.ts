import { StyrbyError } from '../protocol/errors.ts'
import type { SessionEvent } from '../protocol/events.ts'
import { checkBody, maxBody } from '../protocol/parts.ts'

/**
 * What an adapter hands over becomes what the protocol takes: JSON, of a body that fits its schema. What
 * does not fit is kept as a notice that says so, since nothing an agent prints may stop the host.
 */
export function cleanEvent(event: SessionEvent): SessionEvent {
	try {
		const json = JSON.stringify(event.body)
		if (json.length * 3 > maxBody && Buffer.byteLength(json) > maxBody) {
			return leftOut(event, `A ${event.kind} of ${Buffer.byteLength(json)} bytes was left out.`)
		}
		return checkBody(event.kind, JSON.parse(json))
	} catch (error) {
		const code = error instanceof StyrbyError ? error.code : 'malformed_body'
		return leftOut(event, `A ${event.kind} of an unknown form was left out (${code}).`)
	}
}

function leftOut(event: SessionEvent, text: string): SessionEvent {
	return { kind: 'system', body: { type: 'notice', text, data: { kind: event.kind } } }
}
