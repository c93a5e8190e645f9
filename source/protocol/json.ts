/** Structured data is UTF-8 JSON; who signs it signs the exact bytes that travel (section "Conventions"). */
import * as v from 'valibot'
import { base64Pattern, decodeUtf8, encodeUtf8 } from './bytes.ts'
import { refused } from './errors.ts'

export const protocolVersion = 1

export const uuid = v.pipe(v.string(), v.uuid())
export const isoTime = v.pipe(v.string(), v.isoTimestamp())
export const sequence = v.pipe(v.number(), v.safeInteger(), v.minValue(0))
export const version = v.literal(protocolVersion)

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
 * Parses bytes that were verified before. Throws `newer_version` for an unknown `v`, `malformed_<what>`
 * for anything that does not fit the schema.
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
	const result = v.safeParse(schema, value)
	if (!result.success) throw malformed(new Error(v.summarize(result.issues).slice(0, 500)))
	return result.output
}
