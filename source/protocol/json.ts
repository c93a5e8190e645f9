/** Structured data is UTF-8 JSON; who signs it signs the exact bytes that travel (docs/protocol.md, section 0). */
import * as v from 'valibot'
import { base64Pattern, decodeUtf8, encodeUtf8 } from './bytes.ts'
import { refused } from './errors.ts'

export const protocolVersion = 1

/** In lower case only: one id has one text. */
export const uuid = v.pipe(v.string(), v.regex(/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/))
/** ISO 8601 with seconds and a time zone, of a moment that there is (section 0): every reader takes the same. */
export const isoTime = v.pipe(
	v.string(),
	v.regex(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})$/),
	v.check((text) => isDay(text) && !/T24/.test(text) && Number.isFinite(Date.parse(text))),
)

/** `Date.parse` takes 31 days in every month. */
function isDay(text: string): boolean {
	const [year = 0, month = 0, day = 0] = text.slice(0, 10).split('-').map(Number)
	const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
	const days = month === 2 ? (leap ? 29 : 28) : [4, 6, 9, 11].includes(month) ? 30 : 31
	return day <= days
}
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
	const malformed = (cause?: Error) =>
		refused(`malformed_${what}`, `The ${what.replaceAll('_', ' ')} has an unknown form.`, cause)
	let value: unknown
	try {
		value = JSON.parse(decodeUtf8(bytes))
	} catch {
		// Its words would repeat a piece of the text.
		throw malformed()
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
	if (!result.success) throw malformed(new Error(placesOf(result.issues)))
	return result.output
}

/** Where it went wrong, without what is there: that may be a key, or plaintext. */
function placesOf(issues: readonly v.BaseIssue<unknown>[]): string {
	const places = issues.slice(0, 10).map((issue) => v.getDotPath(issue) ?? '(whole)')
	return `not as it should be: ${places.join(', ').slice(0, 500)}`
}
