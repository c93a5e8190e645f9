/**
 * What the server's administrator can do to everything besides messages: sessions, keys, requests, the device
 * log, mail. Done in the database itself, behind the built program: nothing wrong is shown as verified, no
 * approval comes of it, no key is given away.
 */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { RequestRow } from '../../source/backend/gateway.ts'
import type { Context } from '../../source/commands/context.ts'
import { asked, contextOf, type Hosted, hostSession, until } from '../tools/hosted-session.ts'
import { makeHome, type TestHome } from '../tools/program.ts'
import { type Serving, serve } from '../tools/serving.ts'

vi.mock(import('../../source/vault/key-file-format.ts'), async (load) =>
	(await import('../tools/derive-once.ts')).derivingOnce(await load()),
)

interface Listed {
	id: string
	title: string | null
	host: { id: string; name: string | null }
}
interface Permission {
	id: string
	status: string
	problem: string | null
	digest: string | null
	created_at: string
	expires_at: string
	decided: { verified: boolean; decision: string } | null
}

let home: TestHome
let serving: Serving
let context: Context
/** Over, with one request that was approved. */
let over: Hosted
/** Live, with one that waits. */
let live: Hosted
let answered: RequestRow
/** What `verify` has said so far stays. */
let verifying: string
let waiting: RequestRow

/** In the order in which they can be filled. */
const tables = [
	'sessions',
	'key_epochs',
	'key_grants',
	'session_messages',
	'permission_requests',
	'device_log',
	'machines',
	'machine_keys',
]

const sql = (text: string) => serving.backend.engine.query(text)

beforeAll(async () => {
	home = await makeHome()
	serving = await serve(home)
	context = await contextOf(home)
	over = await hostSession(context, 'Clean the build folder')
	answered = await asked(context, over, 'rm -rf build')
	expect(await home.cli(['approve', answered.id, '--yes'])).toMatchObject({ code: 0 })
	over.agent.text('It is clean.')
	await over[Symbol.asyncDispose]()
	live = await hostSession(context, 'Publish the release')
	waiting = await asked(context, live, 'npm publish')
	await live.host.publisher.delivered(10_000)
	// Makes the session that it writes its sentences to.
	expect(await home.cli(['verify'])).toMatchObject({ code: 0 })
	const [own] = await sql(
		`select id from public.sessions where id not in ('${over.session}', '${live.session}')`,
	)
	verifying = own?.id ?? ''
	await sql('create schema kept')
	for (const table of tables)
		await sql(`create table kept.${table} as select * from public.${table}`)
	// The administrator is not bound by what the tables demand.
	for (const { name, relation } of await sql(
		`select conname as name, conrelid::regclass::text as relation from pg_constraint
			where contype = 'c' and connamespace = 'public'::regnamespace and conislocal`,
	)) {
		await sql(`alter table ${relation} drop constraint if exists "${name}" cascade`)
	}
})

afterAll(async () => {
	await live?.[Symbol.asyncDispose]()
	await context?.[Symbol.asyncDispose]()
	await serving?.[Symbol.asyncDispose]()
	await home?.[Symbol.asyncDispose]()
})

/** Makes a change as the owner of the database, looks, and puts everything back. */
async function changed<T>(
	statement: string | readonly string[],
	look: () => Promise<T>,
): Promise<T> {
	const replica = { sql: 'set local session_replication_role = replica' }
	const statements = typeof statement === 'string' ? [statement] : statement
	await serving.backend.engine.tx([replica, ...statements.map((text) => ({ sql: text }))])
	try {
		return await look()
	} finally {
		await serving.backend.engine.tx([
			replica,
			...[
				['sessions', 'id'],
				['session_messages', 'session_id'],
			].flatMap(([table, id]) => [
				{ sql: `delete from kept.${table} where ${id} = '${verifying}'` },
				{
					sql: `insert into kept.${table} select * from public.${table} where ${id} = '${verifying}'`,
				},
			]),
			...tables.flatMap((table) => [
				{ sql: `delete from public.${table}` },
				{ sql: `insert into public.${table} select * from kept.${table}` },
			]),
		])
	}
}

const bit = (column: string, at = 77) =>
	`${column} = set_bit(${column}, ${at}, 1 - get_bit(${column}, ${at}))`
const uuid = (column: string) =>
	`${column} = (overlay(${column}::text placing
		case substr(${column}::text, 1, 1) when '0' then '1' else '0' end from 1 for 1))::uuid`
const update = (table: string, what: string, where: string) =>
	`update public.${table} set ${what} where ${where}`

async function json<T>(args: readonly string[]): Promise<T> {
	const { stdout } = await home.here([...args, '--json'])
	return JSON.parse(stdout) as T
}
const sessions = async () => (await json<{ sessions: Listed[] }>(['sessions'])).sessions
const permissions = async () =>
	(await json<{ permissions: Permission[] }>(['permissions', '--all'])).permissions

async function errorOf(args: readonly string[]): Promise<{ code: number | null; error: string }> {
	const { code, stderr } = await home.here([...args, '--json'])
	return { code, error: JSON.parse(stderr.trim().split('\n').at(-1) ?? '').error.code }
}

interface Verdict {
	verified: boolean
	intruders: { id: string }[]
	problems: { session: string | null; code: string }[]
}
async function verdict() {
	const { code, stdout } = await home.here(['verify', '--json'])
	return { code, ...(JSON.parse(stdout) as Verdict) }
}

/** No line of a session is verified, each says why, and the exit code says so too. */
async function expectNothingReadable(session: string, count: number): Promise<void> {
	const { code, stdout } = await home.cli(['show', session, '--json'])
	const shown = stdout
		.trim()
		.split('\n')
		.map((line): { verified: boolean; body: unknown; problem: string | null } => JSON.parse(line))
	expect(shown.length).toBe(count)
	for (const { verified, body, problem } of shown) {
		expect([verified, body]).toEqual([false, null])
		expect(problem).toEqual(expect.any(String))
	}
	expect(code).toBe(4)
}

async function rowsOf(session: string): Promise<number> {
	const [row] = await sql(
		`select count(*) as count from kept.session_messages where session_id = '${session}'`,
	)
	return Number(row?.count)
}

test('nothing is wrong before anything is changed', async () => {
	const found = await verdict()
	expect(found).toMatchObject({ code: 0, verified: true, problems: [], intruders: [] })
	await expect(permissions()).resolves.toHaveLength(2)
})

describe('a row of sessions', () => {
	const at = () => `id = '${over.session}'`

	test('under another id: the session is not there, and the stray holds nothing that verifies', async () => {
		await changed(update('sessions', uuid('id'), at()), async () => {
			expect(await errorOf(['show', over.session])).toEqual({ code: 4, error: 'session_withheld' })
			expect((await verdict()).problems).toContainEqual(
				expect.objectContaining({ session: over.session, code: 'session_withheld' }),
			)
			const stray = (await sessions()).find(({ id }) => id.slice(1) === over.session.slice(1))
			expect(stray).toBeDefined()
			expect(stray?.title).toBeNull()
			expect((await home.cli(['show', stray?.id ?? '', '--json'])).code).toBe(4)
		})
	})

	test('of another account: it is not there', async () => {
		await changed(update('sessions', uuid('user_id'), at()), async () => {
			expect(await errorOf(['show', over.session])).toEqual({ code: 4, error: 'session_withheld' })
		})
	})

	test('with another host: the device that signed is shown, and verify says what the server says', async () => {
		const before = (await sessions()).find(({ id }) => id === over.session)
		await changed(update('sessions', uuid('host'), at()), async () => {
			const after = (await sessions()).find(({ id }) => id === over.session)
			expect(after?.host).toEqual(before?.host)
			expect(after?.host.id).toBe(context.account.device.record.id)
			const found = await verdict()
			expect(found.code).toBe(4)
			expect(found.problems).toMatchObject([{ session: over.session, code: 'host_altered' }])
		})
	})

	test.each(['label_nonce', 'label_ciphertext'])(
		'with a bit flipped in %s: no name',
		async (column) => {
			await changed(update('sessions', bit(column), at()), async () => {
				const after = (await sessions()).find(({ id }) => id === over.session)
				expect(after?.title).toBeNull()
				const found = await verdict()
				expect(found.code).toBe(4)
				expect(found.problems).toMatchObject([{ session: over.session, code: 'label_altered' }])
			})
		},
	)

	test('with the names of another session: none', async () => {
		const columns = 'label_epoch, label_nonce, label_ciphertext'
		const names = (from: string, to: string) =>
			`update public.sessions set (${columns}) = (select ${columns} from kept.sessions
				where id = '${from}') where id = '${to}'`
		const swap = [names(live.session, over.session), names(over.session, live.session)]
		await changed(swap, async () => {
			const listed = await sessions()
			for (const id of [over.session, live.session]) {
				expect(listed.find((one) => one.id === id)?.title).toBeNull()
			}
		})
	})

	test.each([
		'input_tokens = input_tokens + 1',
		'output_tokens = output_tokens # 1024',
		'cache_read_tokens = 7',
		'cache_write_tokens = 7',
		'cost_usd = cost_usd + 0.01',
	])('with other totals (%s): verify says so', async (what) => {
		await changed(update('sessions', what, at()), async () => {
			const found = await verdict()
			expect(found.code).toBe(4)
			expect(found.problems).toMatchObject([{ session: over.session, code: 'totals_altered' }])
		})
	})

	test('with a time beyond all years: a named refusal', async () => {
		await changed(update('sessions', `started_at = 'infinity'`, at()), async () => {
			expect(await errorOf(['sessions'])).toEqual({ code: 4, error: 'backend_malformed' })
		})
	})
})

describe('the keys of a session: without the right one nothing of it is shown, and all of it says why', () => {
	const at = () => `scope = 'session:${over.session}'`
	const other = () => `'session:${live.session}'`
	const changes: Record<string, () => string> = {
		'record, a bit': () => update('key_epochs', bit('record'), at()),
		'signature, a bit': () => update('key_epochs', bit('signature'), at()),
		'the signature is another one': () =>
			`update public.key_epochs set signature = (select signature from kept.key_epochs
				where scope = ${other()}) where ${at()}`,
		'the record of another session': () =>
			`update public.key_epochs set (record, signature) = (select record, signature
				from kept.key_epochs where scope = ${other()}) where ${at()}`,
		'epoch, a bit': () => update('key_epochs', 'epoch = epoch # 1', at()),
		'scope, a character': () => update('key_epochs', "scope = 'x' || scope", at()),
		'user_id, a bit': () => update('key_epochs', uuid('user_id'), at()),
		'no record': () => `delete from public.key_epochs where ${at()}`,
		'grant: nonce, a bit': () => update('key_grants', bit('nonce'), at()),
		'grant: ciphertext, a bit': () => update('key_grants', bit('ciphertext'), at()),
		'grant: by_device, a bit': () => update('key_grants', uuid('by_device'), at()),
		'grant: to_device, a bit': () => update('key_grants', uuid('to_device'), at()),
		'grant: epoch, a bit': () => update('key_grants', 'epoch = epoch # 1', at()),
		'grant: scope': () => update('key_grants', "scope = 'x' || scope", at()),
		'grant: user_id, a bit': () => update('key_grants', uuid('user_id'), at()),
		'grant: of another session': () =>
			`update public.key_grants set (nonce, ciphertext) = (select nonce, ciphertext
				from kept.key_grants where scope = ${other()}) where ${at()}`,
		'no grant': () => `delete from public.key_grants where ${at()}`,
	}

	test.each(Object.entries(changes))('%s', async (_, change) => {
		await changed(change(), async () => {
			await expectNothingReadable(over.session, await rowsOf(over.session))
		})
	})

	test('a grant made at another time is the same grant', async () => {
		const change = update('key_grants', "created_at = created_at + interval '1 year'", at())
		const { code } = await changed(change, () => home.cli(['show', over.session]))
		expect(code).toBe(0)
	})
})

describe("the account's key: what the server does to it is said, and no other key is made", () => {
	const at = () => `scope = 'account:${context.account.id}'`

	test.each([
		['its record is gone', () => `delete from public.key_epochs where ${at()}`],
		['its record, a bit', () => update('key_epochs', bit('record'), at())],
		['its signature, a bit', () => update('key_epochs', bit('signature'), at())],
	])('%s', async (_, change) => {
		await changed(change(), async () => {
			const before = await sql(`select record, signature from public.key_epochs where ${at()}`)
			const found = await errorOf(['sessions'])
			expect(found).toEqual({ code: 4, error: 'account_key_withheld' })
			expect(await sql(`select record, signature from public.key_epochs where ${at()}`)).toEqual(
				before,
			)
		})
	})

	test('its grant is gone', async () => {
		await changed(`delete from public.key_grants where ${at()}`, async () => {
			const found = await errorOf(['sessions'])
			expect(found).toEqual({ code: 4, error: 'account_key_withheld' })
		})
	})
})

describe('a row of permission_requests', () => {
	const at = () => `id = '${waiting.id}'`
	const moves: Record<string, () => string> = {
		id: () => update('permission_requests', uuid('id'), at()),
		session_id: () => update('permission_requests', `session_id = '${over.session}'`, at()),
		'session_id, none that is known': () => update('permission_requests', uuid('session_id'), at()),
		seq: () => update('permission_requests', 'seq = seq # 1', at()),
		'seq, far': () => update('permission_requests', 'seq = seq # (1 << 20)', at()),
	}

	test.each(Object.entries(moves))('%s: it can be denied, never approved', async (_, change) => {
		await changed(change(), async () => {
			const [request] = (await permissions()).filter(({ status }) => status === 'pending')
			expect(request?.problem).toEqual(expect.any(String))
			const found = await errorOf(['approve', request?.id ?? '', '--yes', '--wait', '1'])
			expect(found).toEqual({ code: 4, error: 'request_not_verified' })
			expect(live.agent.answers.size).toBe(0)
		})
	})

	test.each(['approved', 'denied', 'expired', 'cancelled'])(
		'said to be %s, which the host has not said: a mark, and no word of who decided',
		async (status) => {
			const change = `status = '${status}', closed_at = created_at`
			await changed(update('permission_requests', change, at()), async () => {
				const request = (await permissions()).find(({ id }) => id === waiting.id)
				expect(request?.problem).toBe('the server does not list this request among those that wait')
				expect(request?.decided).toBeNull()
			})
		},
	)

	test.each(['pending', 'denied', 'cancelled'])(
		'said to be %s, which the host has approved: the signed answer counts',
		async (status) => {
			const closed = status === 'pending' ? 'null' : 'created_at'
			const change = `status = '${status}', closed_at = ${closed}`
			await changed(update('permission_requests', change, `id = '${answered.id}'`), async () => {
				const request = (await permissions()).find(({ id }) => id === answered.id)
				expect(request).toMatchObject({
					status: 'approved',
					decided: { decision: 'allow', verified: true },
				})
			})
		},
	)

	test('with other times: those that the host signed are shown', async () => {
		const before = (await permissions()).find(({ id }) => id === waiting.id)
		const change = `created_at = created_at + interval '1 hour', expires_at = expires_at + interval '1 year'`
		await changed(update('permission_requests', change, at()), async () => {
			const after = (await permissions()).find(({ id }) => id === waiting.id)
			expect(after).toEqual(before)
		})
	})

	test('gone from the list: it is found in the session, and marked', async () => {
		await changed(`delete from public.permission_requests where ${at()}`, async () => {
			const found = (await permissions()).find(({ id }) => id === waiting.id)
			expect(found?.problem).toBe('the server does not list this request among those that wait')
			const { stdout } = await home.cli(['show', live.session, '--json'])
			expect(stdout).toContain(`"request":"${waiting.id}"`)
		})
	})
})

describe('the device log', () => {
	const changes: Record<string, string> = {
		'entry, a bit': update('device_log', bit('entry'), 'seq = 0'),
		'signature, a bit': update('device_log', bit('signature'), 'seq = 0'),
		'seq, a bit': update('device_log', 'seq = seq # 1', 'seq = 0'),
		'user_id, a bit': update('device_log', uuid('user_id'), 'seq = 0'),
		'no entry': 'delete from public.device_log',
	}

	test.each(Object.entries(changes))('%s: nothing goes on', async (_, change) => {
		await changed(change, async () => {
			for (const args of [['sessions'], ['show', over.session], ['permissions'], ['verify']]) {
				expect(await errorOf(args)).toEqual({ code: 4, error: 'log_rolled_back' })
			}
			const approval = await errorOf(['approve', waiting.id, '--yes', '--wait', '1'])
			expect(approval).toEqual({ code: 4, error: 'log_rolled_back' })
			expect(live.agent.answers.size).toBe(0)
		})
	})

	test('an entry that no device signed: nothing goes on', async () => {
		const forged = `insert into public.device_log select user_id, 1, entry, signature, created_at
			from kept.device_log where seq = 0`
		await changed(forged, async () => {
			const { code, error } = await errorOf(['sessions'])
			expect(code).toBe(4)
			expect(error).toMatch(/^log_/)
		})
	})

	test('written down at another time: that is not shown', async () => {
		const change = update('device_log', "created_at = created_at + interval '1 year'", 'true')
		expect((await changed(change, () => home.cli(['sessions']))).code).toBe(0)
	})
})

describe('the keys that the server shows as devices', () => {
	test.each(['box', 'sign'])('%s, a bit: an intruder', async (column) => {
		await changed(update('machine_keys', bit(column), 'true'), async () => {
			const found = await verdict()
			expect(found.code).toBe(4)
			expect(found.intruders.map(({ id }) => id)).toEqual([context.account.device.record.id])
		})
	})

	test('one that is in no log: an intruder, who is given no key of a new session', async () => {
		const ghost = '99999999-9999-4999-8999-999999999999'
		const made = ['machines', 'machine_keys'].map((table) => {
			const id = table === 'machines' ? 'id' : 'machine_id'
			const rest =
				table === 'machines' ? 'added_at, last_seen_at' : 'kind, box, sign, added_at, revoked_at'
			const from =
				table === 'machines'
					? rest
					: "kind, decode(repeat('5a', 32), 'hex'), sign, added_at, revoked_at"
			return `insert into public.${table} (user_id, ${id}, ${rest})
				select user_id, '${ghost}', ${from} from kept.${table}`
		})
		await changed(made, async () => {
			const found = await verdict()
			expect(found.code).toBe(4)
			expect(found.intruders.map(({ id }) => id)).toEqual([ghost])
			await using fresh = await hostSession(context, 'A session with a ghost in the list')
			await fresh.host.publisher.delivered(10_000)
			const grants = await sql(
				`select to_device from public.key_grants where scope = 'session:${fresh.session}'`,
			)
			expect(grants.map(({ to_device }) => to_device)).toEqual([context.account.device.record.id])
		})
	})
})

describe('mail on its way to the host', () => {
	const ways: Record<string, string> = {
		'ciphertext, a bit':
			'new.ciphertext = set_bit(new.ciphertext, 77, 1 - get_bit(new.ciphertext, 77));',
		'nonce, a bit': 'new.nonce = set_bit(new.nonce, 77, 1 - get_bit(new.nonce, 77));',
		'from_device, a bit': `${uuid('new.from_device').replace(' = ', ' := ')};`,
		'to_device, a bit': `${uuid('new.to_device').replace(' = ', ' := ')};`,
		'to another session': `new.session_id = (select id from public.sessions where id <> new.session_id limit 1);`,
		withheld: 'return null;',
	}

	test.each(Object.entries(ways))('%s: no approval comes of it', async (_, change) => {
		await sql(`create function kept.tamper() returns trigger language plpgsql as $$
			begin ${change} return new; end $$`)
		await sql(
			'create trigger tamper before insert on public.mail for each row execute function kept.tamper()',
		)
		try {
			const ran = await home.cli(['approve', waiting.id, '--yes', '--wait', '2', '--json'])
			expect(ran.code).not.toBe(0)
			expect(ran.stdout).not.toContain('"accepted":true')
			expect(live.agent.answers.size).toBe(0)
			const request = (await permissions()).find(({ id }) => id === waiting.id)
			expect(request).toMatchObject({ status: 'pending', problem: null })
		} finally {
			await sql('drop trigger tamper on public.mail')
			await sql('drop function kept.tamper()')
			await sql('delete from public.mail')
		}
	})

	test('what was altered is noted in the session as an attack', async () => {
		const shown = await until('the host has noted it', async () => {
			const { stdout } = await home.cli(['show', live.session, '--json'])
			return stdout.includes('command_') ? stdout : null
		})
		const notices = shown
			.trim()
			.split('\n')
			.map((line) => JSON.parse(line))
			.filter(({ kind, body }) => kind === 'system' && body.type === 'notice')
		const codes = new Set(notices.map(({ body }) => body.data.code))
		expect(codes).toContain('command_altered')
		expect(codes).toContain('command_unknown_device')
	})

	test('one that nobody touched is obeyed', async () => {
		const { code } = await home.cli(['deny', waiting.id, '--yes', '--reason', 'Not today.'])
		expect(code).toBe(0)
		expect([...live.agent.answers.values()].flat()).toMatchObject([
			{ decision: 'deny', reason: 'Not today.' },
		])
	})
})
