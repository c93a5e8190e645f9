/** Structured data is UTF-8 JSON; who signs it signs the exact bytes that travel (docs/protocol.md, section 0). */
import * as v from 'valibot'
import { base64Pattern, decodeUtf8, encodeUtf8 } from './bytes.ts'
import { refused } from './errors.ts'

export const protocolVersion = 1

/** In lower case only: one id has one text. */
export const uuid = v.pipe(v.string(), v.regex(/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/))
/** ISO 8601 with a time zone, of a moment that there is. */
export const isoTime = v.pipe(
	v.string(),
	v.isoTimestamp(),
	v.check((text) => Number.isFinite(Date.parse(text))),
)
export const sequence = v.pipe(v.number(), v.safeInteger(), v.minValue(0))
/** Epochs are written as u32 where they are hashed. */
export const epochNumber = v.pipe(sequence, v.maxValue(0xffff_ffff))
export const version = v.literal(protocolVersion)

/** How deep JSON may be nested: far more than anything says, far less than what ends a stack. */
export const maxDepth = 128

/** Whether no array or object lies more than `depth` deep. */
export function isShallow(value: unknown, depth: number): boolean {
	if (typeof value !== 'object' || value === null) return true
	if (depth === 0) return false
	for (const inner of Array.isArray(value) ? value : Object.values(value)) {
		if (typeof inner === 'object' && !isShallow(inner, depth - 1)) return false
	}
	return true
}

/** Base64 of exactly `size` bytes. */
export const base64 = (size: number) =>
	v.pipe(v.string(), v.regex(base64Pattern(size), `not base64 of ${size} bytes`))

/** A point of the device log: sequence number and hash (base64, 32 bytes) of an entry. */
export const logHead = v.object({ seq: sequence, hash: base64(32) })
export type LogHead = v.InferOutput<typeof logHead>

export function encodeJson(value: unknown): Uint8Array {
	return encodeUtf8(JSON.stringify(value))
}

/**
 * Parses UTF-8 JSON. Of a name that is there twice the last counts. Throws `newer_version` for a larger
 * `v`, `malformed_<what>` for anything else that does not fit the schema, or is nested over `maxDepth`.
 */
export function decodeJson<T extends v.GenericSchema>(
	bytes: Uint8Array,
	schema: T,
	what: string,
): v.InferOutput<T> {
	const malformed = (cause?: unknown) =>
		refused(`malformed_${what}`, `The ${what.replaceAll('_', ' ')} has an unknown form.`, cause)
	let value: unknown
	try {
		value = JSON.parse(decodeUtf8(bytes))
	} catch (cause) {
		throw malformed(cause)
	}
	if (typeof value === 'object' && value !== null && 'v' in value) {
		if (typeof value.v === 'number' && value.v > protocolVersion) {
			throw refused(
				'newer_version',
				`The ${what.replaceAll('_', ' ')} was made by a newer version: update styrby-tui.`,
			)
		}
	}
	if (!isShallow(value, maxDepth)) throw malformed()
	const result = v.safeParse(schema, value)
	if (!result.success) throw malformed(new Error(v.summarize(result.issues).slice(0, 500)))
	return result.output
}
