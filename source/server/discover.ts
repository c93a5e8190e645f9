/** Finds the embedded backend of a data folder, or starts it. */
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isAlive } from '../config/is-alive.ts'
import { withLock } from '../config/lock.ts'
import { version as ownVersion } from '../config/version.ts'
import { exit, StyrbyError } from '../protocol/errors.ts'
import {
	askForJoin,
	askState,
	askToStop,
	findHealthy,
	type Health,
	type JoinOffer,
} from './health.ts'
import { type Access, backendFolder, readAccess } from './installation.ts'
import { launchDaemon, startFailed } from './launch.ts'
import { readRuntime } from './runtime-file.ts'
import type { StorageState } from './storage-state.ts'
import { isOlder } from './versions.ts'

export interface EmbeddedFolders {
	/** Folders of `Home`. */
	readonly data: string
	readonly run: string
}

export interface ConnectOptions extends EmbeddedFolders {
	readonly log: string
	/** The daemon's program; found beside this module by itself. */
	readonly entry?: URL
	/** After how many ms without a client the daemon ends by itself; default 10 minutes. */
	readonly idleMs?: number
	/** How long a start may take, in ms; default 30,000. */
	readonly timeLimitMs?: number
	/** Called when there is something to wait for. */
	readonly onProgress?: (what: 'starting' | 'upgrading') => void
}

export interface Embedded {
	readonly url: string
	readonly anonKey: string
	readonly pid: number
}

export interface EmbeddedStatus extends Embedded {
	readonly version: string
}

/** What a running backend says of itself, for `doctor`. */
export interface EmbeddedState extends EmbeddedStatus {
	readonly storage: StorageState
	/** Whether a person started it, or a command that needed it. */
	readonly foreground: boolean
	/** Where other machines reach it. */
	readonly urls: readonly string[]
	/** Its clock minus this process's, ms, as far as the time of the call lets it be told. */
	readonly clockOffMs: number
}

/** Less than this is no time to start a daemon in, ms. */
const tooShortMs = 1_000
const defaultIdleMs = 10 * 60_000
const defaultTimeLimitMs = 30_000
const stopLimitMs = 15_000

/**
 * The running backend of this data folder, started in the background when there is none. However many
 * commands ask at once, one daemon comes of it. Throws `backend_start_failed` (exit 5), or what kept
 * the daemon from starting: `data_folder_of_other_host`, `backend_newer`, `disk_full`, ….
 */
export async function connectEmbedded(options: ConnectOptions): Promise<Embedded> {
	const running = await statusEmbedded(options)
	if (running !== null && !isOlder(running.version, ownVersion)) return running
	const deadline = performance.now() + (options.timeLimitMs ?? defaultTimeLimitMs)
	const left = () => Math.max(0, deadline - performance.now())
	return await withLock(options.run, 'backend-start', () => startOne(options, left), {
		timeoutMs: left(),
	})
}

/** What runs for this data folder, or null. Starts nothing. */
export async function statusEmbedded(folders: EmbeddedFolders): Promise<EmbeddedStatus | null> {
	const found = await find(folders)
	if (found === null) return null
	const { access, port, health } = found
	return {
		url: `http://127.0.0.1:${port}`,
		anonKey: access.anonKey,
		pid: health.pid,
		version: health.version,
	}
}

/** What runs and how it keeps its data, or null. Starts nothing. Throws `backend_unreachable`. */
export async function embeddedState(
	folders: EmbeddedFolders,
	now: () => number = Date.now,
): Promise<EmbeddedState | null> {
	const found = await find(folders)
	if (found === null) return null
	const { access, port, health } = found
	const before = now()
	const state = await askState(port, access)
	const after = now()
	if (state === null) throw silent(health, 'how it is')
	const outside =
		state.now < before ? state.now - before : state.now > after ? state.now - after : 0
	return {
		url: `http://127.0.0.1:${port}`,
		anonKey: access.anonKey,
		pid: health.pid,
		version: health.version,
		storage: state.storage,
		foreground: state.foreground,
		urls: state.urls,
		clockOffMs: outside,
	}
}

/** Asks what runs for a secret to join with; null when nothing does. Throws `backend_unreachable`. */
export async function joinEmbedded(folders: EmbeddedFolders): Promise<JoinOffer | null> {
	const found = await find(folders)
	if (found === null) return null
	const offer = await askForJoin(found.port, found.access)
	if (offer === null) throw silent(found.health, 'how to join it')
	return offer
}

function silent({ pid }: Health, what: string): StyrbyError {
	return new StyrbyError(
		'backend_unreachable',
		`The embedded backend (process ${pid}) does not say ${what}: see its log, or end that process.`,
		{ exitCode: exit.unreachable },
	)
}

/**
 * Asks the backend to finish what is under way, and waits until its process has ended. False when none
 * ran. Throws `backend_stop_failed`.
 */
export async function stopEmbedded(folders: EmbeddedFolders): Promise<boolean> {
	const found = await find(folders)
	if (found === null) return false
	await askToStop(found.port, found.access)
	const deadline = performance.now() + stopLimitMs
	while (isAlive(found.health.pid)) {
		if (performance.now() > deadline) {
			throw new StyrbyError(
				'backend_stop_failed',
				`The embedded backend (process ${found.health.pid}) does not end; see its log, or end that process.`,
			)
		}
		await sleep(20)
	}
	return true
}

async function find(
	folders: EmbeddedFolders,
): Promise<{ access: Access; port: number; health: Health } | null> {
	const runtime = await readRuntime(folders.run)
	if (runtime === null) return null
	const access = await readAccess(backendFolder(folders.data))
	if (access === null) return null
	const health = await findHealthy(runtime, access)
	return health === null ? null : { access, port: runtime.port, health }
}

async function startOne(options: ConnectOptions, left: () => number): Promise<Embedded> {
	const running = await statusEmbedded(options)
	if (running !== null) {
		if (!isOlder(running.version, ownVersion)) return running
		options.onProgress?.('upgrading')
		await stopEmbedded(options)
	} else {
		options.onProgress?.('starting')
	}
	const { data, run, log, entry, idleMs = defaultIdleMs } = options
	while (true) {
		const launched = await launchDaemon({ data, run, log, idleMs, entry, timeLimitMs: left() })
		// Also when ours was not the one: a backend in the foreground may be starting right now.
		const found = await statusEmbedded(options)
		if (found !== null) return found
		if (launched === 'ready') throw startFailed(log, 'it did not answer in time')
		if (left() < tooShortMs) throw heldByOther(data, log)
		await sleep(100)
	}
}

function heldByOther(data: string, log: string): StyrbyError {
	return new StyrbyError(
		'backend_unreachable',
		`A process that does not answer holds the data folder ${data}: end it, or wait until it has ended; see ${join(log, 'backend.log')}.`,
		{ exitCode: exit.unreachable },
	)
}
