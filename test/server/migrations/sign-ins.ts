/** What becomes of a sign-in when its device is revoked. */
import { describe, expect, test } from 'vitest'
import {
	base64,
	Caller,
	createSession,
	failure,
	randomUUID,
	type TestDatabase,
} from './database.ts'

const at = '2026-03-04T05:06:07.890Z'

function entry(fields: object): string {
	return Buffer.from(JSON.stringify({ v: 1, at, ...fields })).toString('base64')
}

export function testSignIns(database: () => TestDatabase): void {
	/** An account with a device of each kind, and a sign-in of each. */
	async function devices(...kinds: string[]) {
		const account = await Caller.signUp(database())
		const made = kinds.map((kind) => ({
			caller: account.signedIn(),
			record: { id: randomUUID(), box: base64(32), sign: base64(32), kind },
		}))
		let seq = 0
		const append = (fields: object) =>
			account.signedIn().call('append_log', {
				p_seq: seq++,
				p_entry: entry(fields),
				p_signature: base64(64),
			})
		for (const { caller, record } of made) {
			await append({ type: seq === 0 ? 'genesis' : 'add', device: record })
			await caller.call('touch_device', { p_device: record.id })
		}
		const revoke = (index: number) => append({ type: 'revoke', device: made[index]?.record.id })
		return { account, made, revoke }
	}

	describe('the sign-in of a device that was revoked', () => {
		test('may read the log, and nothing else', async () => {
			const { made, revoke } = await devices('device', 'device')
			const [first, lost] = made
			if (!first || !lost) throw new Error('no devices')
			const session = await createSession(first.caller)
			expect(await lost.caller.call('read_session', { p_session: session })).not.toBeNull()
			await revoke(1)
			const calls: [string, object][] = [
				['list_sessions', { p_limit: 10 }],
				['read_session', { p_session: session }],
				['read_messages', { p_session: session }],
				['read_keys', { p_scopes: [`session:${session}`], p_device: lost.record.id }],
				['list_machine_keys', {}],
				['read_spending', {}],
				['list_requests', { p_status: 'all', p_limit: 1 }],
				['read_mail', { p_device: lost.record.id }],
				['touch_device', { p_device: first.record.id }],
				['put_grants', { p_grants: [] }],
				['delete_mail', { p_ids: [] }],
				['list_access', {}],
				['count_access', {}],
				['post_pairing', { p_pairing: {} }],
				['append_log', { p_seq: 3, p_entry: entry({}), p_signature: base64(64) }],
			]
			for (const [name, args] of calls) {
				const code = await failure(lost.caller.call(name, { ...args }))
				expect([name, code]).toEqual([name, 'sign_in_revoked'])
			}
			expect(await lost.caller.call('read_log', { p_after: -1 })).toHaveLength(3)
			expect(await first.caller.call('read_session', { p_session: session })).not.toBeNull()
		})

		test('sees no row of any table but the log, and joins no channel', async () => {
			const { account, made, revoke } = await devices('device', 'device')
			const [first, lost] = made
			if (!first || !lost) throw new Error('no devices')
			const session = await createSession(first.caller)
			const count = async (caller: Caller, table: string) =>
				(await caller.query(`select count(*)::int as n from public.${table}`))[0]?.n
			const tables = ['machines', 'machine_keys', 'sessions', 'key_epochs', 'key_grants']
			for (const table of tables) expect(await count(lost.caller, table)).not.toBe(0)
			const joins = async (caller: Caller, topic: string) => {
				// What the policy shows of the topic decides, whichever rows there are.
				const [row] = await caller.query(
					'select count(*) > 0 as allowed from realtime.messages',
					[],
					topic,
				)
				return row?.allowed
			}
			const topics = [`account:${account.id}`, `session:${session}`]
			for (const topic of topics) expect(await joins(lost.caller, topic)).toBe(true)
			await revoke(1)
			for (const table of tables)
				expect([table, await count(lost.caller, table)]).toEqual([table, 0])
			expect(await count(lost.caller, 'device_log')).toBe(3)
			for (const topic of topics) expect(await joins(lost.caller, topic)).toBe(false)
			for (const topic of topics) expect(await joins(first.caller, topic)).toBe(true)
		})

		test('is the one that named the device first; naming another later changes nothing', async () => {
			const { made, revoke } = await devices('device', 'device')
			const [first, lost] = made
			if (!first || !lost) throw new Error('no devices')
			await lost.caller.call('touch_device', { p_device: first.record.id })
			await revoke(1)
			expect(await failure(lost.caller.call('count_access'))).toBe('sign_in_revoked')
			expect(await failure(first.caller.call('count_access'))).toBeNull()
		})

		test('is not ended with a recovery key, which uses another’s', async () => {
			const { made, revoke } = await devices('device', 'recovery')
			await revoke(1)
			const recovery = made[1]?.caller
			if (!recovery) throw new Error('no device')
			expect(await failure(recovery.call('count_access'))).toBeNull()
		})

		test('of another account goes on', async () => {
			const [one, two] = [await devices('device', 'device'), await devices('device', 'device')]
			await one.revoke(1)
			expect(await failure(two.made[1]?.caller.call('count_access') ?? Promise.reject())).toBeNull()
		})
	})
}
