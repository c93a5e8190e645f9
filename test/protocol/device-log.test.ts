/** The device log against a server that invents, and against devices that may not. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { nonceSize } from '../../source/protocol/box.ts'
import { fromBase64, toBase64 } from '../../source/protocol/bytes.ts'
import { createDevice, type Device, randomId } from '../../source/protocol/device.ts'
import {
	activeDevices,
	emptyLog,
	headOf,
	isActive,
	type LogAct,
	type LogState,
	makeEntry,
	passesThrough,
	replay,
	replayLong,
	type SignedEntry,
	signJoin,
} from '../../source/protocol/device-log.ts'
import { encodeJson } from '../../source/protocol/json.ts'
import { noLabel, sealLabel } from '../../source/protocol/label.ts'
import { signFor } from '../../source/protocol/sign.ts'
import { codeOf, flip } from './_tamper.ts'
import { account, entries, host, laptop, logAfter, recovery, text, unhex } from './_vectors.ts'

const at = '2026-03-01T12:00:00.000Z'
const label = (name: string) =>
	sealLabel(
		'device:x',
		{ ...noLabel, name },
		{ epoch: 0, key: new Uint8Array(32), nonce: new Uint8Array(nonceSize) },
	)
const addition = (device: Device, join = signJoin(account, device)): LogAct => ({
	type: 'add',
	at,
	device: device.record,
	label: label('new'),
	join: toBase64(join),
})
const revocation = (device: Device): LogAct => ({
	type: 'revoke',
	at,
	device: device.record.id,
	reason: null,
})
/** Two devices, both active. */
const two = logAfter(2)
/** An entry that says what honest code never would, signed all the same. */
function signed(by: Device, entry: object): SignedEntry {
	const bytes = encodeJson(entry)
	const { seq } = entry as { seq: number }
	return { seq, entry: bytes, signature: signFor('log-entry', by.signSecret, bytes) }
}
const place = (state: LogState, by: Device) => ({
	v: 1,
	account,
	seq: state.hashes.length,
	prev: state.hashes.at(-1) ?? toBase64(new Uint8Array(32)),
	by: by.record.id,
})
const codeOfAct = (state: LogState, by: Device, act: LogAct) =>
	codeOf(() => replay(state, [makeEntry(state, by, act)]))

describe('replay', () => {
	test('all at once, or from any point, gives the same', () => {
		const whole = logAfter(entries.length)
		for (let count = 0; count <= entries.length; count++) {
			expect(replay(logAfter(count), entries.slice(count))).toEqual(whole)
		}
	})

	test('gives what the entries say', () => {
		const state = logAfter(entries.length)
		expect(activeDevices(state).map(({ record }) => record)).toEqual([host.record, recovery.record])
		expect(isActive(state, laptop.record.id)).toBe(false)
		expect(isActive(state, randomId())).toBe(false)
		expect(state.devices.get(laptop.record.id)?.revoked).toMatchObject({
			by: host.record.id,
			seq: 4,
		})
	})

	test('a refused entry leaves the state before as it was', () => {
		const before = structuredClone(two)
		const bad = { ...makeEntry(two, host, revocation(laptop)), signature: new Uint8Array(64) }
		expect(codeOf(() => replay(two, [bad]))).toBe('log_bad_signature')
		expect(two).toEqual(before)
	})

	test('of a random life of an account holds, and knows who is active', () => {
		fc.assert(
			fc.property(fc.array(fc.tuple(fc.nat(3), fc.nat(), fc.nat()), { maxLength: 12 }), (life) => {
				let state = replay(emptyLog(account), entries.slice(0, 1))
				const devices = [host]
				const active = new Set([host])
				for (const [what, who, whom] of life) {
					const [by] = [...active].slice(who % active.size)
					const target = devices[whom % devices.length]
					if (!by || !target) throw new Error('nobody is left')
					if (what < 2) {
						const added = createDevice()
						state = replay(state, [makeEntry(state, by, addition(added))])
						devices.push(added)
						active.add(added)
					} else if (what === 2) {
						const act = { type: 'rename', at, device: target.record.id, label: label('x') } as const
						state = replay(state, [makeEntry(state, by, act)])
					} else if (active.has(target) && active.size > 1) {
						state = replay(state, [makeEntry(state, by, revocation(target))])
						active.delete(target)
					} else expect(codeOfAct(state, by, revocation(target))).toBe('log_invalid_entry')
				}
				expect(
					activeDevices(state)
						.map(({ record }) => record.id)
						.toSorted(),
				).toEqual([...active].map(({ record }) => record.id).toSorted())
			}),
			{ numRuns: 30 },
		)
	})
})

describe('a server can not', () => {
	test('flip a bit of an entry or its signature', () => {
		fc.assert(
			fc.property(
				fc.nat(entries.length - 1),
				fc.constantFrom('entry' as const, 'signature' as const),
				fc.nat(),
				(index, part, bit) => {
					const changed = entries.map((one, at) =>
						at === index ? { ...one, [part]: flip(one[part], bit) } : one,
					)
					expect(codeOf(() => replay(emptyLog(account), changed))).toMatch(
						/^(log_|malformed_log_entry|weak_key|newer_version)/,
					)
				},
			),
		)
	})

	test('leave one out, repeat one, or change their order', () => {
		for (let index = 0; index < entries.length - 1; index++) {
			const without = entries.filter((_, at) => at !== index)
			expect(codeOf(() => replay(emptyLog(account), without))).toBe('log_gap')
			const renumbered = without.map((one, seq) => ({ ...one, seq }))
			expect(codeOf(() => replay(emptyLog(account), renumbered))).toBe('log_foreign')
		}
		const [first, second] = entries
		if (!first || !second) throw new Error('no entries')
		expect(codeOf(() => replay(emptyLog(account), [first, first]))).toBe('log_gap')
		expect(codeOf(() => replay(emptyLog(account), [second, first]))).toBe('log_gap')
	})

	test('put one in from elsewhere', () => {
		const foreign = emptyLog(randomId())
		const act = { type: 'genesis', at, device: host.record, label: label('x') } as const
		const genesis = makeEntry(foreign, host, act)
		expect(codeOf(() => replay(emptyLog(account), [genesis]))).toBe('log_foreign')
		// Another branch of the same account: signed well, but it continues another history.
		const other = replay(logAfter(1), [makeEntry(logAfter(1), host, addition(createDevice()))])
		const branch = makeEntry(other, host, addition(createDevice()))
		expect(codeOf(() => replay(two, [branch]))).toBe('log_forked')
	})

	test('show another history under the same numbers unseen', () => {
		const fork = replay(logAfter(1), [makeEntry(logAfter(1), host, addition(createDevice()))])
		expect(passesThrough(two, headOf(two))).toBe(true)
		expect(passesThrough(two, headOf(logAfter(1)))).toBe(true)
		expect(passesThrough(fork, headOf(two))).toBe(false)
		expect(passesThrough(two, headOf(logAfter(3)))).toBe(false)
		for (const seq of [-1, 0.5, 2 ** 53, Number.NaN]) {
			expect(passesThrough(two, { seq, hash: '' })).toBe(false)
		}
	})

	test('register a device of its own', () => {
		const intruder = createDevice()
		const act = addition(intruder)
		const entry = encodeJson({ ...place(two, host), ...act })
		const signature = signFor('log-entry', intruder.signSecret, entry)
		expect(codeOf(() => replay(two, [{ seq: 2, entry, signature }]))).toBe('log_bad_signature')
		expect(codeOfAct(two, intruder, act)).toBe('log_unknown_signer')
	})

	test('start a log with another device than the one that signs', () => {
		const act = { type: 'genesis', at, device: host.record, label: label('x') } as const
		const empty = emptyLog(account)
		const entry = encodeJson({ ...place(empty, laptop), ...act })
		const stolen = { seq: 0, entry, signature: signFor('log-entry', host.signSecret, entry) }
		expect(codeOf(() => replay(empty, [stolen]))).toBe('log_invalid_entry')
		const forged = { ...stolen, signature: signFor('log-entry', laptop.signSecret, entry) }
		expect(codeOf(() => replay(empty, [forged]))).toBe('log_bad_signature')
	})
})

describe('a device can not', () => {
	test('start the log again, or with anything but its genesis', () => {
		const act = { type: 'genesis', at, device: laptop.record, label: label('x') } as const
		expect(codeOfAct(two, laptop, act)).toBe('log_invalid_entry')
		expect(codeOfAct(emptyLog(account), host, addition(laptop))).toBe('log_unknown_signer')
	})

	test('add a device that did not agree, for this account and with these keys', () => {
		const added = createDevice()
		const wrong = [
			new Uint8Array(64),
			signJoin(randomId(), added),
			signJoin(account, createDevice()),
			signJoin(account, { ...added, record: { ...added.record, kind: 'recovery' } }),
			signJoin(account, { ...added, record: { ...added.record, box: host.record.box } }),
		]
		for (const join of wrong) {
			expect(codeOfAct(two, host, addition(added, join))).toBe('log_bad_signature')
		}
		expect(replay(two, [makeEntry(two, host, addition(added))]).devices.size).toBe(3)
	})

	test('take the id or a key of another, even of one that was revoked', () => {
		const state = logAfter(5)
		for (const other of [host, laptop]) {
			const fresh = createDevice()
			for (const record of [
				{ ...fresh.record, id: other.record.id },
				{ ...fresh.record, box: other.record.box },
			]) {
				const device = { ...fresh, record }
				expect(codeOfAct(state, host, addition(device))).toBe('log_invalid_entry')
			}
			const same = { ...other, record: { ...other.record, id: randomId() } }
			expect(codeOfAct(state, host, addition(same))).toBe('log_invalid_entry')
		}
	})

	test('take it by writing it in another way', () => {
		const fresh = createDevice()
		const upper = { ...fresh, record: { ...fresh.record, id: host.record.id.toUpperCase() } }
		expect(codeOfAct(two, host, addition(upper))).toBe('malformed_log_entry')
		const box = fromBase64(host.record.box, 32)
		box[31] = (box[31] ?? 0) | 0x80
		const twin = { ...fresh, record: { ...fresh.record, box: toBase64(box) } }
		expect(codeOfAct(two, host, addition(twin))).toBe('weak_key')
	})

	test('register keys that are everyone’s', () => {
		const fresh = createDevice()
		const weak = ['00'.repeat(32), `01${'00'.repeat(31)}`, `ec${'ff'.repeat(30)}7f`]
		for (const key of weak.map((bytes) => toBase64(unhex(bytes)))) {
			const boxed = { ...fresh, record: { ...fresh.record, box: key } }
			expect(codeOfAct(two, host, addition(boxed))).toBe('weak_key')
		}
		// Anyone can sign under the neutral point: a join signature proves nothing then.
		const neutral = unhex(`01${'00'.repeat(31)}`)
		const record = { ...fresh.record, sign: toBase64(neutral) }
		const anyone = new Uint8Array([...neutral, ...new Uint8Array(32)])
		expect(codeOfAct(two, host, addition({ ...fresh, record }, anyone))).toBe('weak_key')
		const act = { type: 'genesis', at, device: record, label: label('x') } as const
		const entry = encodeJson({ ...place(emptyLog(account), fresh), ...act })
		const start = () => replay(emptyLog(account), [{ seq: 0, entry, signature: anyone }])
		expect(codeOf(start)).toBe('weak_key')
	})

	test('do anything once it is revoked', () => {
		const state = logAfter(5)
		const acts: LogAct[] = [
			addition(createDevice()),
			revocation(host),
			{ type: 'rename', at, device: laptop.record.id, label: label('x') },
		]
		for (const act of acts) expect(codeOfAct(state, laptop, act)).toBe('log_unknown_signer')
	})

	test('revoke the last, the unknown, or twice; rename the unknown', () => {
		const alone = logAfter(1)
		expect(codeOfAct(alone, host, revocation(host))).toBe('log_invalid_entry')
		expect(codeOfAct(two, host, revocation(createDevice()))).toBe('log_invalid_entry')
		expect(codeOfAct(logAfter(5), host, revocation(laptop))).toBe('log_invalid_entry')
		const act = { type: 'rename', at, device: randomId(), label: label('x') } as const
		expect(codeOfAct(two, host, act)).toBe('log_invalid_entry')
	})

	test('say that an entry is for another place', () => {
		const act = { ...place(two, host), ...revocation(laptop) }
		const codes = [
			{ seq: 7 },
			{ account: randomId() },
			{ prev: toBase64(new Uint8Array(32)) },
			{ by: randomId() },
			{ type: 'grant' },
			{ reason: 'x'.repeat(201) },
		].map((change) => {
			const { entry, signature } = signed(host, { ...act, ...change })
			return codeOf(() => replay(two, [{ seq: 2, entry, signature }]))
		})
		expect(codes).toEqual([
			'log_foreign',
			'log_foreign',
			'log_forked',
			'log_unknown_signer',
			'malformed_log_entry',
			'malformed_log_entry',
		])
	})
})

test('an empty log has no head', () => {
	expect(codeOf(() => headOf(emptyLog(account)))).toBe('log_empty')
	expect(text(entries[0]?.entry ?? new Uint8Array())).toContain(host.record.id)
})

describe('a long log', () => {
	/** Device after device is added, renamed and revoked. */
	function longLog(count: number): SignedEntry[] {
		const made: SignedEntry[] = []
		let state = two
		for (let device = createDevice(); made.length < count; ) {
			const acts: LogAct[] = [
				addition(device),
				{ type: 'rename', at, device: device.record.id, label: label('other') },
				revocation(device),
			]
			for (const act of acts) {
				const entry = makeEntry(state, host, act)
				state = replay(state, [entry])
				made.push(entry)
			}
			device = createDevice()
		}
		return made
	}
	const whole = longLog(240)

	test('is replayed to the same state, whichever way', async () => {
		expect(await replayLong(two, whole)).toEqual(replay(two, whole))
		expect(await replayLong(two, whole.slice(0, 10))).toEqual(replay(two, whole.slice(0, 10)))
	})

	test('is refused with the same error at the same entry, wherever it is changed', async () => {
		const changed = (kind: number, at: number, bit: number): SignedEntry[] => {
			const entries = [...whole]
			const one = entries[at]
			if (!one) throw new Error('no such entry')
			if (kind === 0) entries[at] = { ...one, signature: flip(one.signature, bit) }
			if (kind === 1) entries[at] = { ...one, entry: flip(one.entry, bit) }
			if (kind === 2) entries.splice(at, 1)
			if (kind === 3) entries.splice(at, 0, one)
			return entries
		}
		const outcome = async (work: () => Promise<unknown>) => {
			try {
				await work()
				return null
			} catch (error) {
				return error instanceof Error ? error.message : error
			}
		}
		const anywhere = fc.tuple(fc.nat(3), fc.nat(whole.length - 2), fc.nat())
		await fc.assert(
			fc.asyncProperty(anywhere, anywhere, async ([kind, at, bit], [kind2, at2, bit2]) => {
				// Two faults: the first is the one that is named.
				const once = changed(kind, at, bit)
				const second = changed(kind2, at2, bit2)[at2]
				const entries = at2 < once.length && second ? once.with(at2, second) : once
				const sure = await outcome(async () => replay(two, entries))
				expect(await outcome(() => replayLong(two, entries))).toBe(sure)
			}),
			{ numRuns: 40 },
		)
	})
})
