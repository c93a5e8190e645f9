import type { Dirent } from 'node:fs'
import { open, readdir } from 'node:fs/promises'
import { join } from 'node:path'

/** Enough to let the file system put many of them into one write of its journal. */
const atOnce = 16

/**
 * Waits until every file and folder below `folder` is on the disk, names included. For files that were
 * written without syncing: a database must not stand on what a power cut can take.
 */
export async function syncFolder(folder: string): Promise<void> {
	const entries = await readdir(folder, { recursive: true, withFileTypes: true })
	const files = entries.filter((entry) => !entry.isDirectory()).map(pathOf)
	// Windows keeps a folder's names without being asked, and can't be asked.
	const folders =
		process.platform === 'win32'
			? []
			: [folder, ...entries.filter((entry) => entry.isDirectory()).map(pathOf)]
	const waiting = [
		...files.map((path) => ({ path, flags: 'r+' })),
		...folders.map((path) => ({ path, flags: 'r' })),
	]
	const work = async () => {
		for (let one = waiting.pop(); one !== undefined; one = waiting.pop()) await syncOne(one)
	}
	await Promise.all(Array.from({ length: atOnce }, work))
}

const pathOf = (entry: Dirent) => join(entry.parentPath, entry.name)

async function syncOne({ path, flags }: { path: string; flags: string }): Promise<void> {
	await using file = await open(path, flags)
	await file.sync()
}
