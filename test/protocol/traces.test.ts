import fc from 'fast-check'
import { expect, test } from 'vitest'
import { findTraces, textTraces, tracesOf } from '../../source/protocol/traces.ts'

const secret = fc.uint8Array({ minLength: 8, maxLength: 40 })
const around = fc.uint8Array({ maxLength: 30 })
const found = (needle: Uint8Array, hay: Uint8Array) =>
	findTraces(tracesOf(needle), [hay]).length > 0

test.each(['base64', 'base64url', 'hex', 'latin1'] as const)(
	'bytes are found in %s, whatever stands before and after them',
	(encoding) => {
		fc.assert(
			fc.property(around, secret, around, (before, needle, after) => {
				const text = Buffer.concat([before, needle, after]).toString(encoding)
				return found(needle, Buffer.from(text, 'latin1'))
			}),
		)
	},
)

test('upper-case hex is found too', () => {
	const needle = Buffer.from('00aabbccddeeff11', 'hex')
	expect(found(needle, Buffer.from('x00AABBCCDDEEFF11x'))).toBe(true)
})

test('what is not there is not found', () => {
	fc.assert(
		fc.property(secret, (needle) => {
			const other = Buffer.from(needle.map((byte) => byte ^ 0x55))
			const hay = [
				other,
				...(['base64', 'hex'] as const).map((as) => Buffer.from(other.toString(as))),
			]
			return findTraces(tracesOf(needle), hay).length === 0
		}),
	)
})

const sentence = 'The heron’s "nest": 100%\tof reeds, né?'

test.each<[string, (text: string) => string | Buffer]>([
	['UTF-8', (text) => text],
	['UTF-16', (text) => Buffer.from(text, 'utf16le')],
	['JSON', (text) => JSON.stringify({ text })],
	['JSON within JSON', (text) => JSON.stringify({ body: JSON.stringify({ text }) })],
	[
		'JSON in ASCII',
		(text) =>
			JSON.stringify({ text }).replace(
				/[^\x20-\x7e]/g,
				(one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`,
			),
	],
	['a URL', (text) => `https://example.org/?q=${encodeURIComponent(text)}`],
	['a form', (text) => new URLSearchParams({ text }).toString().replaceAll('%27', "'")],
	['base64 of it', (text) => Buffer.from(`{"a":"${text}"}`).toString('base64')],
])('a sentence is found in %s', (_, encode) => {
	const hay = Buffer.from(encode(sentence))
	expect(findTraces(textTraces(sentence), [Buffer.from('x'), hay])).not.toEqual([])
	expect(findTraces(textTraces(`${sentence}!`), [hay])).toEqual([])
})

test('what is too short to mean anything is not looked for', () => {
	expect(() => tracesOf(new Uint8Array(7))).toThrow('too short')
})
