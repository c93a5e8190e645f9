/**
 * The whole program as a person has it: the built command in a home of its own with its own backend, and
 * a real Claude Code that knows a scripted model only.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import * as v from 'valibot'
import { resolveHome } from '../../source/config/paths.ts'
import { type EmbeddedStatus, statusEmbedded, stopEmbedded } from '../../source/server/discover.ts'
import { claudeEnvironment, findAgent, seedClaudeHome } from './agents.ts'
import { layKeyFile, passphrase } from './program.ts'
import {
	type Script,
	type ScriptedAnthropic,
	startScriptedAnthropic,
} from './scripted-anthropic.mjs'
import { Terminal } from './terminal.ts'

export const launcher = join(import.meta.dirname, '../../bin/styrby-tui.js')

export interface Ran {
	code: number | null
	signal: string | null
	stdout: string
	stderr: string
}

const sessionSchema = v.object({
	id: v.string(),
	agent: v.string(),
	status: v.string(),
	project: v.nullable(v.string()),
	title: v.nullable(v.string()),
	messages: v.number(),
	pending: v.number(),
	tokens: v.object({
		input: v.number(),
		output: v.number(),
		cache_read: v.number(),
		cache_write: v.number(),
	}),
	cost_usd: v.nullable(v.number()),
})
export type ListedSession = v.InferOutput<typeof sessionSchema>

const requestSchema = v.object({
	id: v.string(),
	session: v.string(),
	status: v.string(),
	tool: v.nullable(v.string()),
	input: v.unknown(),
	digest: v.nullable(v.string()),
	problem: v.nullable(v.string()),
	decided: v.nullable(
		v.object({
			by: v.string(),
			decision: v.string(),
			reason: v.nullable(v.string()),
			verified: v.boolean(),
		}),
	),
})
export type ListedRequest = v.InferOutput<typeof requestSchema>

const messageSchema = v.object({
	session: v.string(),
	seq: v.number(),
	at: v.nullable(v.string()),
	kind: v.nullable(v.string()),
	body: v.nullable(v.record(v.string(), v.unknown())),
	verified: v.boolean(),
	problem: v.nullable(v.string()),
})
export type PrintedMessage = v.InferOutput<typeof messageSchema>

/** A process of ours that goes on while the test does other things. */
export class Started implements AsyncDisposable {
	readonly child: ChildProcess
	readonly done: Promise<Ran>
	stdout = ''
	stderr = ''
	result: Ran | null = null
	readonly #printed: Record<string, unknown>[] = []
	#read = 0

	constructor(child: ChildProcess) {
		this.child = child
		child.stdout?.setEncoding('utf8').on('data', (text: string) => {
			this.stdout += text
		})
		child.stderr?.setEncoding('utf8').on('data', (text: string) => {
			this.stderr += text
		})
		this.done = new Promise((resolve) => {
			child.once('close', (code, signal) => {
				this.result = { code, signal, stdout: this.stdout, stderr: this.stderr }
				resolve(this.result)
			})
		})
	}

	/** Objects printed so far, one a line. */
	printed(): Record<string, unknown>[] {
		const end = this.stdout.lastIndexOf('\n') + 1
		const lines = this.stdout.slice(this.#read, end).split('\n')
		this.#read = end
		for (const line of lines) {
			if (!line.startsWith('{')) continue
			this.#printed.push(v.parse(v.record(v.string(), v.unknown()), JSON.parse(line)))
		}
		return this.#printed
	}

	async [Symbol.asyncDispose](): Promise<void> {
		if (!this.result) this.child.kill('SIGKILL')
		await this.done
	}
}

/** An agent in a home of its own, and the project it works in. */
export interface OtherAgent {
	cwd: string
	env: NodeJS.ProcessEnv
}

export class Lab implements AsyncDisposable {
	readonly folder: string
	readonly cwd: string
	readonly api: ScriptedAnthropic
	readonly env: NodeJS.ProcessEnv
	readonly home: ReturnType<typeof resolveHome>
	readonly #started = new Set<Started>()
	#watcher: Started | null = null

	private constructor(folder: string, api: ScriptedAnthropic, agent: OtherAgent) {
		this.folder = folder
		this.cwd = agent.cwd
		this.api = api
		const env = { ...agent.env }
		env.TMPDIR = join(folder, 'tmp')
		env.STYRBY_HOME = join(folder, 'styrby')
		env.STYRBY_VAULT = 'file'
		env.STYRBY_PASSPHRASE_FILE = join(folder, 'passphrase')
		env.TERM = 'xterm-256color'
		delete env.NO_COLOR
		this.env = env
		this.home = resolveHome(env, process.platform)
	}

	/** `settings`: what `config.json` of the home says. `other`: instead of Claude Code. */
	static async make(
		script: Script,
		settings: Record<string, unknown> = {},
		other?: OtherAgent,
	): Promise<Lab> {
		const folder = await realpath(await mkdtemp(join(tmpdir(), 'styrby-test-')))
		const cwd = join(folder, 'project')
		for (const name of ['project', 'tmp', 'styrby/config']) {
			await mkdir(join(folder, name), { recursive: true, mode: 0o700 })
		}
		await writeFile(join(folder, 'passphrase'), `${passphrase}\n`, { mode: 0o600 })
		await layKeyFile(join(folder, 'styrby/data'))
		await writeFile(join(folder, 'styrby/config/config.json'), JSON.stringify(settings), {
			mode: 0o600,
		})
		const api = await startScriptedAnthropic({ script, vars: { cwd }, keepBodies: true })
		if (other !== undefined) return new Lab(folder, api, other)
		const program = await findAgent('claude')
		await seedClaudeHome(join(folder, 'home'), [cwd])
		const env = claudeEnvironment(join(folder, 'home'), api.url)
		env.PATH = `${dirname(program)}${delimiter}${dirname(process.execPath)}${delimiter}${env.PATH}`
		return new Lab(folder, api, { cwd, env })
	}

	/** The command in a pseudo-terminal. */
	terminal(
		args: readonly string[],
		options: { columns?: number; rows?: number; env?: NodeJS.ProcessEnv } = {},
	): Terminal {
		const { env, ...size } = options
		return new Terminal({
			command: process.execPath,
			args: [launcher, ...args],
			cwd: this.cwd,
			env: { ...this.env, ...env },
			...size,
		})
	}

	/** The command without a terminal, running on. */
	start(args: readonly string[], env: NodeJS.ProcessEnv = {}): Started {
		return this.program([launcher, ...args], env)
	}

	/** A program of Node's, in the same place and home. */
	program(args: readonly string[], env: NodeJS.ProcessEnv = {}): Started {
		const started = new Started(
			spawn(process.execPath, [...args], {
				cwd: this.cwd,
				env: { ...this.env, ...env },
				stdio: 'pipe',
			}),
		)
		this.#started.add(started)
		void started.done.then(() => this.#started.delete(started))
		return started
	}

	/** The command without a terminal, to its end. */
	run(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ran> {
		return this.start(args, env).done
	}

	/** A headless session, and its id once that is known. */
	async headless(prompt: string, args: readonly string[] = []) {
		const rest = args.length > 0 ? ['--', ...args] : []
		const host = this.start(['run', 'claude', '--headless', prompt, '--json', ...rest])
		await until(() => host.printed().some((line) => 'session' in line) || host.result, host)
		const id = host.printed()[0]?.session
		if (typeof id !== 'string') throw new Error(`No session: ${host.stdout}${host.stderr}`)
		return { host, id }
	}

	async sessions(): Promise<ListedSession[]> {
		const { stdout } = await this.done(['sessions', '--json'])
		return v.parse(v.object({ sessions: v.array(sessionSchema) }), JSON.parse(stdout)).sessions
	}

	async session(id: string): Promise<ListedSession> {
		const found = (await this.sessions()).find((one) => one.id === id)
		if (!found) throw new Error(`No session ${id}`)
		return found
	}

	async requests(args: readonly string[] = []): Promise<ListedRequest[]> {
		const { stdout } = await this.done(['permissions', '--json', ...args])
		const schema = v.object({ permissions: v.array(requestSchema) })
		return v.parse(schema, JSON.parse(stdout)).permissions
	}

	/** The n-th request (from 1) of a session, once it waits, from a command that watches for them. */
	async request(session: string, n = 1): Promise<ListedRequest> {
		this.#watcher ??= this.start(['permissions', '--watch', '--json'])
		const watcher = this.#watcher
		const seen = () =>
			watcher
				.printed()
				.map((line) => v.parse(requestSchema, line))
				.filter((one) => one.session === session)
		await until(() => seen().length >= n || watcher.result, watcher)
		const found = seen()[n - 1]
		if (!found) throw new Error(`The watching command ended: ${watcher.stderr}`)
		return found
	}

	/** What `show --json` prints. */
	async show(session: string): Promise<PrintedMessage[]> {
		const { stdout } = await this.done(['show', session, '--json'])
		const lines = stdout.split('\n').filter((line) => line !== '')
		return lines.map((line) => v.parse(messageSchema, JSON.parse(line)))
	}

	/** As `run`, for a command that has to succeed. */
	async done(args: readonly string[]): Promise<Ran> {
		const ran = await this.run(args)
		if (ran.code !== 0) throw new Error(`${args.join(' ')}: ${ran.code}\n${ran.stderr}`)
		return ran
	}

	backend(): Promise<EmbeddedStatus | null> {
		return statusEmbedded({ data: this.home.data, run: this.home.run })
	}

	async [Symbol.asyncDispose](): Promise<void> {
		// Of a test that failed, hosts may be left.
		await Promise.all([...this.#started].map((started) => started[Symbol.asyncDispose]()))
		await stopEmbedded({ data: this.home.data, run: this.home.run })
		await this.api.close()
		await rm(this.folder, { recursive: true, force: true, maxRetries: 5 })
	}
}

/** Waits until something holds. `about` is named when it never does. */
export async function until(
	holds: () => unknown,
	about?: { stdout: string; stderr: string } | (() => string),
	ms = 60_000,
): Promise<void> {
	const end = Date.now() + ms
	while (!(await holds())) {
		if (Date.now() > end) {
			const what = typeof about === 'function' ? about() : `${about?.stdout}${about?.stderr}`
			throw new Error(`Not in time:\n${what}`)
		}
		await sleep(20)
	}
}

export function bash(command: string) {
	return { tool: 'Bash', input: { command, description: 'A command' } }
}

/** What the keys of a terminal send. */
export const press = {
	enter: '\r',
	escape: '\u001b',
	ctrlC: '\u0003',
	shiftTab: '\u001b[Z',
	down: '\u001b[B',
} as const
