/** Every function of the API over HTTP, what a second account gets of it, and PostgREST's refusals. */
import { generateKeyPair, SignJWT } from 'jose'
import { beforeAll, describe, expect, test } from 'vitest'
import {
	base64,
	epochRow,
	grantRow,
	messageRow,
	messageRows,
	migrationFiles,
	newSession,
	randomUUID,
} from '../migrations/database.ts'
import { call, type Member, rawRequest, refusal, signUp, type Target, tokenFrom } from './target.ts'

const at = '2026-03-04T05:06:07.890Z'
const entryText = (fields: object) =>
	Buffer.from(JSON.stringify({ v: 1, at, ...fields })).toString('base64')

/** Calls each function in a sensible order; their answers by name. */
async function useAll({ client }: Member): Promise<Record<string, unknown>> {
	const session = newSession()
	const { id, host } = session
	const request = randomUUID()
	const device = { id: host, box: base64(32), sign: base64(32), kind: 'device' }
	const scope = `session:${id}`
	const rows = [
		{ ...messageRow(id, 1), opens: { request, expires_at: '2027-01-01T00:00:00.000Z' } },
		messageRow(id, 2),
	]
	const mail = {
		...{ id: randomUUID(), session: id, from: host, to: host },
		...{ nonce: base64(24), ciphertext: base64(300) },
	}
	const entry = { seq: 0, entry: entryText({ type: 'genesis', device }), signature: base64(64) }
	const answers: Record<string, unknown> = {}
	const use = async (name: string, args: Record<string, unknown> = {}) => {
		answers[name] = await call(client, name, args)
	}
	await use('schema_version')
	await use('append_log', { p_seq: 0, p_entry: entry.entry, p_signature: entry.signature })
	await use('read_log', { p_after: -1 })
	await use('touch_device', { p_device: host })
	await use('list_machine_keys')
	await use('create_session', { p_session: session })
	await use('put_epoch', {
		p_epoch: epochRow(scope, 1),
		p_grants: [grantRow(scope, 1, host, host)],
	})
	await use('put_grants', { p_grants: [grantRow(scope, 1, randomUUID(), host)] })
	await use('read_keys', { p_scopes: [scope], p_device: host })
	await use('append_messages', { p_session: id, p_rows: rows })
	await use('read_messages', { p_session: id, p_after: 0 })
	await use('read_spending')
	await use('list_requests', { p_status: 'pending', p_limit: 10 })
	await use('read_request', { p_request: request })
	await use('update_session', { p_session: id, p_change: { status: 'stopped' } })
	await use('read_session', { p_session: id })
	await use('list_sessions', { p_limit: 10 })
	await use('post_mail', { p_mail: mail })
	await use('read_mail', { p_device: host })
	await use('delete_mail', { p_ids: [mail.id] })
	await use('list_key_gaps', { p_to: randomUUID(), p_by: host })
	await use('list_access', { p_scopes: [scope] })
	await use('count_access')
	const pairing = { id: base64(16), nonce: base64(24), ciphertext: base64(300) }
	const answer = { nonce: base64(24), ciphertext: base64(200) }
	await use('post_pairing', { p_pairing: pairing })
	await use('answer_pairing', { p_answer: { id: pairing.id, ...answer } })
	await use('read_pairing', { p_id: pairing.id })
	await use('delete_pairing', { p_id: pairing.id })
	const stored = rows.map((row) => messageOnly(row))
	expect(answers).toMatchObject({
		schema_version: 2,
		append_log: null,
		read_log: [entry],
		list_machine_keys: [{ device: host, box: device.box, sign: device.sign, added_at: at }],
		create_session: null,
		read_keys: {
			epochs: [session.epoch, { scope, epoch: 1 }],
			grants: [session.grants[0], { scope, epoch: 1, to: host }],
		},
		append_messages: { last_seq: 2 },
		read_messages: { rows: stored, more: false },
		read_spending: { rows: [], more: false },
		list_requests: [{ id: request, session: id, seq: 1, status: 'pending' }],
		read_request: { id: request, status: 'pending' },
		read_session: { id, status: 'stopped', last_seq: 2, pending: 1 },
		list_sessions: [{ id }],
		read_mail: { mail: [mail], more: false },
		delete_mail: null,
		list_key_gaps: { scopes: [scope], left: 1 },
		list_access: { scopes: [{ scope, epochs: 2 }], more: false },
		post_pairing: null,
		answer_pairing: null,
		read_pairing: { ...pairing, answer },
		delete_pairing: null,
	})
	return { ...answers, id, host, request, mailId: mail.id }
}

function messageOnly<T extends object>(row: T): Omit<T, 'opens'> {
	const { opens: _, ...rest } = { opens: null, ...row }
	return rest
}

export function testFunctions(opened: () => Target): void {
	let owner: Member
	let stranger: Member
	let used: Record<string, unknown>
	beforeAll(async () => {
		owner = await signUp(opened())
		stranger = await signUp(opened())
		used = await useAll(owner)
	})

	test('every function that the migrations make answers', () => {
		const made = migrationFiles().flatMap(({ sql }) =>
			[...sql.matchAll(/^create function public\.(\w+)/gm)].map(([, name]) => name),
		)
		expect(made.length).toBeGreaterThan(15)
		expect(made.filter((name) => !(String(name) in used))).toEqual([])
	})

	describe('a second account', () => {
		test('sees nothing of the first', async () => {
			const { id, host, request } = used
			const see = (name: string, args = {}) => call(stranger.client, name, args)
			expect(await see('read_log', { p_after: -1 })).toEqual([])
			expect(await see('list_machine_keys')).toEqual([])
			expect(await see('list_sessions', { p_limit: 100 })).toEqual([])
			expect(await see('read_session', { p_session: id })).toBeNull()
			const keys = { p_scopes: [`session:${id}`], p_device: host }
			expect(await see('read_keys', keys)).toEqual({ epochs: [], grants: [] })
			expect(await see('read_spending')).toEqual({ rows: [], more: false })
			expect(await see('list_requests', { p_status: 'all', p_limit: 10 })).toEqual([])
			expect(await see('read_request', { p_request: request })).toBeNull()
			expect(await see('read_mail', { p_device: host })).toEqual({ mail: [], more: false })
			const lost = refusal(see('read_messages', { p_session: id }))
			expect(await lost).toMatchObject({ status: 400, code: 'P0001', message: 'no_such_session' })
		})

		test('writes nothing to it', async () => {
			const { id, host } = used
			const before = await call(owner.client, 'read_session', { p_session: id })
			const session = String(id)
			const mail = { id: randomUUID(), session, from: host, to: host }
			const scope = `session:${session}`
			const attempts: [string, Record<string, unknown>][] = [
				['append_messages', { p_session: id, p_rows: [messageRow(session, 3)] }],
				['update_session', { p_session: id, p_change: { status: 'error' } }],
				['create_session', { p_session: newSession(session) }],
				['put_epoch', { p_epoch: epochRow(scope, 2), p_grants: [] }],
				['post_mail', { p_mail: { ...mail, nonce: base64(24), ciphertext: base64(300) } }],
			]
			for (const [name, args] of attempts) {
				expect(await refusal(call(stranger.client, name, args)), name).toMatchObject({
					message: 'no_such_session',
				})
			}
			const grants = [grantRow(scope, 1, randomUUID(), String(host))]
			const granted = call(stranger.client, 'put_grants', { p_grants: grants })
			expect(await refusal(granted)).toHaveProperty('message')
			expect(await call(owner.client, 'read_session', { p_session: id })).toEqual(before)
		})
	})

	describe('who is not signed in', () => {
		test('may ask for the version, and nothing else', async () => {
			const ask = (name: string, headers: Record<string, string> = {}) =>
				rawRequest(opened(), `/rest/v1/rpc/${name}`, { body: '{}', headers })
			expect((await ask('schema_version')).body).toBe('2')
			const anonymous = await ask('list_machine_keys')
			expect([anonymous.status, anonymous.json.code]).toEqual([401, '42501'])
			const withKey = await ask('list_machine_keys', {
				authorization: `Bearer ${opened().anonKey}`,
			})
			expect([withKey.status, withKey.json.code]).toEqual([401, '42501'])
		})

		test('with a token that is over, or not ours, is told so', async () => {
			const foreign = await generateKeyPair('ES256')
			const claims = { role: 'authenticated', session_id: randomUUID() }
			const forged = new SignJWT(claims)
				.setIssuer('styrby-tui')
				.setAudience('authenticated')
				.setSubject(owner.id)
				.setIssuedAt()
				.setExpirationTime('1h')
			const [header = '', payload = '', signature = ''] = owner.token.split('.')
			const text = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
			const admin = text({
				...JSON.parse(Buffer.from(payload, 'base64url').toString()),
				role: 'service_role',
			})
			const tokens: [string, string][] = [
				['PGRST303', await tokenFrom(opened(), owner, Date.now() - 3_601_000)],
				['PGRST301', await forged.setProtectedHeader({ alg: 'ES256' }).sign(foreign.privateKey)],
				['PGRST301', `${text({ alg: 'none', typ: 'JWT' })}.${payload}.`],
				['PGRST301', `${header}.${admin}.${signature}`],
				['PGRST301', `${header}.${payload}.${signature.slice(0, -4)}AAAA`],
				['PGRST301', 'x.y.z'],
			]
			for (const [code, token] of tokens) {
				const headers = { authorization: `Bearer ${token}` }
				const path = '/rest/v1/rpc/list_machine_keys'
				const answer = await rawRequest(opened(), path, { body: '{}', headers })
				expect([answer.status, answer.json.code], token).toEqual([401, code])
			}
		})
	})

	describe('refusals as PostgREST gives them', () => {
		const ask = (name: string, body: string, chunked = false) =>
			rawRequest(opened(), `/rest/v1/rpc/${name}`, {
				body,
				chunked,
				headers: { authorization: `Bearer ${owner.token}` },
			})

		test('a function that is not there, or takes other arguments', async () => {
			for (const [name, args] of [
				['no_such_function', {}],
				['read_session', {}],
				['read_session', { p_session: randomUUID(), p_more: 1 }],
				['schema_version"; drop table public.mail; --', {}],
			] as const) {
				const { status, json } = await ask(encodeURIComponent(name), JSON.stringify(args))
				expect([status, json.code], name).toEqual([404, 'PGRST202'])
				expect(json).toMatchObject({ details: null, hint: null })
			}
			expect((await ask('constructor', '{}')).status).toBe(404)
		})

		test('helpers, tables and other methods are not served', async () => {
			for (const path of ['/rest/v1/sessions', '/rest/v1/', '/rest/v1/rpc/', '/storage/v1/x']) {
				const headers = { authorization: `Bearer ${owner.token}` }
				for (const method of ['GET', 'POST', 'DELETE']) {
					const { status } = await rawRequest(opened(), path, { method, headers })
					expect(status, `${method} ${path}`).toBe(404)
				}
			}
			for (const name of ['me', 'announce', 'styrby.me', 'pg_sleep', 'set_config']) {
				expect((await ask(name, '{}')).status, name).toBe(404)
			}
		})

		test('a body that is no JSON object', async () => {
			const deep = `{"p_session":${'['.repeat(200_000)}${']'.repeat(200_000)}}`
			for (const body of ['{', '[]', '5', 'null', '"x"', '{"p_session":', deep]) {
				const { status, json } = await ask('read_session', body)
				expect([status, json.code], body.slice(0, 20)).toEqual([400, 'PGRST102'])
			}
		})

		test('a value of the wrong type, in the words of PostgreSQL', async () => {
			const wrong = await ask('read_session', '{"p_session":"not a uuid"}')
			expect([wrong.status, wrong.json.code]).toEqual([400, '22P02'])
			const nul = await ask('read_keys', '{"p_scopes":["\\u0000"],"p_device":null}')
			expect([nul.status, nul.json.code]).toEqual([400, '22P05'])
		})

		test('a body of more than 32 MB, whether it says so or not', async () => {
			const body = `{"p_session":"${'x'.repeat(32 * 2 ** 20)}"}`
			for (const chunked of [false, true]) {
				const answer = await ask('read_session', body, chunked).catch((error: Error) => error)
				// The server may hang up on the rest of it before the answer is read.
				if (answer instanceof Error) expect(answer.message).toMatch(/EPIPE|ECONNRESET|hang up/)
				else expect([answer.status, answer.json.code]).toEqual([413, '54000'])
			}
			expect((await ask('schema_version', '{}')).body).toBe('2')
		})

		test('one object is asked for, and there is one, or none', async () => {
			const { data, error } = await owner.client
				.rpc('read_session', { p_session: used.id })
				.single()
			expect(error).toBeNull()
			expect(data).toMatchObject({ id: used.id })
		})

		test('errors of ours: their code, with the detail', async () => {
			const session = String(used.id)
			const gap = { p_session: session, p_rows: messageRows(session, 7, 8) }
			expect(await refusal(call(owner.client, 'append_messages', gap))).toMatchObject({
				status: 400,
				code: 'P0001',
				message: 'append_gap',
				details: '{"last_seq": 2}',
			})
		})

		test('an entry of the device log that nests without end is malformed, and the rest goes on', async () => {
			const text = Buffer.from(`${'['.repeat(30_000)}${']'.repeat(30_000)}`).toString('base64')
			const entry = { p_seq: 1, p_entry: text, p_signature: base64(64) }
			expect(await refusal(call(owner.client, 'append_log', entry))).toMatchObject({
				message: 'malformed_entry',
			})
			expect(await call(owner.client, 'read_log', { p_after: 0 })).toEqual([])
		})
	})

	test('appends of many clients at once: each row once, numbers dense', async () => {
		const { client } = owner
		const sessions = Array.from({ length: 6 }, () => newSession())
		for (const one of sessions) await call(client, 'create_session', { p_session: one })
		await Promise.all(
			sessions.map(async ({ id }) => {
				for (let seq = 1; seq <= 30; seq += 3) {
					const args = { p_session: id, p_rows: messageRows(id, seq, seq + 2) }
					// As a host does that has not heard the answer.
					await Promise.all([0, 1].map(() => call(client, 'append_messages', args)))
				}
			}),
		)
		for (const { id } of sessions) {
			const page = await call(client, 'read_messages', { p_session: id })
			const rows: unknown = Reflect.get(Object(page), 'rows')
			const numbers = Array.isArray(rows) ? rows.map((row) => row.seq) : []
			expect(numbers).toEqual(Array.from({ length: 30 }, (_, index) => index + 1))
		}
	})
}
