import type { ChildProcess } from 'node:child_process'
import type { Writable } from 'node:stream'
import { StyrbyError } from '../protocol/errors.ts'

export interface Ended {
	code: number | null
	signal: string | null
	stderr: string
}

const keptStderr = 8 * 1024

/** How long an ended child's output may take to be read, ms. */
const lastOutputMs = 5000

/**
 * How a child ends, with the last 8 KiB of its stderr. Never rejects. What the child has started may hold
 * its output open for ever: that is waited for `outputMs`, then let go.
 */
export function watchEnd(child: ChildProcess, outputMs = lastOutputMs): Promise<Ended> {
	let stderr = ''
	child.stderr?.setEncoding('utf8')
	child.stderr?.on('data', (text: string) => {
		stderr = (stderr + text).slice(-keptStderr)
	})
	// Broken by whoever holds its other end: what ends the child is told all the same.
	child.stderr?.on('error', () => child.stderr?.destroy())
	return new Promise((resolve) => {
		let timer: NodeJS.Timeout | undefined
		child.once('error', (error) => resolve({ code: null, signal: null, stderr: error.message }))
		child.once('exit', () => {
			timer = setTimeout(() => {
				child.stdout?.destroy()
				child.stderr?.destroy()
			}, outputMs)
		})
		child.once('close', (code, signal) => {
			clearTimeout(timer)
			resolve({ code, signal, stderr })
		})
	})
}

/** Whether a child has ended, though its output may still be on its way. */
export function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
	return exitCode !== null || signalCode !== null
}

/** Whether the line went out to a child. Never rejects; the input's `error` is for whoever has the child. */
export function writeLine(input: Writable, line: string): Promise<boolean> {
	if (!input.writable) return Promise.resolve(false)
	return new Promise((resolve) => {
		input.write(`${line}\n`, (error) => resolve(!error))
	})
}

/** Waits until the child runs. Throws `agent_failed` when the system can't start it. */
export function spawned(child: ChildProcess, name: string): Promise<void> {
	return new Promise((resolve, reject) => {
		child.once('spawn', resolve)
		child.once('error', (cause) => {
			const why = 'code' in cause ? String(cause.code) : 'unknown cause'
			const text = `${name} could not be started (${why}); check that it runs by itself.`
			reject(new StyrbyError('agent_failed', text, { cause }))
		})
	})
}

/** Whether `promise` settles within `ms`. Its failure is for whoever awaits it. */
export async function within(promise: Promise<unknown>, ms: number): Promise<boolean> {
	let timer: NodeJS.Timeout | undefined
	const late = new Promise<boolean>((resolve) => {
		timer = setTimeout(() => resolve(false), ms)
	})
	const done = promise.then(
		() => true,
		() => true,
	)
	const result = await Promise.race([done, late])
	clearTimeout(timer)
	return result
}

/** SIGTERM, then SIGKILL when the child has not ended after `graceMs`. */
export async function terminate(
	child: ChildProcess,
	ended: Promise<unknown>,
	graceMs: number,
): Promise<void> {
	child.kill('SIGTERM')
	if (await within(ended, graceMs)) return
	child.kill('SIGKILL')
	await ended
}

/** The last line of what a program said before it failed, short and without control characters. */
export function lastWords(stderr: string): string {
	const lines = stderr.split('\n').map((line) => line.replace(/\p{Cc}/gu, ' ').trim())
	return (lines.findLast((line) => line !== '') ?? '').slice(0, 300)
}
