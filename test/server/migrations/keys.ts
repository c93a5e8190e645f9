/** Who was given which key: gaps, lists, counts. */
import { describe, expect, test } from 'vitest'
import {
	Caller,
	epochRow,
	grantRow,
	newSession,
	type Row,
	randomUUID,
	type TestDatabase,
} from './database.ts'

interface Gaps {
	scopes: string[]
	left: number
}

const gaps = async (caller: Caller, args: object) =>
	(await caller.call('list_key_gaps', { ...args })) as Gaps
const access = async (caller: Caller, args: object = {}) =>
	(await caller.call('list_access', { ...args })) as { scopes: Row[]; more: boolean }

async function sessionsOf(caller: Caller, count: number): Promise<{ ids: string[]; host: string }> {
	const host = randomUUID()
	const ids: string[] = []
	for (let made = 0; made < count; made++) {
		const session = newSession()
		const scope = `session:${session.id}`
		const grants = [grantRow(scope, 0, host, host)]
		await caller.call('create_session', { p_session: { ...session, host, grants } })
		ids.push(session.id)
	}
	return { ids: ids.toSorted(), host }
}

export function testKeys(database: () => TestDatabase): void {
	describe('who has which key', () => {
		test('gaps are what one device has and another lacks, page by page', async () => {
			const caller = await Caller.signUp(database())
			const { ids, host } = await sessionsOf(caller, 5)
			const p_to = randomUUID()
			const scopes = ids.map((id) => `session:${id}`)
			const first = await gaps(caller, { p_to, p_by: host, p_limit: 2 })
			expect(first).toEqual({ scopes: scopes.slice(0, 2), left: 5 })
			const p_grants = first.scopes.map((scope) => grantRow(scope, 0, p_to, host))
			await caller.call('put_grants', { p_grants })
			const p_after = first.scopes.at(-1)
			expect(await gaps(caller, { p_to, p_by: host, p_after })).toEqual({
				scopes: scopes.slice(2),
				left: 3,
			})
			expect(await gaps(caller, { p_to, p_by: host })).toEqual({ scopes: scopes.slice(2), left: 3 })
			expect(await gaps(caller, { p_to: host, p_by: p_to })).toEqual({ scopes: [], left: 0 })
		})

		test('gaps among 10,000 sessions are found half-way, too, within the limit of a statement', async () => {
			const caller = await Caller.signUp(database())
			const [host, p_to] = [randomUUID(), randomUUID()]
			const grants = `insert into public.key_grants
				(user_id, scope, epoch, to_device, by_device, nonce, ciphertext, created_at)
				select user_id, scope, 0, $2::text::uuid, $3::text::uuid, decode(repeat('00', 24), 'hex'),
					decode(repeat('00', 64), 'hex'), now()
				from public.key_epochs where user_id = $1::text::uuid order by scope limit $4::text::integer`
			const rows = [
				{
					sql: `insert into public.key_epochs (user_id, scope, epoch, record, signature)
						select $1::text::uuid, 'session:' || gen_random_uuid(), 0, decode('7b7d', 'hex'),
							decode(repeat('00', 64), 'hex')
						from generate_series(1, 10000)`,
					params: [caller.id],
				},
				{ sql: grants, params: [caller.id, host, host, '10000'] },
				{ sql: grants, params: [caller.id, p_to, host, '5000'] },
			]
			// Each for itself: the limit of a statement holds for them too.
			for (const row of rows) await database().run([row])
			const { scopes, left } = await gaps(caller, { p_to, p_by: host })
			expect([scopes.length, left]).toEqual([500, 5000])
		})

		test('an epoch that was opened later is a gap, and so is what only others have granted, if asked', async () => {
			const caller = await Caller.signUp(database())
			const { ids, host } = await sessionsOf(caller, 1)
			const scope = `session:${ids[0]}`
			const [p_to, other] = [randomUUID(), randomUUID()]
			await caller.call('put_grants', { p_grants: [grantRow(scope, 0, p_to, other)] })
			expect((await gaps(caller, { p_to, p_by: host })).left).toBe(0)
			expect((await gaps(caller, { p_to, p_by: host, p_again: true })).left).toBe(1)
			const p_grants = [grantRow(scope, 1, host, host)]
			await caller.call('put_epoch', { p_epoch: epochRow(scope, 1), p_grants })
			expect(await gaps(caller, { p_to, p_by: host })).toEqual({ scopes: [scope], left: 1 })
		})

		test('the list has every scope once, in pages, with all of its grants or those of one device', async () => {
			const caller = await Caller.signUp(database())
			const { ids, host } = await sessionsOf(caller, 3)
			const scopes = ids.map((id) => `session:${id}`)
			const laptop = randomUUID()
			const grant = grantRow(scopes[1] ?? '', 0, laptop, host)
			await caller.call('put_grants', { p_grants: [grant] })
			const first = await access(caller, { p_limit: 2 })
			expect(first.more).toBe(true)
			expect(first.scopes.map(({ scope }) => scope)).toEqual(scopes.slice(0, 2))
			const rest = await access(caller, { p_after: scopes[1] })
			expect(rest).toMatchObject({ more: false, scopes: [{ scope: scopes[2], epochs: 1 }] })
			const one = await access(caller, { p_scopes: [scopes[1]], p_device: laptop })
			expect(one.scopes).toEqual([
				{
					scope: scopes[1],
					epochs: 1,
					grants: [{ epoch: 0, to: laptop, by: host, created_at: grant.created_at }],
				},
			])
		})

		test('sessions are counted once each, whatever number of epochs they have', async () => {
			const caller = await Caller.signUp(database())
			const { ids, host } = await sessionsOf(caller, 2)
			const scope = `session:${ids[0]}`
			const p_grants = [grantRow(scope, 1, host, host)]
			await caller.call('put_epoch', { p_epoch: epochRow(scope, 1), p_grants })
			const account = `account:${caller.id}`
			await caller.call('put_epoch', {
				p_epoch: epochRow(account),
				p_grants: [grantRow(account, 0, host, host)],
			})
			expect(await caller.call('count_access')).toEqual([{ device: host, sessions: 2 }])
		})

		test('nothing of it is shown to another account', async () => {
			const [owner, stranger] = [await Caller.signUp(database()), await Caller.signUp(database())]
			const { ids, host } = await sessionsOf(owner, 1)
			expect(await gaps(stranger, { p_to: randomUUID(), p_by: host })).toEqual({
				scopes: [],
				left: 0,
			})
			const p_scopes = [`session:${ids[0]}`]
			expect(await access(stranger, { p_scopes })).toEqual({ scopes: [], more: false })
			expect(await stranger.call('count_access')).toEqual([])
		})
	})
}
