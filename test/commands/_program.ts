/** The built program in a home of its own, and an agent of ours that is hosted there. */
import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as v from 'valibot'
import { vi } from 'vitest'
import { type Context, openContext } from '../../source/commands/context.ts'
import { type Home, resolveHome } from '../../source/config/paths.ts'
import { type SessionEnd, SessionHost } from '../../source/host/session-host.ts'
import { stopEmbedded } from '../../source/server/discover.ts'
import { launcher, type Ran, Started } from '../tools/lab.ts'
import { ioIn, mainHere } from '../tools/main-here.ts'
import { layKeyFile, passphrase } from '../tools/program.ts'
import { ScriptedAgent } from '../tools/scripted-agent.ts'

// Each run of the program is a process or two, on machines that do other things too.
vi.setConfig({ testTimeout: 90_000, hookTimeout: 120_000 })

export class Program implements AsyncDisposable {
	readonly folder: string
	readonly cwd: string
	readonly env: NodeJS.ProcessEnv
	readonly home: Home
	/** What the program is run by, such as another network namespace; nothing by itself. */
	via: readonly string[] = []

	private constructor(folder: string) {
		this.folder = folder
		this.cwd = join(folder, 'project')
		const kept = Object.entries(process.env).filter(([name]) => !/^(?:STYRBY_|VITEST)/.test(name))
		this.env = {
			...Object.fromEntries(kept),
			STYRBY_HOME: join(folder, 'styrby'),
			STYRBY_VAULT: 'file',
			STYRBY_PASSPHRASE_FILE: join(folder, 'passphrase'),
		}
		this.home = resolveHome(this.env)
	}

	/** `untouched`: the home is as on a new machine, and the program itself makes its key file. */
	static async make({ untouched = false } = {}): Promise<Program> {
		const folder = await realpath(await mkdtemp(join(tmpdir(), 'styrby-test-')))
		await mkdir(join(folder, 'project'))
		await writeFile(join(folder, 'passphrase'), `${passphrase}\n`, { mode: 0o600 })
		const program = new Program(folder)
		if (!untouched) await layKeyFile(program.home.data)
		return program
	}

	/** The command without a terminal, running on. `input` is all that its stdin holds. */
	start(args: readonly string[], env: NodeJS.ProcessEnv = {}, input = ''): Started {
		const started = this.open(args, env)
		started.child.stdin?.end(input)
		return started
	}

	/** The same, with a stdin that the test feeds and ends. */
	open(args: readonly string[], env: NodeJS.ProcessEnv = {}): Started {
		const [command = process.execPath, ...before] = [...this.via, process.execPath]
		const child = spawn(command, [...before, launcher, ...args], {
			cwd: this.cwd,
			env: { ...this.env, ...env },
			stdio: ['pipe', 'pipe', 'pipe'],
		})
		// A command that ends without reading it is no error.
		child.stdin.on('error', () => undefined)
		return new Started(child)
	}

	/** The built program to its end. */
	run(args: readonly string[], env: NodeJS.ProcessEnv = {}, input = ''): Promise<Ran> {
		return this.start(args, env, input).done
	}

	/**
	 * The same commands in this process, but where the program is run by something else. Not for what
	 * signals, terminals, or starts and ends of processes are part of.
	 */
	here(args: readonly string[], env: NodeJS.ProcessEnv = {}, input = ''): Promise<Ran> {
		if (this.via.length > 0) return this.run(args, env, input)
		return mainHere(args, { ...this.env, ...env }, this.cwd, input)
	}

	/** What a command that has to succeed prints as JSON, in its shape. Run in this process. */
	async json<T extends v.GenericSchema>(
		schema: T,
		args: readonly string[],
	): Promise<v.InferOutput<T>> {
		const [only, ...more] = await this.lines(schema, args)
		if (only === undefined || more.length > 0)
			throw new Error(`not one document: ${args.join(' ')}`)
		return only
	}

	/** The same, for one JSON document a line. */
	async lines<T extends v.GenericSchema>(
		schema: T,
		args: readonly string[],
	): Promise<v.InferOutput<T>[]> {
		const { code, stdout, stderr } = await this.here([...args, '--json'])
		if (code !== 0) throw new Error(`${args.join(' ')}: ${code}\n${stderr}`)
		return linesOf(schema, stdout)
	}

	/** The account of this home, in this process. The backend is the one that the program started. */
	async context(): Promise<Context> {
		await this.run(['sessions'])
		return openContext(ioIn(this.env, this.cwd).io)
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await stopEmbedded(this.home)
		await rm(this.folder, { recursive: true, force: true, maxRetries: 5 })
	}
}

export function linesOf<T extends v.GenericSchema>(schema: T, text: string): v.InferOutput<T>[] {
	const lines = text.split('\n')
	if (lines.pop() !== '') throw new Error('the last line does not end')
	return lines.map((line) => v.parse(schema, JSON.parse(line)))
}

/** A hosted session, whose agent does what the test says. */
export class Hosted implements AsyncDisposable {
	readonly agent = new ScriptedAgent()
	readonly host: SessionHost
	readonly end: Promise<SessionEnd>

	private constructor(host: SessionHost) {
		this.host = host
		this.end = host.run(this.agent)
	}

	static async start(context: Context, prompt = 'count the herons'): Promise<Hosted> {
		const { account, gateway, home, io } = context
		const host = await SessionHost.open({
			account,
			gateway,
			dataFolder: home.data,
			agent: 'claude',
			cwd: io.cwd,
			prompt,
			project: 'plain',
			timeoutMs: 600_000,
		})
		return new Hosted(host)
	}

	get id(): string {
		return this.host.session
	}

	async finish(): Promise<SessionEnd> {
		this.agent.finish()
		return await this.end
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.finish()
	}
}
