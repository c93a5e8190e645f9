/** What a recorded line says, told for this playing of it. */
import * as v from 'valibot'

const promptSchema = v.object({ type: v.literal('user'), uuid: v.string() })
const toldSchema = v.looseObject({ type: v.optional(v.string()) })

/** Id of a prompt that went in; `null` for other lines. */
export function promptId(line: unknown): string | null {
	return v.is(promptSchema, line) ? line.uuid : null
}

/**
 * Without its time, which is the reader's to give. The agent repeats the reason of a denial word for word,
 * so the reason that was recorded is replaced by the one that was given.
 */
export function retold(line: unknown, reason: { from: string | null; to: string | null }): unknown {
	const parsed = v.safeParse(toldSchema, line)
	if (!parsed.success) return line
	const { timestamp: _recorded, ...rest } = parsed.output
	const { from, to } = reason
	const repeats = rest.type === 'user' || rest.type === 'control_response'
	if (!repeats || from === null || from === '' || to === null) return rest
	return replaced(rest, from, to)
}

function replaced(value: unknown, from: string, to: string): unknown {
	if (typeof value === 'string') return value.replaceAll(from, () => to)
	if (Array.isArray(value)) return value.map((each) => replaced(each, from, to))
	if (value === null || typeof value !== 'object') return value
	return Object.fromEntries(
		Object.entries(value).map(([key, each]) => [key, replaced(each, from, to)]),
	)
}
