/**
 * Homes of one account on one backend, each behind a hostile server of its own, and the commands run in them
 * as `main` runs them, without a process for each: a table of attacks runs hundreds of times.
 */

import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as v from 'valibot'
import { type Context, openContext } from '../../source/commands/context.ts'
import { launcher, type Ran, Started, until } from '../tools/lab.ts'
import { ioIn, mainHere } from '../tools/main-here.ts'
import { layKeyFile, passphrase } from '../tools/program.ts'
import { type Serving, serve } from '../tools/serving.ts'
import { HostileServer } from './_wire.ts'

const email = 'heron@example.test'
const password = 'a long password'

export interface Outcome {
	code: number
	stdout: string
	stderr: string
	/** Code of the error that was reported, if one was. */
	error: string | null
}

const failureSchema = v.object({ error: v.object({ code: v.string(), message: v.string() }) })

/** One machine of the account. */
export class Post implements AsyncDisposable {
	readonly folder: string
	readonly env: NodeJS.ProcessEnv
	readonly server: HostileServer

	constructor(folder: string, server: HostileServer) {
		this.folder = folder
		this.server = server
		const kept = Object.entries(process.env).filter(([name]) => !/^(?:STYRBY_|VITEST)/.test(name))
		this.env = {
			...Object.fromEntries(kept),
			STYRBY_HOME: join(folder, 'styrby'),
			STYRBY_VAULT: 'file',
			STYRBY_PASSPHRASE_FILE: join(folder, 'passphrase'),
		}
	}

	/** The command to its end, in this process. */
	async run(...argv: string[]): Promise<Outcome> {
		return outcome(await mainHere(argv, this.env, this.folder))
	}

	/** The built program, running on. */
	start(...argv: string[]): Started {
		const child = spawn(process.execPath, [launcher, ...argv], {
			cwd: this.folder,
			env: this.env,
			stdio: ['ignore', 'pipe', 'pipe'],
		})
		return new Started(child)
	}

	/** The built program, to its end. */
	async process(...argv: string[]): Promise<Outcome> {
		return outcome(await this.start(...argv).done)
	}

	context(): Promise<Context> {
		return openContext(ioIn(this.env, this.folder).io)
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.server[Symbol.asyncDispose]()
		await rm(this.folder, { recursive: true, force: true, maxRetries: 5 })
	}
}

function outcome({ code, stdout, stderr }: Ran): Outcome {
	const last = stderr.trimEnd().split('\n').at(-1) ?? ''
	const parsed = last.startsWith('{') ? v.safeParse(failureSchema, JSON.parse(last)) : null
	return {
		code: code ?? -1,
		stdout,
		stderr,
		error: parsed?.success ? parsed.output.error.code : null,
	}
}

export class Camp implements AsyncDisposable {
	readonly serving: Serving
	readonly account: string
	readonly #folder: string
	readonly #posts: Post[] = []

	private constructor(folder: string, serving: Serving, account: string) {
		this.#folder = folder
		this.serving = serving
		this.account = account
	}

	static async pitch(): Promise<Camp> {
		const folder = await mkdtemp(join(tmpdir(), 'styrby-test-'))
		const serving = await serve({ data: join(folder, 'data'), run: join(folder, 'run') })
		return new Camp(folder, serving, await signUp(serving, email))
	}

	/** A new home, signed in, without a device yet. */
	async home(): Promise<Post> {
		const folder = await mkdtemp(join(tmpdir(), 'styrby-test-'))
		const post = new Post(folder, await HostileServer.before(this.serving.backend.url))
		this.#posts.push(post)
		await writeFile(join(folder, 'passphrase'), `${passphrase}\n`, { mode: 0o600 })
		await writeFile(join(folder, 'password'), `${password}\n`, { mode: 0o600 })
		await layKeyFile(join(folder, 'styrby', 'data'))
		const { anonKey } = this.serving.backend
		const address = ['--url', post.server.url, '--anon-key', anonKey, '--email', email]
		const secret = ['--password-file', join(folder, 'password')]
		const { code, stderr } = await post.run('login', ...address, ...secret)
		if (code !== 0) throw new Error(stderr)
		return post
	}

	/** One more device, let in by `by`. */
	async paired(name: string, by: Post): Promise<Post> {
		const post = await this.home()
		await using asking = await ask(post, name)
		const approved = await by.run('devices', 'approve', asking.code, '--yes', '--json')
		if (approved.code !== 0) throw new Error(approved.stderr)
		const { code, stderr } = await asking.started.done
		if (code !== 0) throw new Error(stderr)
		return post
	}

	/** Runs SQL as the one who holds the server. */
	async sql(text: string, values: readonly string[] = []) {
		return await this.serving.backend.engine.query(text, values)
	}

	async [Symbol.asyncDispose](): Promise<void> {
		for (const post of this.#posts) await post[Symbol.asyncDispose]()
		await this.serving[Symbol.asyncDispose]()
		await rm(this.#folder, { recursive: true, force: true, maxRetries: 5 })
	}
}

export async function signUp({ backend }: Serving, address: string): Promise<string> {
	const answer = await fetch(`${backend.url}/auth/v1/signup`, {
		method: 'POST',
		headers: { apikey: backend.anonKey, 'content-type': 'application/json' },
		body: JSON.stringify({ email: address, password }),
	})
	return v.parse(v.object({ user: v.object({ id: v.string() }) }), await answer.json()).user.id
}

export interface Asking extends AsyncDisposable {
	started: Started
	code: string
}

/** `devices add` in a home, waiting to be approved. */
export async function ask(post: Post, name: string): Promise<Asking> {
	const started = post.start('devices', 'add', '--json', '--name', name)
	await until(() => started.stdout.includes('\n') || started.result, started)
	const [line = ''] = started.stdout.split('\n')
	const { code } = v.parse(v.object({ code: v.string() }), JSON.parse(line))
	return { started, code, [Symbol.asyncDispose]: () => started[Symbol.asyncDispose]() }
}
