/** The tap against a server whose framing would hide things from a naive search. */
import { createServer, type IncomingMessage, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { WireTap } from '../../source/backend/wire-tap.ts'

let server: Server
let tap: WireTap
const seen: { headers: IncomingMessage['headers']; url: string; body: string }[] = []

beforeEach(async () => {
	seen.length = 0
	server = createServer(async (asked, answer) => {
		const chunks: Buffer[] = []
		for await (const chunk of asked) chunks.push(chunk)
		const body = Buffer.concat(chunks).toString()
		seen.push({ headers: asked.headers, url: asked.url ?? '', body })
		if (/gzip/.test(asked.headers['accept-encoding'] ?? '')) {
			answer.setHeader('content-encoding', 'gzip')
			answer.end(gzipSync('an answer in one piece'))
			return
		}
		answer.setHeader('x-kept', 'yes')
		answer.statusCode = 201
		// In chunks that cut the sentence.
		answer.write('an answer in o')
		setImmediate(() => answer.end('ne piece'))
	})
	const sockets = new WebSocketServer({ server })
	sockets.on('connection', (socket, { url }) => {
		socket.on('message', (data, binary) => socket.send(`${url} ${binary} ${data}`))
	})
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()))
	const { port } = server.address() as AddressInfo
	tap = await WireTap.open({ url: `http://127.0.0.1:${port}`, anonKey: 'key' })
})

afterEach(async () => {
	await tap[Symbol.asyncDispose]()
	server.closeAllConnections()
	await new Promise((resolve) => server.close(resolve))
})

const kept = (direction: 'up' | 'down') =>
	tap.pieces
		.filter((piece) => piece.direction === direction)
		.map(({ bytes }) => bytes.toString())
		.join('\n')

test('requests and answers pass unchanged, and are kept whole', async () => {
	const answer = await fetch(`${tap.endpoint.url}/rest/v1/rpc/do?x=1`, {
		method: 'POST',
		headers: { apikey: 'key', 'accept-encoding': 'gzip' },
		body: '{"a":"question"}',
	})
	expect([answer.status, answer.headers.get('x-kept')]).toEqual([201, 'yes'])
	expect(await answer.text()).toBe('an answer in one piece')
	expect(seen).toMatchObject([
		{ url: '/rest/v1/rpc/do?x=1', body: '{"a":"question"}', headers: { apikey: 'key' } },
	])
	expect(kept('up')).toContain('POST /rest/v1/rpc/do?x=1')
	expect(kept('up')).toContain('{"a":"question"}')
	expect(kept('down')).toContain('an answer in one piece')
	expect(tap.pieces.map(({ what }) => what)).toEqual([
		'POST /rest/v1/rpc/do',
		'POST /rest/v1/rpc/do',
	])
	const { up, down } = tap.bytes
	expect(up).toBeGreaterThan(kept('up').length)
	expect(down).toBeGreaterThan('an answer in one piece'.length)
	expect(tap.endpoint.anonKey).toBe('key')
})

test('messages of a WebSocket are kept without their mask', async () => {
	const socket = new WebSocket(`${tap.endpoint.url.replace('http', 'ws')}/realtime?vsn=2.0.0`)
	const answers: string[] = []
	socket.on('message', (data) => answers.push(String(data)))
	await new Promise((resolve) => socket.once('open', resolve))
	socket.send('a text that is masked')
	socket.send(Buffer.from('bytes that are masked'))
	while (answers.length < 2) await new Promise((resolve) => socket.once('message', resolve))
	expect(answers).toEqual([
		'/realtime?vsn=2.0.0 false a text that is masked',
		'/realtime?vsn=2.0.0 true bytes that are masked',
	])
	expect(kept('up')).toContain('a text that is masked')
	expect(kept('up')).toContain('bytes that are masked')
	expect(kept('down')).toContain('true bytes that are masked')
	const closed = new Promise((resolve) => socket.once('close', resolve))
	socket.close()
	await closed
})

test('while it does not keep, it still passes and counts', async () => {
	tap.keeping = false
	expect(await (await fetch(tap.endpoint.url)).text()).toBe('an answer in one piece')
	expect(tap.pieces).toEqual([])
	expect(tap.bytes.down).toBeGreaterThan(0)
})

test.each([
	['another host name', { host: 'rebound.example' }],
	['a browser', { origin: 'https://example.org' }],
])('%s gets nothing through it', async (_, headers) => {
	const status = await new Promise((resolve, reject) => {
		const asking = request(tap.endpoint.url, { headers }, (answer) => {
			answer.resume()
			resolve(answer.statusCode)
		})
		asking.on('error', reject).end()
	})
	expect(status).toBe(403)
	expect(seen).toEqual([])
})

test('a backend that is gone is a cut connection, not an answer', async () => {
	server.closeAllConnections()
	await new Promise((resolve) => server.close(resolve))
	await expect(fetch(tap.endpoint.url)).rejects.toThrow()
})
