/** Whatever a server answers, of whatever form and size, becomes one of our own named errors. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Endpoint } from '../../source/backend/client.ts'
import type { Gateway } from '../../source/backend/gateway.ts'
import { refreshTokens, signUpAnonymously } from '../../source/backend/sign-in.ts'
import { StyrbyError } from '../../source/protocol/errors.ts'
import { Bench } from './_bench.ts'
import type { Reply } from './_wire.ts'

let bench: Bench
const id = '11111111-1111-4111-8111-111111111111'

beforeAll(async () => {
	bench = await Bench.open()
}, 60_000)
afterEach(() => bench.calm())
afterAll(async () => {
	await bench?.[Symbol.asyncDispose]()
}, 60_000)

const json = (value: unknown, status = 200): Reply => ({
	status,
	headers: { 'content-type': 'application/json' },
	body: JSON.stringify(value),
})
const text = (body: string | Buffer, status = 200, type = 'application/json'): Reply => ({
	status,
	headers: { 'content-type': type },
	body,
})

const deep = '['.repeat(100_000) + ']'.repeat(100_000)
const replies: Record<string, Reply> = {
	'a number': json(-1.5),
	'a text': json('text'),
	true: json(true),
	'an object of other things': json({ rows: 5, more: 'yes', epochs: {}, grants: [], mail: {} }),
	'a list of nothing': json([null, null]),
	'a list of lists': json([[[]]]),
	'keys of the language': text('{"__proto__": {"rows": []}, "constructor": {}, "toString": 1}'),
	'numbers beyond all numbers': text('{"rows": [], "more": false, "last_seq": 1e999}'),
	'too many': json(Array.from({ length: 120_000 }, () => ({}))),
	'nested without end': text(deep),
	'no JSON': text('<html>welcome</html>', 200, 'text/html'),
	'half of it': text('{"rows": ['),
	bytes: text(Buffer.from([0xff, 0xfe, 0, 1, 2, 3])),
	'more than may be': text(Buffer.alloc(66 * 2 ** 20, 0x20)),
	'an error that is no error': json([], 500),
	'an error of strange fields': json(
		{ code: { a: 1 }, message: ['x'], details: 5, hint: null },
		400,
	),
	'an error of ours with strange details': json(
		{ code: 'P0001', message: 'append_gap', details: '{"__proto__": 1', hint: null },
		400,
	),
	'an error with a name of the language': json(
		{ code: 'P0001', message: 'constructor', details: '', hint: null },
		400,
	),
	'an error with a page': text('<h1>Bad gateway</h1>', 404, 'text/html'),
	'sent elsewhere': { status: 302, headers: { location: 'http://127.0.0.1:1/' }, body: '' },
}

const calls: Record<string, (gateway: Gateway) => Promise<unknown>> = {
	readLog: (gateway) => gateway.readLog(-1),
	machineKeys: (gateway) => gateway.machineKeys(),
	listSessions: (gateway) => gateway.listSessions({ limit: 10 }),
	readSession: (gateway) => gateway.readSession(id),
	readKeys: (gateway) => gateway.readKeys([`session:${id}`], id),
	'readMessages after': (gateway) => gateway.readMessages(id, { after: 0, limit: 10 }),
	'readMessages before': (gateway) => gateway.readMessages(id, { before: 9, limit: 10 }),
	listRequests: (gateway) => gateway.listRequests({ status: 'all', limit: 10 }),
	readRequest: (gateway) => gateway.readRequest(id),
	readMail: (gateway) => gateway.readMail(id),
	appendMessages: (gateway) => gateway.appendMessages(id, []),
}

describe.each(Object.entries(replies))('%s', (_, reply) => {
	test.each(Object.entries(calls))('as the answer to %s', async (name, call) => {
		bench.viewer.server.attack = {
			// Whether the backend is too old is asked beside the first call.
			instead: (asked) => (asked === 'schema_version' || asked === 'touch_device' ? null : reply),
		}
		const failure = await call(bench.viewer.gateway).then(
			(value) => ({ value }),
			(error: unknown) => error,
		)
		if (failure instanceof StyrbyError) {
			expect(failure.code).toMatch(/^[a-z_]+$/)
			expect(failure.message).not.toMatch(/[<>]|undefined|\[object|TypeError/)
			return
		}
		expect(failure).not.toBeInstanceOf(Error)
		// An empty page is the only one of these that could be an answer.
		expect([name, failure]).toEqual([name, { value: expect.toSatisfy(isEmpty) }])
	})
})

function isEmpty(value: unknown): boolean {
	return Array.isArray(value) && value.length === 0
}

test('a sign-in of any form is named, and nothing of it is in the message', async () => {
	const { url } = bench.viewer.server
	const endpoint = { url, anonKey: 'styrby_x' }
	for (const reply of Object.values(replies)) {
		bench.viewer.server.attack = { instead: () => reply }
		for (const work of [signUpAnonymously, (to: Endpoint) => refreshTokens(to, 'token')]) {
			const error = await work(endpoint).then(
				() => null,
				(failure: unknown) => failure,
			)
			expect(error).toBeInstanceOf(StyrbyError)
			expect(String(error)).not.toContain('welcome')
		}
	}
}, 60_000)

test('pages that never end do end', async () => {
	const row = {
		session_id: id,
		seq: 1,
		epoch: 0,
		nonce: 'AAAA',
		ciphertext: 'AAAA',
		signature: 'AAAA',
		created_at: '2026-01-01T00:00:00.000Z',
		input_tokens: 0,
		output_tokens: 0,
		cache_read_tokens: 0,
		cache_write_tokens: 0,
		cost_usd: 0,
	}
	const mail = {
		id,
		session: id,
		from: id,
		to: id,
		nonce: 'AAAA',
		ciphertext: 'AAAA',
		created_at: row.created_at,
	}
	const { gateway, server } = bench.viewer
	server.attack = {
		answer: (name, answer) => {
			if (name === 'read_messages') return { rows: [row], more: true }
			if (name === 'read_mail') return { mail: [mail], more: true }
			if (name === 'read_log') {
				return Array.from({ length: 1000 }, () => ({ seq: 0, entry: 'AAAA', signature: 'AAAA' }))
			}
			return answer
		},
	}
	server.attack.instead = (name) =>
		name === 'read_messages' ? json({ rows: [row], more: true }) : null
	expect((await gateway.readMessages(id, { after: 0, limit: 500 })).length).toBeLessThanOrEqual(2)
	expect((await gateway.readMessages(id, { before: 500, limit: 500 })).length).toBeGreaterThan(0)
	expect(await gateway.readMail(id)).toHaveLength(1)
	expect((await gateway.readLog(-1)).length).toBeLessThanOrEqual(2000)
})
