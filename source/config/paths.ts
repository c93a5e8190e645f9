/** The folders that hold everything of ours on this machine. */
import { constants } from 'node:fs'
import { access, mkdir, stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, posix, win32 } from 'node:path'
import { refused, StyrbyError } from '../protocol/errors.ts'
import { homeError, systemCode } from './home-error.ts'

/** Absolute folders; none of them need exist yet. */
export interface Home {
	/** Settings that a person may edit and carry to another machine. */
	config: string
	/** What must not be lost: key file, pins, outbox, embedded database. */
	data: string
	/** What belongs to running processes: addresses, sockets, locks. */
	run: string
	log: string
	/** What can be made again. */
	cache: string
}

const name = 'styrby-tui'

/**
 * Where things are kept: under `STYRBY_HOME` where that is set, else in the platform's usual folders.
 * `userHome` is the person's own home folder.
 */
export function resolveHome(
	env: NodeJS.ProcessEnv,
	platform: NodeJS.Platform = process.platform,
	userHome: string = homedir(),
): Home {
	const { isAbsolute, join, resolve } = platform === 'win32' ? win32 : posix
	// A relative value is invalid by the XDG specification, and would depend on where we were started.
	const folder = (value: string | undefined, usual: string) =>
		value && isAbsolute(value) ? value : usual

	if (env.STYRBY_HOME) {
		const root = resolve(env.STYRBY_HOME)
		return {
			config: join(root, 'config'),
			data: join(root, 'data'),
			run: join(root, 'run'),
			log: join(root, 'log'),
			cache: join(root, 'cache'),
		}
	}
	if (platform === 'win32') {
		const local = folder(env.LOCALAPPDATA, join(userHome, 'AppData', 'Local'))
		const root = join(local, name)
		return {
			config: join(root, 'Config'),
			data: join(root, 'Data'),
			run: join(root, 'Run'),
			log: join(root, 'Log'),
			cache: join(root, 'Cache'),
		}
	}
	if (platform === 'darwin') {
		const library = join(userHome, 'Library')
		return {
			config: join(library, 'Preferences', name),
			data: join(library, 'Application Support', name),
			run: join(library, 'Application Support', name, 'run'),
			log: join(library, 'Logs', name),
			cache: join(library, 'Caches', name),
		}
	}
	const state = join(folder(env.XDG_STATE_HOME, join(userHome, '.local', 'state')), name)
	return {
		config: join(folder(env.XDG_CONFIG_HOME, join(userHome, '.config')), name),
		data: join(folder(env.XDG_DATA_HOME, join(userHome, '.local', 'share')), name),
		// Not XDG_RUNTIME_DIR: it is emptied when the person logs out, and lacks in cron jobs and containers,
		// while our background process goes on and must be found again.
		run: join(state, 'run'),
		log: join(state, 'log'),
		cache: join(folder(env.XDG_CACHE_HOME, join(userHome, '.cache')), name),
	}
}

/**
 * Makes sure that a folder exists, is ours alone to change (made with mode 0700), and can be written.
 * Throws `unsafe_folder` (exit 4) where another user owns it or may write to it, `home_not_writable`,
 * `disk_full`, `home_failed`.
 */
export async function ensureFolder(path: string): Promise<void> {
	try {
		await mkdir(path, { recursive: true, mode: 0o700 })
	} catch (cause) {
		if (['EEXIST', 'ENOTDIR'].includes(systemCode(cause))) throw notAFolder(path)
		throw homeError(systemCode(cause) === 'ENOENT' ? await whyNotMade(path, cause) : cause, path)
	}
	const about = await stat(path)
	if (!about.isDirectory()) throw notAFolder(path)
	if (process.getuid && about.uid !== process.getuid()) {
		throw refused(
			'unsafe_folder',
			`${path} belongs to another user: run this as its owner, or set STYRBY_HOME to a folder of your own.`,
		)
	}
	if (process.getuid && (about.mode & 0o022) !== 0) {
		throw refused(
			'unsafe_folder',
			`${path} can be changed by other users: run chmod 700 on it, or set STYRBY_HOME to another folder.`,
		)
	}
	try {
		await access(path, constants.W_OK | constants.X_OK)
	} catch (cause) {
		throw homeError(cause, path)
	}
}

/** Node says ENOENT of folders that could not be made one in the other: the system says why. */
async function whyNotMade(path: string, cause: unknown): Promise<unknown> {
	try {
		await mkdir(path, { mode: 0o700 })
	} catch (error) {
		if (systemCode(error) === 'ENOENT' && dirname(path) !== path) {
			return whyNotMade(dirname(path), cause)
		}
		return error
	}
	return cause
}

function notAFolder(path: string): StyrbyError {
	return new StyrbyError(
		'home_failed',
		`${path} should be a folder, but a file is in the way: move it, or set STYRBY_HOME to another folder.`,
	)
}
