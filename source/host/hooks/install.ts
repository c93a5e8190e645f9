/** Puts hooks into the settings of an agent, takes them out again, and says what is there. */
import type { HookedAdapter, HookTimes } from '../../agents/hooked.ts'
import type { Home } from '../../config/paths.ts'
import { version } from '../../config/version.ts'
import { StyrbyError } from '../../protocol/errors.ts'
import { hookCommand, isOwnCommand, writeScript } from './hook-script.ts'
import {
	backupFile,
	changeInstallations,
	digestOf,
	dropBackup,
	type Installation,
	keepBackup,
	readBackup,
	readInstallations,
} from './installations.ts'
import {
	addHooks,
	type FoundHook,
	findHooks,
	isInstalled,
	removeHooks,
	UnusableSettings,
	type WantedHook,
} from './json-hooks.ts'
import {
	readSettingsFile,
	type SettingsFile,
	settingsText,
	unusable,
	writeSettingsFile,
} from './settings-file.ts'

export interface InstallPlace {
	home: Home
	env: NodeJS.ProcessEnv
	now(): Date
	times: HookTimes
}

export interface Installed {
	file: string
	changed: boolean
	/** The copy of the file as it was; `null`: there was none. */
	backup: string | null
}

/**
 * Installing again changes nothing, unless the hooks in the file are of another version. Throws
 * `hooks_file_unusable`, `hooks_file_changed`, and what an unwritable home gives.
 */
export async function installHooks(
	place: InstallPlace,
	adapter: HookedAdapter,
): Promise<Installed> {
	if (process.platform === 'win32') {
		throw new StyrbyError(
			'hooks_not_supported',
			'Hooks can not be installed on Windows yet: start the agent with "styrby-tui run" there.',
		)
	}
	const { home } = place
	await writeScript(home)
	return await changeInstallations(home, async (installed, save) => {
		const file = await readSettingsFile(adapter.settingsFile(place.env))
		const { text, mark } = withoutMark(settingsText(file))
		const json = text.trim() === '' ? '{}\n' : text
		const isOurs = ownOf(home)
		const known = installed.find((one) => isOf(one, adapter, file.path))
		const next = checked(file.path, () => addHooks(json, wantedOf(place, adapter), isOurs))
		const said = (backup: string | null, changed: boolean): Installed => ({
			file: file.path,
			changed,
			backup: backup && backupFile(home, backup),
		})
		if (next === text && known) return said(known.backup, false)
		const backup = await backupOf(home, adapter, file, known)
		const bytes = Buffer.from(mark + next)
		const entry: Installation = {
			agent: adapter.name,
			file: file.path,
			backup,
			written: digestOf(bytes),
			version,
			installed_at: place.now().toISOString(),
		}
		// First what was done, then doing it: what is in the file can always be taken out again.
		await save([...installed.filter((one) => one !== known), entry])
		try {
			await writeSettingsFile(file, bytes)
		} catch (error) {
			await save(installed)
			throw error
		}
		return said(backup, true)
	})
}

/** What is to be given back: the file as it was before any hook of ours was in it. */
async function backupOf(
	home: Home,
	adapter: HookedAdapter,
	file: SettingsFile,
	known: Installation | undefined,
): Promise<string | null> {
	if (file.bytes === null) return null
	const { text, mark } = withoutMark(settingsText(file))
	if (text.trim() === '') return await keepBackup(home, adapter.name, file.bytes)
	const without = checked(file.path, () => removeHooks(text, ownOf(home), ''))
	if (without === text) return await keepBackup(home, adapter.name, file.bytes)
	return known ? known.backup : await keepBackup(home, adapter.name, Buffer.from(mark + without))
}

/** `changed` is false where none were there. Throws as `installHooks` does. */
export async function removeHooksOf(
	place: Pick<InstallPlace, 'home' | 'env'>,
	adapter: HookedAdapter,
): Promise<Pick<Installed, 'file' | 'changed'>[]> {
	const { home, env } = place
	return await changeInstallations(home, async (installed, save) => {
		const ours = installed.filter(({ agent }) => agent === adapter.name)
		const files = new Set([...ours.map(({ file }) => file), adapter.settingsFile(env)])
		const result: Pick<Installed, 'file' | 'changed'>[] = []
		for (const path of files) {
			const known = ours.find(({ file }) => file === path)
			result.push({ file: path, changed: await removeFrom(home, path, known) })
		}
		await save(installed.filter(({ agent }) => agent !== adapter.name))
		return result
	})
}

async function removeFrom(
	home: Home,
	path: string,
	known: Installation | undefined,
): Promise<boolean> {
	const file = await readSettingsFile(path)
	if (file.bytes === null) return false
	const backup = known?.backup ? await readBackup(home, known.backup) : null
	// Nobody else wrote it since: it gets back what it was, to the byte.
	if (known && digestOf(file.bytes) === known.written) {
		if (backup !== null || known.backup === null) {
			await writeSettingsFile(file, backup && Buffer.from(backup))
			if (known.backup !== null) await dropBackup(home, known.backup)
			return true
		}
	}
	const { text, mark } = withoutMark(settingsText(file))
	if (text.trim() === '') return false
	const before = backup === null ? '' : withoutMark(Buffer.from(backup).toString('utf8')).text
	const next = checked(path, () => removeHooks(text, ownOf(home), before.trim()))
	if (next === text) return false
	await writeSettingsFile(file, Buffer.from(mark + next))
	return true
}

export interface HooksState {
	agent: string
	file: string
	installed: boolean
	/** Whether what is installed is what this version would install. */
	current: boolean
	hooks: readonly FoundHook[]
	version: string | null
	installedAt: string | null
	backup: string | null
	/** Why the file can't be read, if so. */
	problem: string | null
}

/** What is in the settings of an agent: one a file, the usual one of this environment first. */
export async function hooksState(
	place: InstallPlace,
	adapter: HookedAdapter,
): Promise<HooksState[]> {
	const { home, env } = place
	const installed = await readInstallations(home)
	const ours = installed.filter(({ agent }) => agent === adapter.name)
	const files = new Set([adapter.settingsFile(env), ...ours.map(({ file }) => file)])
	return await Promise.all(
		[...files].map(async (path) => {
			const known = ours.find(({ file }) => file === path)
			const state = {
				agent: adapter.name,
				file: path,
				version: known?.version ?? null,
				installedAt: known?.installed_at ?? null,
				backup: known?.backup ? backupFile(home, known.backup) : null,
			}
			try {
				const { text } = withoutMark(settingsText(await readSettingsFile(path)))
				const json = text.trim() === '' ? '{}' : text
				const hooks = checked(path, () => findHooks(json, ownOf(home)))
				const current = isInstalled(json, wantedOf(place, adapter), ownOf(home))
				return { ...state, installed: hooks.length > 0, current, hooks, problem: null }
			} catch (error) {
				if (!(error instanceof StyrbyError)) throw error
				return { ...state, installed: false, current: false, hooks: [], problem: error.message }
			}
		}),
	)
}

function wantedOf({ home, times }: InstallPlace, adapter: HookedAdapter): WantedHook[] {
	return adapter.hooks(times).map(({ kind, ...hook }) => ({
		...hook,
		command: hookCommand(home, adapter.name, kind),
	}))
}

const ownOf = (home: Home) => (command: string) => isOwnCommand(home, command)

const isOf = (one: Installation, { name }: HookedAdapter, file: string) =>
	one.agent === name && one.file === file

function checked<T>(path: string, work: () => T): T {
	try {
		return work()
	} catch (error) {
		if (error instanceof UnusableSettings) throw unusable(path, error.message)
		throw error
	}
}

/** A byte order mark is no part of JSON, and stays in front of it. */
function withoutMark(text: string): { text: string; mark: string } {
	return text.startsWith('\ufeff') ? { text: text.slice(1), mark: '\ufeff' } : { text, mark: '' }
}
