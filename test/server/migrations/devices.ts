/** The device log and its projection. */
import { describe, expect, test } from 'vitest'
import {
	base64,
	broadcasts,
	Caller,
	createSession,
	detail,
	failure,
	type Row,
	randomUUID,
	type TestDatabase,
} from './database.ts'

function device(kind = 'device') {
	return { id: randomUUID(), box: base64(32), sign: base64(32), kind }
}

function entry(fields: object): string {
	const text = JSON.stringify({ v: 1, at: '2026-03-04T05:06:07.890Z', ...fields })
	return Buffer.from(text).toString('base64')
}

function appendLog(caller: Caller, seq: number, p_entry: string, p_signature = base64(64)) {
	return caller.call('append_log', { p_seq: seq, p_entry, p_signature })
}

const keysOf = async (caller: Caller) => (await caller.call('list_machine_keys')) as Row[]
const logOf = async (caller: Caller, after = -1) =>
	(await caller.call('read_log', { p_after: after })) as Row[]

export function testDevices(database: () => TestDatabase): void {
	describe('device log', () => {
		test('keeps entries and signatures byte for byte, in order', async () => {
			const caller = await Caller.signUp(database())
			const first = device()
			const entries = [entry({ type: 'genesis', device: first }), entry({ type: 'rename' })]
			const signatures = [base64(64), base64(64)]
			for (const [seq, text] of entries.entries()) {
				await appendLog(caller, seq, text, signatures[seq])
			}
			expect(await logOf(caller)).toEqual(
				entries.map((text, seq) => ({ seq, entry: text, signature: signatures[seq] })),
			)
			expect((await logOf(caller, 0)).map((row) => row.seq)).toEqual([1])
			expect(await logOf(caller, 1)).toEqual([])
			expect(await broadcasts(database(), `account:${caller.id}`)).toEqual([
				{ event: 'log', payload: { seq: 0 } },
				{ event: 'log', payload: { seq: 1 } },
			])
		})

		test('projects devices; a revoked key stays, with the time of its end', async () => {
			const caller = await Caller.signUp(database())
			const [first, second] = [device(), device('recovery')]
			await appendLog(caller, 0, entry({ type: 'genesis', device: first }))
			await appendLog(caller, 1, entry({ type: 'add', device: second }))
			const at = '2026-04-01T00:00:00.123Z'
			await appendLog(caller, 2, entry({ type: 'revoke', device: first.id, at }))
			const keys = await keysOf(caller)
			const added_at = '2026-03-04T05:06:07.890Z'
			const { id: _one, ...firstKeys } = first
			const { id: _two, ...secondKeys } = second
			expect(keys).toHaveLength(2)
			expect(keys).toContainEqual({
				...{ device: first.id, ...firstKeys, added_at },
				...{ revoked_at: at, last_seen_at: null },
			})
			expect(keys).toContainEqual({
				...{ device: second.id, ...secondKeys, added_at },
				...{ revoked_at: null, last_seen_at: null },
			})
		})

		test('revoking a device leaves its sessions in place', async () => {
			const caller = await Caller.signUp(database())
			const first = device()
			await appendLog(caller, 0, entry({ type: 'genesis', device: first }))
			const session = await createSession(caller)
			await appendLog(caller, 1, entry({ type: 'revoke', device: first.id }))
			expect(await caller.call('read_session', { p_session: session })).not.toBeNull()
		})

		test('a key is never swapped, whatever the log says, and a revocation never undone', async () => {
			const caller = await Caller.signUp(database())
			const first = device()
			await appendLog(caller, 0, entry({ type: 'genesis', device: first }))
			await appendLog(caller, 1, entry({ type: 'add', device: { ...device(), id: first.id } }))
			expect(await keysOf(caller)).toMatchObject([{ box: first.box, sign: first.sign }])
			await appendLog(caller, 2, entry({ type: 'revoke', device: first.id }))
			const [before] = await keysOf(caller)
			await appendLog(caller, 3, entry({ type: 'add', device: first }))
			const again = { type: 'revoke', device: first.id, at: '2030-01-01T00:00:00.000Z' }
			await appendLog(caller, 4, entry(again))
			expect(await keysOf(caller)).toEqual([before])
		})

		test('the same entry again changes nothing; another one is a conflict', async () => {
			const caller = await Caller.signUp(database())
			const [text, signature] = [entry({ type: 'genesis', device: device() }), base64(64)]
			await appendLog(caller, 0, text, signature)
			await appendLog(caller, 0, text, signature)
			expect(await logOf(caller)).toHaveLength(1)
			const other = () => appendLog(caller, 0, entry({ type: 'genesis', device: device() }))
			expect(await failure(other())).toBe('log_conflict')
			expect(await detail(other())).toEqual({ next: 1 })
			for (const seq of [2, -1, Number.MAX_SAFE_INTEGER]) {
				expect(await failure(appendLog(caller, seq, entry({ type: 'rename' })))).toBe(
					'log_conflict',
				)
			}
			expect(await logOf(caller)).toHaveLength(1)
		})

		test('of many writers at once, each number goes to one', async () => {
			const caller = await Caller.signUp(database())
			const outcomes = await Promise.all(
				Array.from({ length: 8 }, () =>
					failure(appendLog(caller, 0, entry({ type: 'genesis', device: device() }))),
				),
			)
			expect(outcomes.filter((outcome) => outcome === null)).toHaveLength(1)
			expect(outcomes.filter((outcome) => outcome === 'log_conflict')).toHaveLength(7)
			expect(await keysOf(caller)).toHaveLength(1)
		})

		test('an entry that makes no sense is refused whole', async () => {
			const caller = await Caller.signUp(database())
			const text = (value: string) => Buffer.from(value).toString('base64')
			const broken = [
				'not base64!',
				text('no json'),
				Buffer.from([0xff, 0xfe, 0x7b]).toString('base64'),
				text('{"v":1,"type":"genesis","at":"2026-03-04T05:06:07Z"}'),
				text('{"v":1,"type":"genesis"}'),
				text(`${'['.repeat(30_000)}${']'.repeat(30_000)}`),
				text('{"v":1,"at":"now","type":"rename"}'),
				text('{"v":1,"text":"\\u0000","type":"rename"}'),
				entry({ type: 'genesis', device: { ...device(), box: base64(31) } }),
				entry({ type: 'genesis', device: { ...device(), id: 'x' } }),
				entry({ type: 'genesis', device: { ...device(), kind: 'a b' } }),
				entry({ type: 'revoke', device: 'everyone' }),
				entry({ type: 'rename', filler: 'x'.repeat(70_000) }),
				'',
			]
			for (const value of broken) {
				expect(await failure(appendLog(caller, 0, value)), value.slice(0, 60)).toBe(
					'malformed_entry',
				)
			}
			const good = entry({ type: 'genesis', device: device() })
			for (const signature of [base64(63), base64(65), '', '*', null]) {
				const call = caller.call('append_log', { p_seq: 0, p_entry: good, p_signature: signature })
				expect(await failure(call)).toBe('malformed_entry')
			}
			expect(await logOf(caller)).toEqual([])
			expect(await keysOf(caller)).toEqual([])
		})

		test('an entry of a later version is kept, not understood', async () => {
			const caller = await Caller.signUp(database())
			await appendLog(caller, 0, entry({ v: 2, type: 'genesis', device: 'of another shape' }))
			expect(await logOf(caller)).toHaveLength(1)
			expect(await keysOf(caller)).toEqual([])
		})

		test('accounts may have devices of the same id, and as many as they like', async () => {
			const [one, two] = [await Caller.signUp(database()), await Caller.signUp(database())]
			const shared = device()
			await appendLog(one, 0, entry({ type: 'genesis', device: shared }))
			await appendLog(two, 0, entry({ type: 'genesis', device: { ...device(), id: shared.id } }))
			for (let seq = 1; seq <= 12; seq++) {
				await appendLog(one, seq, entry({ type: 'add', device: device('toaster') }))
			}
			expect(await keysOf(one)).toHaveLength(13)
			expect(await keysOf(two)).toHaveLength(1)
		})

		test('notes when a device was seen, and only its owner can', async () => {
			const [caller, stranger] = [await Caller.signUp(database()), await Caller.signUp(database())]
			const first = device()
			await appendLog(caller, 0, entry({ type: 'genesis', device: first }))
			await stranger.call('touch_device', { p_device: first.id })
			expect((await keysOf(caller))[0]?.last_seen_at).toBeNull()
			await caller.call('touch_device', { p_device: first.id })
			const seen = (await keysOf(caller))[0]?.last_seen_at
			expect(Date.parse(String(seen))).toBeGreaterThan(Date.UTC(2026, 0))
			await caller.call('touch_device', { p_device: first.id })
			expect((await keysOf(caller))[0]?.last_seen_at).toBe(seen)
		})
	})
}
