import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import type { AgentOutput } from '../../../source/agents/agent.ts'
import { AppServer } from '../../../source/agents/codex/app-server.ts'
import { Relay } from '../../../source/agents/codex/relay.ts'
import { RemoteEndpoint } from '../../../source/agents/codex/remote-endpoint.ts'
import { ThreadReader } from '../../../source/agents/codex/thread-reader.ts'

/**
 * An app-server that opens a thread, asks for a command, and keeps what it is answered; it says `clear` when
 * it was answered, as the real one does, and echoes what it was sent otherwise.
 */
const server = `
const { appendFileSync } = require('node:fs')
const say = (message) => process.stdout.write(JSON.stringify(message) + '\\n')
let over = ''
require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
	appendFileSync(process.env.KEPT, line + '\\n')
	const { id, method } = JSON.parse(line)
	if (method === 'thread/start') {
		say({ id, result: { thread: { id: 'main' }, approvalPolicy: 'on-request' } })
		say({ method: 'turn/started', params: { threadId: 'main', turn: { id: 'u' } } })
		const params = { threadId: 'main', turnId: 'u', itemId: 'i', command: 'ls' }
		say({ id: 0, method: 'item/commandExecution/requestApproval', params })
	} else if (method === 'turn/steer') say({ id, result: {} })
	else if (method === undefined) say({ method: 'serverRequest/resolved', params: { requestId: id } })
	else if (method === 'garbage') process.stdout.write('half a li\\n\\u0000\\n[[[\\n')
	else if (method === 'die') process.exit(1)
})
`

const token = 'a-token-for-this-test'
let folder = ''
let endpoint: RemoteEndpoint
let relay: Relay | null = null
let outputs: AgentOutput[] = []
let reader: ThreadReader

beforeEach(async () => {
	folder = await mkdtemp(join(tmpdir(), 'styrby-test-'))
	await writeFile(join(folder, 'codex'), `#!${process.execPath}\n${server}`, { mode: 0o755 })
	outputs = []
	reader = new ThreadReader()
	relay = null
	endpoint = await RemoteEndpoint.start(token, (socket) => {
		const env = { KEPT: join(folder, 'kept') }
		relay = new Relay(socket, {
			reader,
			overrides: { sandbox: 'read-only' },
			start: (onLine) =>
				AppServer.start(join(folder, 'codex'), { cwd: folder, env, args: [], onLine }),
			onOutput: (more) => outputs.push(...more),
			room: () => Promise.resolve(),
		})
	})
})

afterEach(async () => {
	await relay?.stop()
	await endpoint[Symbol.asyncDispose]()
	await rm(folder, { recursive: true, force: true })
})

/** An interface of our own: what it is told, and how it ends. */
async function connect(headers: Record<string, string> = { authorization: `Bearer ${token}` }) {
	const socket = new WebSocket(endpoint.url, { headers })
	const told: string[] = []
	socket.on('message', (data) => told.push(String(data)))
	const closed = new Promise<number>((resolve) => socket.on('close', resolve))
	await new Promise<void>((resolve, reject) => {
		socket.once('open', resolve)
		socket.once('error', reject)
	})
	const send = (message: unknown) =>
		socket.send(typeof message === 'string' ? message : JSON.stringify(message))
	return { socket, told, closed, send }
}

async function until(done: () => boolean): Promise<void> {
	const end = performance.now() + 15_000
	while (!done()) {
		if (performance.now() > end) throw new Error(`Waited too long: ${JSON.stringify(outputs)}`)
		await new Promise((resolve) => setTimeout(resolve, 5))
	}
}

/** With a request that waits, on both sides. */
async function asked() {
	const there = await connect()
	there.send({ id: 1, method: 'thread/start', params: {} })
	await until(() => outputs.some(({ type }) => type === 'request'))
	const request = outputs.find((output) => output.type === 'request')
	if (request?.type !== 'request' || relay === null) throw new Error('no request')
	await until(() => there.told.some((line) => line.includes('requestApproval')))
	return { ...there, id: request.id, relay }
}

const kept = async () => (await readFile(join(folder, 'kept'), 'utf8')).trim().split('\n')
const decisions = async () => (await kept()).filter((line) => line.includes('"decision"'))

test.each([
	['no token', {}],
	['another token', { authorization: 'Bearer another-of-this-len' }],
	['a web page', { authorization: `Bearer ${token}`, origin: 'http://127.0.0.1' }],
	['another name', { authorization: `Bearer ${token}`, host: 'example.com' }],
])('who comes with %s is not let in', async (_who, headers) => {
	await expect(connect(headers)).rejects.toThrow(/Unexpected server response: 40[13]/)
	expect(relay).toBeNull()
})

test('only one at a time is let in', async () => {
	const { send } = await connect()
	await expect(connect()).rejects.toThrow(/409/)
	send({ id: 1, method: 'thread/start', params: {} })
	await until(() => outputs.length > 0)
})

test('an answer from elsewhere is first: it goes in, the interface is told, and its own is dropped', async () => {
	const { send, told, id, relay } = await asked()
	expect(await relay.answer(id, { decision: 'allow', scope: 'once' })).toBe(true)
	send({ id: 0, result: { decision: 'decline' } })
	await until(() => told.some((line) => line.includes('serverRequest/resolved')))
	expect(outputs).toContainEqual({ type: 'applied', id })
	// Also one that comes when it is all over.
	send({ id: 0, result: { decision: 'decline' } })
	send({ id: 2, method: 'garbage' })
	await until(() => told.includes('[[['))
	expect(await decisions()).toEqual(['{"id":0,"result":{"decision":"accept"}}'])
})

test('an answer at the interface is first: withdrawn, and ours is not taken', async () => {
	const { send, id, relay } = await asked()
	send({ id: 0, result: { decision: 'decline' } })
	await until(() => outputs.some(({ type }) => type === 'withdrawn'))
	expect(outputs).toContainEqual({ type: 'withdrawn', id, result: 'denied' })
	expect(await relay.answer(id, { decision: 'allow', scope: 'once' })).toBe(false)
	await relay.stop()
	expect(await decisions()).toEqual(['{"id":0,"result":{"decision":"decline"}}'])
})

test('a denial goes in after its reason', async () => {
	const { id, relay } = await asked()
	expect(await relay.answer(id, { decision: 'deny', reason: 'not today' })).toBe(true)
	await until(() => outputs.some(({ type }) => type === 'applied'))
	const lines = await kept()
	const reason = lines.findIndex((line) => /turn\/steer.*not today/.test(line))
	const denial = lines.findIndex((line) => line.includes('"decision":"decline"'))
	expect(reason).toBeGreaterThan(0)
	expect(denial).toBeGreaterThan(reason)
})

test.each(['no JSON', '', '[[[', '{"id":{}}', '7', `{"id":0,"result":`])(
	'an interface that says %j is let go, and nothing is answered',
	async (garbage) => {
		const { send, closed } = await asked()
		send(garbage)
		expect(await closed).toBe(1007)
		expect(await decisions()).toEqual([])
	},
)

test('a message in many lines is one line for the app-server', async () => {
	const { send, id } = await asked()
	send(JSON.stringify({ id: 0, result: { decision: 'cancel' } }, null, 2))
	await until(() => outputs.some(({ type }) => type === 'withdrawn'))
	expect(outputs).toContainEqual({ type: 'withdrawn', id, result: 'denied' })
	expect(await decisions()).toEqual(['{"id":0,"result":{"decision":"cancel"}}'])
})

test('garbage of the app-server is said, and passed on as it came', async () => {
	const { send, told } = await asked()
	send({ id: 5, method: 'garbage' })
	await until(() => told.includes('[[['))
	expect(told).toContain('half a li')
	await until(() => JSON.stringify(outputs).split('is not a message').length === 4)
})

test('the app-server dies, or the interface goes: the other ends, and what waited is not answered', async () => {
	const first = await asked()
	first.send({ id: 6, method: 'die' })
	expect(await first.closed).toBe(1011)
	expect(await first.relay.answer(first.id, { decision: 'allow', scope: 'once' })).toBe(false)
	outputs = []
	const second = await asked()
	second.socket.terminate()
	await second.closed
	await second.relay.stop()
	expect(await second.relay.answer(second.id, { decision: 'allow', scope: 'once' })).toBe(false)
	expect(await decisions()).toEqual([])
})

test('what a remote interface can not say goes with the first thread that it resumes', async () => {
	const { send } = await connect()
	send({ id: 1, method: 'thread/start', params: {} })
	send({ id: 2, method: 'thread/resume', params: { threadId: 'a', cwd: '/p' } })
	send({ id: 3, method: 'thread/resume', params: { threadId: 'b' } })
	await until(() => outputs.some(({ type }) => type === 'request'))
	await relay?.stop()
	const calls = (await kept()).filter((line) => line.includes('"thread/'))
	expect(calls).toEqual([
		'{"id":1,"method":"thread/start","params":{}}',
		'{"id":2,"method":"thread/resume","params":{"threadId":"a","cwd":"/p","sandbox":"read-only"}}',
		'{"id":3,"method":"thread/resume","params":{"threadId":"b"}}',
	])
})
