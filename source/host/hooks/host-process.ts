/** The resident host as a process: one a home, found by its lock, known to hooks by its pid. */
import { readFileSync } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { replaceFile } from '../../config/atomic-file.ts'
import { type Lock, tryLock } from '../../config/lock.ts'
import { ensureFolder, type Home } from '../../config/paths.ts'
import { version } from '../../config/version.ts'
import { hooksFolder, writeScript } from './hook-script.ts'

const lockName = 'host'
const pidFile = (home: Home) => join(hooksFolder(home), 'host.pid')
export const callsFolder = (home: Home) => join(hooksFolder(home), 'calls')

/** Others look whether the lock is taken by taking it for a moment, ms. */
const patience = 2000

export interface RunningHost {
	/** `null`: it starts just now, and takes no calls yet. */
	pid: number | null
	version: string | null
}

/** The host that runs for this home, or `null`. */
export async function runningHost(home: Home): Promise<RunningHost | null> {
	await ensureFolder(hooksFolder(home))
	const lock = tryLock(hooksFolder(home), lockName)
	if (lock !== null) {
		lock[Symbol.dispose]()
		return null
	}
	const [pid, said] = readPid(home)
	return { pid: /^\d+$/.test(pid ?? '') ? Number(pid) : null, version: said ?? null }
}

function readPid(home: Home): string[] {
	try {
		return readFileSync(pidFile(home), 'utf8').split('\n')
	} catch {
		// Not written yet, or taken away just now.
		return []
	}
}

/** Becomes the host of this home. `null`: another one is. Throws as `ensureFolder` does. */
export async function becomeHost(home: Home): Promise<Lock | null> {
	await ensureFolder(hooksFolder(home))
	await mkdir(callsFolder(home), { recursive: true, mode: 0o700 })
	await writeScript(home)
	const until = Date.now() + patience
	for (;;) {
		const lock = tryLock(hooksFolder(home), lockName)
		if (lock !== null) {
			// Of one that was killed: calls come once `takeCalls` says so.
			await rm(pidFile(home), { force: true })
			return lock
		}
		if (Date.now() > until) return null
		await sleep(20)
	}
}

/** When this process began, in the clock of the system that hooks can read; '' where there is none. */
function startedAt(): string {
	try {
		// The name of the program, in brackets, may hold anything.
		const fields = readFileSync('/proc/self/stat', 'latin1').replace(/^.*\) /s, '')
		return fields.split(' ')[19] ?? ''
	} catch {
		return ''
	}
}

/** From now on hooks call this process; until this is disposed of. */
export async function takeCalls(home: Home): Promise<AsyncDisposable> {
	await replaceFile(pidFile(home), `${process.pid}\n${version}\n${startedAt()}\n`)
	return {
		async [Symbol.asyncDispose]() {
			await rm(pidFile(home), { force: true })
		},
	}
}
