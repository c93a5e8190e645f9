/**
 * The sign-ins of this home, side by side, and which of them is in use. Nothing in here is secret: tokens
 * and keys are in the vault. The embedded backend of this home needs no entry.
 */
import { join } from 'node:path'
import * as v from 'valibot'
import { exit, StyrbyError } from '../protocol/errors.ts'
import { base64, uuid, version } from '../protocol/json.ts'
import { withLock } from './lock.ts'
import { ensureFolder, type Home } from './paths.ts'
import { readState, writeState } from './state.ts'

export const backendUrl = v.pipe(
	v.string(),
	v.maxLength(2048),
	v.check((url) => readUrl(url) === url),
)
/** What may stand in a header. */
export const headerText = v.pipe(v.string(), v.regex(/^[\x21-\x7e]{1,8192}$/))

const profileSchema = v.object({
	/** Also the name of its folder. */
	id: uuid,
	/** `embedded`: a server of our own on another machine. */
	kind: v.picklist(['embedded', 'supabase']),
	url: backendUrl,
	anonKey: headerText,
	account: uuid,
	email: v.nullable(v.pipe(v.string(), v.maxLength(254))),
	/** SHA-256 of the one certificate that the server may show, base64; `null`: any that the system trusts. */
	certificate: v.nullable(base64(32)),
})
export type Profile = v.InferOutput<typeof profileSchema>

const schema = v.pipe(
	v.object({
		v: version,
		current: v.nullable(uuid),
		/** The one used last comes first. */
		profiles: v.pipe(v.array(profileSchema), v.maxLength(1000)),
	}),
	v.check(({ current, profiles }) => {
		const ids = new Set(profiles.map(({ id }) => id))
		return ids.size === profiles.length && (current === null || ids.has(current))
	}),
)

export interface Profiles {
	/** `null`: the embedded backend of this home. */
	current: string | null
	profiles: readonly Profile[]
}

const fileOf = (home: Home) => join(home.data, 'profiles.json')

/** Throws `state_corrupt`. */
export async function readProfiles(home: Home): Promise<Profiles> {
	const { current = null, profiles = [] } = (await readState(fileOf(home), schema)) ?? {}
	return { current, profiles }
}

/** Changes the list, one process at a time. Throws `state_corrupt`, `home_not_writable`, `disk_full`. */
export async function changeProfiles(
	home: Home,
	change: (before: Profiles) => Profiles,
): Promise<Profiles> {
	await ensureFolder(home.data)
	return withLock(home.run, 'profiles', async () => {
		const { current, profiles } = change(await readProfiles(home))
		await writeState(fileOf(home), schema, { v: 1, current, profiles: [...profiles] })
		return { current, profiles }
	})
}

/** Puts the profile first and makes it the current one. */
export function enterProfile(home: Home, profile: Profile): Promise<Profiles> {
	return changeProfiles(home, ({ profiles }) => ({
		current: profile.id,
		profiles: [profile, ...profiles.filter(({ id }) => id !== profile.id)],
	}))
}

/**
 * The profile that commands work with: the one that `STYRBY_URL` and `STYRBY_ANON_KEY` name, else the
 * current one; `null` is the embedded backend of this home. Throws `not_signed_in` (exit 3) where there is
 * no sign-in to that address, `bad_backend_url` and `bad_environment` (exit 2), `state_corrupt`.
 */
export async function chosenProfile(home: Home, env: NodeJS.ProcessEnv): Promise<Profile | null> {
	const { current, profiles } = await readProfiles(home)
	const named = backendOfEnvironment(env)
	if (named === null) return profiles.find(({ id }) => id === current) ?? null
	const there = profiles.filter(({ url }) => url === named.url)
	const chosen = there.find(({ id }) => id === current) ?? there[0]
	if (chosen) return { ...chosen, anonKey: named.anonKey }
	throw new StyrbyError(
		'not_signed_in',
		`This home has no sign-in to ${named.url} (STYRBY_URL): run "styrby-tui login" first.`,
		{ exitCode: exit.notSignedIn },
	)
}

/** What `STYRBY_URL` and `STYRBY_ANON_KEY` name. Throws `bad_environment`, `bad_backend_url` (exit 2). */
export function backendOfEnvironment(
	env: NodeJS.ProcessEnv,
): { url: string; anonKey: string } | null {
	const { STYRBY_URL: url, STYRBY_ANON_KEY: anonKey } = env
	if (!url && !anonKey) return null
	if (!url || !anonKey) {
		throw new StyrbyError(
			'bad_environment',
			'STYRBY_URL and STYRBY_ANON_KEY name a backend together: set both, or neither.',
			{ exitCode: exit.usage },
		)
	}
	return { url: checkUrl(url), anonKey: checkAnonKey(anonKey) }
}

/** The address as it is kept: without a slash at its end. Throws `bad_backend_url` (exit 2). */
export function checkUrl(text: string): string {
	const url = readUrl(text)
	if (url !== null) return url
	throw new StyrbyError(
		'bad_backend_url',
		'The address of the backend must begin with https://; http:// will do for this machine only, where nobody else can listen.',
		{ exitCode: exit.usage },
	)
}

/** Throws `bad_anon_key` (exit 2). */
export function checkAnonKey(text: string): string {
	if (v.is(headerText, text)) return text
	throw new StyrbyError(
		'bad_anon_key',
		'That is no key of a backend: copy the "anon" or "publishable" key from the project\'s API settings.',
		{ exitCode: exit.usage },
	)
}

const loopback = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/

/** Passwords and tokens cross the network to no address that does not hide them. */
function readUrl(text: string): string | null {
	if (!URL.canParse(text)) return null
	const { protocol, hostname, username, password, search, hash, href } = new URL(text)
	const hidden = protocol === 'https:' || (protocol === 'http:' && loopback.test(hostname))
	if (!hidden || `${username}${password}${search}${hash}` !== '') return null
	return href.replace(/\/+$/, '')
}

/** The home as commands see it: what belongs to the account lies in the profile's own folder. */
export function homeOf(home: Home, profile: Profile | null): Home {
	return profile === null ? home : { ...home, data: join(home.data, 'profiles', profile.id) }
}
