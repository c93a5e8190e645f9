/** Calls of the system's keychain, in a child process, with a limit of time. */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import * as v from 'valibot'
import { keychainError } from './keychain-error.ts'

export interface KeychainOperation {
	op: 'get' | 'set' | 'delete'
	name: string
	/** For `set`: what to keep, as text. */
	value?: string
}

export interface KeychainRequest {
	service: string
	operations: readonly KeychainOperation[]
}

/** `values` has what each `get` found, `null` for the rest; `why` is there when one failed. */
const answerSchema = v.object({
	values: v.array(v.nullable(v.string())),
	why: v.optional(v.string()),
})
export type KeychainAnswer = v.InferOutput<typeof answerSchema>

const service = 'styrby-tui'

/** Long enough for the calls of a start, short enough that it does not sit in memory beside a session. */
const idleMs = 2_000

/** One child process at a time, which ends by itself when it is not called. Keeps nobody running. */
export class KeychainHelper {
	readonly #env: NodeJS.ProcessEnv
	#child: ChildProcess | null = null
	#turn: Promise<unknown> = Promise.resolve()
	#idle: NodeJS.Timeout | undefined

	constructor(env: NodeJS.ProcessEnv) {
		this.#env = env
	}

	/** Starts the process ahead of the first call. Touches no keychain. */
	warm(): void {
		if (!this.#child) this.#start()
		this.#rest()
	}

	/**
	 * Does the operations in order; the first that fails ends it. Returns what each `get` found. Throws
	 * `keychain_locked` and `keychain_unavailable` (both exit 3), within `limitMs` of its turn whatever the
	 * keychain does.
	 */
	call(operations: readonly KeychainOperation[], limitMs: number): Promise<(string | null)[]> {
		const turn = this.#turn.then(() => this.#call(operations, limitMs))
		this.#turn = turn.catch(() => undefined)
		return turn
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.#turn
		this.#end()
	}

	async #call(operations: readonly KeychainOperation[], limitMs: number) {
		const env = this.#env
		clearTimeout(this.#idle)
		const child = this.#child ?? this.#start()
		if (!child) throw keychainError({ why: 'its helper program is not installed', env })
		let timedOut = false
		// Also what keeps this process running meanwhile.
		const timer = setTimeout(() => {
			timedOut = true
			child.kill('SIGKILL')
		}, limitMs)
		try {
			const line = await ask(child, JSON.stringify({ service, operations } as KeychainRequest))
			if (timedOut) throw keychainError({ timedOutAfterMs: limitMs, env })
			const answer = parse(line)
			if (!answer) throw keychainError({ why: 'its helper process failed', env })
			if (answer.why !== undefined) throw keychainError({ why: answer.why, env })
			if (answer.values.length === operations.length) return answer.values
			throw keychainError({ why: 'its helper process gave an incomplete answer', env })
		} finally {
			clearTimeout(timer)
			this.#rest()
		}
	}

	#start(): ChildProcess | null {
		const worker = workerFile()
		if (!worker) return null
		const child = spawn(process.execPath, [worker], {
			env: workerEnvironment(this.#env),
			stdio: ['pipe', 'pipe', 'ignore'],
			windowsHide: true,
		})
		child.unref()
		child.stdout?.setEncoding('utf8')
		// A broken pipe means that it ended, which its end tells.
		child.stdin?.on('error', () => undefined)
		for (const stream of [child.stdin, child.stdout]) if (stream instanceof Socket) stream.unref()
		// It may wait on a window when we go: it must not stay behind.
		const kill = () => child.kill('SIGKILL')
		process.once('exit', kill)
		const gone = () => {
			process.off('exit', kill)
			if (this.#child === child) this.#child = null
		}
		child.once('close', gone)
		child.once('error', gone)
		this.#child = child
		return child
	}

	#rest(): void {
		clearTimeout(this.#idle)
		this.#idle = setTimeout(() => this.#end(), idleMs).unref()
	}

	#end(): void {
		clearTimeout(this.#idle)
		this.#child?.stdin?.end()
		this.#child = null
	}
}

/** The line it answers with, or `null` when it ended, or never started, instead. */
function ask(child: ChildProcess, request: string): Promise<string | null> {
	return new Promise((resolve) => {
		let answer = ''
		const take = (text: string) => {
			answer += text
			if (answer.endsWith('\n')) done(answer)
		}
		const gone = () => done(null)
		const done = (result: string | null) => {
			child.stdout?.off('data', take)
			child.off('close', gone)
			child.off('error', gone)
			resolve(result)
		}
		child.stdout?.on('data', take)
		child.once('close', gone)
		child.once('error', gone)
		child.stdin?.write(`${request}\n`)
	})
}

/** The session's own, without what would change how our helper runs, and without anything of ours. */
function workerEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
	const dropped = /^(?:STYRBY_|NODE_|VITEST)/
	return Object.fromEntries(Object.entries(env).filter(([name]) => !dropped.test(name)))
}

/** Beside this file as source; in the bundle this code may lie in `chunks/`, and the worker above it. */
function workerFile(): string | null {
	const places = ['./keychain-worker.js', '../keychain-worker.js', './keychain-worker.ts']
	const files = places.map((place) => fileURLToPath(new URL(place, import.meta.url)))
	return files.find((file) => existsSync(file)) ?? null
}

function parse(line: string | null): KeychainAnswer | null {
	if (line === null) return null
	try {
		return v.parse(answerSchema, JSON.parse(line))
	} catch {
		// Told by the caller, in one sentence: the text itself may hold a secret.
		return null
	}
}
