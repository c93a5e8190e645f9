import { rmSync } from 'node:fs'
import { join } from 'node:path'

export function outboxFolder(dataFolder: string): string {
	return join(dataFolder, 'outbox')
}

export function outboxFile(dataFolder: string, session: string): string {
	return join(outboxFolder(dataFolder), `${session}.db`)
}

/** Name of the lock that says whether a session's host lives; it lies in the outbox folder. */
export function hostLockName(session: string): string {
	return `host-${session}`
}

/** Deletes the files of an outbox that nobody has open, and its lock. Its lock must be held. */
export function removeOutbox(dataFolder: string, session: string): void {
	const file = outboxFile(dataFolder, session)
	for (const suffix of ['-wal', '-shm', '']) rmSync(file + suffix, { force: true })
	// Windows keeps a file that is open; it is empty and may stay.
	if (process.platform === 'win32') return
	rmSync(join(outboxFolder(dataFolder), `${hostLockName(session)}.lock`), { force: true })
}
