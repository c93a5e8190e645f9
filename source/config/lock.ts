/**
 * Mutual exclusion between processes. A lock is a transaction left open on an empty SQLite file: the
 * system takes it back when its holder dies, however it dies, so there is never a stale one.
 */
import { chmodSync, existsSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { StyrbyError } from '../protocol/errors.ts'
import { homeError, sqliteCode } from './home-error.ts'
import { ensureFolder } from './paths.ts'

/** Held until it is disposed of, or the process ends. */
export type Lock = AsyncDisposable & Disposable

export interface LockOptions {
	/** How long to wait for the others, in ms; 10,000 by default. */
	timeoutMs?: number
	signal?: AbortSignal
}

const sqliteBusy = 5

/**
 * Takes `<folder>/<name>.lock` at once, or returns `null` when another process, or another part of this
 * one, has it. The folder must exist. Nothing but this function may ever open the file: closing any
 * other handle of it would give the lock up. Throws `home_not_writable`, `disk_full`, `home_failed`.
 */
export function tryLock(folder: string, name: string): Lock | null {
	if (!/^[a-z0-9][a-z0-9.-]*$/.test(name)) throw new TypeError(`not the name of a lock: ${name}`)
	const path = join(folder, `${name}.lock`)
	let database: DatabaseSync | null = null
	try {
		const isNew = !existsSync(path)
		database = new DatabaseSync(path, { timeout: 0 })
		// IMMEDIATE excludes as well as EXCLUSIVE, but two that come at once can't both be turned away.
		database.exec('BEGIN IMMEDIATE')
		if (isNew && process.platform !== 'win32') chmodSync(path, 0o600)
	} catch (cause) {
		database?.close()
		if (sqliteCode(cause) === sqliteBusy) return null
		throw homeError(cause, path)
	}
	const held = database
	const release = () => {
		if (held.isOpen) held.close()
	}
	return {
		[Symbol.dispose]: release,
		async [Symbol.asyncDispose]() {
			release()
		},
	}
}

/**
 * Takes a lock for as long as the caller lives, or `null` when it is taken. Makes the folder where it
 * lacks. Throws the errors of `ensureFolder`.
 */
export async function holdLock(folder: string, name: string): Promise<Lock | null> {
	await ensureFolder(folder)
	return tryLock(folder, name)
}

/**
 * Runs `work` alone among all processes that name the same lock. Not re-entrant: `work` that asks for
 * its own lock waits in vain. Throws `lock_timeout`, the signal's reason, and what `work` throws.
 */
export async function withLock<T>(
	folder: string,
	name: string,
	work: () => Promise<T>,
	{ timeoutMs = 10_000, signal }: LockOptions = {},
): Promise<T> {
	await ensureFolder(folder)
	const until = performance.now() + timeoutMs
	for (let attempt = 0; ; attempt++) {
		signal?.throwIfAborted()
		await using lock = tryLock(folder, name)
		if (lock) return await work()
		if (performance.now() >= until) throw timedOut(name, timeoutMs)
		// Uneven pauses, so that those who wait do not come in step.
		const pause = Math.min(50, 2 + attempt * 2) * (0.5 + Math.random())
		await sleep(Math.min(pause, Math.max(0, until - performance.now())), undefined, { signal })
	}
}

function timedOut(name: string, timeoutMs: number): StyrbyError {
	return new StyrbyError(
		'lock_timeout',
		`Another styrby-tui process has held the lock "${name}" for ${Math.round(timeoutMs / 1000)} s: wait for it or end it, then try again.`,
	)
}
