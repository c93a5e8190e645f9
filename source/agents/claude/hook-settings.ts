/** The settings file of one native session: the person's own `--settings`, if any, and our hooks. */
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import * as v from 'valibot'
import { StyrbyError } from '../../protocol/errors.ts'

/** All of these are let go at once. PreToolUse, too: held, it would keep the prompt from the screen. */
const flowHooks = [
	'UserPromptSubmit',
	'PreToolUse',
	'PostToolUse',
	'PostToolUseFailure',
	'Stop',
	'StopFailure',
	'MessageDisplay',
	'Notification',
]
const flowTimeoutS = 5

const settingsSchema = v.looseObject({
	hooks: v.optional(v.record(v.string(), v.array(v.unknown())), {}),
})
export type Settings = v.InferOutput<typeof settingsSchema>

/** Adds our hooks to settings. `requestTimeoutMs`: how long a permission request may be held. */
export function withHooks(
	settings: Settings,
	url: string,
	token: string,
	requestTimeoutMs: number,
): Settings {
	const hook = (timeout: number) => ({
		matcher: '*',
		hooks: [{ type: 'http', url, timeout, headers: { authorization: `Bearer ${token}` } }],
	})
	const hooks: Record<string, unknown[]> = { ...settings.hooks }
	const add = (name: string, timeout: number) => {
		hooks[name] = [...(hooks[name] ?? []), hook(timeout)]
	}
	// Longer than any request may live: it is the host that denies, with a reason.
	add('PermissionRequest', Math.ceil(requestTimeoutMs / 1000) + 60)
	for (const name of flowHooks) add(name, flowTimeoutS)
	return { ...settings, hooks }
}

/** The person's `--settings`, a file or JSON, as the agent itself reads it. */
export async function readSettings(value: string | null, cwd: string): Promise<Settings> {
	if (value === null) return v.parse(settingsSchema, {})
	try {
		const inline = value.trimStart().startsWith('{')
		const text = inline ? value : await readFile(resolve(cwd, value), 'utf8')
		return v.parse(settingsSchema, JSON.parse(text))
	} catch (cause) {
		throw new StyrbyError(
			'agent_settings',
			'What `--settings` names can not be read as settings of Claude Code; correct it or leave it out.',
			{ cause },
		)
	}
}

/** A settings file that only this user can read, gone with the session. */
export class SettingsFile implements AsyncDisposable {
	readonly path: string
	readonly folder: string

	private constructor(folder: string) {
		this.folder = folder
		this.path = join(folder, 'settings.json')
	}

	static async write(settings: Settings): Promise<SettingsFile> {
		const file = new SettingsFile(await mkdtemp(join(tmpdir(), 'styrby-claude-')))
		await chmod(file.folder, 0o700)
		await writeFile(file.path, JSON.stringify(settings), { mode: 0o600, flag: 'wx' })
		return file
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await rm(this.folder, { recursive: true, force: true })
	}
}
