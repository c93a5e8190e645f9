import { readFileSync } from 'node:fs'
import { rm, stat, utimes, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import * as v from 'valibot'
import { homeError, systemCode } from '../config/home-error.ts'
import { holdLock } from '../config/lock.ts'
import { ensureFolder } from '../config/paths.ts'
import { readState, writeState } from '../config/state.ts'
import { StyrbyError } from '../protocol/errors.ts'

const beatMs = 30_000
/** After so long without a sign, a holder on another host is taken for dead. */
const staleMs = 180_000

const holderSchema = v.object({
	v: v.literal(1),
	host: v.string(),
	/** The system's own id of the machine, where it has one: names change with the network. */
	machine: v.nullable(v.string()),
	start: v.string(),
})

export interface HostIdentity {
	readonly host: string
	readonly machine: string | null
}

export interface HeldFolder extends AsyncDisposable {
	readonly folder: string
}

export interface HoldOptions {
	readonly folder: string
	/** Id of this start. */
	readonly start: string
	readonly identity?: HostIdentity
	/** Another host took the folder over while this one slept: nothing may be written any more. */
	readonly onLost: () => void
}

/**
 * Makes this process the only one that uses the folder, for as long as it lives. Within one machine
 * the system keeps the lock and drops it however we die; a home shared over a network may not, so
 * the holder's host stands in a file beside it, freshened every 30 s and removed at the end.
 * Throws `backend_already_running`, `data_folder_of_other_host`, and the errors of `ensureFolder`.
 */
export async function holdDataFolder(options: HoldOptions): Promise<HeldFolder> {
	const { folder, start } = options
	const identity = options.identity ?? thisHost()
	await ensureFolder(folder)
	const lock = await holdLock(folder, 'backend')
	if (lock === null) {
		throw new StyrbyError(
			'backend_already_running',
			'The embedded backend of this data folder is running already; use that one, or stop it first.',
		)
	}
	const file = join(folder, 'holder.json')
	try {
		await refuseOtherHost(folder, file, identity)
		await writeState(file, holderSchema, { v: 1, ...identity, start })
	} catch (error) {
		await lock[Symbol.asyncDispose]()
		throw error
	}

	const beat = async () => {
		const holder = await readState(file, holderSchema)
		if (holder?.start !== start) return options.onLost()
		const now = new Date()
		await utimes(file, now, now)
	}
	// A beat that fails (a full disk, a network that is away) is no reason to stop; the next may not.
	const timer = setInterval(() => void beat().catch(() => undefined), beatMs)
	return {
		folder,
		async [Symbol.asyncDispose]() {
			clearInterval(timer)
			const holder = await readState(file, holderSchema).catch(() => null)
			if (holder?.start === start) await rm(file, { force: true })
			await lock[Symbol.asyncDispose]()
		},
	}
}

async function refuseOtherHost(folder: string, file: string, own: HostIdentity): Promise<void> {
	const holder = await readState(file, holderSchema)
	if (holder === null || sameHost(holder, own)) return
	const touched = (await stat(file)).mtimeMs
	if ((await folderClock(folder)) - touched > staleMs) return
	throw new StyrbyError(
		'data_folder_of_other_host',
		`This data folder is in use by ${JSON.stringify(holder.host)}: stop the backend there, or set STYRBY_HOME to a folder of this machine.`,
	)
}

/** What time it is for whoever stamps the files of this folder, in ms. */
async function folderClock(folder: string): Promise<number> {
	const probe = join(folder, '.clock')
	try {
		await writeFile(probe, '', { mode: 0o600 })
		return (await stat(probe)).mtimeMs
	} catch (cause) {
		throw homeError(cause, folder)
	} finally {
		await rm(probe, { force: true })
	}
}

function sameHost(one: HostIdentity, other: HostIdentity): boolean {
	if (one.machine !== null && other.machine !== null) return one.machine === other.machine
	return one.host === other.host
}

export function thisHost(): HostIdentity {
	return { host: hostname(), machine: machineId() }
}

function machineId(): string | null {
	if (process.platform !== 'linux') return null
	try {
		const id = readFileSync('/etc/machine-id', 'utf8').trim()
		return /^[0-9a-f]{32}$/.test(id) ? id : null
	} catch (cause) {
		if (['ENOENT', 'EACCES'].includes(systemCode(cause))) return null
		throw cause
	}
}
