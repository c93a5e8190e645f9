/** `serve --listen` and `login --join`: two homes, one backend, over TLS on an address of its own. */
import { createHash, X509Certificate } from 'node:crypto'
import { readdir, rm } from 'node:fs/promises'
import { createServer as createTlsServer, request, type Server } from 'node:https'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as v from 'valibot'
import { expect, onTestFinished, test } from 'vitest'
import { decodeJoinToken, encodeJoinToken } from '../../source/config/join-token.ts'
import { readProfiles } from '../../source/config/profiles.ts'
import { statusEmbedded } from '../../source/server/discover.ts'
import { selfSigned } from '../../source/server/self-signed.ts'
import { launcher, type Started, until } from '../tools/lab.ts'
import { Terminal } from '../tools/terminal.ts'
import { Hosted, linesOf, Program } from './_program.ts'
import * as shapes from './_shapes.ts'

async function newHome(): Promise<Program> {
	const home = await Program.make()
	onTestFinished(() => home[Symbol.asyncDispose]())
	return home
}

async function freePort(): Promise<number> {
	const probe = createServer()
	await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve))
	const { port } = probe.address() as AddressInfo
	await new Promise((resolve) => probe.close(resolve))
	return port
}

interface Served {
	home: Program
	port: number
	url: string
	started: Started
	/** A new join token. */
	token(): Promise<string>
	stop(): Promise<void>
}

async function serving(
	home: Program,
	more: readonly string[] = [],
	port?: number,
): Promise<Served> {
	const chosen = port ?? (await freePort())
	const started = home.start(['serve', '--listen', `127.0.0.1:${chosen}`, ...more])
	const stop = async () => {
		started.child.kill('SIGTERM')
		await started.done
	}
	onTestFinished(stop)
	await until(() => {
		if (started.result) throw new Error(started.result.stderr)
		return started.stdout.includes('until Ctrl-C')
	})
	return {
		home,
		port: chosen,
		url: `https://127.0.0.1:${chosen}`,
		started,
		async token() {
			const { stdout, stderr, code } = await home.here(['serve', '--join-token'])
			if (code !== 0) throw new Error(stderr)
			return stdout.trim()
		},
		stop,
	}
}

async function refusal(home: Program, args: string[], env: NodeJS.ProcessEnv = {}, input = '') {
	const { code, stderr } = await home.here([...args, '--json'], env, input)
	const [report] = linesOf(shapes.failure, stderr)
	return { exitCode: code, code: report?.error.code, message: report?.error.message ?? '' }
}

/** A server with another key at the same address, and what it was asked. */
async function stranger(port: number): Promise<string[]> {
	const own = selfSigned()
	const asked: string[] = []
	const server: Server = createTlsServer(
		{ cert: own.certificate, key: own.key },
		(incoming, response) => {
			asked.push(`${incoming.url}`)
			response.end('{}')
		},
	)
	await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
	onTestFinished(async () => {
		server.closeAllConnections()
		await new Promise((resolve) => server.close(resolve))
	})
	return asked
}

test('serve takes the place of the backend in the background; another home joins its account', async () => {
	const [first, second] = [await newHome(), await newHome()]
	await first.json(shapes.sessions, ['sessions'])
	const before = await statusEmbedded(first.home)
	const mine = await first.json(shapes.status, ['status'])
	const served = await serving(first)
	const after = await statusEmbedded(first.home)
	expect(after?.pid).toBe(served.started.child.pid)
	expect(after?.pid).not.toBe(before?.pid)
	expect(after?.url).toBe(before?.url)
	expect(served.started.stdout).toContain(`for others at ${served.url}`)
	// No token in what a service manager would write to a log.
	expect(served.started.stdout).not.toContain('styrby-join-')
	const token = await served.token()
	expect(await second.json(shapes.login, ['login', '--join', token])).toEqual({
		backend: { kind: 'embedded', url: served.url },
		account: mine.account,
		email: null,
		signed_in: 'new',
		device: 'missing',
	})
	expect(await refusal(second, ['sessions'])).toMatchObject({
		exitCode: 3,
		code: 'no_device_key',
		message: expect.stringContaining('devices add'),
	})
	expect(await second.json(shapes.status, ['status'])).toMatchObject({
		backend: { kind: 'embedded', url: served.url, reachable: true },
		account: mine.account,
		device: null,
	})
	const { checks } = await second.json(shapes.checks, ['doctor'])
	expect(checks.find(({ id }) => id === 'backend')).toMatchObject({
		state: 'ok',
		detail: expect.stringContaining('with the certificate that is pinned here'),
	})
	// Its own home goes on over loopback, and a second one in its place is refused.
	await first.json(shapes.sessions, ['sessions'])
	const own = await first.json(shapes.checks, ['doctor'])
	expect(own.checks.find(({ id }) => id === 'backend')?.detail).toContain(
		`for other machines at ${served.url}`,
	)
	const other = await first.run(['serve'])
	expect(other).toMatchObject({ code: 1, stderr: expect.stringContaining('runs already') })
	// Back to the backend of its own machine, and over again without a token.
	await second.json(shapes.login, ['login'])
	await second.json(shapes.sessions, ['sessions'])
	expect(await second.json(shapes.login, ['login', '--url', served.url])).toMatchObject({
		account: mine.account,
		signed_in: 'before',
	})
	expect((await second.run(['logout'])).stdout).toContain('serve --join-token')
	expect(await refusal(second, ['sessions'])).toMatchObject({ exitCode: 3, code: 'not_signed_in' })
	const again = await second.run(
		['login', '--join', '-', '--json'],
		{},
		`${await served.token()}\n`,
	)
	expect(linesOf(shapes.login, again.stdout)).toMatchObject([{ account: mine.account }])
	expect((await readProfiles(second.home)).profiles).toHaveLength(1)
})

test('who joins first makes the account, and the home that serves comes to the same', async () => {
	const [first, second] = [await newHome(), await newHome()]
	const served = await serving(first)
	const token = await served.token()
	const joined = await second.json(shapes.login, ['login', '--join', token])
	expect(joined.device).toBe('first')
	await second.json(shapes.sessions, ['sessions'])
	const { account, device } = await second.json(shapes.status, ['status'])
	expect(account).toBe(joined.account)
	expect(device).not.toBeNull()
	// All that reads and proves works over the pinned connections, the live channel too.
	const verdict = await second.json(shapes.verdict, ['verify'])
	expect(verdict).toMatchObject({ verified: true, wire: { live: true } })
	expect(await refusal(first, ['sessions'])).toMatchObject({ code: 'no_device_key' })
})

test('a session that is hosted goes on while serve takes over', async () => {
	const first = await newHome()
	await using context = await first.context()
	await using hosted = await Hosted.start(context, 'count the reeds')
	hosted.agent.text('Before it.')
	await serving(first)
	hosted.agent.text('After it.')
	await until(async () => {
		const { stdout } = await first.run(['show', hosted.id])
		return stdout.includes('Before it.') && stdout.includes('After it.')
	})
})

test('a machine that signs everybody out takes nothing from the home that serves', async () => {
	const [first, second] = [await newHome(), await newHome()]
	await first.json(shapes.sessions, ['sessions'])
	const { account } = await first.json(shapes.status, ['status'])
	const served = await serving(first)
	const token = decodeJoinToken(await served.token())
	const ask = async (path: string, body: object, bearer?: string) => {
		const own = await statusEmbedded(first.home)
		const authorization = bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }
		const headers = { apikey: token.key, 'content-type': 'application/json', ...authorization }
		const answer = await fetch(`${own?.url}/auth/v1/${path}`, {
			method: 'POST',
			headers,
			body: JSON.stringify(body),
		})
		return { status: answer.status, text: await answer.text() }
	}
	const joined = await ask('join', { secret: token.secret })
	const { access_token } = v.parse(v.object({ access_token: v.string() }), JSON.parse(joined.text))
	expect((await ask('logout?scope=global', {}, access_token)).status).toBe(204)
	// Its own sign-in has ended with the others: that is the last that it could do.
	expect((await ask('logout?scope=global', {}, access_token)).status).toBe(403)
	for (const file of await readdir(first.home.run)) {
		if (file.startsWith('access-')) await rm(join(first.home.run, file))
	}
	await first.json(shapes.sessions, ['sessions'])
	expect((await first.json(shapes.status, ['status'])).account).toBe(account)
	// With the secret of a token nobody gets into an account that is not this server's.
	const elsewhere = decodeJoinToken(await served.token())
	const wrong = { secret: elsewhere.secret, account: crypto.randomUUID() }
	expect((await ask('join', wrong)).status).toBe(403)
	await second.json(shapes.login, ['login', '--join', await served.token()])
})

test('a token works once, and not when anything about it was changed', async () => {
	const [first, second, third] = [await newHome(), await newHome(), await newHome()]
	const served = await serving(first)
	const token = await served.token()
	await second.json(shapes.login, ['login', '--join', token])
	expect(await refusal(third, ['login', '--join', token])).toMatchObject({
		exitCode: 3,
		code: 'join_refused',
		message: expect.stringContaining('serve --join-token'),
	})
	for (const odd of [
		'',
		'garbage',
		token.slice(0, -1),
		`${token.slice(0, 40)}X${token.slice(41)}`,
	]) {
		const input = `${odd}\n`
		expect(await refusal(third, ['login', '--join', '-'], {}, input)).toMatchObject({
			exitCode: 2,
			code: odd === '' ? 'no_secret' : 'bad_join_token',
		})
	}
	const said = decodeJoinToken(await served.token())
	const forged = encodeJoinToken({ ...said, secret: 'A'.repeat(43) })
	expect(await refusal(third, ['login', '--join', forged])).toMatchObject({ code: 'join_refused' })
	expect(await readProfiles(third.home)).toEqual({ current: null, profiles: [] })
	// Two at once with one token: one of them is in.
	const last = await served.token()
	const both = await Promise.all(
		[second, third].map((home) => home.run(['login', '--join', last, '--json'])),
	)
	expect(both.map(({ code }) => code).sort()).toEqual([0, 3])
})

test('a server with another certificate is refused, and is told nothing', async () => {
	const [first, second] = [await newHome(), await newHome()]
	const served = await serving(first)
	const token = decodeJoinToken(await served.token())
	const pin = createHash('sha256')
		.update(new X509Certificate(selfSigned().certificate).raw)
		.digest('base64')
	const wrong = encodeJoinToken({ ...token, pin })
	const refused = { exitCode: 4, code: 'wrong_certificate' }
	expect(await refusal(second, ['login', '--join', wrong])).toMatchObject(refused)
	// The secret was not sent: it still works.
	await second.json(shapes.login, ['login', '--join', encodeJoinToken(token)])
	await second.json(shapes.sessions, ['sessions'])
	await served.stop()
	const asked = await stranger(served.port)
	for (const args of [['sessions'], ['logout'], ['login', '--url', served.url]]) {
		expect(await refusal(second, args), args.join(' ')).toMatchObject(refused)
	}
	expect((await second.json(shapes.status, ['status'])).backend.reachable).toBe(false)
	expect(asked).toEqual([])
})

test('a server that does not answer is out of reach, whichever way it is asked', async () => {
	const [first, second] = [await newHome(), await newHome()]
	const served = await serving(first)
	const [token, other] = [await served.token(), await served.token()]
	await second.json(shapes.login, ['login', '--join', token])
	await served.stop()
	const away = { exitCode: 5, code: 'backend_unreachable' }
	for (const args of [['sessions'], ['logout'], ['login', '--join', other]]) {
		expect(await refusal(second, args), args.join(' ')).toMatchObject(away)
	}
	const { urls, ...rest } = decodeJoinToken(other)
	const several = encodeJoinToken({ ...rest, urls: [...urls, 'https://127.0.0.1:9'] })
	expect(await refusal(second, ['login', '--join', several])).toMatchObject(away)
	const none = await first.run(['serve', '--join-token'])
	expect(none).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('--listen') })
	// It comes back with the same certificate, and the sign-in stands.
	await serving(first, [], served.port)
	await second.json(shapes.sessions, ['sessions'])
})

test('the first address that answers is taken, and another way to the same server will do', async () => {
	const [first, second, third] = [await newHome(), await newHome(), await newHome()]
	const served = await serving(first)
	const { urls, ...token } = decodeJoinToken(await served.token())
	const several = encodeJoinToken({ ...token, urls: ['https://127.0.0.1:9', ...urls] })
	expect((await second.json(shapes.login, ['login', '--join', several])).backend.url).toBe(
		served.url,
	)
	const next = decodeJoinToken(await served.token())
	const elsewhere = encodeJoinToken({ ...next, urls: ['https://127.0.0.1:9'] })
	const forwarded = `https://localhost:${served.port}`
	const args = ['login', '--join', elsewhere, '--url', forwarded]
	expect((await third.json(shapes.login, args)).backend.url).toBe(forwarded)
})

test('the door to the network lets through what machines need, and no more', async () => {
	const first = await newHome()
	const served = await serving(first, ['--name', 'box.example.test'])
	const own = await statusEmbedded(first.home)
	const token = decodeJoinToken(await served.token())
	expect(token.urls).toEqual([`https://box.example.test:${served.port}`])
	const apikey = token.key
	expect(apikey).toBe(own?.anonKey)
	const ask = (
		method: string,
		path: string,
		headers: Record<string, string> = {},
		body = '',
	): Promise<{ status: number; code: unknown }> =>
		new Promise((resolve, reject) => {
			const options = { method, headers: { apikey, ...headers }, rejectUnauthorized: false }
			const sending = request(served.url + path, options, async (answer) => {
				let text = ''
				for await (const chunk of answer) text += chunk
				const parsed = v.safeParse(v.record(v.string(), v.unknown()), JSON.parse(text || '{}'))
				const said = parsed.success ? parsed.output : {}
				resolve({ status: answer.statusCode ?? 0, code: said.error_code ?? said.code ?? null })
			})
			sending.on('error', reject)
			sending.end(body)
		})
	expect(await ask('GET', '/auth/v1/health')).toMatchObject({ status: 200 })
	for (const host of ['box.example.test', `box.example.test:${served.port}`, '127.0.0.1']) {
		expect(await ask('GET', '/auth/v1/health', { host })).toMatchObject({ status: 200 })
	}
	expect(await ask('GET', '/auth/v1/health', { host: 'evil.example.test' })).toMatchObject({
		status: 403,
		code: 'host_refused',
	})
	expect(await ask('GET', '/auth/v1/health', { origin: served.url })).toMatchObject({
		status: 403,
		code: 'origin_refused',
	})
	expect(await ask('GET', '/auth/v1/health', { apikey: 'another' })).toMatchObject({ status: 401 })
	expect(await ask('POST', '/auth/v1/signup', {}, '{}')).toMatchObject({
		status: 403,
		code: 'signup_disabled',
	})
	for (const [method, path] of [
		['GET', '/health'],
		['GET', '/control/state'],
		['POST', '/control/stop'],
		['POST', '/control/join'],
	] as const) {
		expect(await ask(method, path, {}), path).toMatchObject({ status: 404 })
	}
	// Plain HTTP is not spoken there.
	await expect(fetch(served.url.replace('https', 'http'))).rejects.toThrow()
	// Guesses end soon; this machine and those that are in go on.
	const guess = JSON.stringify({ secret: 'A'.repeat(43) })
	const statuses: number[] = []
	for (let time = 0; time < 12; time++) {
		statuses.push((await ask('POST', '/auth/v1/join', {}, guess)).status)
	}
	expect(statuses).toEqual([...Array.from({ length: 10 }, () => 403), 429, 429])
	const passwords = JSON.stringify({ email: 'a@example.test', password: 'any' })
	expect(await ask('POST', '/auth/v1/token?grant_type=password', {}, passwords)).toMatchObject({
		status: 429,
	})
	await first.json(shapes.sessions, ['sessions'])
	expect(await ask('GET', '/auth/v1/health')).toMatchObject({ status: 200 })
})

test('a certificate of an authority needs no pin, and is checked as everywhere', async () => {
	const file = (name: string) => fileURLToPath(new URL(`../fixtures/tls/${name}`, import.meta.url))
	const [first, second] = [await newHome(), await newHome()]
	const own = ['--tls-cert', file('certificate.pem'), '--tls-key', file('key.pem')]
	const served = await serving(first, own)
	const token = await served.token()
	expect(decodeJoinToken(token)).toMatchObject({ pin: null, urls: [served.url] })
	expect(await refusal(second, ['login', '--join', token])).toMatchObject({
		exitCode: 4,
		code: 'certificate_not_trusted',
	})
	const trusting = { NODE_EXTRA_CA_CERTS: file('authority.pem') }
	const { stdout } = await second.run(['login', '--join', token, '--json'], trusting)
	expect(linesOf(shapes.login, stdout)).toMatchObject([{ backend: { url: served.url } }])
	expect((await second.run(['sessions'], trusting)).code).toBe(0)
})

test('at a terminal the token is shown, and the next one when it was used', async () => {
	const [first, second] = [await newHome(), await newHome()]
	const port = await freePort()
	await using terminal = new Terminal({
		command: process.execPath,
		args: [launcher, 'serve', '--listen', `127.0.0.1:${port}`],
		env: first.env,
		columns: 1000,
		rows: 30,
	})
	const tokens = () => [...terminal.text().matchAll(/styrby-join-[\w-]+/g)].map(([token]) => token)
	await terminal.until(() => tokens().length === 1)
	const [token = ''] = tokens()
	await second.json(shapes.login, ['login', '--join', token])
	await terminal.until(() => tokens().length === 2)
	expect(terminal.text()).toContain('A machine has joined.')
	expect(tokens()[1]).not.toBe(token)
	await terminal.press('\u0003')
	expect(await terminal.exited).toBe(0)
})

const wellMade = encodeJoinToken({
	urls: ['https://127.0.0.1:9'],
	key: 'key',
	pin: null,
	secret: 'A'.repeat(43),
})

test.each([
	[['serve', '--listen', '127.0.0.1'], 'bad_value'],
	[['serve', '--listen', '127.0.0.1:0'], 'bad_value'],
	[['serve', '--listen', 'a b:4815'], 'bad_value'],
	[['serve', '--name', 'box'], 'bad_usage'],
	[['serve', '--listen', '127.0.0.1:4815', '--tls-cert', 'x'], 'bad_usage'],
	[['serve', '--listen', '127.0.0.1:4815', '--tls-cert', 'x', '--tls-key', 'y'], 'bad_certificate'],
	[['serve', '--listen', '192.0.2.77:4815'], 'bad_listen_address'],
	[['serve', '--join-token', '--port', '4815'], 'bad_usage'],
	[['login', '--join', 'x', '--email', 'a@b.test'], 'bad_usage'],
	[['login', '--join', wellMade, '--url', 'http://127.0.0.1:9'], 'bad_usage'],
])('wrong usage: %s', async (args, code) => {
	const home = await newHome()
	const { exitCode, ...refused } = await refusalOf(home, args)
	expect(refused).toMatchObject({ code })
	expect(exitCode).toBe(2)
})

/** `serve` prints no JSON: its errors are sentences, whose codes are those of the same call in this process. */
async function refusalOf(home: Program, args: string[]) {
	if (args[0] !== 'serve') return refusal(home, args)
	const { run } = await import('../../source/commands/serve.ts')
	const { parseArguments } = await import('../../source/commands/parse.ts')
	const { processIo } = await import('../../source/commands/io.ts')
	const parsed = parseArguments(args, import.meta)
	const io = { ...processIo(), env: home.env, cwd: home.cwd }
	const error: unknown = await run({ ...parsed, io }).catch((reason: unknown) => reason)
	return v.parse(v.object({ exitCode: v.number(), code: v.string() }), error)
}

test('a port that is taken is named', async () => {
	const home = await newHome()
	const taken = createServer()
	await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
	onTestFinished(() => {
		taken.close()
	})
	const { port } = taken.address() as AddressInfo
	const { code, stderr } = await home.run(['serve', '--listen', `127.0.0.1:${port}`])
	expect([code, stderr]).toEqual([1, expect.stringContaining(`Port ${port} is taken`)])
})
