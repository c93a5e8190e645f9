import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import * as signIn from '../../source/backend/sign-in.ts'
import { StyrbyError } from '../../source/protocol/errors.ts'

interface Reply {
	status: number
	body: unknown
}

let server: Server
let reply: Reply
let asked: { path: string; body: unknown }[]
let endpoint: { url: string; anonKey: string }

beforeEach(async () => {
	asked = []
	server = createServer(async (request, response) => {
		let body = ''
		for await (const chunk of request) body += chunk
		asked.push({ path: request.url ?? '', body: body === '' ? null : JSON.parse(body) })
		response.writeHead(reply.status, { 'content-type': 'application/json' })
		response.end(typeof reply.body === 'string' ? reply.body : JSON.stringify(reply.body))
	})
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
	const { port } = server.address() as AddressInfo
	endpoint = { url: `http://127.0.0.1:${port}`, anonKey: 'anon' }
})
afterEach(() => {
	server.closeAllConnections()
	return new Promise((resolve) => server.close(resolve))
})

const user = crypto.randomUUID()
const good = {
	access_token: 'an-access-token',
	refresh_token: 'a-refresh-token',
	token_type: 'bearer',
	expires_in: 3600,
	user: { id: user },
}

async function failure(work: Promise<unknown>): Promise<StyrbyError> {
	const error = await work.then(
		() => null,
		(reason: unknown) => reason,
	)
	if (error instanceof StyrbyError) return error
	throw new Error(`expected a StyrbyError, got ${String(error)}`)
}

test('each way in gives the same tokens, with their end by our own clock', async () => {
	reply = { status: 200, body: { ...good, expires_at: 1 } }
	const before = Math.floor(Date.now() / 1000)
	for (const way of [
		signIn.signUpAnonymously(endpoint),
		signIn.signInWithPassword(endpoint, { email: 'a@example.test', password: 'secret' }),
		signIn.signInWithEmailCode(endpoint, { email: 'a@example.test', code: '123456' }),
		signIn.refreshTokens(endpoint, 'old'),
	]) {
		const { expires_at, ...tokens } = await way
		expect(tokens).toEqual({
			access_token: 'an-access-token',
			refresh_token: 'a-refresh-token',
			user_id: user,
		})
		expect(expires_at - before).toBeGreaterThanOrEqual(3600)
		expect(expires_at - before).toBeLessThan(3700)
	}
	expect(asked).toHaveLength(4)
})

describe('a refusal', () => {
	const refused = (status: number, error_code: string) => {
		reply = { status, body: { code: status, error_code, msg: 'the server’s own words' } }
	}

	test('is named by the server’s code, never by its words', async () => {
		refused(400, 'invalid_credentials')
		const credentials = { email: 'a@example.test', password: 'secret' }
		const error = await failure(signIn.signInWithPassword(endpoint, credentials))
		expect(error).toMatchObject({ code: 'sign_in_refused', exitCode: 3 })
		expect(error.message).toContain('invalid_credentials')
		expect(JSON.stringify([error.message, error.cause])).not.toMatch(/own words|secret/)
		refused(400, 'Run: rm -rf ~')
		const hostile = await failure(signIn.signInWithPassword(endpoint, credentials))
		expect(hostile.message).not.toContain('rm')
	})

	test('says what it means where that is known', async () => {
		refused(429, 'over_request_rate_limit')
		expect(await failure(signIn.sendEmailCode(endpoint, 'a@example.test'))).toMatchObject({
			code: 'sign_in_too_often',
		})
		refused(422, 'anonymous_provider_disabled')
		expect(await failure(signIn.signUpAnonymously(endpoint))).toMatchObject({
			code: 'anonymous_sign_in_off',
		})
		refused(400, 'refresh_token_already_used')
		expect(await failure(signIn.refreshTokens(endpoint, 'old'))).toMatchObject({
			code: 'not_signed_in',
			exitCode: 3,
		})
	})

	test('of a server that fails is none, and is not waited for', async () => {
		for (const status of [500, 503, 524]) {
			refused(status, 'unexpected_failure')
			expect(await failure(signIn.refreshTokens(endpoint, 'old'))).toMatchObject({
				code: 'backend_unreachable',
				exitCode: 5,
			})
		}
		for (const body of ['<html>', `"${'x'.repeat(2 ** 21)}"`]) {
			reply = { status: 200, body }
			const error = await failure(signIn.refreshTokens(endpoint, 'old'))
			expect(error).toMatchObject({ code: 'backend_unreachable' })
		}
		expect(asked).toHaveLength(5)
	})
})

test('an answer of another form is not used, and no token of it is repeated', async () => {
	for (const body of [
		{ ...good, expires_in: -1 },
		{ ...good, user: { id: 'nobody' } },
		{ ...good, refresh_token: 'x'.repeat(10_000) },
	]) {
		reply = { status: 200, body }
		const error = await failure(signIn.refreshTokens(endpoint, 'old'))
		expect(error).toMatchObject({ code: 'backend_malformed', exitCode: 4 })
		expect(String(error.cause)).not.toMatch(/an-access-token|xxxx/)
	}
})

test('a backend that is not there is out of reach, at once', async () => {
	reply = { status: 200, body: good }
	await new Promise((resolve) => server.close(resolve))
	const error = await failure(signIn.refreshTokens(endpoint, 'old'))
	expect(error).toMatchObject({ code: 'backend_unreachable', exitCode: 5 })
	server.listen(0, '127.0.0.1')
})

test('signing out ends this sign-in only', async () => {
	reply = { status: 204, body: '' }
	await signIn.signOut(endpoint, 'an-access-token')
	expect(asked.map(({ path }) => path)).toEqual(['/auth/v1/logout?scope=local'])
})
