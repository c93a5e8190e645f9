/** A file of a person's own that is written in parts: under its name only when it is whole. */
import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { access, type FileHandle, link, open, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { StyrbyError } from '../protocol/errors.ts'
import { homeError, systemCode } from './home-error.ts'

/**
 * Writes the parts to `path` (mode 0600). Without `force` a file that is there is left as it is. Throws
 * `file_exists`, `no_such_folder`, `disk_full`, `home_failed`, and what the parts throw; then nothing is left behind.
 */
export async function writeExport(
	path: string,
	parts: AsyncIterable<string>,
	{ force }: { force: boolean },
): Promise<void> {
	const folder = dirname(path)
	if (!force && (await exists(path))) throw fileExists(path)
	const temporary = join(folder, `.${basename(path)}.${randomBytes(6).toString('hex')}.part`)
	const file = await opened(temporary, folder, path)
	try {
		try {
			for await (const part of parts) await file.writeFile(part)
			await file.sync()
		} finally {
			await file.close()
		}
		if (force) await rename(temporary, path)
		else await placeNew(temporary, path)
	} catch (cause) {
		await rm(temporary, { force: true })
		if (cause instanceof StyrbyError || systemCode(cause) === '') throw cause
		throw homeError(cause, path)
	}
}

async function opened(temporary: string, folder: string, path: string): Promise<FileHandle> {
	try {
		const noFollow = constants.O_NOFOLLOW ?? 0
		const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | noFollow
		return await open(temporary, flags, 0o600)
	} catch (cause) {
		if (systemCode(cause) === 'ENOENT' || systemCode(cause) === 'ENOTDIR') {
			throw new StyrbyError(
				'no_such_folder',
				`There is no folder ${folder}: make it, or choose another place for the file.`,
			)
		}
		throw homeError(cause, path)
	}
}

/** A link is made only where there is nothing; some file systems have none. */
async function placeNew(temporary: string, path: string): Promise<void> {
	try {
		await link(temporary, path)
		await rm(temporary)
	} catch (cause) {
		if (systemCode(cause) === 'EEXIST' || (await exists(path))) throw fileExists(path)
		await rename(temporary, path)
	}
}

async function exists(path: string): Promise<boolean> {
	return await access(path).then(
		() => true,
		(cause: unknown) => systemCode(cause) !== 'ENOENT' && systemCode(cause) !== 'ENOTDIR',
	)
}

function fileExists(path: string): StyrbyError {
	return new StyrbyError(
		'file_exists',
		`${path} is there already: choose another name, or overwrite it with --force.`,
	)
}
