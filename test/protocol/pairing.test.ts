import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { randomBytes } from '../../source/protocol/box.ts'
import { fromBase64, toBase64 } from '../../source/protocol/bytes.ts'
import { createDevice, randomId } from '../../source/protocol/device.ts'
import { headOf, makeEntry, replay } from '../../source/protocol/device-log.ts'
import { StyrbyError } from '../../source/protocol/errors.ts'
import {
	checkPairedLog,
	openPairingAnswer,
	openPairingRequest,
	type PairingAnswer,
	pairingLife,
	sealPairingAnswer,
	sealPairingRequest,
} from '../../source/protocol/pairing.ts'
import {
	makePairingCode,
	pairingKeys,
	parsePairingCode,
} from '../../source/protocol/pairing-code.ts'
import { codeOf, flip } from './_tamper.ts'
import { account, hex, host, laptop, logAfter, recovery, unhex, vectors } from './_vectors.ts'

const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const secret = fc.uint8Array({ minLength: 10, maxLength: 10 })
const codeFor = (bytes: Uint8Array) => makePairingCode(() => bytes)
const bare = (code: string) => code.replaceAll('-', '')

describe('a code', () => {
	test('is read back as the bytes it was made from, however it is typed', () => {
		fc.assert(
			fc.property(secret, (bytes) => {
				const code = codeFor(bytes)
				expect(code).toMatch(/^([0-9A-HJKMNP-TV-Z]{4}-){3}[0-9A-HJKMNP-TV-Z]{5}$/)
				const typed = [code, code.toLowerCase(), bare(code), ` ${code.replaceAll('-', ' ')}\n`]
				typed.push(code.replaceAll('0', 'o').replaceAll('1', 'l'), code.replaceAll('1', 'I'))
				for (const text of typed) expect(parsePairingCode(text)).toEqual(bytes)
			}),
		)
	})

	test('with one wrong character is refused, whichever it is', () => {
		fc.assert(
			fc.property(secret, fc.nat(16), fc.integer({ min: 1, max: 31 }), (bytes, at, by) => {
				const code = bare(codeFor(bytes))
				const wrong = alphabet[(alphabet.indexOf(code[at] ?? '') + by) % 32]
				const typed = code.slice(0, at) + wrong + code.slice(at + 1)
				expect(codeOf(() => parsePairingCode(typed), 2)).toBe('bad_pairing_code')
			}),
		)
	})

	test('with two characters swapped is refused, however far apart', () => {
		fc.assert(
			fc.property(secret, fc.nat(16), fc.nat(16), (bytes, one, two) => {
				const characters = [...bare(codeFor(bytes))]
				const [a = '', b = ''] = [characters[one], characters[two]]
				fc.pre(a !== b)
				characters[one] = b
				characters[two] = a
				expect(codeOf(() => parsePairingCode(characters.join('')), 2)).toBe('bad_pairing_code')
			}),
		)
	})

	test.each([
		['', '0'],
		['0000-0000-0000-0000', '16'],
		['0000-0000-0000-000000', '18'],
		['000U-0000-0000-00000', 'Character 4'],
		['0000-0000-0000-0000ü', 'Character 17'],
		['0000-00😀0-0000-00000', 'Character 7'],
	])('%j says what is wrong with it, and repeats nothing of it', (text, says) => {
		expect(() => parsePairingCode(text)).toThrow(says)
	})

	test('of the vectors gives their keys', () => {
		const { code, keys } = vectors.pairing
		expect(codeFor(unhex(vectors.pairing.secret))).toBe(code)
		const made = pairingKeys(parsePairingCode(code))
		expect({
			id: hex(made.id),
			request: hex(made.request),
			answer: hex(made.answer),
		}).toEqual(keys)
	})
})

const keys = pairingKeys(unhex(vectors.pairing.secret))
const sealedIn = ({ nonce, ciphertext }: { nonce: string; ciphertext: string }) => ({
	nonce: unhex(nonce),
	ciphertext: unhex(ciphertext),
})
function outcome(work: () => unknown): string | null {
	try {
		work()
		return null
	} catch (error) {
		if (error instanceof StyrbyError) return error.code
		throw error
	}
}

const at = '2026-03-01T12:00:10.000Z'
const now = Date.parse(at) + 1000

describe('a request', () => {
	const { request } = vectors.pairing
	const about = { account, name: 'laptop', platform: 'linux', at }

	test('is sealed and opened as in the vectors', () => {
		const made = sealPairingRequest(keys, laptop, about, unhex(request.nonce))
		expect(hex(made.ciphertext)).toBe(request.ciphertext)
		const opened = openPairingRequest(keys, sealedIn(request), account, now)
		expect({ v: 1, ...opened }).toEqual(JSON.parse(request.json))
	})

	test('with any bit changed, or under another code, does not open', () => {
		const sealed = sealedIn(request)
		fc.assert(
			fc.property(fc.nat(sealed.ciphertext.length * 8 - 1), (bit) => {
				const ciphertext = flip(sealed.ciphertext, bit)
				const open = () => openPairingRequest(keys, { ...sealed, ciphertext }, account, now)
				expect(codeOf(open)).toBe('pairing_altered')
			}),
		)
		const other = pairingKeys(randomBytes(10))
		expect(codeOf(() => openPairingRequest(other, sealed, account, now))).toBe('pairing_altered')
	})

	test('for another account, or of a recovery key, is refused', () => {
		const open = (device: typeof laptop, about: Parameters<typeof sealPairingRequest>[2]) => {
			const sealed = sealPairingRequest(keys, device, about, randomBytes(24))
			return outcome(() => openPairingRequest(keys, sealed, account, now))
		}
		expect(open(laptop, { ...about, account: randomId() })).toBe('pairing_foreign')
		expect(open(recovery, about)).toBe('pairing_foreign')
		expect(open(laptop, about)).toBeNull()
	})

	test('whose consent is another device’s is refused', () => {
		const forged = { ...createDevice(), record: laptop.record }
		const sealed = sealPairingRequest(keys, forged, about, randomBytes(24))
		expect(codeOf(() => openPairingRequest(keys, sealed, account, now))).toBe('pairing_altered')
	})

	test.each([
		['weak box key', { box: toBase64(new Uint8Array(32)) }],
		['weak signing key', { sign: toBase64(new Uint8Array(32)) }],
	])('with a %s is refused', (_, weak) => {
		const forged = { ...laptop, record: { ...laptop.record, ...weak } }
		const sealed = sealPairingRequest(keys, forged, about, randomBytes(24))
		expect(codeOf(() => openPairingRequest(keys, sealed, account, now))).toBe('weak_key')
	})

	test.each([
		[0, null],
		[pairingLife, null],
		[pairingLife + 5 * 60_000 + 1, 'pairing_expired'],
		[-5 * 60_000, null],
		[-5 * 60_000 - 1, 'pairing_expired'],
	])('that is %i ms old gives %s', (age, code) => {
		const open = () => openPairingRequest(keys, sealedIn(request), account, Date.parse(at) + age)
		expect(outcome(open)).toBe(code)
	})
})

describe('an answer', () => {
	const { answer } = vectors.pairing
	const log = logAfter(2)
	const good: PairingAnswer = {
		account,
		genesis: log.hashes[0] ?? '',
		log: headOf(log),
		by: host.record,
	}

	test('is sealed and opened as in the vectors', () => {
		const made = sealPairingAnswer(keys, good, unhex(answer.nonce))
		expect(hex(made.ciphertext)).toBe(answer.ciphertext)
		expect(openPairingAnswer(keys, sealedIn(answer))).toEqual(good)
	})

	test('with any bit changed, or the request in its place, does not open', () => {
		const sealed = sealedIn(answer)
		fc.assert(
			fc.property(fc.nat(sealed.ciphertext.length * 8 - 1), (bit) => {
				const ciphertext = flip(sealed.ciphertext, bit)
				const open = () => openPairingAnswer(keys, { ...sealed, ciphertext })
				expect(codeOf(open)).toBe('pairing_altered')
			}),
		)
		const request = sealedIn(vectors.pairing.request)
		expect(codeOf(() => openPairingAnswer(keys, request))).toBe('pairing_altered')
	})

	test('is true of the log it was given from, and of what continues it', () => {
		expect(() => checkPairedLog(good, log, laptop.record)).not.toThrow()
		expect(() => checkPairedLog(good, logAfter(3), laptop.record)).not.toThrow()
	})

	const other = '0'.repeat(43)
	test.each<[string, PairingAnswer]>([
		['another account', { ...good, account: randomId() }],
		['another beginning', { ...good, genesis: `${other}=` }],
		['a head that is not there', { ...good, log: { ...good.log, seq: 7 } }],
		['a head that is another', { ...good, log: { ...good.log, hash: `${other}=` } }],
		['an approver that is not there', { ...good, by: createDevice().record }],
		['an approver with another key', { ...good, by: { ...host.record, box: laptop.record.box } }],
	])('with %s is refused', (_, answer) => {
		const check = () => checkPairedLog(answer, log, laptop.record)
		expect(codeOf(check)).toBe('pairing_false_account')
	})

	test('is refused for a log that lacks this device, has it with other keys, or has revoked it', () => {
		const swapped = { ...laptop.record, box: host.record.box }
		for (const [state, own] of [
			[logAfter(1), laptop.record],
			[log, swapped],
		] as const) {
			const answer = { ...good, log: headOf(state) }
			expect(codeOf(() => checkPairedLog(answer, state, own))).toBe('pairing_false_account')
		}
		const revoke = makeEntry(log, host, {
			type: 'revoke',
			at,
			device: laptop.record.id,
			reason: null,
		})
		const revoked = replay(log, [revoke])
		const check = () => checkPairedLog(good, revoked, laptop.record)
		expect(codeOf(check)).toBe('pairing_false_account')
	})
})

test('no two purposes share a key', () => {
	const all = [keys.id, keys.request.slice(0, 16), keys.answer.slice(0, 16)].map(hex)
	expect(new Set(all).size).toBe(3)
	expect(fromBase64(toBase64(keys.id), 16)).toEqual(keys.id)
})
