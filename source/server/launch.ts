import { spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync, renameSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as v from 'valibot'
import { homeError } from '../config/home-error.ts'
import { ensureFolder } from '../config/paths.ts'
import { siblingModule } from '../config/sibling.ts'
import { exit, StyrbyError } from '../protocol/errors.ts'
import { daemonReport } from './daemon-messages.ts'

const maxLogBytes = 2 ** 20

/** All that the daemon's environment has: nothing in it can be a secret of the person. */
const passedOn = [
	'PATH',
	'HOME',
	'USERPROFILE',
	'LANG',
	'LC_ALL',
	'TZ',
	'TMPDIR',
	'TEMP',
	'TMP',
	'SystemRoot',
	'windir',
]

/**
 * glibc: large buffers are given back to the system when they are freed, and not kept for the next ones.
 * After an import the daemon keeps 404 MB rather than 445.
 */
const givesBack = {
	MALLOC_MMAP_THRESHOLD_: '131072',
	MALLOC_TRIM_THRESHOLD_: '131072',
	MALLOC_ARENA_MAX: '2',
}

export interface LaunchOptions {
	readonly data: string
	readonly run: string
	readonly log: string
	readonly idleMs: number
	readonly entry?: URL | undefined
	readonly timeLimitMs: number
}

/**
 * Starts the daemon in the background and waits until it answers. `taken` when another one has the data
 * folder. Throws what the daemon says keeps it from starting, else `backend_start_failed` (exit 5).
 */
export async function launchDaemon(options: LaunchOptions): Promise<'ready' | 'taken'> {
	const { data, run, idleMs, timeLimitMs } = options
	await ensureFolder(data)
	await ensureFolder(options.log)
	const entry = options.entry ?? siblingModule(import.meta.url, 'daemon')
	const output = openLog(options.log)
	// `--liftoff-only`: the engine's WebAssembly is compiled once and simply: steadier, half the memory.
	const child = spawn(
		process.execPath,
		['--liftoff-only', fileURLToPath(entry), JSON.stringify({ data, run, idleMs })],
		{
			detached: true,
			windowsHide: true,
			cwd: data,
			env: daemonEnvironment(process.env),
			stdio: ['ignore', output, output, 'ipc'],
		},
	)
	closeSync(output)
	try {
		return await new Promise((resolve, reject) => {
			const fail = (why: string) => reject(startFailed(options.log, why))
			const timer = setTimeout(
				() => fail(`it was not ready after ${timeLimitMs / 1000} s`),
				timeLimitMs,
			)
			child.once('error', (error) => fail(error.message))
			child.once('exit', (code, signal) => fail(`it ended with ${signal ?? code}`))
			child.once('message', (message) => {
				clearTimeout(timer)
				const report = v.safeParse(daemonReport, message)
				if (!report.success) return fail('it reported nothing that can be read')
				if (report.output.type === 'ready') return resolve('ready')
				const { code, message: why, exitCode } = report.output
				if (code === 'backend_already_running') return resolve('taken')
				if (code === 'backend_start_failed') return fail(why)
				reject(new StyrbyError(code, why, { exitCode }))
			})
		})
	} finally {
		child.removeAllListeners()
		if (child.connected) child.disconnect()
		child.unref()
	}
}

export function startFailed(logFolder: string, why: string): StyrbyError {
	const file = join(logFolder, 'backend.log')
	const said = lastLine(file)
	return new StyrbyError(
		'backend_start_failed',
		`The embedded backend did not start: ${why}${said === '' ? '' : ` (it said: ${said})`}; see ${file}.`,
		{ exitCode: exit.unreachable },
	)
}

function daemonEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
	const kept = passedOn.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]]))
	return { ...Object.fromEntries(kept), ...givesBack }
}

/** One old log is kept. Throws `home_not_writable`, `disk_full`. */
function openLog(folder: string): number {
	const file = join(folder, 'backend.log')
	try {
		const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0
		if (size > maxLogBytes) renameSync(file, `${file}.1`)
		return openSync(file, 'a', 0o600)
	} catch (cause) {
		throw homeError(cause, file)
	}
}

function lastLine(file: string): string {
	try {
		const lines = readFileSync(file, 'utf8').trimEnd().split('\n')
		return (lines.at(-1) ?? '').slice(0, 300)
	} catch {
		return ''
	}
}
