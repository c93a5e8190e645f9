/** What `hooks install` has done, kept so that `hooks remove` can give back what was there. */
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import * as v from 'valibot'
import { readOwnFile, replaceFile } from '../../config/atomic-file.ts'
import { withLock } from '../../config/lock.ts'
import type { Home } from '../../config/paths.ts'
import { readState, writeState } from '../../config/state.ts'

const installationSchema = v.object({
	agent: v.string(),
	/** The settings file that hooks were put into. */
	file: v.string(),
	/** Name of the copy of what was there before, beside this file; `null`: there was no such file. */
	backup: v.nullable(v.pipe(v.string(), v.regex(/^[a-z0-9][a-z0-9.-]*$/))),
	/** Of what was written, SHA-256 in hex. */
	written: v.string(),
	version: v.string(),
	installed_at: v.string(),
})
export type Installation = v.InferOutput<typeof installationSchema>

const schema = v.object({ v: v.literal(1), installed: v.array(installationSchema) })
const maxBackupBytes = 16 * 2 ** 20

const folderOf = (home: Home) => join(home.data, 'hooks')
const fileOf = (home: Home) => join(folderOf(home), 'installed.json')

/** Whether hooks were ever installed from this home and not removed. Looks for one file. */
export function anyInstalled(home: Home): boolean {
	return existsSync(fileOf(home))
}

/** Throws `state_corrupt`. */
export async function readInstallations(home: Home): Promise<readonly Installation[]> {
	return (await readState(fileOf(home), schema))?.installed ?? []
}

export type SaveInstallations = (next: readonly Installation[]) => Promise<void>

/** Changes the list, one process at a time. Throws `state_corrupt`, `home_not_writable`, `disk_full`. */
export function changeInstallations<T>(
	home: Home,
	work: (installed: readonly Installation[], save: SaveInstallations) => Promise<T>,
): Promise<T> {
	return withLock(folderOf(home), 'installed', async () =>
		work(await readInstallations(home), async (next) => {
			if (next.length === 0) await rm(fileOf(home), { force: true })
			else await writeState(fileOf(home), schema, { v: 1, installed: [...next] })
		}),
	)
}

export const digestOf = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

/** Keeps a copy of a file under a name of its own, and returns that. */
export async function keepBackup(home: Home, agent: string, bytes: Uint8Array): Promise<string> {
	const name = `${agent}-${digestOf(bytes).slice(0, 16)}.backup`
	await replaceFile(backupFile(home, name), bytes)
	return name
}

export const backupFile = (home: Home, name: string) => join(folderOf(home), name)

export const dropBackup = (home: Home, name: string) => rm(backupFile(home, name), { force: true })

/** `null` where it is gone. */
export function readBackup(home: Home, name: string): Promise<Uint8Array | null> {
	return readOwnFile(backupFile(home, name), maxBackupBytes)
}
