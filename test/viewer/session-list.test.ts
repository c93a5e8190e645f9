/** The list of sessions over many pages. */
import { expect, onTestFinished, test, vi } from 'vitest'
import { renameDevice } from '../../source/account/devices.ts'
import type { SessionRow } from '../../source/backend/gateway.ts'
import { FeedPool } from '../../source/viewer/session-feed.ts'
import { listPage, SessionList } from '../../source/viewer/session-list.ts'
import { firstHome } from '../account/_devices.ts'
import { TestSession } from '../tools/account.ts'

const start = Date.parse('2026-03-01T12:00:00.000Z')

/** A home with so many sessions, the newest first, and their list; `change` alters the server's rows. */
async function withSessions(
	count: number,
	change: (row: SessionRow, index: number) => Partial<SessionRow> = () => ({}),
) {
	const { gateway, account, backend } = await firstHome()
	const sessions = await Promise.all(
		Array.from({ length: count }, () => new TestSession(account).create()),
	)
	const set = (index: number, changed: Partial<SessionRow>) => {
		const stored = backend.sessions.get(sessions[index]?.id ?? '')
		if (!stored) throw new Error(`no session ${index}`)
		stored.row = { ...stored.row, ...changed }
	}
	for (const [index, { id }] of sessions.entries()) {
		const row = backend.sessions.get(id)?.row
		if (!row) throw new Error('not stored')
		const at = new Date(start - 60_000 * index).toISOString()
		set(index, { status: 'stopped', ended_at: at, last_activity_at: at, ...change(row, index) })
	}
	const list = new SessionList(account, new FeedPool(account), () => new Date(start))
	const ids = sessions.map(({ id }) => id)
	return { gateway, account, list, ids, set }
}

const idsOf = (list: SessionList) => list.sessions.get().map(({ id }) => id)

test('older sessions are read page by page, each once, until there are none', async () => {
	const { list, ids } = await withSessions(2 * listPage + 30)
	using _ = list
	await list.refresh()
	expect(idsOf(list)).toEqual(ids.slice(0, listPage))
	expect(list.listing.get()).toEqual({ more: true, loading: false })
	// One that was opened from elsewhere, and lies far below what was read.
	await list.refreshOne(ids[2 * listPage + 10] ?? '')
	const loading = list.more()
	expect(list.listing.get()).toEqual({ more: true, loading: true })
	// Asked twice, read once.
	expect(list.more()).toBe(loading)
	expect(await loading).toBe(true)
	expect(idsOf(list)).toEqual([...ids.slice(0, 2 * listPage), ids[2 * listPage + 10]])
	expect(await list.more()).toBe(true)
	expect(idsOf(list)).toEqual(ids)
	expect(list.listing.get()).toEqual({ more: false, loading: false })
	expect(await list.more()).toBe(false)
})

test('of sessions of the same moment none is passed over between two pages', async () => {
	const at = new Date(start).toISOString()
	const { list, ids } = await withSessions(listPage + 20, () => ({ last_activity_at: at }))
	using _ = list
	await list.refresh()
	await list.more()
	expect(idsOf(list).toSorted()).toEqual(ids.toSorted())
})

test('one that goes on, or waits, is listed however long nothing has happened in it', async () => {
	const [running, waiting] = [listPage + 15, listPage + 16]
	const { list, ids } = await withSessions(listPage + 20, (_, index) =>
		index === running ? { status: 'idle', ended_at: null } : {},
	)
	using _ = list
	await list.refresh()
	expect(idsOf(list)).toEqual([...ids.slice(0, listPage), ids[running]])
	await list.include([ids[waiting] ?? '', ids[3] ?? ''])
	expect(idsOf(list)).toEqual([...ids.slice(0, listPage), ids[running], ids[waiting]])
	await list.more()
	expect(idsOf(list)).toEqual(ids)
})

test('what changes of one session leaves all others as they are, and takes its place by its time', async () => {
	const { list, ids, set } = await withSessions(20)
	using _ = list
	await list.refresh()
	const before = list.sessions.get()
	await list.refresh()
	expect(list.sessions.get()).toBe(before)
	set(7, { last_activity_at: new Date(start + 1000).toISOString(), last_seq: 9 })
	await list.refreshOne(ids[7] ?? '')
	const after = list.sessions.get()
	expect(after[0]).toMatchObject({ id: ids[7], messages: 9 })
	expect(after.slice(1)).toEqual(before.filter(({ id }) => id !== ids[7]))
	for (const one of after.slice(1)) expect(before).toContain(one)
	set(7, { last_activity_at: new Date(start - 12.5 * 60_000).toISOString() })
	await list.refreshOne(ids[7] ?? '')
	expect(idsOf(list).indexOf(ids[7] ?? '')).toBe(12)
})

test('after more news than a page has, what lies between is read too', async () => {
	const { list, ids, set } = await withSessions(2 * listPage + 20)
	using _ = list
	for (let index = 0; index < listPage + 10; index++) {
		set(index, { last_activity_at: new Date(start - 1e9 - index).toISOString() })
	}
	await list.refresh()
	for (let index = 0; index < listPage + 10; index++) {
		set(index, { last_activity_at: new Date(start + 1e9 - index).toISOString() })
	}
	await list.refresh()
	await list.more()
	await list.more()
	expect(idsOf(list)).toEqual(ids)
})

test('a device that is given another name is shown by it everywhere', async () => {
	const { list, account } = await withSessions(120)
	using _ = list
	await list.refresh()
	const named = (name: string) =>
		list.sessions.get().filter(({ host }) => host.name === name).length
	await renameDevice(account, account.device.record.id, 'another')
	list.lookAgain()
	await expect.poll(() => named('another')).toBe(120)
})

test('a session that falls silent is read again: that it ended may have been missed', async () => {
	vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
	onTestFinished(() => {
		vi.useRealTimers()
	})
	const { account, set } = await withSessions(1, () => ({ status: 'idle', ended_at: null }))
	let clock = start
	using list = new SessionList(account, new FeedPool(account), () => new Date(clock))
	await list.refresh()
	expect(list.sessions.get()).toMatchObject([{ status: 'idle', stale: false }])
	set(0, { status: 'stopped', ended_at: new Date(start).toISOString() })
	vi.advanceTimersByTime(5000)
	await new Promise((resolve) => setTimeout(resolve, 50))
	expect(list.sessions.get()).toMatchObject([{ status: 'idle', stale: false }])
	clock += 60_000
	vi.advanceTimersByTime(5000)
	await expect.poll(() => list.sessions.get()).toMatchObject([{ status: 'stopped', stale: false }])
})
