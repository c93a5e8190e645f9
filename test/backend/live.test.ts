/** The live channel of the gateway, over a real backend that comes and goes. */
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import { connectGateway } from '../../source/backend/connect-gateway.ts'
import type { AccountHint, Gateway, SessionHint } from '../../source/backend/gateway.ts'
import { signUpAnonymously, type Tokens } from '../../source/backend/sign-in.ts'
import { type Backend, startBackend } from '../../source/server/backend.ts'
import { backendFolder } from '../../source/server/installation.ts'
import { base64, messageRow, newSession } from '../server/migrations/database.ts'
import { closeClients, newClient, tokenFrom } from '../server/suite/target.ts'

vi.setConfig({ testTimeout: 60_000 })

let data: string
let backend: Backend
let tokens: Tokens

beforeAll(async () => {
	data = await mkdtemp(join(tmpdir(), 'styrby-live-'))
	backend = await startBackend({ data, log: () => undefined })
	tokens = await signUpAnonymously(backend)
}, 60_000)
afterAll(async () => {
	await closeClients()
	await backend[Symbol.asyncDispose]()
	await rm(data, { recursive: true })
})

async function restart(pauseMs = 0): Promise<void> {
	const { port } = backend
	await backend[Symbol.asyncDispose]()
	await sleep(pauseMs)
	backend = await startBackend({ data, port, exactPort: true, log: () => undefined })
}

function connect(accessToken = async () => tokens.access_token): Gateway {
	const { url, anonKey } = backend
	const gateway = connectGateway({ url, anonKey, account: tokens.user_id, accessToken })
	onTestFinished(() => gateway[Symbol.asyncDispose]())
	return gateway
}

async function holds(what: () => unknown): Promise<void> {
	const end = Date.now() + 40_000
	while (!what()) {
		if (Date.now() > end) throw new Error(`never: ${what}`)
		await sleep(10)
	}
}

async function makeSession(gateway: Gateway): Promise<string> {
	const session = { ...newSession(), agent: 'claude' as const, label: null }
	await gateway.createSession(session)
	return session.id
}

function follow(gateway: Gateway, id: string) {
	const hints: SessionHint[] = []
	const channel = gateway.followSession(id, (hint) => hints.push(hint))
	const types = () => hints.map(({ type }) => type)
	return { hints, channel, types }
}

test('a cut is told once, and so is the join after it; what was stored meanwhile is pulled', async () => {
	const gateway = connect()
	const id = await makeSession(gateway)
	const { types, hints } = follow(gateway, id)
	await holds(() => types().includes('joined'))
	await gateway.appendMessages(id, [messageRow(id, 1)])
	await holds(() => types().includes('messages'))
	expect(hints.at(-1)).toMatchObject({ from: 1, to: 1, rows: [{ seq: 1 }] })
	expect(types()).toEqual(['joined', 'messages'])

	await restart(1500)
	const other = connect()
	await other.appendMessages(id, [messageRow(id, 2)])
	await holds(() => types().filter((type) => type === 'joined').length === 2)
	expect(types()).toEqual(['joined', 'messages', 'lost', 'joined'])
	expect(await gateway.readMessages(id, { after: 1, limit: 10 })).toHaveLength(1)

	await other.appendMessages(id, [messageRow(id, 3)])
	await holds(() => types().length === 5)
	expect(hints.at(-1)).toMatchObject({ type: 'messages', from: 3, to: 3 })
})

test('a token that runs out: the channel is closed by the server, and joined again with a new one', async () => {
	const target = { url: backend.url, anonKey: backend.anonKey, folder: backendFolder(data) }
	const member = {
		...{ client: newClient({ ...target, sql: async () => undefined }), id: tokens.user_id },
		...{ token: tokens.access_token, refreshToken: '' },
	}
	const full = { ...target, sql: async () => undefined }
	const short = await tokenFrom(full, member, Date.now() - 3_600_000 + 3_000)
	const over = Date.now() + 3_000
	const gateway = connect(async () => (Date.now() < over ? short : tokens.access_token))
	const { types } = follow(gateway, await makeSession(connect()))
	await holds(() => types().includes('joined'))
	await holds(() => types().filter((type) => type === 'joined').length === 2)
	expect(types()).toEqual(['joined', 'lost', 'joined'])
})

test('several who follow in one process share a channel, and each hears the others', async () => {
	const gateway = connect()
	const id = await makeSession(gateway)
	const [one, two] = [follow(gateway, id), follow(gateway, id)]
	const elsewhere = follow(connect(), id)
	await holds(() => [one, two, elsewhere].every(({ types }) => types().includes('joined')))
	const frame = {
		...{ type: 'frame' as const, nonce: base64(24) },
		...{ ciphertext: base64(300), signature: base64(64) },
	}
	one.channel.send(frame)
	await holds(() => [two, elsewhere].every(({ types }) => types().includes('frame')))
	expect(two.hints.at(-1)).toEqual(frame)
	expect(elsewhere.hints.at(-1)).toEqual(frame)
	expect(one.types()).toEqual(['joined'])

	await one.channel[Symbol.asyncDispose]()
	await gateway.appendMessages(id, [messageRow(id, 1)])
	await holds(() => two.types().includes('messages'))
	expect(one.types()).toEqual(['joined'])
	// A late follower of a joined topic is told so too.
	const late = follow(gateway, id)
	await holds(() => late.types().includes('joined'))
})

test('left and followed again at once: it is joined again', async () => {
	const gateway = connect()
	const id = await makeSession(gateway)
	for (let round = 0; round < 3; round++) {
		const { types, channel } = follow(gateway, id)
		await holds(() => types().includes('joined'))
		void channel[Symbol.asyncDispose]()
	}
	const { types } = follow(gateway, id)
	await holds(() => types().includes('joined'))
	await gateway.appendMessages(id, [messageRow(id, 1)])
	await holds(() => types().includes('messages'))
})

test('broadcasts of another form are passed over', async () => {
	const gateway = connect()
	const id = await makeSession(gateway)
	const { types, hints } = follow(gateway, id)
	await holds(() => types().includes('joined'))
	const client = newClient({ ...backend, folder: '', sql: async () => undefined })
	await client.realtime.setAuth(tokens.access_token)
	const channel = client.channel(`session:${id}`, { config: { private: true } })
	await new Promise<void>((resolve) => {
		channel.subscribe((state) => state === 'SUBSCRIBED' && resolve())
	})
	const good = { nonce: base64(24), ciphertext: base64(300), signature: base64(64) }
	const row = { ...messageRow(id, 1), opens: undefined }
	const hostile: [string, Record<string, unknown>][] = [
		['frame', {}],
		['frame', { ...good, nonce: 5 }],
		['frame', { ...good, ciphertext: 'A'.repeat(400_000) }],
		['frame', { ...good, signature: '<b>' }],
		['heartbeat', { bytes: 'not base64!', signature: base64(64) }],
		['messages', { session: randomUUID(), from: 1, to: 1, rows: null }],
		['messages', { session: id, from: -1, to: 1, rows: null }],
		['messages', { session: id, from: 1, to: 1e300, rows: null }],
		['messages', { session: id, from: 1, to: 1, rows: [{ ...row, seq: '1' }] }],
		['joined', {}],
		['lost', { why: 'because' }],
		['__proto__', {}],
		['x'.repeat(255), {}],
	]
	for (const [event, payload] of hostile) {
		await channel.send({ type: 'broadcast', event, payload })
	}
	await channel.send({ type: 'broadcast', event: 'frame', payload: good })
	await holds(() => types().includes('frame'))
	expect(hints).toEqual([{ type: 'joined' }, { type: 'frame', ...good }])
})

test('the account hears of its sessions, requests, log and mail; of large mail, that it is to pull', async () => {
	const gateway = connect()
	const hints: AccountHint[] = []
	gateway.followAccount((hint) => hints.push(hint))
	await holds(() => hints.length === 1)
	const id = await makeSession(gateway)
	const request = randomUUID()
	const opens = { request, expires_at: '2099-01-01T00:00:00.000Z' }
	await gateway.appendMessages(id, [{ ...messageRow(id, 1), opens }])
	const mail = { session: id, from: randomUUID(), to: randomUUID(), nonce: base64(24) }
	const small = { ...mail, id: randomUUID(), ciphertext: base64(300) }
	await gateway.postMail(small)
	await holds(() => hints.some(({ type }) => type === 'mail'))
	await gateway.postMail({ ...mail, id: randomUUID(), ciphertext: base64(100_000) })
	await holds(() => hints.filter(({ type }) => type === 'joined').length === 2)
	expect(hints).toContainEqual({ type: 'sessions', session: id })
	expect(hints).toContainEqual({ type: 'request', request, session: id, status: 'pending' })
	expect(hints.find(({ type }) => type === 'mail')).toMatchObject({ mail: small })
	expect(await gateway.readMail(mail.to)).toHaveLength(2)
})

test('who may not follow is told, and goes on trying without an end to it', async () => {
	const gateway = connect()
	const { types, channel } = follow(gateway, randomUUID())
	await holds(() => types().includes('lost'))
	await sleep(1500)
	expect(types()).toEqual(['lost'])
	await channel[Symbol.asyncDispose]()
})

test('without a sign-in: lost, until there is one', async () => {
	const id = await makeSession(connect())
	let signedIn = false
	const gateway = connect(async () => {
		if (!signedIn) throw new Error('not signed in')
		return tokens.access_token
	})
	const { types } = follow(gateway, id)
	await holds(() => types().includes('lost'))
	signedIn = true
	await holds(() => types().includes('joined'))
	expect(types()).toEqual(['lost', 'joined'])
})
