/** Small files that are either the old or the new, whatever happens in between. */
import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { type FileHandle, open, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { refused } from '../protocol/errors.ts'
import { homeError, systemCode } from './home-error.ts'
import { ensureFolder } from './paths.ts'

// Windows has none of these, and no links of this kind to fear.
const noFollow = constants.O_NOFOLLOW ?? 0

/**
 * Replaces a file (mode 0600) and returns once the new one is on the disk under its name: a crash, a
 * `kill -9` or a full disk leaves the old one whole. A link in its place is replaced, not followed.
 * Throws the errors of `ensureFolder`, and `disk_full`.
 */
export async function replaceFile(path: string, content: string | Uint8Array): Promise<void> {
	await ensureFolder(dirname(path))
	await swapFile(path, content, 0o600)
}

/**
 * The same in a folder that need not be ours, with a mode of one's own. `stillThere` is asked right before
 * the new file takes the old one's place: `false` leaves the old one, and this returns `false`.
 */
export async function swapFile(
	path: string,
	content: string | Uint8Array,
	mode: number,
	stillThere: () => Promise<boolean> = async () => true,
): Promise<boolean> {
	const folder = dirname(path)
	const temporary = join(folder, `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`)
	try {
		const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | noFollow
		await using file = await open(temporary, flags, 0o600)
		await file.writeFile(content)
		if (mode !== 0o600) await file.chmod(mode)
		await file.sync()
		await file.close()
		const swap = await stillThere()
		if (swap) {
			await rename(temporary, path)
			await syncFolder(folder)
		} else await rm(temporary)
		return swap
	} catch (cause) {
		await rm(temporary, { force: true })
		throw homeError(cause, path)
	}
}

/** A name in a folder is on the disk once the folder is. Windows can not open folders for this. */
async function syncFolder(folder: string): Promise<void> {
	if (process.platform === 'win32') return
	await using handle = await open(folder, constants.O_RDONLY | constants.O_DIRECTORY)
	await handle.sync()
}

/**
 * The bytes of a regular file of ours, or `null` when there is none. `check` sees the open file first.
 * Throws `unsafe_file` (exit 4) for a link, a device, or more than `maxBytes`; `home_failed` otherwise.
 */
export async function readOwnFile(
	path: string,
	maxBytes: number,
	check?: (file: FileHandle) => Promise<void>,
): Promise<Uint8Array | null> {
	let file: FileHandle
	try {
		// Without O_NONBLOCK, opening a pipe put in its place would wait forever.
		file = await open(path, constants.O_RDONLY | noFollow | (constants.O_NONBLOCK ?? 0))
	} catch (cause) {
		if (systemCode(cause) === 'ENOENT') return null
		if (systemCode(cause) === 'ELOOP') throw notRegular(path)
		throw homeError(cause, path)
	}
	await using opened = file
	const about = await opened.stat()
	if (!about.isFile()) throw notRegular(path)
	if (about.size > maxBytes) {
		throw refused(
			'unsafe_file',
			`${path} is larger than it can rightly be: restore it from a backup, or move it away.`,
		)
	}
	await check?.(opened)
	try {
		return new Uint8Array(await opened.readFile())
	} catch (cause) {
		throw homeError(cause, path)
	}
}

function notRegular(path: string) {
	return refused(
		'unsafe_file',
		`${path} is a link or no ordinary file, which it never is when this program made it: move it away.`,
	)
}
