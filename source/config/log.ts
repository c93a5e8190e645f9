/**
 * What went on inside, for mending things: JSON lines, only with `STYRBY_LOG=debug`. It never holds the
 * plaintext of a message or a key; callers give it ids, sizes, codes and durations.
 */
import { closeSync, constants, openSync, renameSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { tryLock } from './lock.ts'
import { ensureFolder, type Home } from './paths.ts'
import { redact } from './redact.ts'

export type LogValue = string | number | boolean | null

export interface Log {
	readonly enabled: boolean
	/** Where it is written; `null` when it is not. */
	readonly file: string | null
	/** Why nothing more is written (a full disk, …), or `null`. */
	readonly problem: string | null
	/** `event` is a constant of ours, such as `outbox.sent`. Never throws. */
	write(event: string, fields?: Readonly<Record<string, LogValue>>): void
}

export interface LogOptions {
	home: Home
	env: NodeJS.ProcessEnv
	now?(): Date
	/** Bytes after which the file becomes `debug.log.1`, which it replaces; 5 MiB by default. */
	maxBytes?: number
}

/** Characters: what a value is cut to, and what is too much to even look at. */
const longest = 200
const tooLong = 10_000

export const noLog: Log = {
	enabled: false,
	file: null,
	problem: null,
	write() {},
}

/** The log of this process: a line is in the file when `write` returns. Throws as `ensureFolder` does. */
export async function openLog({
	home,
	env,
	now = () => new Date(),
	maxBytes = 5 * 2 ** 20,
}: LogOptions): Promise<Log> {
	if (env.STYRBY_LOG !== 'debug') return noLog
	await ensureFolder(home.log)
	const file = join(home.log, 'debug.log')
	let problem: string | null = null
	return {
		enabled: true,
		file,
		get problem() {
			return problem
		},
		write(event, fields = {}) {
			if (problem) return
			try {
				rotate(home.log, file, maxBytes)
				append(file, line(now(), event, fields))
			} catch (cause) {
				// A log that can't be written must not stop what it watches; `doctor` shows the problem.
				problem = cause instanceof Error ? cause.message : String(cause)
			}
		},
	}
}

function line(at: Date, event: string, fields: Readonly<Record<string, unknown>>): string {
	const checked = Object.entries(fields).map(([name, value]) => [text(name), allowed(value)])
	const own = { at: at.toISOString(), pid: process.pid, event: text(event) }
	return `${JSON.stringify({ ...Object.fromEntries(checked), ...own })}\n`
}

function allowed(value: unknown): LogValue {
	if (value === null || typeof value === 'number' || typeof value === 'boolean') return value
	return typeof value === 'string' ? text(value) : `[${typeof value}]`
}

/** Redacted before it is cut: half a key is as bad. */
function text(value: string): string {
	if (value.length > tooLong) return `[${value.length} characters]`
	const clean = redact(value)
	return clean.length > longest ? `${clean.slice(0, longest - 1)}…` : clean
}

function append(file: string, content: string): void {
	const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND
	const handle = openSync(file, flags | (constants.O_NOFOLLOW ?? 0), 0o600)
	try {
		writeSync(handle, content)
	} finally {
		closeSync(handle)
	}
}

/** One process at a time, or the second would put the fresh file over the full one. */
function rotate(folder: string, file: string, maxBytes: number): void {
	const isFull = () => (statSync(file, { throwIfNoEntry: false })?.size ?? 0) >= maxBytes
	if (!isFull()) return
	using lock = tryLock(folder, 'debug.log')
	if (lock && isFull()) renameSync(file, `${file}.1`)
}
