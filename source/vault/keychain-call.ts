/** Calls of the system's keychain, in a child process, with a limit of time. */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { text } from 'node:stream/consumers'
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

const resultSchema = v.object({ value: v.nullable(v.string()) })
const answerSchema = v.object({ results: v.array(resultSchema), why: v.optional(v.string()) })
export type KeychainResult = v.InferOutput<typeof resultSchema>

export interface KeychainOptions {
	env: NodeJS.ProcessEnv
	/** Milliseconds for all operations of a call together. */
	limitMs: number
}

const service = 'styrby-tui'

/**
 * Does the operations in order; the first that fails ends it. Returns what each `get` found. Throws
 * `keychain_locked` and `keychain_unavailable` (both exit 3), in time whatever the keychain does.
 */
export async function callKeychain(
	operations: readonly KeychainOperation[],
	{ env, limitMs }: KeychainOptions,
): Promise<(string | null)[]> {
	const request: KeychainRequest = { service, operations }
	const { output, timedOut } = await runWorker(JSON.stringify(request), env, limitMs)
	if (timedOut) throw keychainError({ timedOutAfterMs: limitMs, env })
	const answer = parse(output)
	if (!answer) throw keychainError({ why: 'its helper process failed', env })
	if (answer.why !== undefined) throw keychainError({ why: answer.why, env })
	if (answer.results.length !== operations.length) {
		throw keychainError({ why: 'its helper process gave an incomplete answer', env })
	}
	return answer.results.map((result) => result.value)
}

async function runWorker(
	input: string,
	env: NodeJS.ProcessEnv,
	limitMs: number,
): Promise<{ output: string; timedOut: boolean }> {
	const worker = workerFile()
	if (!worker) throw keychainError({ why: 'its helper program is not installed', env })
	const child = spawn(process.execPath, [worker], {
		env: workerEnvironment(env),
		stdio: ['pipe', 'pipe', 'ignore'],
		windowsHide: true,
	})
	let timedOut = false
	const kill = () => child.kill('SIGKILL')
	const timer = setTimeout(() => {
		timedOut = true
		kill()
	}, limitMs)
	// A person who interrupts us must not leave it behind, waiting on a window.
	process.once('exit', kill)
	try {
		const ended = new Promise<void>((resolve, reject) => {
			child.once('error', reject)
			child.once('close', () => resolve())
			// It may end before it has read all: then its (missing) answer tells.
			child.stdin.once('error', () => resolve())
		})
		child.stdin.end(input)
		const [output] = await Promise.all([text(child.stdout), ended])
		return { output, timedOut }
	} catch (cause) {
		throw keychainError({ why: 'its helper process could not be started', env, cause })
	} finally {
		clearTimeout(timer)
		process.removeListener('exit', kill)
	}
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

function parse(output: string): v.InferOutput<typeof answerSchema> | null {
	try {
		return v.parse(answerSchema, JSON.parse(output))
	} catch {
		// Told by the caller, in one sentence: the text itself may hold a secret.
		return null
	}
}
