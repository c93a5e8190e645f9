/** Who may speak to the port at all: it is open to every user and every browser of the machine. */
import { connect } from 'node:net'
import { describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { readAccess } from '../../../source/server/installation.ts'
import { rawRequest, signUp, type Target } from './target.ts'

export function testGuard(opened: () => Target): void {
	const paths = ['/auth/v1/signup', '/auth/v1/settings', '/rest/v1/rpc/schema_version', '/', '/x']

	/** The status that a WebSocket is refused with, or 101. */
	function upgrade(query: string, headers: Record<string, string> = {}): Promise<number> {
		const url = `${opened().url.replace('http', 'ws')}/realtime/v1/websocket?vsn=2.0.0&${query}`
		return new Promise((resolve, reject) => {
			const socket = new WebSocket(url, { headers })
			socket.on('open', () => {
				socket.close()
				resolve(101)
			})
			socket.on('unexpected-response', (request, response) => {
				request.destroy()
				resolve(response.statusCode ?? 0)
			})
			socket.on('error', reject)
		})
	}

	describe('the key of the installation', () => {
		test('is asked for on every path', async () => {
			for (const apikey of ['', 'styrby_', `${opened().anonKey}x`, opened().anonKey.slice(0, -1)]) {
				for (const path of paths) {
					const { status, body } = await rawRequest(opened(), path, { headers: { apikey } })
					expect(status, path).toBe(401)
					expect(body).not.toContain(opened().anonKey)
				}
				expect(await upgrade(`apikey=${apikey}`)).toBe(401)
			}
			expect(await upgrade('')).toBe(401)
			expect(await upgrade(`apikey=${opened().anonKey}`)).toBe(101)
		})

		test('is not made up for by a token', async () => {
			const { token } = await signUp(opened())
			const headers = { apikey: '', authorization: `Bearer ${token}` }
			const path = '/rest/v1/rpc/list_machine_keys'
			expect((await rawRequest(opened(), path, { body: '{}', headers })).status).toBe(401)
		})

		test('stops nobody who asks how it is; the proof is worth nothing to them', async () => {
			const challenge = 'ab'.repeat(32)
			const headers = { apikey: '' }
			const path = `/health?challenge=${challenge}`
			const { status, body, json } = await rawRequest(opened(), path, { method: 'GET', headers })
			expect(status).toBe(200)
			expect(json.proof).toMatch(/^[0-9a-f]{64}$/)
			const access = await readAccess(opened().folder)
			expect(access?.anonKey).toBe(opened().anonKey)
			for (const secret of Object.values(access ?? {})) {
				if (typeof secret === 'string') expect(body).not.toContain(secret)
			}
			for (const odd of ['', 'x', 'ab'.repeat(4000)]) {
				const answer = await rawRequest(opened(), `/health?challenge=${odd}`, { method: 'GET' })
				expect(answer.json.proof).toBeNull()
			}
		})

		test('does not let anybody stop the backend without it', async () => {
			const { status } = await rawRequest(opened(), '/control/stop', { headers: { apikey: '' } })
			expect(status).toBe(401)
			expect((await rawRequest(opened(), '/health', { method: 'GET' })).status).toBe(200)
		})

		test('is not enough to control the backend: it is known to all machines that were let in', async () => {
			for (const path of ['/control/stop', '/control/join', '/control/anything']) {
				const { status, json } = await rawRequest(opened(), path, { body: '{}' })
				expect([status, json.code], path).toEqual([403, 'control_refused'])
			}
			const { status } = await rawRequest(opened(), '/control/state', { method: 'GET' })
			expect(status).toBe(403)
			expect((await rawRequest(opened(), '/health', { method: 'GET' })).status).toBe(200)
		})
	})

	describe('a browser', () => {
		test('is refused by its Origin, key or not', async () => {
			for (const origin of ['https://example.org', 'null', opened().url]) {
				for (const path of [...paths, '/health']) {
					const { status, json } = await rawRequest(opened(), path, { headers: { origin } })
					expect([status, json.code], path).toEqual([403, 'origin_refused'])
				}
				expect(await upgrade(`apikey=${opened().anonKey}`, { origin })).toBe(403)
			}
		})

		test('is refused by a Host that is not this machine', async () => {
			for (const host of ['example.org', '127.0.0.1.example.org', 'localhost.example.org:80']) {
				for (const path of [...paths, '/health']) {
					const { status, json } = await rawRequest(opened(), path, { headers: { host } })
					expect([status, json.code], path).toEqual([403, 'host_refused'])
				}
				expect(await upgrade(`apikey=${opened().anonKey}`, { host })).toBe(403)
			}
		})

		test('a forwarded port is no other name', async () => {
			for (const host of ['localhost:8080', '127.0.0.1:1', '[::1]:5', 'LOCALHOST']) {
				const { status } = await rawRequest(opened(), '/auth/v1/health', {
					method: 'GET',
					headers: { host },
				})
				expect(status).toBe(200)
			}
		})
	})

	test('other sockets than the live channel are not there', async () => {
		const base = opened().url.replace('http', 'ws')
		const key = `apikey=${opened().anonKey}`
		for (const path of ['/', '/realtime/v1', '/realtime/v1/websocket/x', '//example.org/x']) {
			const status = await new Promise((resolve) => {
				const socket = new WebSocket(`${base}${path}?${key}&vsn=2.0.0`)
				socket.on('unexpected-response', (request, response) => {
					request.destroy()
					resolve(response.statusCode)
				})
				socket.on('open', () => resolve(101))
				socket.on('error', (error) => resolve(error.message))
			})
			expect(status, path).toBe(400)
		}
		expect(await upgrade(`${key}&vsn=3.0.0`)).toBe(101)
		const wrongVersion = await new Promise((resolve) => {
			const socket = new WebSocket(`${base}/realtime/v1/websocket?${key}&vsn=3.0.0`)
			socket.on('unexpected-response', (request, response) => {
				request.destroy()
				resolve(response.statusCode)
			})
			socket.on('open', () => resolve(101))
		})
		expect(wrongVersion).toBe(400)
	})

	test('what is no HTTP is hung up on, and others are served meanwhile', async () => {
		const { port } = new URL(opened().url)
		for (const bytes of [
			'\x16\x03\x01\x02\x00',
			'GET / HTTP/9.9\r\n\r\n',
			`${'x'.repeat(99_999)}`,
		]) {
			await new Promise<void>((resolve) => {
				const socket = connect(Number(port), '127.0.0.1')
				socket.on('error', () => undefined)
				socket.on('close', () => resolve())
				socket.on('data', () => undefined)
				socket.write(bytes)
				socket.end()
			})
		}
		expect((await rawRequest(opened(), '/health', { method: 'GET' })).status).toBe(200)
	})
}
