/** The embedded backend, and what waits for it. */
import { existsSync } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { homeError, systemCode } from '../../config/home-error.ts'
import { tryLock } from '../../config/lock.ts'
import type { Home } from '../../config/paths.ts'
import { locksIn } from '../../host/host-lock.ts'
import { outboxSessions, pendingRows } from '../../host/outbox-files.ts'
import { connectEmbedded, type EmbeddedState, embeddedState } from '../../server/discover.ts'
import { backendFolder } from '../../server/installation.ts'
import { type Check, checking, fail, ok, sizeText, warn } from './check.ts'

const log = (home: Home) => `See ${join(home.log, 'backend.log')}.`

/** A clock that is off by more than this makes tokens and requests expire early or late, ms. */
const clockLimit = 5_000

/** `start`: there is an account, so the backend has to come up. */
export async function checkBackend(home: Home, start: boolean): Promise<Check[]> {
	const checks: Check[] = []
	const state = { current: null as EmbeddedState | null }
	checks.push(
		await checking('backend', async () => {
			if (start) await connectEmbedded({ data: home.data, run: home.run, log: home.log })
			state.current = await embeddedState(home)
			if (state.current === null) {
				return ok('backend', 'embedded, not running: the first command that needs it starts it')
			}
			const { url, version, pid, urls } = state.current
			const others = urls.length === 0 ? '' : `, for other machines at ${urls.join(', ')}`
			return ok('backend', `embedded ${version}, answers at ${url} (process ${pid})${others}`)
		}),
	)
	checks.push(await checking('storage', () => checkStorage(home, state.current)))
	checks.push(await checking('lock', () => checkLock(home, state.current !== null)))
	checks.push(checkClock(state.current?.clockOffMs ?? null))
	return checks
}

async function checkStorage(home: Home, state: EmbeddedState | null): Promise<Check> {
	const folder = backendFolder(home.data)
	const size = sizeText(await folderSize(folder))
	if (!existsSync(folder)) return ok('storage', `${folder}, not made yet`)
	if (state === null) return ok('storage', `${folder}, ${size}`)
	const { fsync, method, commit, syncs } = state.storage
	const synced = syncs === null ? '' : `, ${syncs} syncs since its start`
	const detail = `${folder}, ${size}, fsync ${fsync} (${method}), synchronous_commit ${commit}${synced}`
	const durable = fsync === 'on' && commit !== 'off' && commit !== 'local' && syncs !== 0
	return durable
		? ok('storage', detail)
		: fail('storage', detail, 'Switch fsync and synchronous_commit on: a crash may lose messages.')
}

async function folderSize(folder: string): Promise<number> {
	try {
		const entries = await readdir(folder, { recursive: true, withFileTypes: true })
		const files = entries.filter((entry) => entry.isFile())
		const sizes = await Promise.all(files.map((one) => fileSize(join(one.parentPath, one.name))))
		return sizes.reduce((sum, size) => sum + size, 0)
	} catch (error) {
		if (systemCode(error) === 'ENOENT') return 0
		throw homeError(error, folder)
	}
}

/** A database makes and deletes files while they are counted. */
async function fileSize(path: string): Promise<number> {
	return (await stat(path).catch(() => null))?.size ?? 0
}

/** The lock that keeps a second process from the database, which would destroy it. */
function checkLock(home: Home, running: boolean): Check {
	const folder = backendFolder(home.data)
	if (!existsSync(join(folder, 'backend.lock'))) return ok('lock', 'not taken yet')
	using taken = tryLock(folder, 'backend')
	if (taken === null) {
		return running
			? ok('lock', 'the data folder is held by the running backend alone')
			: warn('lock', 'a process that does not answer holds the data folder', log(home))
	}
	return running
		? fail('lock', 'the running backend does not hold its data folder', `Stop it. ${log(home)}`)
		: ok('lock', 'nobody holds the data folder')
}

/** `offMs`: the backend's clock minus ours; `null` where it can't be told. */
export function checkClock(offMs: number | null): Check {
	if (offMs === null) return ok('clock', 'nothing runs to compare it with')
	const off = Math.round(Math.abs(offMs))
	if (off <= clockLimit) return ok('clock', `${off} ms from the backend’s`)
	const seconds = Math.round(off / 1000)
	return fail('clock', `${seconds} s from the backend’s`, 'Set the clock, or have NTP set it.')
}

export async function checkOutbox(home: Home): Promise<Check> {
	return checking('outbox', async () => {
		const pending = pendingRows(home.data)
		const sessions = outboxSessions(home.data)
		const stale: string[] = []
		for (const session of sessions) {
			await using lock = await locksIn(home.data)(session)
			if (lock) stale.push(session)
		}
		const live = sessions.length - stale.length
		const waiting = pending === 0 ? 'empty' : `${pending} messages wait to be sent`
		const hosts = live === 0 ? '' : `; live hosts: ${live}`
		if (stale.length === 0) return ok('outbox', waiting + hosts)
		const names = stale.slice(0, 5).map((id) => id.slice(0, 8))
		const dead = `${stale.length} left by hosts that died (${names.join(', ')})`
		const mend = 'Run an agent, or the viewer: what they left is sent by the next one.'
		return warn('outbox', `${waiting}${hosts}; ${dead}`, mend)
	})
}
