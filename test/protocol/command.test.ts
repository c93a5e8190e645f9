import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { randomBytes, sharedKey } from '../../source/protocol/box.ts'
import { fromBase64 } from '../../source/protocol/bytes.ts'
import {
	checkCommand,
	openCommand,
	requestDigest,
	sealCommand,
	signCommand,
	type UnsignedCommand,
} from '../../source/protocol/command.ts'
import { headOf } from '../../source/protocol/device-log.ts'
import { codeOf, flip } from './_tamper.ts'
import { host, laptop, logAfter, recovery, utf8, vectors } from './_vectors.ts'

const { session } = vectors.session
const shared = sharedKey(fromBase64(host.record.box, 32), laptop.boxSecret)
const signPublic = laptop.signSecret.subarray(32)
const command: UnsignedCommand = {
	id: session,
	session,
	to: host.record.id,
	by: laptop.record.id,
	at: '2026-03-01T12:00:00.000Z',
	log: headOf(logAfter(2)),
	kind: 'decision',
	body: {
		request: session,
		digest: 'a'.repeat(64),
		decision: 'allow',
		scope: 'once',
		input: { command: 'npm test' },
	},
}
const signed = signCommand(command, laptop.signSecret)

describe('a command', () => {
	test('of any text arrives as it was sent', () => {
		fc.assert(
			fc.property(fc.string({ unit: 'binary', maxLength: 3000 }), (text) => {
				const prompt: UnsignedCommand = { ...command, kind: 'prompt', body: { text } }
				const sealed = sealCommand(signCommand(prompt, laptop.signSecret), shared, randomBytes(24))
				const opened = checkCommand(openCommand(sealed, shared), laptop.record.id, signPublic)
				expect(opened).toEqual({ v: 1, ...prompt })
			}),
			{ numRuns: 50 },
		)
	})

	test('with any bit of its box flipped does not open', () => {
		const sealed = sealCommand(signed, shared, randomBytes(24))
		fc.assert(
			fc.property(
				fc.constantFrom('nonce' as const, 'ciphertext' as const),
				fc.nat(),
				(part, bit) => {
					const changed = { ...sealed, [part]: flip(sealed[part], bit) }
					expect(codeOf(() => openCommand(changed, shared))).toBe('command_altered')
				},
			),
		)
	})

	test('with any bit inside flipped is not signed', () => {
		fc.assert(
			fc.property(
				fc.constantFrom('bytes' as const, 'signature' as const),
				fc.nat(),
				(part, bit) => {
					const changed = { ...signed, [part]: flip(signed[part], bit) }
					expect(codeOf(() => checkCommand(changed, laptop.record.id, signPublic))).toBe(
						'command_bad_signature',
					)
				},
			),
		)
	})

	test('is nobody else’s: the pair shares the box key, so the host could seal one, but not sign it', () => {
		const reflected = openCommand(
			sealCommand(
				signed,
				sharedKey(fromBase64(laptop.record.box), host.boxSecret),
				randomBytes(24),
			),
			shared,
		)
		expect(
			codeOf(() => checkCommand(reflected, host.record.id, host.signSecret.subarray(32))),
		).toBe('command_bad_signature')
		const forged = signCommand(command, recovery.signSecret)
		const code = codeOf(() =>
			checkCommand(forged, recovery.record.id, recovery.signSecret.subarray(32)),
		)
		expect(code).toBe('command_foreign')
		expect(
			codeOf(() => openCommand(sealCommand(signed, randomBytes(32), randomBytes(24)), shared)),
		).toBe('command_altered')
	})

	test.each([
		['a kind that there is not', { kind: 'shell', body: {} }],
		['another body than its kind', { kind: 'prompt' }],
		['a digest in capitals', { body: { ...command.body, digest: 'A'.repeat(64) } }],
		['a digest that is short', { body: { ...command.body, digest: 'a'.repeat(63) } }],
		['another decision', { body: { ...command.body, decision: 'maybe' } }],
		['another scope', { body: { ...command.body, scope: 'always' } }],
		['a reason without end', { body: { ...command.body, reason: 'x'.repeat(4001) } }],
		['a prompt without end', { kind: 'prompt', body: { text: 'x'.repeat(100_001) } }],
		['an interrupt that says more', { kind: 'interrupt', body: { now: true } }],
		['a log head that is none', { log: { seq: 1, hash: 'AAAA' } }],
		['a negative log head', { log: { ...command.log, seq: -1 } }],
	])('with %s is malformed', (_, change) => {
		const wrong = { ...command, ...change } as UnsignedCommand
		const bad = signCommand(wrong, laptop.signSecret)
		expect(codeOf(() => checkCommand(bad, laptop.record.id, signPublic))).toBe('malformed_command')
	})
})

test('the digest of a request is over every byte, and over their parts in order', () => {
	const [one, two] = [utf8('{"a":1}'), utf8('{"b":2}')]
	expect(requestDigest([one, two])).not.toBe(requestDigest([two, one]))
	expect(requestDigest([one])).not.toBe(requestDigest([one, two]))
	fc.assert(
		fc.property(fc.nat(), (bit) => {
			expect(requestDigest([flip(one, bit)])).not.toBe(requestDigest([one]))
		}),
	)
})
