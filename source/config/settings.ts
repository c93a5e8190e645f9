/** `config.json`: what a person chose. They may edit it by hand, so what we do not know in it stays. */
import { join } from 'node:path'
import * as v from 'valibot'
import { StyrbyError } from '../protocol/errors.ts'
import { readOwnFile, replaceFile } from './atomic-file.ts'
import { withLock } from './lock.ts'
import type { Home } from './paths.ts'

const on = v.optional(v.boolean(), true)

export const settingsSchema = v.object({
	/** How the server may see the project's name. */
	project: v.optional(v.picklist(['plain', 'encrypted', 'off']), 'plain'),
	/** What makes itself known when a request waits. */
	notifications: v.optional(
		v.object({
			bell: on,
			title: on,
			/** The desktop's notification, by the terminal: in the way that fits it, in a named one, or not. */
			osc: v.optional(v.union([v.boolean(), v.picklist(['osc9', 'osc777', 'osc99'])]), true),
		}),
		{},
	),
	/** How long a permission request waits before it counts as denied; at most a week. */
	requestTimeoutMinutes: v.optional(
		v.pipe(v.number(), v.minValue(0.1), v.maxValue(7 * 24 * 60)),
		60,
	),
	/**
	 * How long installed hooks hold a request for an answer from elsewhere where the agent's own prompt does not
	 * come before they let go of it.
	 */
	hookHoldSeconds: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(7 * 24 * 3600)), 30),
	/** Where secret keys live; `null`: not chosen yet. */
	vault: v.optional(v.nullable(v.picklist(['keychain', 'file'])), null),
	/** Whether the mouse wheel scrolls; selecting text then needs a modifier key. */
	mouse: v.optional(v.boolean(), false),
	/** Lines for a screen reader in the place of the full screen. */
	screenReader: v.optional(v.boolean(), false),
	/** Keys of the viewer by the name of their command, in the place of its own; which there are is checked there. */
	keys: v.optional(v.record(v.string(), v.union([v.string(), v.array(v.string())])), {}),
})

export type Settings = v.InferOutput<typeof settingsSchema>

/** What to change; what is not named stays. */
export type SettingsChange = Partial<Omit<Settings, 'notifications'>> & {
	notifications?: Partial<Settings['notifications']>
}

const fileSchema = v.pipe(
	v.unknown(),
	v.check((value) => !Array.isArray(value)),
	v.record(v.string(), v.unknown()),
)
const maxBytes = 2 ** 20

export function settingsFile(home: Home): string {
	return join(home.config, 'config.json')
}

/** The settings, with the default for each that is not in the file. Throws `bad_settings`, naming the key. */
export async function loadSettings(home: Home): Promise<Settings> {
	return check(home, await readRaw(home))
}

/**
 * Changes some settings, one process at a time, and returns them all. Throws `bad_settings`,
 * `home_not_writable`, `disk_full`, `lock_timeout`.
 */
export async function saveSettings(home: Home, change: SettingsChange): Promise<Settings> {
	return withLock(home.config, 'config', async () => {
		const raw = await readRaw(home)
		check(home, raw)
		const next: Record<string, unknown> = { ...raw, ...change }
		if (change.notifications) {
			const before = v.safeParse(fileSchema, raw.notifications)
			next.notifications = { ...(before.success ? before.output : {}), ...change.notifications }
		}
		const settings = check(home, next)
		await replaceFile(settingsFile(home), `${JSON.stringify(next, null, '\t')}\n`)
		return settings
	})
}

async function readRaw(home: Home): Promise<Record<string, unknown>> {
	const bytes = await readOwnFile(settingsFile(home), maxBytes)
	if (!bytes) return {}
	try {
		// Editors on Windows like to put a byte order mark first; TextDecoder takes it off.
		const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
		return v.parse(fileSchema, JSON.parse(text))
	} catch (cause) {
		throw new StyrbyError(
			'bad_settings',
			`${settingsFile(home)} is not a JSON object: mend it, or delete it to go back to the defaults.`,
			{ cause },
		)
	}
}

function check(home: Home, raw: Record<string, unknown>): Settings {
	const result = v.safeParse(settingsSchema, raw)
	if (result.success) return result.output
	const [issue] = result.issues
	throw new StyrbyError(
		'bad_settings',
		`${settingsFile(home)} has a wrong value for "${v.getDotPath(issue) ?? ''}" (expected ${issue.expected ?? 'another value'}): correct it, or delete the key to go back to the default.`,
	)
}
