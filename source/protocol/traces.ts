/** Whether a secret stands in bytes that others see, however it was encoded on the way. */
import { encodeUtf8 } from './bytes.ts'

export interface Trace {
	/** Such as "base64 at offset 1". */
	encoding: string
	bytes: Buffer
}

/** Fewer bytes than this would be found by chance. */
const shortest = 8

/**
 * Every form in which `bytes` may lie in others: as they are, base64 and base64url at each of the three
 * offsets that what stands before can give them, hex in both cases.
 */
export function tracesOf(bytes: Uint8Array): Trace[] {
	if (bytes.length < shortest) throw new TypeError(`too short to be looked for: ${bytes.length}`)
	const whole = Buffer.from(bytes)
	const traces: Trace[] = [{ encoding: 'as it is', bytes: whole }]
	for (const offset of [0, 1, 2]) {
		for (const alphabet of ['base64', 'base64url'] as const) {
			const text = base64At(whole, offset, alphabet)
			traces.push({ encoding: `${alphabet} at offset ${offset}`, bytes: Buffer.from(text) })
		}
	}
	const hex = whole.toString('hex')
	traces.push({ encoding: 'hex', bytes: Buffer.from(hex) })
	traces.push({ encoding: 'upper-case hex', bytes: Buffer.from(hex.toUpperCase()) })
	return traces
}

/** As `tracesOf`, with the forms that only text has: UTF-16, JSON, and percent escapes. */
export function textTraces(text: string): Trace[] {
	const json = JSON.stringify(text).slice(1, -1)
	const percent = [...encodeUtf8(text)].map((byte) => `%${hexOf(byte, 2)}`).join('')
	const texts: [string, string][] = [
		['JSON', json],
		['JSON in ASCII', escaped(json, /[^\x20-\x7e]/g)],
		['JSON, all escaped', escaped(text, /[\s\S]/g)],
		['JSON in JSON', JSON.stringify(JSON.stringify(text)).slice(3, -3)],
		['percent', encodeURIComponent(text)],
		['percent, as forms have it', encodeURIComponent(text).replaceAll('%20', '+')],
		['percent, all escaped', percent],
		['percent, upper case', percent.toUpperCase()],
	]
	return [
		...tracesOf(encodeUtf8(text)),
		{ encoding: 'UTF-16', bytes: Buffer.from(text, 'utf16le') },
		...texts.map(([encoding, form]) => ({ encoding, bytes: Buffer.from(form) })),
	]
}

/** The traces that occur in any of `pieces`. */
export function findTraces(traces: readonly Trace[], pieces: readonly Uint8Array[]): Trace[] {
	const buffers = pieces.map(({ buffer, byteOffset, byteLength }) =>
		Buffer.from(buffer, byteOffset, byteLength),
	)
	return traces.filter(({ bytes }) => buffers.some((piece) => piece.includes(bytes)))
}

/** The characters that `bytes` alone decide where `offset` other bytes stand before them. */
function base64At(bytes: Buffer, offset: number, alphabet: 'base64' | 'base64url'): string {
	const text = Buffer.concat([Buffer.alloc(offset), bytes])
		.toString(alphabet)
		.replaceAll('=', '')
	const decidedByOthers = [0, 2, 3][offset] ?? 0
	// A last character that holds bits of what comes after.
	const shared = (offset + bytes.length) % 3 === 0 ? 0 : 1
	return text.slice(decidedByOthers, text.length - shared)
}

function escaped(text: string, pattern: RegExp): string {
	return text.replace(pattern, (unit) => `\\u${hexOf(unit.charCodeAt(0), 4)}`)
}

const hexOf = (value: number, digits: number) => value.toString(16).padStart(digits, '0')
