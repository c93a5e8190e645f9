import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { randomBytes, sharedKey } from '../../source/protocol/box.ts'
import { fromBase64 } from '../../source/protocol/bytes.ts'
import { createDevice, type Device } from '../../source/protocol/device.ts'
import { headOf } from '../../source/protocol/device-log.ts'
import {
	checkEpoch,
	granterOf,
	makeEpoch,
	openGrant,
	sealGrant,
} from '../../source/protocol/epoch.ts'
import { accountScope, sessionScope } from '../../source/protocol/scope.ts'
import { codeOf, flip } from './_tamper.ts'
import { account, host, laptop, logAfter, recovery, vectors } from './_vectors.ts'

const scope = sessionScope(vectors.session.session)
const key = randomBytes(32)
const log = logAfter(2)
const place = { scope, epoch: 0, key, log: headOf(log), from: 1, prev: new Uint8Array(32) }
const made = makeEpoch(host, place)
const record = checkEpoch(made, log, { scope, epoch: 0 })
const sharedBetween = (one: Device, other: Device) =>
	sharedKey(fromBase64(other.record.box, 32), one.boxSecret)

describe('an epoch record', () => {
	test('says who made which key, from where on', () => {
		expect(record).toMatchObject({ scope, epoch: 0, by: host.record.id, from: 1, log: headOf(log) })
	})

	test('with any bit flipped is refused', () => {
		fc.assert(
			fc.property(
				fc.constantFrom('record' as const, 'signature' as const),
				fc.nat(),
				(part, bit) => {
					const changed = { ...made, [part]: flip(made[part], bit) }
					expect(codeOf(() => checkEpoch(changed, log, { scope, epoch: 0 }))).toMatch(
						/^(epoch_|malformed_epoch_record|newer_version|log_)/,
					)
				},
			),
		)
	})

	test('of another scope or number is refused', () => {
		for (const moved of [
			{ scope, epoch: 1 },
			{ scope: accountScope(account), epoch: 0 },
			{ scope: sessionScope(account), epoch: 0 },
		]) {
			expect(codeOf(() => checkEpoch(made, log, moved))).toBe('epoch_moved')
		}
	})

	test('by a device that the log does not have, or not at that time, is refused', () => {
		const expected = { scope, epoch: 0 }
		const stranger = makeEpoch(createDevice(), place)
		expect(codeOf(() => checkEpoch(stranger, log, expected))).toBe('epoch_unknown_device')
		// Before it was added, and after it was revoked.
		const early = makeEpoch(laptop, { ...place, log: headOf(logAfter(1)) })
		expect(codeOf(() => checkEpoch(early, log, expected))).toBe('epoch_unknown_device')
		const late = makeEpoch(laptop, { ...place, log: headOf(logAfter(5)) })
		expect(codeOf(() => checkEpoch(late, logAfter(5), expected))).toBe('epoch_unknown_device')
		const inTime = makeEpoch(laptop, { ...place, log: headOf(logAfter(4)) })
		expect(checkEpoch(inTime, logAfter(5), expected).by).toBe(laptop.record.id)
	})

	test('that knows another log than ours is refused', () => {
		const ahead = makeEpoch(host, { ...place, log: headOf(logAfter(3)) })
		expect(codeOf(() => checkEpoch(ahead, log, { scope, epoch: 0 }))).toBe('log_rolled_back')
		const fork = makeEpoch(host, { ...place, log: { ...headOf(log), hash: record.prev } })
		expect(codeOf(() => checkEpoch(fork, log, { scope, epoch: 0 }))).toBe('log_rolled_back')
	})

	test('of no scope that there is, is refused', () => {
		for (const wrong of [
			`device:${account}`,
			`session:${account.toUpperCase()}`,
			'account:',
			scope.slice(1),
		]) {
			const bad = makeEpoch(host, { ...place, scope: wrong as typeof scope })
			expect(codeOf(() => checkEpoch(bad, log, { scope: wrong, epoch: 0 }))).toBe(
				'malformed_epoch_record',
			)
		}
	})
})

describe('a grant', () => {
	const nonce = randomBytes(24)
	const shared = sharedBetween(host, laptop)

	test('opens for the device it was made for, and with the key of the record only', () => {
		fc.assert(
			fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (other) => {
				const grant = sealGrant({ scope, epoch: 0, key }, shared, nonce)
				expect(openGrant(grant, record, sharedBetween(laptop, host))).toEqual(key)
				const wrong = sealGrant({ scope, epoch: 0, key: other }, shared, nonce)
				expect(codeOf(() => openGrant(wrong, record, shared))).toBe('grant_wrong_key')
			}),
			{ numRuns: 20 },
		)
	})

	test('any device that holds the key may make it', () => {
		const between = sharedBetween(recovery, laptop)
		const grant = sealGrant({ scope, epoch: 0, key }, between, nonce)
		expect(openGrant(grant, record, between)).toEqual(key)
	})

	test('with any bit flipped, or for another device, does not open', () => {
		const grant = sealGrant({ scope, epoch: 0, key }, shared, nonce)
		fc.assert(
			fc.property(
				fc.constantFrom('nonce' as const, 'ciphertext' as const),
				fc.nat(),
				(part, bit) => {
					const changed = { ...grant, [part]: flip(grant[part], bit) }
					expect(codeOf(() => openGrant(changed, record, shared))).toBe('grant_altered')
				},
			),
		)
		expect(codeOf(() => openGrant(grant, record, sharedBetween(recovery, host)))).toBe(
			'grant_altered',
		)
	})

	test('of another scope or epoch is not used, though its key fits', () => {
		for (const other of [
			{ scope, epoch: 1 },
			{ scope: accountScope(account), epoch: 0 },
		]) {
			const grant = sealGrant({ ...other, key }, shared, nonce)
			expect(codeOf(() => openGrant(grant, record, shared))).toBe('grant_wrong_key')
		}
	})

	test('of a device that is not in the log is not looked at', () => {
		expect(granterOf(log, host.record.id)).toEqual(host.record)
		expect(codeOf(() => granterOf(log, recovery.record.id))).toBe('grant_unknown_device')
	})
})
