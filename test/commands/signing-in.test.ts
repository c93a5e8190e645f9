/** `login` and `logout`: the built program, against a server of ours that can also send codes by e-mail. */
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type * as v from 'valibot'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { readProfiles } from '../../source/config/profiles.ts'
import { launcher } from '../tools/lab.ts'
import { MailingBackend } from '../tools/mailing-backend.ts'
import { type Serving, serve } from '../tools/serving.ts'
import { Terminal } from '../tools/terminal.ts'
import { linesOf, Program } from './_program.ts'
import * as shapes from './_shapes.ts'

const password = 'a long password'
let machine: Program
let serving: Serving
let backend: MailingBackend

beforeAll(async () => {
	machine = await Program.make()
	serving = await serve(machine.home)
	backend = await MailingBackend.start(serving.backend)
})
afterAll(async () => {
	await backend?.[Symbol.asyncDispose]()
	await serving?.[Symbol.asyncDispose]()
	await machine?.[Symbol.asyncDispose]()
})

async function newHome(): Promise<Program> {
	const home = await Program.make()
	onTestFinished(() => home[Symbol.asyncDispose]())
	return home
}

let accounts = 0
async function newAccount(): Promise<{ email: string; account: string }> {
	const email = `heron-${++accounts}@example.test`
	return { email, account: await backend.signUp(email, password) }
}

/** The arguments that sign in anew, but for the secret. */
const to = (email: string) => [
	'login',
	'--url',
	backend.url,
	'--anon-key',
	backend.anonKey,
	'--email',
	email,
]

async function signIn(home: Program, email: string): Promise<v.InferOutput<typeof shapes.login>> {
	const { code, stdout, stderr } = await home.here([...to(email), '--json'], {}, `${password}\n`)
	if (code !== 0) throw new Error(stderr)
	const [report] = linesOf(shapes.login, stdout)
	if (!report) throw new Error('nothing was printed')
	return report
}

async function refusal(home: Program, args: string[], env: NodeJS.ProcessEnv = {}, input = '') {
	const { code, stderr, stdout } = await home.here([...args, '--json'], env, input)
	const [report] = linesOf(shapes.failure, stderr)
	expect(stdout).toBe('')
	return { exitCode: code, code: report?.error.code, message: report?.error.message ?? '' }
}

/** Sign-ins of an account that stand on the server. */
async function standing(account: string): Promise<number> {
	const rows = await serving.backend.engine.query(
		'select 1 from auth.sessions where user_id = $1::text::uuid',
		[account],
	)
	return rows.length
}

/** As an hour later: the access token is over, and the refresh token has to do. */
async function forgetAccess(home: Program): Promise<void> {
	const { profiles } = await readProfiles(home.home)
	for (const { kind, id } of profiles) {
		await rm(join(home.home.run, `access-${kind}-${id}.json`), { force: true })
	}
}

describe('a password', () => {
	test('signs in; all commands then work on that backend, until login goes back', async () => {
		const home = await newHome()
		const { email, account } = await newAccount()
		const before = await home.json(shapes.status, ['status'])
		expect(await signIn(home, email)).toEqual({
			backend: { kind: 'supabase', url: backend.url },
			account,
			email,
			signed_in: 'new',
			device: 'first',
		})
		await home.json(shapes.sessions, ['sessions'])
		const there = await home.json(shapes.status, ['status'])
		expect(there).toMatchObject({
			backend: { kind: 'supabase', url: backend.url, reachable: true },
			account,
			device: { name: expect.any(String) },
		})
		expect((await home.run(['status'])).stdout).toContain(`Supabase, answers at ${backend.url}`)
		const { checks } = await home.json(shapes.checks, ['doctor'])
		const check = (id: string) => checks.find((one) => one.id === id)
		expect(check('backend')).toMatchObject({
			state: 'ok',
			detail: `Supabase, answers at ${backend.url}`,
		})
		expect(check('account')?.detail).toContain(account)
		expect(check('clock')).toMatchObject({ state: 'ok' })

		expect(await home.json(shapes.login, ['login'])).toMatchObject({
			backend: { kind: 'embedded', url: null },
			device: 'first',
		})
		expect((await home.json(shapes.status, ['status'])).backend).toEqual(before.backend)
		await home.json(shapes.sessions, ['sessions'])
		const here = await home.json(shapes.status, ['status'])
		expect(here.backend.kind).toBe('embedded')
		expect(here.account).not.toBe(account)
		expect(here.device?.id).not.toBe(there.device?.id)
		// And back, without a password.
		expect(await home.json(shapes.login, ['login', '--url', backend.url])).toMatchObject({
			account,
			signed_in: 'before',
			device: 'here',
		})
		expect(await home.json(shapes.status, ['status'])).toEqual(there)
	})

	test('comes from a file as well', async () => {
		const home = await newHome()
		const { email } = await newAccount()
		const file = join(home.folder, 'password')
		await writeFile(file, `${password}\n`)
		const { code, stdout } = await home.run([...to(email), '--password-file', file])
		expect(code).toBe(0)
		expect(stdout).toContain(`Signed in to ${backend.url} as ${email}.`)
		expect(stdout).toContain('run "styrby-tui"')
		await writeFile(file, `${password}\nand more\n`)
		const { email: other } = await newAccount()
		expect(await refusal(home, [...to(other), '--password-file', file])).toMatchObject({
			exitCode: 2,
			code: 'no_secret',
		})
	})

	test('that is wrong, or not given, leaves everything as it was', async () => {
		const home = await newHome()
		const { email, account } = await newAccount()
		const before = await standing(account)
		expect(await refusal(home, to(email), {}, 'not this one\n')).toMatchObject({
			exitCode: 3,
			code: 'sign_in_refused',
		})
		const none = await refusal(home, to(email))
		expect(none).toMatchObject({ exitCode: 2, code: 'no_secret' })
		expect(none.message).toContain('--password-file')
		expect(await readProfiles(home.home)).toEqual({ current: null, profiles: [] })
		expect(await standing(account)).toBe(before)
	})
})

test('a code sent by e-mail signs in, once', async () => {
	const home = await newHome()
	const { email, account } = await newAccount()
	const wrong = await refusal(home, [...to(email), '--code'], {}, '000000\n')
	expect(wrong).toMatchObject({ exitCode: 3, code: 'sign_in_refused' })
	backend.mail.delete(email)
	// The code is not there before it is asked for: a pipe that is fed later.
	const waiting = home.open([...to(email), '--code', '--json'])
	await expect.poll(() => backend.mail.get(email), { timeout: 60_000 }).toMatch(/^\d{6}$/)
	waiting.child.stdin?.end(`${backend.mail.get(email)}\n`)
	const { stdout } = await waiting.done
	expect(linesOf(shapes.login, stdout)).toMatchObject([{ account, email, signed_in: 'new' }])
})

test('several accounts stand side by side, with data of their own; the environment chooses', async () => {
	const home = await newHome()
	const [one, two] = [await newAccount(), await newAccount()]
	await signIn(home, one.email)
	await home.json(shapes.sessions, ['sessions'])
	expect(await signIn(home, two.email)).toMatchObject({ account: two.account, device: 'first' })
	await home.json(shapes.sessions, ['sessions'])
	const devices = new Set<string | undefined>()
	for (const { email, account } of [one, two, one]) {
		const args = ['login', '--url', backend.url, '--email', email]
		expect(await home.json(shapes.login, args)).toMatchObject({ account, signed_in: 'before' })
		const status = await home.json(shapes.status, ['status'])
		expect(status.account).toBe(account)
		devices.add(status.device?.id)
	}
	expect(devices.size).toBe(2)
	expect((await home.run(['status'])).stdout).toContain(`${backend.url} (${two.email})`)
	await home.json(shapes.login, ['login'])
	const env = { STYRBY_URL: backend.url, STYRBY_ANON_KEY: backend.anonKey }
	const { code, stdout } = await home.run(['status', '--json'], env)
	expect(code).toBe(0)
	expect(linesOf(shapes.status, stdout)).toMatchObject([{ account: one.account }])
	const elsewhere = { ...env, STYRBY_URL: 'https://elsewhere.example.test' }
	for (const command of ['sessions', 'status']) {
		expect(await refusal(home, [command], elsewhere)).toMatchObject({
			exitCode: 3,
			code: 'not_signed_in',
			message: expect.stringContaining('styrby-tui login'),
		})
	}
})

test('a second home of the account is told that it is no device yet', async () => {
	const [first, second] = [await newHome(), await newHome()]
	const { email } = await newAccount()
	await signIn(first, email)
	await first.json(shapes.sessions, ['sessions'])
	expect(await signIn(second, email)).toMatchObject({ device: 'missing' })
	const { stdout } = await second.run(['login', '--url', backend.url])
	expect(stdout).toContain('styrby-tui devices add')
	expect(await refusal(second, ['sessions'])).toMatchObject({
		exitCode: 3,
		code: 'no_device_key',
		message: expect.stringContaining('devices add'),
	})
	const { checks } = await second.json(shapes.checks, ['doctor'])
	expect(checks.find(({ id }) => id === 'account')?.detail).toContain('no device of it yet')
})

test('logout ends the sign-in there and here, keeps the keys, and says how to come back', async () => {
	const home = await newHome()
	const { email, account } = await newAccount()
	const before = await standing(account)
	await signIn(home, email)
	await home.json(shapes.sessions, ['sessions'])
	const { device } = await home.json(shapes.status, ['status'])
	expect(await standing(account)).toBe(before + 1)
	const { stdout } = await home.run(['logout'])
	expect(stdout).toContain(`styrby-tui login --url ${backend.url} --email ${email}`)
	expect(await standing(account)).toBe(before)
	expect(await refusal(home, ['sessions'])).toMatchObject({
		exitCode: 3,
		code: 'not_signed_in',
		message: expect.stringContaining(`login --url ${backend.url} --email ${email}`),
	})
	expect(await home.json(shapes.logout, ['logout'])).toMatchObject({ account, ended: false })
	expect(await signIn(home, email)).toMatchObject({ signed_in: 'new', device: 'here' })
	expect((await home.json(shapes.status, ['status'])).device).toEqual(device)
})

test('secrets are typed at a terminal without being shown', async () => {
	const home = await newHome()
	const { email } = await newAccount()
	const terminal = (args: string[]) =>
		new Terminal({
			command: process.execPath,
			args: [launcher, ...args],
			env: home.env,
			columns: 200,
		})
	const typed = async (shown: Terminal, question: string, answer: string) => {
		await shown.until(question)
		await shown.press(...answer, '\r')
	}
	await using asking = terminal(['login', '--url', backend.url, '--anon-key', backend.anonKey])
	await typed(asking, 'E-mail:', email)
	await typed(asking, 'Password:', password)
	await asking.until(`Signed in to ${backend.url} as ${email}.`)
	expect(await asking.exited).toBe(0)
	expect(asking.written).not.toContain(password)
	await home.json(shapes.logout, ['logout'])
	await using code = terminal(['login', '--url', backend.url, '--code'])
	await code.until(`Code sent to ${email}:`)
	await code.press(...(backend.mail.get(email) ?? ''), '\r')
	await code.until(`Signed in to ${backend.url} as ${email}.`)
	expect(await code.exited).toBe(0)
})

test('the embedded backend has no sign-in to end', async () => {
	const home = await newHome()
	expect(await refusal(home, ['logout'])).toMatchObject({ exitCode: 1, code: 'embedded_logout' })
})

test('a sign-in that was ended on the server says what to do, and login signs in again', async () => {
	const home = await newHome()
	const { email, account } = await newAccount()
	await signIn(home, email)
	await home.json(shapes.sessions, ['sessions'])
	await serving.backend.engine.query('delete from auth.sessions where user_id = $1::text::uuid', [
		account,
	])
	await forgetAccess(home)
	expect(await refusal(home, ['sessions'])).toMatchObject({
		exitCode: 3,
		code: 'not_signed_in',
		message: expect.stringContaining(`login --url ${backend.url} --email ${email}`),
	})
	const asks = await refusal(home, ['login', '--url', backend.url])
	expect(asks).toMatchObject({ exitCode: 2, code: 'no_secret' })
	expect(await signIn(home, email)).toMatchObject({ signed_in: 'new', device: 'here' })
	await home.json(shapes.sessions, ['sessions'])
})

test('an address that leads to another account than before is refused until that is wanted', async () => {
	const home = await newHome()
	const { email, account } = await newAccount()
	await signIn(home, email)
	const { engine } = serving.backend
	await engine.query('delete from auth.users where id = $1::text::uuid', [account])
	const other = await backend.signUp(email, password)
	const before = await standing(other)
	expect(await refusal(home, to(email), {}, `${password}\n`)).toMatchObject({
		exitCode: 4,
		code: 'account_changed',
	})
	expect(await standing(other)).toBe(before)
	const args = [...to(email), '--new-account', '--json']
	const { stdout } = await home.run(args, {}, `${password}\n`)
	expect(linesOf(shapes.login, stdout)).toMatchObject([{ account: other, device: 'first' }])
})

test('a server that renews the sign-in with another account’s is refused, and so is a look at it', async () => {
	const home = await newHome()
	const { email } = await newAccount()
	const { email: other } = await newAccount()
	await signIn(home, email)
	await home.json(shapes.sessions, ['sessions'])
	backend.refreshesAs = other
	onTestFinished(() => {
		backend.refreshesAs = null
	})
	await forgetAccess(home)
	for (const args of [['sessions'], ['login', '--url', backend.url], ['logout']]) {
		expect(await refusal(home, args), args.join(' ')).toMatchObject({
			exitCode: 4,
			code: 'account_changed',
		})
	}
})

test.each([
	['none', 'backend_lacks_migrations'],
	['older', 'backend_too_old'],
] as const)('a project with functions: %s', async (functions, code) => {
	const home = await newHome()
	const { email, account } = await newAccount()
	const before = await standing(account)
	backend.functions = functions
	onTestFinished(() => {
		backend.functions = 'there'
	})
	const refused = await refusal(home, to(email), {}, `${password}\n`)
	expect(refused).toMatchObject({ exitCode: 1, code })
	const file = /psql "\$DATABASE_URL" -f '?([^' ]+)'? \(/.exec(refused.message)?.[1] ?? ''
	expect(await readFile(file, 'utf8')).toContain('supabase_migrations.schema_migrations')
	// The sign-in that was made for the look is not left behind.
	expect(await standing(account)).toBe(before)
	expect((await readProfiles(home.home)).profiles).toEqual([])
	backend.functions = 'there'
	await signIn(home, email)
	backend.functions = functions
	expect(await refusal(home, ['sessions'])).toMatchObject({ exitCode: 1, code })
})

test('a backend that does not answer is out of reach', async () => {
	const home = await newHome()
	const args = ['login', '--url', 'http://127.0.0.1:9', '--anon-key', 'key', '--email', 'a@b.test']
	expect(await refusal(home, args, {}, 'secret\n')).toMatchObject({
		exitCode: 5,
		code: 'backend_unreachable',
	})
})

test('two logins at once end with one profile that works', async () => {
	const home = await newHome()
	const { email, account } = await newAccount()
	await home.run(['status'])
	const both = await Promise.all([signIn(home, email), signIn(home, email)])
	expect(both).toMatchObject([{ account }, { account }])
	expect((await readProfiles(home.home)).profiles).toHaveLength(1)
	await forgetAccess(home)
	await home.json(shapes.sessions, ['sessions'])
})

test('a damaged list of sign-ins stops every command, and is left as it is', async () => {
	const home = await newHome()
	const { email } = await newAccount()
	await signIn(home, email)
	const file = join(home.home.data, 'profiles.json')
	await writeFile(file, '{"v":1,"curr')
	for (const args of [['sessions'], ['login'], ['logout'], ['status']]) {
		expect(await refusal(home, args)).toMatchObject({ exitCode: 1, code: 'state_corrupt' })
	}
	const { code, stdout } = await home.run(['doctor', '--json'])
	expect(code).toBe(1)
	expect(stdout).toContain('profiles.json is damaged')
	expect(await readFile(file, 'utf8')).toBe('{"v":1,"curr')
})

test.each([
	[['login', '--email', 'a@b.test'], 'bad_usage'],
	[['login', '--url', 'http://example.test', '--anon-key', 'k'], 'bad_backend_url'],
	[['login', '--url', 'https://example.test', '--email', 'a@b.test'], 'bad_usage'],
	[['login', '--url', 'https://example.test', '--anon-key', 'a b'], 'bad_anon_key'],
	[['login', '--url', 'https://example.test', '--anon-key', 'k', '--email', 'b'], 'bad_value'],
	[['login', '--url', 'https://example.test', '--anon-key', 'k'], 'bad_usage'],
])('wrong usage: %s', async (args, code) => {
	const home = await newHome()
	expect(await refusal(home, args)).toMatchObject({ exitCode: 2, code })
})
