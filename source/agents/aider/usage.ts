/**
 * What a message used. Aider prints it rounded from a thousand on (`4.6k sent`); its log of analytics, kept
 * in a file of this machine and sent to nobody, has the exact figures.
 */
import * as v from 'valibot'
import type { Body } from '../../protocol/events.ts'

type Usage = Body<'usage'>

const tokens = '([\\d.,]+[kM]?)'
const reportForm = new RegExp(
	`^Tokens: ${tokens} sent(?:, ${tokens} cache write)?(?:, ${tokens} cache hit)?, ${tokens} received\\.` +
		'(?: Cost: \\$([\\d.,]+) message, \\$[\\d.,]+ session\\.)?$',
)

/** The usage that a line of Aider's reports, or `null` for other lines. Figures are as exact as printed. */
export function reportedUsage(line: string, model: string | null): Usage | null {
	const match = reportForm.exec(line)
	if (match === null) return null
	const [, sent, written, hit, received, cost] = match
	const cost_usd = cost === undefined ? null : Number(cost.replaceAll(',', ''))
	return {
		message: null,
		model,
		input: count(sent),
		output: count(received),
		cache_read: count(hit),
		cache_write: count(written),
		cost_usd: cost_usd !== null && Number.isFinite(cost_usd) ? cost_usd : null,
		cost_source: cost === undefined ? 'none' : 'agent',
	}
}

function count(text: string | undefined): number {
	if (text === undefined) return 0
	const factor = text.endsWith('k') ? 1000 : text.endsWith('M') ? 1_000_000 : 1
	const number = Math.round(Number(text.replace(/[,kM]/g, '')) * factor)
	return Number.isSafeInteger(number) && number >= 0 ? number : 0
}

const natural = v.pipe(v.number(), v.safeInteger(), v.minValue(0))
const sentSchema = v.object({
	event: v.literal('message_send'),
	properties: v.object({
		prompt_tokens: natural,
		completion_tokens: natural,
		cost: v.optional(v.nullable(v.pipe(v.number(), v.finite(), v.minValue(0))), null),
	}),
})
export type ExactUsage = v.InferOutput<typeof sentSchema>['properties']

/** The figures of one message, when a line of the log has them. */
export function loggedUsage(line: string): ExactUsage | null {
	let value: unknown
	try {
		value = JSON.parse(line)
	} catch {
		return null
	}
	const parsed = v.safeParse(sentSchema, value)
	return parsed.success ? parsed.output.properties : null
}

/** The reported usage, with the exact figures in place of the rounded ones. */
export function exactly(reported: Usage, exact: ExactUsage): Usage {
	return {
		...reported,
		input: exact.prompt_tokens,
		output: exact.completion_tokens,
		cost_usd: reported.cost_source === 'none' ? null : (exact.cost ?? reported.cost_usd),
	}
}
