/** Sessions and keys. */
import { beforeAll, describe, expect, test } from 'vitest'
import {
	append,
	base64,
	broadcasts,
	Caller,
	createSession,
	epochRow,
	failure,
	grantRow,
	messageRow,
	newSession,
	type Row,
	randomUUID,
	readSession,
	type TestDatabase,
} from './database.ts'

const create = (caller: Caller, p_session: unknown) => caller.call('create_session', { p_session })
const list = async (caller: Caller, query: Record<string, unknown>) =>
	(await caller.call('list_sessions', query)) as Row[]

export function testSessions(database: () => TestDatabase): void {
	describe('sessions', () => {
		let caller: Caller
		beforeAll(async () => {
			caller = await Caller.signUp(database())
		})

		test('a session comes back as it was made, with its key', async () => {
			const session = newSession()
			await create(caller, session)
			const { id, agent, host, project, label, started_at } = session
			expect(await readSession(caller, id)).toEqual({
				...{ id, agent, host, project, label, started_at },
				...{ status: 'starting', last_activity_at: started_at, ended_at: null },
				...{ last_seq: 0, pending: 0, cost_usd: 0 },
				tokens: { input: 0, output: 0, cache_read: 0, cache_write: 0 },
			})
			const scopes = [`session:${id}`]
			expect(await caller.call('read_keys', { p_scopes: scopes, p_device: host })).toEqual({
				epochs: [session.epoch],
				grants: session.grants,
			})
			expect(await broadcasts(database(), `account:${caller.id}`)).toContainEqual({
				event: 'sessions',
				payload: { session: id },
			})
		})

		test('made again, it stays as it is; with another key it is a conflict', async () => {
			const session = newSession()
			await create(caller, session)
			await create(caller, { ...session, agent: 'codex', project: null })
			expect(await readSession(caller, session.id)).toMatchObject({ agent: 'claude' })
			const other = { ...session, epoch: epochRow(`session:${session.id}`) }
			expect(await failure(create(caller, other))).toBe('epoch_conflict')
		})

		test('the id of another account is taken, and nothing of it is touched', async () => {
			const session = newSession()
			await create(caller, session)
			const stranger = await Caller.signUp(database())
			expect(await failure(create(stranger, session))).toBe('no_such_session')
			expect(await failure(create(stranger, newSession(session.id)))).toBe('no_such_session')
			const [row] = await database().run([
				{ sql: 'select user_id from public.sessions where id = $1', params: [session.id] },
			])
			expect(row?.user_id).toBe(caller.id)
		})

		test('agents and states that nobody has heard of yet are taken', async () => {
			const session = { ...newSession(), agent: 'goose-2', project: null, label: null }
			await create(caller, session)
			const change = { status: 'dreaming' }
			await caller.call('update_session', { p_session: session.id, p_change: change })
			expect(await readSession(caller, session.id)).toMatchObject({
				...{ agent: 'goose-2', status: 'dreaming', project: null, label: null },
			})
		})

		test('a malformed session is refused whole', async () => {
			const good = newSession()
			const scope = `session:${good.id}`
			const bad: [string, object | null][] = [
				['malformed_session', null],
				['malformed_session', {}],
				['malformed_session', { ...good, id: 'x' }],
				['malformed_session', { ...good, host: null }],
				['malformed_session', { ...good, agent: 'rm -rf /' }],
				['malformed_session', { ...good, agent: 'a'.repeat(41) }],
				['malformed_session', { ...good, project: 'x'.repeat(201) }],
				['malformed_session', { ...good, project: '' }],
				['malformed_session', { ...good, started_at: 'now' }],
				['malformed_session', { ...good, started_at: 'infinity' }],
				['malformed_session', { ...good, started_at: '1400-01-01T00:00:00Z' }],
				['malformed_session', { ...good, label: { epoch: 0 } }],
				['malformed_session', { ...good, label: { ...good.label, nonce: base64(23) } }],
				['malformed_session', { ...good, label: { ...good.label, ciphertext: base64(6145) } }],
				['malformed_session', { ...good, epoch: null }],
				['malformed_session', { ...good, epoch: epochRow(`account:${caller.id}`) }],
				['malformed_session', { ...good, epoch: { ...good.epoch, signature: base64(65) } }],
				['malformed_session', { ...good, epoch: { ...good.epoch, record: base64(4097) } }],
				['epoch_conflict', { ...good, epoch: epochRow(scope, 1) }],
				['malformed_grant', { ...good, grants: null }],
				['malformed_grant', { ...good, grants: [{}] }],
				['malformed_grant', { ...good, grants: [5] }],
				['malformed_grant', { ...good, grants: [{ ...good.grants[0], nonce: null }] }],
				['no_such_epoch', { ...good, grants: [{ ...good.grants[0], epoch: 7 }] }],
			]
			for (const [code, session] of bad) {
				expect(await failure(create(caller, session)), JSON.stringify(session)).toBe(code)
			}
			expect(await caller.call('read_session', { p_session: good.id })).toBeNull()
			await create(caller, good)
		})

		test('status, end and label change; nothing else does', async () => {
			const session = await createSession(caller)
			const before = await readSession(caller, session)
			const label = { epoch: 3, nonce: base64(24), ciphertext: base64(272) }
			const change = (p_change: object) =>
				caller.call('update_session', { p_session: session, p_change })
			await change({ status: 'stopped', ended_at: '2026-05-01T10:00:00.500Z', label })
			await change({ agent: 'codex', last_seq: 99, user_id: randomUUID(), cost_usd: 5 })
			expect(await readSession(caller, session)).toEqual({
				...{ ...before, status: 'stopped', ended_at: '2026-05-01T10:00:00.500Z', label },
			})
			await change({ status: 'running', ended_at: null })
			expect(await readSession(caller, session)).toEqual({ ...before, status: 'running', label })
			for (const bad of [
				{ status: null },
				{ status: 'x y' },
				{ ended_at: 5 },
				{ label: { epoch: -1 } },
			]) {
				expect(await failure(change(bad)), JSON.stringify(bad)).toBe('malformed_session')
			}
		})
	})

	describe('the list of sessions', () => {
		test('comes newest activity first, in pages that lose none', async () => {
			const caller = await Caller.signUp(database())
			const ids: string[] = []
			// Two each were active in the same millisecond.
			for (let n = 0; n < 8; n++) {
				ids.push(await createSession(caller, `2026-03-04T05:00:0${n >> 1}.000Z`))
			}
			const seen: Row[] = []
			let page = await list(caller, { p_limit: 3 })
			while (page.length > 0) {
				seen.push(...page)
				const last = page.at(-1)
				page = await list(caller, {
					p_limit: 3,
					p_before: last?.last_activity_at,
					p_before_id: last?.id,
				})
			}
			expect(seen.map((row) => row.id).sort()).toEqual([...ids].sort())
			const times = seen.map((row) => String(row.last_activity_at))
			expect(times).toEqual([...times].sort().reverse())
			const older = await list(caller, { p_limit: 10, p_before: '2026-03-04T05:00:02.000Z' })
			expect(older).toHaveLength(4)
		})

		test('is moved by messages and can be filtered', async () => {
			const caller = await Caller.signUp(database())
			const [old, young] = [await createSession(caller), await createSession(caller)]
			await append(caller, old, [messageRow(old, 1)])
			expect((await list(caller, { p_limit: 1 }))[0]?.id).toBe(old)
			const change = { p_session: young, p_change: { status: 'running' } }
			await caller.call('update_session', change)
			const found = async (query: object) =>
				(await list(caller, { p_limit: 9, ...query })).map((row) => row.id)
			expect(await found({ p_status: ['running', 'idle'] })).toEqual([young])
			expect(await found({ p_status: [] })).toEqual([])
			expect(await found({ p_agent: 'codex' })).toEqual([])
			expect(await found({ p_agent: 'claude' })).toHaveLength(2)
			expect(await failure(list(caller, { p_limit: 1, p_status: [1] }))).toBe('malformed_argument')
			for (const limit of [0, -5]) expect(await list(caller, { p_limit: limit })).toHaveLength(1)
		})

		test('is read from its index', async () => {
			const plan = await database().run([
				{ sql: 'set local enable_seqscan = off' },
				{
					sql: `explain select * from public.sessions
						where user_id = $1 and (last_activity_at, id) < ($2, $3)
						order by last_activity_at desc, id desc limit 20`,
					params: [randomUUID(), '2026-01-01T00:00:00Z', randomUUID()],
				},
			])
			const text = JSON.stringify(plan)
			expect(text).toContain('sessions_by_activity')
			expect(text).not.toContain('Sort')
		})
	})

	describe('keys', () => {
		test('epochs follow each other, each with one record', async () => {
			const caller = await Caller.signUp(database())
			const scope = `account:${caller.id}`
			const put = (p_epoch: unknown, p_grants: unknown = []) =>
				caller.call('put_epoch', { p_epoch, p_grants })
			const epochs = [epochRow(scope, 0), epochRow(scope, 1)]
			expect(await failure(put(epochs[1]))).toBe('epoch_conflict')
			for (const epoch of [...epochs, ...epochs]) await put(epoch)
			expect(await failure(put(epochRow(scope, 1)))).toBe('epoch_conflict')
			expect(await failure(put(epochRow(scope, 3)))).toBe('epoch_conflict')
			for (const foreign of ['account:', 'session:', `account:${randomUUID()}`, 'x', null]) {
				expect(await failure(put({ ...epochRow(scope, 2), scope: foreign }))).toMatch(
					/^(no_such_session|malformed_epoch)$/,
				)
			}
			expect(await failure(put({ ...epochRow(scope, 2), epoch: 1.5 }))).toBe('malformed_epoch')
			const keys = await caller.call('read_keys', { p_scopes: [scope], p_device: randomUUID() })
			expect(keys).toEqual({ epochs, grants: [] })
		})

		test('a device gets its own grants; the first of a granter stays', async () => {
			const caller = await Caller.signUp(database())
			const scope = `account:${caller.id}`
			const [to, by, other] = [randomUUID(), randomUUID(), randomUUID()]
			const first = grantRow(scope, 0, to, by)
			const second = grantRow(scope, 0, to, other)
			const elsewhere = grantRow(scope, 0, other, by)
			const grants = [first, elsewhere]
			await caller.call('put_epoch', { p_epoch: epochRow(scope), p_grants: grants })
			await caller.call('put_grants', { p_grants: [grantRow(scope, 0, to, by), second] })
			const read = async (p_device: string) =>
				(await caller.call('read_keys', { p_scopes: [scope], p_device })) as { grants: Row[] }
			const found = (await read(to)).grants
			expect(found).toHaveLength(2)
			expect(found).toEqual(expect.arrayContaining([first, second]))
			expect((await read(other)).grants).toEqual([elsewhere])
			const missing = caller.call('put_grants', { p_grants: [grantRow(scope, 1, to, by)] })
			expect(await failure(missing)).toBe('no_such_epoch')
		})

		test('a key of another account can not be granted or read', async () => {
			const [caller, stranger] = [await Caller.signUp(database()), await Caller.signUp(database())]
			const scope = `account:${caller.id}`
			await caller.call('put_epoch', { p_epoch: epochRow(scope), p_grants: [] })
			const grant = [grantRow(scope, 0, randomUUID(), randomUUID())]
			expect(await failure(stranger.call('put_grants', { p_grants: grant }))).toBe('no_such_epoch')
			const args = { p_epoch: epochRow(scope, 1), p_grants: [] }
			expect(await failure(stranger.call('put_epoch', args))).toBe('no_such_session')
		})

		test('at most 500 scopes at once', async () => {
			const caller = await Caller.signUp(database())
			const read = (p_scopes: unknown) =>
				caller.call('read_keys', { p_scopes, p_device: randomUUID() })
			for (const scopes of [new Array(501).fill('x'), {}, [1], [null]]) {
				expect(await failure(read(scopes))).toBe('malformed_argument')
			}
			expect(await read(new Array(500).fill('x'))).toEqual({ epochs: [], grants: [] })
		})
	})
}
