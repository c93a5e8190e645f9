import { readFileSync } from 'node:fs'
import * as v from 'valibot'

const vector = v.object({
	id: v.string(),
	why: v.string(),
	text: v.optional(v.string()),
	parts: v.optional(
		v.array(v.union([v.string(), v.object({ repeat: v.string(), times: v.number() })])),
	),
})

/** Texts that attack a terminal or a reader, each with what it tries. */
export const hostileTexts = v
	.parse(
		v.array(vector),
		JSON.parse(readFileSync(new URL('../fixtures/hostile-text.json', import.meta.url), 'utf8')),
	)
	.map(({ id, why, text, parts }) => ({
		id,
		why,
		text:
			text ??
			(parts ?? [])
				.map((part) => (typeof part === 'string' ? part : part.repeat.repeat(part.times)))
				.join(''),
	}))
