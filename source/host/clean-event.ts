import { StyrbyError } from '../protocol/errors.ts'
import type { SessionEvent } from '../protocol/events.ts'
import { checkBody } from '../protocol/parts.ts'

/** JSON text of a body at most, bytes: sealed, all of its parts fit into one call to the backend. */
export const maxEvent = 8 * 1024 * 1024

/**
 * What an adapter hands over becomes what the protocol takes: JSON, of a body that fits its schema. What
 * does not fit is kept as a notice that says so, since nothing an agent prints may stop the host.
 */
export function cleanEvent(event: SessionEvent): SessionEvent {
	try {
		const json = JSON.stringify(event.body)
		if (json.length * 3 > maxEvent && Buffer.byteLength(json) > maxEvent) {
			return leftOut(event, `A ${event.kind} of ${Buffer.byteLength(json)} bytes was left out.`)
		}
		return withinLimits(checkBody(event.kind, JSON.parse(json)))
	} catch (error) {
		const code = error instanceof StyrbyError ? error.code : 'malformed_body'
		return leftOut(event, `A ${event.kind} of an unknown form was left out (${code}).`)
	}
}

const maxTokens = 1e12
const maxCost = 1e6

/** Counts also stand in plain columns, which have limits. */
function withinLimits(event: SessionEvent): SessionEvent {
	if (event.kind !== 'usage') return event
	const { input, output, cache_read, cache_write, cost_usd } = event.body
	if ([input, output, cache_read, cache_write].some((count) => count > maxTokens)) {
		return leftOut(event, 'Token counts beyond all reason were left out.')
	}
	if (cost_usd === null || (cost_usd >= 0 && cost_usd <= maxCost)) return event
	return { kind: 'usage', body: { ...event.body, cost_usd: null, cost_source: 'none' } }
}

function leftOut(event: SessionEvent, text: string): SessionEvent {
	return { kind: 'system', body: { type: 'notice', text, data: { kind: event.kind } } }
}
