/**
 * Schemas for those parts of what an agent writes on which no permission depends. New fields and types come
 * every week: what is missing, or of the wrong type, is nothing here, so that one odd field never costs the line.
 */
import * as v from 'valibot'

/** `null` for missing and for wrong. */
export const maybe = <T extends v.GenericSchema>(schema: T) =>
	v.optional(v.fallback(v.nullable(schema), null), null)

export const maybeText = maybe(v.string())
/** Any finite number. */
export const amount = maybe(v.pipe(v.number(), v.finite()))

/** How many, up to 1e15; 0 for missing and for wrong. */
export const count = v.optional(
	v.fallback(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(1e15)), 0),
	0,
)
export const flag = v.optional(v.fallback(v.boolean(), false), false)

/** Empty for missing and for wrong; one wrong item makes it wrong. */
export const list = <T extends v.GenericSchema>(schema: T) =>
	v.optional(v.fallback(v.array(schema), []), [])
