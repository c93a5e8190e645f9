import { request } from 'node:http'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { HookServer } from '../../../source/agents/claude/hook-server.ts'
import type { HookCall } from '../../../source/agents/hook-call.ts'

const token = 'right-token'
let calls: HookCall[] = []
let server: HookServer
beforeEach(async () => {
	calls = []
	server = await HookServer.start(token, (call) => calls.push(call))
})
afterEach(() => server[Symbol.asyncDispose]())

function post(options: { path?: string; method?: string; headers?: object; body?: string }) {
	return new Promise<{ status: number; body: string }>((resolve, reject) => {
		const headers = { authorization: `Bearer ${token}`, ...options.headers }
		const { path = '/hook', method = 'POST' } = options
		const sent = request({ host: '127.0.0.1', port: server.port, path, method, headers }, (got) => {
			let body = ''
			got.on('data', (text) => {
				body += text
			})
			got.on('end', () => resolve({ status: got.statusCode ?? 0, body }))
		})
		sent.on('error', reject)
		sent.end(options.body)
	})
}

const until = async (done: () => boolean) => {
	while (!done()) await new Promise((resolve) => setTimeout(resolve, 5))
}

test('a call waits until it is answered', async () => {
	const answer = post({ body: '{"a":1}' })
	await until(() => calls.length === 1)
	expect(calls[0]?.body).toBe('{"a":1}')
	expect(await calls[0]?.respond('{"b":2}')).toBe(true)
	expect(await answer).toEqual({ status: 200, body: '{"b":2}' })
	expect(await calls[0]?.respond('{"c":3}')).toBe(false)
})

test.each([
	['without a token', { headers: { authorization: '' } }, 401],
	['with a token of the same length', { headers: { authorization: 'Bearer wrong-token' } }, 401],
	['with a longer one', { headers: { authorization: `Bearer ${token}x` } }, 401],
	['from a web page', { headers: { host: 'rebound.example' } }, 403],
	['that only looks', { method: 'GET' }, 404],
	['to another place', { path: '/other' }, 404],
])('a call %s is refused', async (_what, options, status) => {
	expect((await post({ ...options, ...(status === 404 ? {} : { body: 'x' }) })).status).toBe(status)
	expect(calls).toEqual([])
})

test('a body over the limit is refused', async () => {
	const body = 'x'.repeat(33 * 1024 * 1024)
	const result = await post({ body }).catch(() => ({ status: 413 }))
	expect(result.status).toBe(413)
	expect(calls).toEqual([])
})

test('a caller that hangs up is noticed, and can not be answered', async () => {
	const headers = { authorization: `Bearer ${token}` }
	const sent = request({
		host: '127.0.0.1',
		port: server.port,
		path: '/hook',
		method: 'POST',
		headers,
	})
	sent.on('error', () => sent.destroy())
	sent.end('{}')
	await until(() => calls.length === 1)
	const hungUp = new Promise<void>((resolve) => calls[0]?.onHangUp(resolve))
	sent.destroy()
	await hungUp
	// Whoever asks only then is told, too: the request may have been shown meanwhile.
	await new Promise<void>((resolve) => calls[0]?.onHangUp(resolve))
	expect(await calls[0]?.respond('{"late":true}')).toBe(false)
})

test('an answered call is not one that was hung up on', async () => {
	const answer = post({ body: '{}' })
	await until(() => calls.length === 1)
	let hungUp = false
	calls[0]?.onHangUp(() => {
		hungUp = true
	})
	await calls[0]?.respond('')
	await answer
	await new Promise((resolve) => setTimeout(resolve, 20))
	expect(hungUp).toBe(false)
})
