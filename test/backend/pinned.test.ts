/** Connections to one certificate: real TLS, ours and a stranger's. */
import { createHash, X509Certificate } from 'node:crypto'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { createServer as createTcpServer } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { WebSocketServer } from 'ws'
import { dataClient, type Endpoint } from '../../source/backend/client.ts'
import { connectGateway } from '../../source/backend/connect-gateway.ts'
import { pinnedTo } from '../../source/backend/pinned.ts'
import { signInByJoin } from '../../source/backend/sign-in.ts'
import { WireTap } from '../../source/backend/wire-tap.ts'
import { selfSigned, type TlsIdentity } from '../../source/server/self-signed.ts'

const pinOf = ({ certificate }: TlsIdentity) =>
	createHash('sha256').update(new X509Certificate(certificate).raw).digest('base64')

interface Heard {
	server: Server
	endpoint: Endpoint
	/** Requests and upgrades that arrived. */
	asked: string[]
	/** Bytes that were decrypted. */
	bytes: () => number
	connections: () => number
}

async function listening(own: TlsIdentity, pin = pinOf(own)): Promise<Heard> {
	const asked: string[] = []
	let bytes = 0
	let connections = 0
	const server = createServer(
		{ cert: own.certificate, key: own.key },
		async (request, response) => {
			let body = ''
			for await (const chunk of request) body += chunk
			asked.push(`${request.method} ${request.url} ${body}`)
			if (request.url === '/empty') return response.writeHead(204).end()
			if (request.url === '/slow') return
			response.writeHead(200, { 'content-type': 'application/json', 'set-cookie': ['a=1', 'b=2'] })
			response.end(JSON.stringify({ asked: request.url, with: request.headers['x-own'] ?? null }))
		},
	)
	server.on('connection', () => {
		connections += 1
	})
	server.on('secureConnection', (socket) => {
		socket.on('error', () => undefined)
		socket.on('data', (chunk: Buffer) => {
			bytes += chunk.length
		})
	})
	const sockets = new WebSocketServer({ noServer: true })
	server.on('upgrade', (request, socket, head) => {
		asked.push(`WS ${request.url?.split('?')[0]}`)
		sockets.handleUpgrade(request, socket, head, (one) => one.send('"hello"'))
	})
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
	onTestFinished(async () => {
		for (const one of sockets.clients) one.terminate()
		server.closeAllConnections()
		await new Promise((resolve) => server.close(resolve))
	})
	const { port } = server.address() as AddressInfo
	const endpoint = { url: `https://127.0.0.1:${port}`, anonKey: 'anon', pinned: pinnedTo(pin) }
	return { server, endpoint, asked, bytes: () => bytes, connections: () => connections }
}

const fetchOf = ({ pinned }: Endpoint) => pinned?.fetch ?? fetch

test('the right server is asked, over connections that are kept', async () => {
	const { endpoint, asked, connections } = await listening(selfSigned())
	const get = fetchOf(endpoint)
	for (let time = 0; time < 3; time++) {
		const answer = await get(`${endpoint.url}/one`, { headers: { 'x-own': 'mine' } })
		expect(answer.status).toBe(200)
		expect(answer.headers.getSetCookie()).toEqual(['a=1', 'b=2'])
		expect(await answer.json()).toEqual({ asked: '/one', with: 'mine' })
	}
	expect(connections()).toBe(1)
	const posted = await get(`${endpoint.url}/two`, { method: 'POST', body: 'some text' })
	await posted.text()
	expect(asked.at(-1)).toBe('POST /two some text')
	const empty = await get(`${endpoint.url}/empty`)
	expect([empty.status, await empty.text()]).toEqual([204, ''])
})

test('a request is given up when its time is over', async () => {
	const { endpoint } = await listening(selfSigned())
	const signal = AbortSignal.timeout(50)
	const slow = fetchOf(endpoint)(`${endpoint.url}/slow`, { signal })
	await expect(slow).rejects.toMatchObject({ name: 'TimeoutError' })
	const before = AbortSignal.abort(new Error('before'))
	const early = fetchOf(endpoint)(`${endpoint.url}/one`, { signal: before })
	await expect(early).rejects.toThrow('before')
})

test('a server that is not there is out of reach', async () => {
	const { endpoint, server } = await listening(selfSigned())
	server.closeAllConnections()
	await new Promise((resolve) => server.close(resolve))
	await expect(signInByJoin(endpoint, 'secret')).rejects.toMatchObject({
		code: 'backend_unreachable',
		exitCode: 5,
	})
	// So is one that speaks no TLS.
	const plain = createTcpServer((socket) => socket.end('HTTP/1.1 200 OK\r\n\r\n'))
	await new Promise<void>((resolve) => plain.listen(0, '127.0.0.1', resolve))
	onTestFinished(() => {
		plain.close()
	})
	const { port } = plain.address() as AddressInfo
	const elsewhere = { ...endpoint, url: `https://127.0.0.1:${port}` }
	await expect(signInByJoin(elsewhere, 'secret')).rejects.toMatchObject({
		code: 'backend_unreachable',
	})
})

test('another certificate is refused by name, and gets not one byte', async () => {
	const { endpoint, asked, bytes, connections } = await listening(selfSigned(), pinOf(selfSigned()))
	const refused = { code: 'wrong_certificate', exitCode: 4 }
	await expect(signInByJoin(endpoint, 'the-secret')).rejects.toMatchObject(refused)
	await using gateway = connectGateway({
		...endpoint,
		account: crypto.randomUUID(),
		accessToken: async () => 'a-token',
	})
	await expect(gateway.readLog(-1)).rejects.toMatchObject(refused)
	const lost = new Promise<string>((resolve) => {
		gateway.followAccount((hint) => hint.type === 'lost' && resolve(hint.why))
	})
	await lost
	expect(connections()).toBeGreaterThan(2)
	expect(asked).toEqual([])
	expect(bytes()).toBe(0)
})

test('the live channel and a tap on the wire keep to the certificate too', async () => {
	const right = await listening(selfSigned())
	const client = dataClient(right.endpoint, async () => 'a-token')
	client.channel('any', { config: { private: true } }).subscribe()
	await expect.poll(() => right.asked).toContain('WS /realtime/v1/websocket')
	await client.realtime.disconnect()

	for (const [heard, good] of [
		[right, true],
		[await listening(selfSigned(), pinOf(selfSigned())), false],
	] as const) {
		await using tap = await WireTap.open(heard.endpoint)
		expect(tap.endpoint.pinned).toBeUndefined()
		heard.asked.length = 0
		const answer = await fetch(`${tap.endpoint.url}/tapped`).then(
			({ status }) => status,
			() => null,
		)
		expect(answer).toBe(good ? 200 : null)
		expect(heard.asked).toEqual(good ? ['GET /tapped '] : [])
	}
})
