/** `status`: what is there. Nothing is started, made or asked for. */
import { type Home, resolveHome } from '../config/paths.ts'
import { loadSettings, settingsFile } from '../config/settings.ts'
import { version } from '../config/version.ts'
import { pendingRows } from '../host/outbox-files.ts'
import { type ExitCode, exit, StyrbyError } from '../protocol/errors.ts'
import { statusEmbedded } from '../server/discover.ts'
import { revealText } from '../text/safe-text.ts'
import { textWidth } from '../text/width.ts'
import type { Invocation } from './command.ts'
import { hanging, widthOf } from './hanging.ts'
import { embeddedVaultName, knownInstallation } from './installation.ts'
import { type Io, isInteractive } from './io.ts'
import { knownDevice } from './own-device.ts'
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
	home: Home,
): Promise<{ status: Status; trouble: StyrbyError | null }> {
	const { env } = io
	const settings = await loadSettings(home)
	const [running, vault, known] = await Promise.all([
		statusEmbedded(home),
		vaultState({ home, env, settings }),
		knownDevice(home),
	])
	const key = known ? await hasDeviceKey(home, vault) : false
	const { kind, detail } = vault
	const status: Status = {
		version,
		backend: { kind: 'embedded', url: running?.url ?? null, reachable: running !== null },
		account: known?.account ?? null,
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

/** Whether the device's key is in the vault; the error where that can't be known. */
async function hasDeviceKey(home: Home, { vault }: VaultState): Promise<boolean | StyrbyError> {
	const installation = await knownInstallation(home)
	if (installation === null || vault === null) return false
	try {
		return (await vault.get(`${embeddedVaultName(installation)}:device`)) !== null
	} catch (error) {
		if (error instanceof StyrbyError) return error
		throw error
	}
}

function statusText(status: Status, home: Home, width: number): string {
	const { backend, account, device, vault, outbox } = status
	const rows: [string, string][] = [
		[
			'backend',
			backend.reachable
				? `${backend.kind}, running at ${backend.url}`
				: `${backend.kind}, not running (the next command that needs it starts it)`,
		],
		['account', account ?? 'none yet (the first command that needs one makes it)'],
		['device', device ? `${device.name ?? 'without a name'} (${device.id})` : 'no key here'],
		...(device ? [['fingerprint', device.fingerprint] satisfies [string, string]] : []),
		['vault', `${vault.kind}: ${vault.detail}`],
		['outbox', outbox.pending === 0 ? 'empty' : `${outbox.pending} messages wait to be sent`],
		['settings', settingsFile(home)],
		['data', home.data],
		['run', home.run],
		['log', home.log],
	]
	const lines = rows.flatMap(([name, value]) =>
		hanging(`${name.padEnd(12)} `, revealText(value), width, textWidth),
	)
	return `styrby-tui ${status.version}\n${lines.join('\n')}\n`
}

export async function run({ flags, io }: Invocation): Promise<ExitCode> {
	const home = resolveHome(io.env, io.platform)
	const { status, trouble } = await readStatus(io, home)
	const text = flags.has('json')
		? `${JSON.stringify(status)}\n`
		: statusText(status, home, widthOf(io.stdout))
	io.stdout.write(text)
	if (trouble) throw trouble
	return exit.done
}
