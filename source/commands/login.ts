/** `login`: chooses a backend, and signs in to it. */
import * as v from 'valibot'
import {
	sendEmailCode,
	signInWithEmailCode,
	signInWithPassword,
	type Tokens,
} from '../backend/sign-in.ts'
import type { Home } from '../config/paths.ts'
import {
	backendOfEnvironment,
	changeProfiles,
	checkAnonKey,
	checkUrl,
	enterProfile,
	type Profile,
	readProfiles,
} from '../config/profiles.ts'
import { type ExitCode, exit, StyrbyError } from '../protocol/errors.ts'
import { jsonText } from '../text/json-text.ts'
import { revealText } from '../text/safe-text.ts'
import { openVault } from '../vault/choose.ts'
import type { Flags, Invocation } from './command.ts'
import { type BasePlace, openBase } from './context.ts'
import { type Io, isInteractive } from './io.ts'
import { type DeviceState, deviceState, type Entered, enter } from './login/enter.ts'
import { join } from './login/join.ts'
import { readCode, readEmail, readPassword } from './login/secrets.ts'
import { stillSignedIn } from './login/still-signed-in.ts'
import { knownDevice } from './own-device.ts'

/** What `--json` prints; a shape that scripts depend on. */
export interface LoginReport {
	backend: { kind: 'embedded' | 'supabase'; url: string | null }
	account: string | null
	email: string | null
	/** Whether this was a new sign-in, or the one that stood already. */
	signed_in: 'new' | 'before'
	device: DeviceState
}

export async function run({ flags, io }: Invocation): Promise<ExitCode> {
	const place = await openBase(io)
	const report = await enterBackend(place, flags)
	io.stdout.write(flags.has('json') ? `${jsonText(report)}\n` : reportText(report))
	const note = overruled(io, report)
	if (note !== null) io.stderr.write(`styrby-tui: ${note}\n`)
	return exit.done
}

async function enterBackend(place: BasePlace, flags: Flags): Promise<LoginReport> {
	const token = flags.text('join')
	if (token !== undefined) return reportOf(await join(place, flags, token), 'new')
	const asked = backendAsked(flags, place.io)
	return asked === null ? await toEmbedded(place) : await toRemote(place, flags, asked)
}

interface Asked {
	url: string
	anonKey: string | null
}

/** `null`: the embedded backend of this home. */
function backendAsked(flags: Flags, io: Io): Asked | null {
	const url = flags.text('url')
	const anonKey = flags.text('anon-key')
	if (url !== undefined) {
		return { url: checkUrl(url), anonKey: anonKey === undefined ? null : checkAnonKey(anonKey) }
	}
	const named = backendOfEnvironment(io.env)
	if (named !== null) return named
	for (const name of ['anon-key', 'email', 'password-file'] as const) {
		if (flags.text(name) !== undefined) throw needsUrl(name)
	}
	for (const name of ['code', 'new-account'] as const) if (flags.has(name)) throw needsUrl(name)
	return null
}

function needsUrl(name: string): StyrbyError {
	return usage(`--${name} is for a backend elsewhere: say which one with --url.`)
}

async function toEmbedded({ base }: BasePlace): Promise<LoginReport> {
	await changeProfiles(base, ({ profiles }) => ({ current: null, profiles }))
	const known = await knownDevice(base)
	return {
		backend: { kind: 'embedded', url: null },
		account: known?.account ?? null,
		email: null,
		signed_in: 'before',
		device: known ? 'here' : 'first',
	}
}

async function toRemote(place: BasePlace, flags: Flags, asked: Asked): Promise<LoginReport> {
	const { base, io, settings } = place
	const email = flags.text('email')
	const address = email === undefined ? null : checkEmail(email)
	const known = await knownProfile(base, asked, address)
	const vault = await openVault({
		home: base,
		env: io.env,
		settings,
		interactive: isInteractive(io),
	})
	const standing = known && (await stillSignedIn(base, vault, known))
	if (known && standing) {
		const device = await deviceState(vault, known, standing)
		await enterProfile(base, known)
		return reportOf({ profile: known, device }, 'before')
	}
	if (known?.kind === 'embedded') throw joinAgain(known)
	const anonKey = asked.anonKey ?? known?.anonKey
	if (anonKey === undefined) {
		throw usage("Give the project's public key with --anon-key: it is in its API settings.")
	}
	const found = {
		kind: 'supabase',
		url: asked.url,
		anonKey,
		certificate: null,
		email: address ?? known?.email ?? checkEmail(await readEmail(io)),
	} as const
	const tokens = await signIn(io, flags, found)
	const newAccount = flags.has('new-account')
	return reportOf(await enter({ base, vault, found, tokens, newAccount }), 'new')
}

/** The profile at this address, of this person where one is named; else the one used last. */
async function knownProfile(
	base: Home,
	asked: Asked,
	email: string | null,
): Promise<Profile | null> {
	const { current, profiles } = await readProfiles(base)
	const there = profiles.filter(
		(one) => one.url === asked.url && (email === null || one.email === email),
	)
	const known = there.find(({ id }) => id === current) ?? there[0]
	return known ? { ...known, anonKey: asked.anonKey ?? known.anonKey } : null
}

async function signIn(
	io: Io,
	flags: Flags,
	found: { url: string; anonKey: string; email: string },
): Promise<Tokens> {
	const { email, ...endpoint } = found
	const file = flags.text('password-file')
	if (!flags.has('code')) {
		return signInWithPassword(endpoint, { email, password: await readPassword(io, file) })
	}
	if (file !== undefined) throw usage('Sign in with --code or with --password-file, not with both.')
	await sendEmailCode(endpoint, email)
	return signInWithEmailCode(endpoint, { email, code: await readCode(io, email) })
}

function joinAgain({ url }: Profile): StyrbyError {
	return new StyrbyError(
		'not_signed_in',
		`The sign-in to ${url} has ended there: run "styrby-tui serve --join-token" on that machine, and "styrby-tui login --join -" here.`,
		{ exitCode: exit.notSignedIn },
	)
}

/** As servers keep it: in lower case. Throws `bad_value` (exit 2). */
function checkEmail(text: string): string {
	const email = v.safeParse(emailSchema, text)
	if (email.success) return email.output
	throw new StyrbyError('bad_value', 'That is no e-mail address: it looks like name@example.org.', {
		exitCode: exit.usage,
	})
}

const emailSchema = v.pipe(v.string(), v.trim(), v.toLowerCase(), v.maxLength(254), v.email())

function usage(message: string): StyrbyError {
	return new StyrbyError('bad_usage', message, { exitCode: exit.usage })
}

function reportOf({ profile, device }: Entered, signedIn: LoginReport['signed_in']): LoginReport {
	const { kind, url, account, email } = profile
	return { backend: { kind, url }, account, email, signed_in: signedIn, device }
}

const nextSteps: Readonly<Record<DeviceState, string>> = {
	here: 'The keys of this device are here: go on with "styrby-tui".',
	first:
		'No device is registered with this account yet: run "styrby-tui", and this one is the first.',
	missing:
		'This account has devices, and this home is none of them: run "styrby-tui devices add" here and approve it on one of them, or "styrby-tui devices recover" with the recovery words.',
}

function reportText({ backend, account, email, signed_in, device }: LoginReport): string {
	if (backend.url === null) {
		return 'Commands use the embedded backend of this machine now.\n'
	}
	const who = email ?? `account ${account}`
	const how = signed_in === 'new' ? 'Signed in to' : 'Still signed in to'
	return `${revealText(`${how} ${backend.url} as ${who}.`)}\n${nextSteps[device]}\n`
}

/** A choice that has no effect is no choice. */
function overruled(io: Io, report: LoginReport): string | null {
	const named = backendOfEnvironment(io.env)
	if (named === null || named.url === report.backend.url) return null
	return `STYRBY_URL is set to ${named.url}, which goes before this choice: unset it.`
}
