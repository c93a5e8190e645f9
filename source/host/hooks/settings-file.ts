/** A settings file that is not ours: of an agent, and perhaps a link into somebody's dotfiles. */
import { constants } from 'node:fs'
import { lstat, mkdir, open, readlink, rm } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { swapFile } from '../../config/atomic-file.ts'
import { homeError, systemCode } from '../../config/home-error.ts'
import { refused, StyrbyError } from '../../protocol/errors.ts'

export interface SettingsFile {
	/** Where it is named. */
	path: string
	/** Where it lies: the end of all links. */
	real: string
	/** `null`: there is none. */
	bytes: Buffer | null
	mode: number
}

const maxBytes = 16 * 2 ** 20
const maxLinks = 40
const newFile = 0o600

/** Throws `hooks_file_unusable` for what is no file of this user's, or too large. */
export async function readSettingsFile(path: string): Promise<SettingsFile> {
	const real = await endOfLinks(path)
	try {
		await using file = await open(real, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
		const about = await file.stat()
		if (!about.isFile()) throw unusable(path, 'is no ordinary file')
		if (process.getuid && about.uid !== process.getuid()) {
			throw refused(
				'hooks_file_unusable',
				`${path} belongs to another user: run this as its owner.`,
			)
		}
		if (about.size > maxBytes) throw unusable(path, 'is larger than settings can rightly be')
		return { path, real, bytes: await file.readFile(), mode: about.mode & 0o7777 }
	} catch (cause) {
		if (systemCode(cause) === 'ENOENT') return { path, real, bytes: null, mode: newFile }
		throw homeError(cause, path)
	}
}

/** As text; '' where there is no file. A byte order mark stays in it. Throws `hooks_file_unusable`. */
export function settingsText({ path, bytes }: SettingsFile): string {
	if (bytes === null) return ''
	try {
		return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
	} catch {
		// The decoder says no more than that.
		throw unusable(path, 'is not UTF-8 text')
	}
}

/**
 * Puts `content` in its place (`null`: takes the file away), with its mode, all or nothing. Throws
 * `hooks_file_changed` where somebody else has written it since it was read.
 */
export async function writeSettingsFile(
	{ path, real, bytes, mode }: SettingsFile,
	content: Buffer | null,
): Promise<void> {
	const same = async () => {
		const now = (await readSettingsFile(path)).bytes
		return now === null || bytes === null ? now === bytes : now.equals(bytes)
	}
	const changed = new StyrbyError(
		'hooks_file_changed',
		`${path} was changed by another program just now: nothing was done; try again.`,
	)
	try {
		if (content === null) {
			if (!(await same())) throw changed
			await rm(real)
			return
		}
		await mkdir(dirname(real), { recursive: true, mode: 0o700 })
		if (!(await swapFile(real, content, mode, same))) throw changed
	} catch (cause) {
		throw homeError(cause, path)
	}
}

/** What is wrong with a file that is left as it is. */
export function unusable(path: string, what: string): StyrbyError {
	return new StyrbyError(
		'hooks_file_unusable',
		`${path} ${what}: it was left as it is; mend it, then try again.`,
	)
}

/** The last link may point to where nothing is yet. */
async function endOfLinks(path: string): Promise<string> {
	let at = path
	for (let links = 0; links < maxLinks; links++) {
		const about = await lstat(at).catch((error: unknown) => {
			if (systemCode(error) === 'ENOENT') return null
			throw homeError(error, at)
		})
		if (!about?.isSymbolicLink()) return at
		at = resolve(dirname(at), await readlink(at))
	}
	throw unusable(path, 'is a link that leads in a circle')
}
