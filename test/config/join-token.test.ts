import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { decodeJoinToken, encodeJoinToken, type JoinToken } from '../../source/config/join-token.ts'

const token = (more: Partial<JoinToken> = {}): JoinToken => ({
	urls: ['https://192.168.1.5:4815', 'https://[2001:db8::1]:4815'],
	key: `styrby_${randomBytes(32).toString('base64url')}`,
	pin: randomBytes(32).toString('base64'),
	secret: randomBytes(32).toString('base64url'),
	...more,
})

const bad = expect.objectContaining({ code: 'bad_join_token', exitCode: 2 })

test('says again what it was made of, however a terminal has broken it', () => {
	for (const one of [token(), token({ pin: null })]) {
		const text = encodeJoinToken(one)
		expect(text).toMatch(/^styrby-join-[\w-]+$/)
		expect(decodeJoinToken(text)).toEqual(one)
		expect(decodeJoinToken(`  ${text.replaceAll(/.{60}/g, '$&\n  ')}\r\n`)).toEqual(one)
	}
})

test('with any character changed, left out or added is none', () => {
	const text = encodeJoinToken(token())
	for (let at = 0; at < text.length; at++) {
		const other = text[at] === 'A' ? 'B' : 'A'
		const [before, after] = [text.slice(0, at), text.slice(at + 1)]
		expect(() => decodeJoinToken(before + other + after), `${at}`).toThrow(bad)
		expect(() => decodeJoinToken(before + after), `${at}`).toThrow(bad)
		expect(() => decodeJoinToken(before + other + text.slice(at)), `${at}`).toThrow(bad)
	}
	expect(() => decodeJoinToken(`${text}A`)).toThrow(bad)
})

test.each([
	'',
	'styrby-join-',
	'styrby-join-AAAAAAAA',
	'x'.repeat(100_000),
	'\u0000',
	'{"urls":[]}',
])('%j is none', (text) => {
	expect(() => decodeJoinToken(text)).toThrow(bad)
})

test.each([
	{ urls: [] },
	{ urls: ['http://192.168.1.5:4815'] },
	{ urls: ['https://user:secret@example.test'] },
	{ key: 'a\r\nhost: elsewhere' },
	{ pin: 'AAAA' },
	{ secret: 'short' },
])('with a good check but odd contents it can not even be made: %j', (more) => {
	expect(() => encodeJoinToken(token(more))).toThrow()
})
