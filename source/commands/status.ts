/** `status`: what is there. Nothing is started, made or asked for. */
import { reachBackend } from '../backend/reach.ts'
import { type Home, resolveHome } from '../config/paths.ts'
import { chosenProfile, homeOf, type Profile, readProfiles } from '../config/profiles.ts'
import { loadSettings, settingsFile } from '../config/settings.ts'
import { version } from '../config/version.ts'
import { runningHost } from '../host/hooks/host-process.ts'
import { anyInstalled } from '../host/hooks/installations.ts'
import { pendingRows } from '../host/outbox-files.ts'
import { type ExitCode, exit, StyrbyError } from '../protocol/errors.ts'
import { statusEmbedded } from '../server/discover.ts'
import { jsonText } from '../text/json-text.ts'
import { revealText } from '../text/safe-text.ts'
import { textWidth } from '../text/width.ts'
import { endpointOf } from './backend-of.ts'
import type { Invocation } from './command.ts'
import { hanging, widthOf } from './hanging.ts'
import { hostText } from './hooks/host-text.ts'
import { type Io, isInteractive } from './io.ts'
import { knownDevice } from './own-device.ts'
import { knownVaultName } from './vault-name.ts'
import { type VaultState, vaultState } from './vault-state.ts'

/** What `--json` prints; a shape that scripts depend on. */
export interface Status {
	version: string
	backend: { kind: 'embedded' | 'supabase'; url: string | null; reachable: boolean }
	account: string | null
	device: { id: string; name: string | null; fingerprint: string } | null
	vault: { kind: 'keychain' | 'file'; detail: string }
	outbox: { pending: number }
}

/** The status, and why the vault could not be looked into, if so. Throws `bad_settings`, `bad_vault`. */
export async function readStatus(
	io: Io,
	base: Home,
	profile: Profile | null,
): Promise<{ status: Status; trouble: StyrbyError | null }> {
	const { env } = io
	const home = homeOf(base, profile)
	const settings = await loadSettings(base)
	const [backend, vault, known] = await Promise.all([
		backendState(base, profile),
		vaultState({ home: base, env, settings }),
		knownDevice(home),
	])
	const key = known ? await hasDeviceKey(base, profile, vault) : false
	const { kind, detail } = vault
	const status: Status = {
		version,
		backend,
		account: known?.account ?? profile?.account ?? null,
		device:
			known && key !== false
				? { id: known.id, name: known.name, fingerprint: known.fingerprint }
				: null,
		vault: { kind, detail },
		outbox: { pending: pendingRows(home.data) },
	}
	const typed = key instanceof StyrbyError && key.code === 'no_passphrase' && isInteractive(io)
	// A person at the terminal is asked for the passphrase when a command needs it: nothing is wrong.
	return { status, trouble: key instanceof StyrbyError && !typed ? key : null }
}

/** `null` where no hooks are installed for agents. */
async function hooksText(base: Home): Promise<string | null> {
	if (!anyInstalled(base)) return null
	return `installed; host: ${hostText(await runningHost(base), true)}`
}

async function backendState(base: Home, profile: Profile | null): Promise<Status['backend']> {
	if (profile === null) {
		const running = await statusEmbedded(base)
		return { kind: 'embedded', url: running?.url ?? null, reachable: running !== null }
	}
	const reach = await reachBackend(await endpointOf(profile))
	return { kind: profile.kind, url: profile.url, reachable: reach !== null }
}

/** Whether the device's key is in the vault; the error where that can't be known. */
async function hasDeviceKey(
	base: Home,
	profile: Profile | null,
	{ vault }: VaultState,
): Promise<boolean | StyrbyError> {
	const name = await knownVaultName(base, profile)
	if (name === null || vault === null) return false
	try {
		return (await vault.get(`${name}:device`)) !== null
	} catch (error) {
		if (error instanceof StyrbyError) return error
		throw error
	}
}

function backendText({ reachable, url, kind }: Status['backend'], profile: Profile | null): string {
	if (profile === null) {
		return reachable
			? `embedded, running at ${url}`
			: 'embedded, not running (the next command that needs it starts it)'
	}
	const name = kind === 'embedded' ? 'embedded, of another machine' : 'Supabase'
	return `${name}, ${reachable ? 'answers' : 'out of reach'} at ${url}`
}

/** The other backends that this home is signed in to. */
function otherText(others: readonly Profile[]): string {
	return others.map(({ url, email }) => (email === null ? url : `${url} (${email})`)).join(', ')
}

interface Shown {
	status: Status
	hooks: string | null
	base: Home
	profile: Profile | null
	others: readonly Profile[]
	width: number
}

function statusText({ status, hooks, base, profile, others, width }: Shown): string {
	const { backend, account, device, vault, outbox } = status
	const who = profile?.email ? ` (${profile.email})` : ''
	const rows: [string, string][] = [
		['backend', backendText(backend, profile)],
		...(others.length > 0 ? [['others', otherText(others)] satisfies [string, string]] : []),
		['account', account ? account + who : 'none yet (the first command that needs one makes it)'],
		['device', device ? `${device.name ?? 'without a name'} (${device.id})` : 'no key here'],
		...(device ? [['fingerprint', device.fingerprint] satisfies [string, string]] : []),
		['vault', `${vault.kind}: ${vault.detail}`],
		['outbox', outbox.pending === 0 ? 'empty' : `${outbox.pending} messages wait to be sent`],
		...(hooks === null ? [] : [['hooks', hooks] satisfies [string, string]]),
		['settings', settingsFile(base)],
		['data', homeOf(base, profile).data],
		['run', base.run],
		['log', base.log],
	]
	const lines = rows.flatMap(([name, value]) =>
		hanging(`${name.padEnd(12)} `, revealText(value), width, textWidth),
	)
	return `styrby-tui ${status.version}\n${lines.join('\n')}\n`
}

export async function run({ flags, io }: Invocation): Promise<ExitCode> {
	const base = resolveHome(io.env, io.platform)
	const profile = await chosenProfile(base, io.env)
	const { status, trouble } = await readStatus(io, base, profile)
	const { profiles } = await readProfiles(base)
	const others = profiles.filter(({ id }) => id !== profile?.id)
	const text = flags.has('json')
		? `${jsonText(status)}\n`
		: statusText({
				status,
				hooks: await hooksText(base),
				base,
				profile,
				others,
				width: widthOf(io.stdout),
			})
	io.stdout.write(text)
	if (trouble) throw trouble
	return exit.done
}
