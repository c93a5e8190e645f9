import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { redact } from '../../source/config/redact.ts'

const words = fc.constantFrom('', ' ', ': ', '"', '=', '\n', 'key ', 'über ', '(', '…')

describe('redact', () => {
	it('takes out 32 bytes and more, however they are written', () => {
		const bytes = fc.uint8Array({ minLength: 32, maxLength: 200 })
		const encoding = fc.constantFrom('base64', 'base64url', 'hex')
		fc.assert(
			fc.property(bytes, encoding, words, words, (secret, as, before, after) => {
				const written = Buffer.from(secret).toString(as)
				const redacted = redact(before + written + after)
				for (let at = 0; at + 8 <= written.length; at += 4) {
					expect(redacted).not.toContain(written.slice(at, at + 8))
				}
			}),
		)
	})

	it('takes out tokens, also short and cut ones', () => {
		const header = Buffer.from('{"alg":"HS256"}').toString('base64url')
		const payload = Buffer.from('{"sub":"someone"}').toString('base64url')
		for (const token of [
			`${header}.${payload}.c2ln`,
			`${header}.${payload}`,
			`${header}.${payload}.`,
		]) {
			expect(redact(`Bearer ${token} rest`)).toBe('Bearer [redacted] rest')
		}
	})

	it('takes out base64 that is broken into lines', () => {
		const text = Buffer.alloc(96, 0xa5).toString('base64')
		const lines = text.match(/.{1,32}/g)?.join('\n') ?? ''
		expect(redact(`a ${lines} b`)).not.toContain(text.slice(0, 16))
	})

	it('leaves ids, times and sentences alone', () => {
		const plain =
			'2030-01-02T03:04:05.678Z 123e4567-e89b-42d3-a456-426614174000 outbox.sent 127.0.0.1:54321 Nothing to do here, and internationalization stays.'
		expect(redact(plain)).toBe(plain)
	})
})
