/** Starts the host of installed hooks in the background. */
import { spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync, renameSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ensureFolder, type Home } from '../../config/paths.ts'
import { version } from '../../config/version.ts'
import { runningHost } from '../../host/hooks/host-process.ts'
import { anyInstalled } from '../../host/hooks/installations.ts'
import { StyrbyError } from '../../protocol/errors.ts'
import { isOlder } from '../../server/versions.ts'
import { hasStoredPassphrase } from '../../vault/passphrase.ts'
import type { BasePlace } from '../context.ts'
import { chosenVault } from '../vault-state.ts'

const maxLogBytes = 2 ** 20
const startLimitMs = 30_000

/** What it needs to find its home, its keys and its backend; nothing else of the person's environment. */
const passedOn =
	/^(?:PATH|HOME|USER|LOGNAME|SHELL|LANG|LC_.*|TZ|TMPDIR|STYRBY_.*|XDG_.*|DBUS_SESSION_BUS_ADDRESS|CREDENTIALS_DIRECTORY|NODE_EXTRA_CA_CERTS|SSL_CERT_.*|(?:https?|all|no)_proxy)$/i

/** Whether a host could open the vault: nobody is there to be asked. */
function opensUnasked({ base, io, settings }: BasePlace): boolean {
	const chosen = chosenVault({ home: base, env: io.env, settings })
	return chosen === 'keychain' || (chosen === 'file' && hasStoredPassphrase(io.env))
}

/**
 * Starts the host where hooks are installed, none of this version runs, and it can open the vault by
 * itself. Does not wait for it. A failure is no failure of the command at hand: it goes to the log.
 */
export async function ensureHooksHost(place: BasePlace): Promise<void> {
	const { base, log } = place
	if (!anyInstalled(base) || process.platform === 'win32') return
	try {
		if (!opensUnasked(place)) return
		const running = await runningHost(base)
		if (running && !(await stopOlder(base))) return
		await launch(place)
	} catch (error) {
		const code = error instanceof StyrbyError ? error.code : 'unknown'
		log.write('hooks.host_not_started', { code })
	}
}

/** Ends a host of an older version. `false`: the one that runs is none. */
async function stopOlder(base: Home): Promise<boolean> {
	const running = await runningHost(base)
	if (!running?.pid || !running.version || !isOlder(running.version, version)) return false
	return await stopHost(base)
}

/** Ends the host, and waits until it has ended. `false`: none runs, or it does not end. */
export async function stopHost(base: Home): Promise<boolean> {
	const until = Date.now() + startLimitMs
	const running = await runningHost(base)
	if (!running?.pid) return false
	process.kill(running.pid, 'SIGTERM')
	while (Date.now() < until) {
		if ((await runningHost(base)) === null) return true
		await sleep(50)
	}
	return false
}

/** Starts it and waits until it takes calls. Throws `hooks_host_failed` with what it said. */
export async function startHost(place: BasePlace): Promise<number> {
	const { base } = place
	const running = await runningHost(base)
	if (running) await stopOlder(base)
	const started = (await runningHost(base)) === null ? await launch(place) : null
	const until = Date.now() + startLimitMs
	while (Date.now() < until) {
		const now = await runningHost(base)
		if (now?.pid) return now.pid
		if (started?.ended()) break
		await sleep(50)
	}
	const file = logFile(base)
	const said = readFileSync(file, 'utf8').trimEnd().split('\n').at(-1) ?? ''
	throw new StyrbyError(
		'hooks_host_failed',
		`The host of the hooks did not start${said === '' ? '' : ` (it said: ${said})`}; see ${file}, or run "styrby-tui hooks serve".`,
	)
}

const logFile = (home: Home) => join(home.log, 'hooks.log')

async function launch({ base, io }: BasePlace): Promise<{ ended(): boolean }> {
	await ensureFolder(base.log)
	const file = logFile(base)
	const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0
	if (size > maxLogBytes) renameSync(file, `${file}.1`)
	const output = openSync(file, 'a', 0o600)
	const env = Object.fromEntries(Object.entries(io.env).filter(([name]) => passedOn.test(name)))
	const child = spawn(process.execPath, [process.argv[1] ?? '', 'hooks', 'serve'], {
		detached: true,
		cwd: base.data,
		env,
		stdio: ['ignore', output, output],
	})
	closeSync(output)
	let failed = false
	child.once('error', () => {
		failed = true
	})
	child.unref()
	return { ended: () => failed || child.exitCode !== null || child.signalCode !== null }
}
