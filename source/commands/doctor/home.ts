/** The folders and files of this home, and the keys in its vault. */
import { randomBytes } from 'node:crypto'
import { access, constants, rm, stat, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { homeError, systemCode } from '../../config/home-error.ts'
import { ensureFolder, type Home } from '../../config/paths.ts'
import { loadSettings, type Settings, settingsFile } from '../../config/settings.ts'
import { hasKeyFile, keyFilePath } from '../../vault/key-file.ts'
import { hasStoredPassphrase } from '../../vault/passphrase.ts'
import { probeKeychain } from '../../vault/probe-keychain.ts'
import { type Io, isInteractive } from '../io.ts'
import { chosenVault } from '../vault-state.ts'
import { type Check, checking, fail, ok, warn } from './check.ts'
import { existing } from './machine.ts'

export async function checkFolders(home: Home): Promise<Check> {
	const made: string[] = []
	for (const folder of new Set([home.config, home.data, home.run, home.log])) {
		const check = await checking('home', () => checkFolder(folder))
		if (check.state !== 'ok') return check
		if (check.detail !== '') made.push(check.detail)
	}
	return ok(
		'home',
		made.length === 0
			? `${home.data} and the others are made by the first command`
			: `${together(made)}: writable, and by nobody else`,
	)
}

/** Folders that lie in one are named once. */
function together(folders: readonly string[]): string {
	const parents = new Set(folders.map((folder) => dirname(folder)))
	const [parent] = parents
	if (parents.size > 1 || folders.length < 2 || parent === undefined) return folders.join(', ')
	return `${join(parent, folders.map((folder) => basename(folder)).join(', '))}`
}

/** Detail: the folder, or nothing where it is yet to be made. */
async function checkFolder(folder: string): Promise<Check> {
	const there = await stat(folder).catch((error: unknown) => {
		if (['ENOENT', 'ENOTDIR'].includes(systemCode(error))) return null
		throw homeError(error, folder)
	})
	if (there === null) {
		const place = existing(folder)
		await access(place, constants.W_OK | constants.X_OK).catch((error: unknown) => {
			throw homeError(error, place)
		})
		if ((await stat(place)).isDirectory()) return ok('home', '')
	}
	await ensureFolder(folder)
	const probe = join(folder, `.doctor-${randomBytes(6).toString('hex')}`)
	try {
		await writeFile(probe, randomBytes(4096), { mode: 0o600, flag: 'wx' })
	} catch (error) {
		throw homeError(error, folder)
	} finally {
		await rm(probe, { force: true })
	}
	if (process.platform !== 'win32' && there && (there.mode & 0o077) !== 0) {
		return warn('home', `${folder} can be looked into by other users`, `Run: chmod 700 ${folder}`)
	}
	return ok('home', folder)
}

export function checkSettings(home: Home): Promise<Check> {
	return checking('settings', async () => {
		const { keys } = await loadSettings(home)
		const { bindKeys } = await import('../../ui/keymap/bindings.ts')
		bindKeys(keys)
		return ok('settings', settingsFile(home))
	})
}

export interface VaultPlace {
	io: Io
	home: Home
	settings: Settings
}

/** Which vault is in use, and whether it works: a keychain is written to, read and cleaned. */
export function checkVault({ io, home, settings }: VaultPlace): Promise<Check> {
	const { env } = io
	return checking('vault', async () => {
		const chosen = chosenVault({ home, env, settings })
		const path = keyFilePath(home)
		if (chosen === 'file') return hasKeyFile(home) ? keyFile(io, path) : noKeyFile(io, path)
		const { backend, error, mend } = await probeKeychain({ env })
		if (!error) return ok('vault', `keychain: ${backend}, written, read and cleaned again`)
		const [why = error.message] = error.message.split(': ')
		// At a terminal a person is asked whether a key file will do.
		const needed = chosen === 'keychain' || !isInteractive(io)
		return (needed ? fail : warn)('vault', `keychain: ${why}`, mend.join('\n'))
	})
}

async function keyFile(io: Io, path: string): Promise<Check> {
	const { mode } = await stat(path)
	if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
		const detail = `file: ${path} can be read by other users`
		return fail('vault', detail, `Run: chmod 600 ${path}`)
	}
	const octal = process.platform === 'win32' ? '' : `, mode ${(mode & 0o777).toString(8)}`
	const detail = `file: ${path}${octal}, sealed with a passphrase`
	return passphrase(io, detail)
}

const noKeyFile = (io: Io, path: string) => passphrase(io, `file: ${path}, not made yet`)

function passphrase(io: Io, detail: string): Check {
	if (hasStoredPassphrase(io.env)) return ok('vault', `${detail}; the passphrase is laid out`)
	if (isInteractive(io)) return ok('vault', `${detail}; the passphrase is asked for`)
	const mend = 'Set STYRBY_PASSPHRASE_FILE to a file that holds the passphrase.'
	return warn('vault', `${detail}; nobody is here to type it`, mend)
}
