/** Who may see and do what: row-level security, grants, and what the server is told at all. */
import { beforeAll, describe, expect, test } from 'vitest'
import {
	append,
	Caller,
	createSession,
	failure,
	messageRow,
	messageRows,
	randomUUID,
	type TestDatabase,
} from './database.ts'

const tables = [
	'machines',
	'machine_keys',
	'device_log',
	'sessions',
	'key_epochs',
	'key_grants',
	'session_messages',
	'permission_requests',
	'mail',
	'pairings',
]

/** Everything that the server is told, column by column. */
const columns: Record<string, string[]> = {
	machines: ['user_id', 'id', 'added_at', 'last_seen_at'],
	machine_keys: ['user_id', 'machine_id', 'kind', 'box', 'sign', 'added_at', 'revoked_at'],
	device_log: ['user_id', 'seq', 'entry', 'signature', 'created_at'],
	sessions: [
		...['id', 'user_id', 'host', 'agent', 'status', 'project'],
		...['label_epoch', 'label_nonce', 'label_ciphertext'],
		...['started_at', 'last_activity_at', 'ended_at', 'last_seq', 'pending'],
		...['input_tokens', 'output_tokens', 'cache_read_tokens', 'cache_write_tokens', 'cost_usd'],
	],
	key_epochs: ['user_id', 'scope', 'epoch', 'record', 'signature'],
	key_grants: [
		...['user_id', 'scope', 'epoch', 'to_device', 'by_device', 'nonce', 'ciphertext'],
		'created_at',
	],
	session_messages: [
		...['session_id', 'seq', 'user_id', 'epoch', 'nonce', 'ciphertext', 'signature', 'created_at'],
		...['input_tokens', 'output_tokens', 'cache_read_tokens', 'cache_write_tokens', 'cost_usd'],
	],
	permission_requests: [
		...['user_id', 'id', 'session_id', 'seq', 'status', 'created_at', 'expires_at', 'closed_at'],
	],
	mail: [
		...['user_id', 'id', 'session_id', 'from_device', 'to_device', 'nonce', 'ciphertext'],
		'created_at',
	],
	pairings: [
		...['user_id', 'id', 'nonce', 'ciphertext', 'created_at'],
		...['answer_nonce', 'answer_ciphertext'],
	],
}

/** They act as the owner without being asked by someone: what they may touch is written in them. */
const internal = ['sign_in_ended', 'end_sign_ins']

export function testAccess(database: () => TestDatabase): void {
	describe('access', () => {
		let owner: Caller
		let stranger: Caller
		let nobody: Caller
		let session: string

		beforeAll(async () => {
			owner = await Caller.signUp(database())
			stranger = await Caller.signUp(database())
			nobody = new Caller(database(), null)
			session = await createSession(owner)
			const opens = { request: randomUUID(), expires_at: '2026-03-04T06:10:00.000Z' }
			await append(owner, session, [{ ...messageRow(session, 1), opens }, messageRow(session, 2)])
		})

		test('the server is told these columns and no others', async () => {
			const rows = await database().run([
				{
					sql: `select c.relname as table, array_agg(a.attname::text order by a.attnum) as columns
						from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0
							and not a.attisdropped
						where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
						group by c.relname`,
				},
			])
			expect(Object.fromEntries(rows.map((row) => [row.table, row.columns]))).toEqual(columns)
		})

		test('every table, and every partition, has row-level security', async () => {
			const open = await database().run([
				{
					sql: `select oid::regclass::text as name from pg_class
						where relnamespace in ('public'::regnamespace, 'styrby'::regnamespace)
							and relkind in ('r', 'p') and not relrowsecurity`,
				},
			])
			expect(open).toEqual([])
		})

		test('every policy asks for the account once a statement, not once a row', async () => {
			const policies = await database().run([
				{
					sql: `select tablename, coalesce(qual, '') || coalesce(with_check, '') as text, roles::text[]
						from pg_policies where schemaname in ('public', 'realtime')`,
				},
			])
			expect(policies.length).toBe(tables.length + 2)
			for (const policy of policies) {
				expect(policy.roles).toEqual(['authenticated'])
				expect(policy.text).toContain('auth.uid()')
				const bare = String(policy.text).replaceAll(/\( SELECT auth\.uid\(\) AS uid\)/g, '')
				expect(bare).not.toContain('auth.uid()')
			}
		})

		test.each(tables)('nobody writes to %s but through the functions', async (table) => {
			for (const caller of [owner, nobody]) {
				const column = columns[table]?.[0] ?? ''
				for (const attempt of [
					`insert into public.${table} default values`,
					`update public.${table} set ${column} = ${column}`,
					`delete from public.${table}`,
					`truncate public.${table}`,
				]) {
					expect(await failure(caller.query(attempt))).toBe('42501')
				}
			}
		})

		test.each(tables)('without a sign-in, %s can not be read', async (table) => {
			expect(await failure(nobody.query(`select from public.${table}`))).toBe('42501')
		})

		test.each(tables)('the rows of %s of one account are invisible to another', async (table) => {
			const [count] = await stranger.query(`select count(*)::int as n from public.${table}`)
			expect(count?.n).toBe(0)
		})

		test('partitions can not be read past the policy', async () => {
			const name = 'styrby.session_messages_0'
			expect(await failure(owner.query(`select from ${name}`))).toBe('42501')
		})

		test('an owner sees their own rows', async () => {
			const rows = await owner.query('select seq::int from public.session_messages order by seq')
			expect(rows.map((row) => row.seq)).toEqual([1, 2])
		})

		test('another account can not read, write or change a session', async () => {
			const request = (await owner.query('select id from public.permission_requests'))[0]?.id
			const lost = 'no_such_session'
			const mail = {
				id: randomUUID(),
				session,
				from: randomUUID(),
				to: randomUUID(),
				nonce: 'AAAA',
				ciphertext: 'AAAA',
			}
			expect(await stranger.call('read_session', { p_session: session })).toBeNull()
			expect(await stranger.call('read_request', { p_request: request })).toBeNull()
			expect(await failure(stranger.call('read_messages', { p_session: session }))).toBe(lost)
			expect(await failure(append(stranger, session, messageRows(session, 3, 3)))).toBe(lost)
			const change = { p_session: session, p_change: { status: 'stopped' } }
			expect(await failure(stranger.call('update_session', change))).toBe(lost)
			expect(await failure(stranger.call('post_mail', { p_mail: mail }))).toBe(lost)
			const scopes = [`session:${session}`, `account:${owner.id}`]
			expect(
				await stranger.call('read_keys', { p_scopes: scopes, p_device: randomUUID() }),
			).toEqual({ epochs: [], grants: [] })
			expect(await stranger.call('list_sessions', { p_limit: 10 })).toEqual([])
			expect(await stranger.call('list_requests', { p_status: 'all', p_limit: 10 })).toEqual([])
		})

		test('only what is meant to be called can be called, and only when signed in', async () => {
			const functions = await database().run([
				{
					sql: `select p.proname as name, n.nspname as schema, p.prosecdef as definer,
							coalesce(array_to_string(p.proconfig, ','), '') as config,
							p.proretset as set, p.prosrc as source, p.proargnames as arguments,
							has_function_privilege('anon', p.oid, 'execute') as anon,
							has_function_privilege('authenticated', p.oid, 'execute') as signed_in,
							exists (select from aclexplode(p.proacl) where grantee = 0) as everyone
						from pg_proc p join pg_namespace n on n.oid = p.pronamespace
						where n.nspname in ('public', 'styrby')`,
				},
			])
			expect(functions.length).toBeGreaterThan(30)
			for (const one of functions) {
				expect(one, 'open to everyone').toMatchObject({ everyone: false })
				expect(one).toMatchObject({ anon: one.name === 'schema_version' })
				if (one.schema === 'public') {
					expect(one).toMatchObject({ signed_in: true })
					// The API cuts what returns rows to a thousand of them, silently.
					expect(one).toMatchObject({ set: false })
					expect(String(one.arguments)).not.toMatch(/user|account|owner/)
				}
				if (one.definer && one.schema === 'styrby') {
					expect(internal).toContain(one.name)
					expect(one).toMatchObject({ config: 'search_path=""' })
				} else if (one.definer) {
					expect(one).toMatchObject({ schema: 'public', config: 'search_path=""' })
					expect(String(one.source)).toContain('styrby.me()')
				}
			}
		})

		test('a token without an account gets nowhere', async () => {
			const odd = new Caller(database(), '')
			expect(await failure(odd.call('list_sessions', { p_limit: 1 }))).toBe('not_signed_in')
			expect(await failure(odd.call('create_session', { p_session: {} }))).toBe('not_signed_in')
		})

		test('deleting the account deletes all that is its own', async () => {
			const leaver = await Caller.signUp(database())
			const theirs = await createSession(leaver)
			const opens = { request: randomUUID(), expires_at: '2026-03-04T06:10:00.000Z' }
			await append(leaver, theirs, [{ ...messageRow(theirs, 1), opens }])
			await database().run([{ sql: 'delete from auth.users where id = $1', params: [leaver.id] }])
			for (const table of tables) {
				const [left] = await database().run([
					{
						sql: `select count(*)::int as n from public.${table} where user_id = $1`,
						params: [leaver.id],
					},
				])
				expect(left?.n).toBe(0)
			}
		})
	})
}
