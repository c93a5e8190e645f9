import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { randomBytes } from '../../source/protocol/box.ts'
import { toBase64 } from '../../source/protocol/bytes.ts'
import { createDevice } from '../../source/protocol/device.ts'
import { headOf } from '../../source/protocol/device-log.ts'
import {
	checkHeartbeat,
	openTextFrame,
	sealTextFrame,
	signHeartbeat,
} from '../../source/protocol/live.ts'
import { hostSign, other, session } from './_session.ts'
import { codeOf, flip } from './_tamper.ts'
import { host, logAfter } from './_vectors.ts'

const key = randomBytes(32)
const frame = {
	session,
	epoch: 0,
	block: 'msg_01/0',
	n: 3,
	kind: 'agent_response' as const,
	offset: 0,
	text: '',
}

describe('a text frame', () => {
	test('of any text arrives', () => {
		fc.assert(
			fc.property(fc.string({ unit: 'binary', maxLength: 2000 }), fc.nat(), (text, offset) => {
				const whole = { ...frame, text, offset }
				const sealed = sealTextFrame(whole, key, host.signSecret, randomBytes(24))
				expect(openTextFrame(sealed, session, key, hostSign)).toEqual({ v: 1, ...whole })
			}),
			{ numRuns: 50 },
		)
	})

	test('with any bit flipped is refused before it is opened', () => {
		const sealed = sealTextFrame(frame, key, host.signSecret, randomBytes(24))
		fc.assert(
			fc.property(
				fc.constantFrom('nonce' as const, 'ciphertext' as const, 'signature' as const),
				fc.nat(),
				(part, bit) => {
					const changed = { ...sealed, [part]: flip(sealed[part], bit) }
					expect(codeOf(() => openTextFrame(changed, session, key, hostSign))).toBe(
						'frame_bad_signature',
					)
				},
			),
		)
	})

	test('of another device, session or key is refused', () => {
		const sealed = sealTextFrame(frame, key, host.signSecret, randomBytes(24))
		expect(codeOf(() => openTextFrame(sealed, other, key, hostSign))).toBe('frame_moved')
		expect(codeOf(() => openTextFrame(sealed, session, randomBytes(32), hostSign))).toBe(
			'frame_altered',
		)
		const forged = sealTextFrame(frame, key, createDevice().signSecret, randomBytes(24))
		expect(codeOf(() => openTextFrame(forged, session, key, hostSign))).toBe('frame_bad_signature')
	})
})

describe('a heartbeat', () => {
	const beat = {
		session,
		seq: 9,
		chain: toBase64(randomBytes(32)),
		log: headOf(logAfter(2)),
		at: '2026-03-01T12:00:00.000Z',
	}
	const signed = signHeartbeat(beat, host.signSecret)

	test('says how far the session goes', () => {
		expect(checkHeartbeat(signed, session, hostSign)).toEqual({ v: 1, ...beat })
	})

	test('with any bit flipped, of another device or another session, is refused', () => {
		fc.assert(
			fc.property(
				fc.constantFrom('bytes' as const, 'signature' as const),
				fc.nat(),
				(part, bit) => {
					const changed = { ...signed, [part]: flip(signed[part], bit) }
					expect(codeOf(() => checkHeartbeat(changed, session, hostSign))).toBe(
						'heartbeat_bad_signature',
					)
				},
			),
		)
		const forged = signHeartbeat(beat, createDevice().signSecret)
		expect(codeOf(() => checkHeartbeat(forged, session, hostSign))).toBe('heartbeat_bad_signature')
		expect(codeOf(() => checkHeartbeat(signed, other, hostSign))).toBe('frame_moved')
	})

	test('is no text frame, nor the other way round', () => {
		const nonce = randomBytes(24)
		const sealed = sealTextFrame(frame, key, host.signSecret, nonce)
		const bytes = new Uint8Array([...nonce, ...sealed.ciphertext])
		const code = codeOf(() =>
			checkHeartbeat({ bytes, signature: sealed.signature }, session, hostSign),
		)
		expect(code).toBe('heartbeat_bad_signature')
	})
})
