/** The list of sessions on the screen: filtered, archived, and longer than it. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { checkAgent, checkTitle } from '../../source/protocol/check-session.ts'
import { ArchiveFile } from '../../source/viewer/archive.ts'
import { keys } from './_screen.ts'
import { Stage, twoWaiting } from './_stage.ts'
import { at, summary, uuid } from './_viewer.ts'

const over = { status: 'stopped', pending: 0 }

/** Five sessions: one live, four that are over. */
function fiveSessions(): Stage {
	const stage = new Stage()
	const of = (index: number, agent: string, project: string, title: string, days: number) =>
		summary({
			...{ id: uuid(index), agent, project, title, cwd: `/home/sam/${project}`, ...over },
			startedAt: at(days * 86_400 + 60),
			lastActivityAt: at(days * 86_400),
			endedAt: at(days * 86_400),
		})
	stage.viewer.sessions.set([
		summary({ id: uuid(1), project: 'shop', title: 'Mend the cart', cwd: '/home/sam/shop' }),
		of(2, 'codex', 'api-server', 'Limit the rate', 1),
		of(3, 'codex', 'web', 'Dark mode', 2),
		of(4, 'gemini', 'api-server', 'Write the docs', 9),
		of(5, 'claude', 'etl', 'Load faster', 30),
	])
	return stage
}

describe('the filter', () => {
	test.concurrent('narrows the list while it is typed; enter keeps it, escape lists all again', async () => {
		await using stage = fiveSessions()
		const screen = await stage.open({ columns: 80, rows: 30 })
		await screen.press('f')
		await screen.press('agent:codex')
		expect(screen.text()).toContain('List only')
		expect(screen.text()).toContain('Limit the rate')
		expect(screen.text()).toContain('Dark mode')
		expect(screen.text()).not.toContain('Mend the cart')
		expect(screen.text()).toMatch(/sessions · 2 · filter agent:codex/)
		// The highlight moves in what is listed while it is being typed.
		await screen.press(keys.down)
		await screen.press(keys.enter)
		expect(screen.text()).not.toContain('List only')
		expect(screen.text()).toMatch(/▸· web/)
		expect(screen.text()).not.toContain('Mend the cart')
		await screen.press(keys.escape)
		expect(screen.text()).toContain('Mend the cart')
		expect(screen.text()).not.toContain('filter agent')
	})

	test.concurrent('escape while it is typed leaves the list as it was', async () => {
		await using stage = fiveSessions()
		const screen = await stage.open({ columns: 80, rows: 30 })
		await screen.press('f')
		await screen.press('web')
		expect(screen.text()).not.toContain('Load faster')
		await screen.press(keys.escape)
		expect(screen.text()).toContain('Load faster')
	})

	test.concurrent.each([
		['api since:3d', ['Limit the rate']],
		['-api is:over', ['Dark mode', 'Load faster']],
		['project:api until:5d', ['Write the docs']],
		['"dark mode"', ['Dark mode']],
		['host:build-box is:live', ['Mend the cart']],
	])('%s', async (query, found) => {
		await using stage = fiveSessions()
		const screen = await stage.open({ columns: 90, rows: 30 })
		await screen.press('f')
		await screen.press(query)
		await screen.press(keys.enter)
		const titles = ['Mend the cart', 'Limit the rate', 'Dark mode', 'Write the docs', 'Load faster']
		const list = screen.text().split(/─ /)[0] ?? ''
		expect(titles.filter((title) => list.includes(title))).toEqual(found)
	})

	test.concurrent('what it does not understand is said, and all are listed', async () => {
		await using stage = fiveSessions()
		const screen = await stage.open({ columns: 90, rows: 30 })
		await screen.press('f')
		await screen.press('agnet:codex x')
		expect(screen.text()).toContain('There is no field "agnet"')
		expect(screen.text()).toContain('did you mean agent')
		expect(screen.text()).toContain('Load faster')
	})

	test.concurrent('a session that waits is listed whatever is filtered', async () => {
		await using stage = twoWaiting()
		const screen = await stage.open()
		await screen.press('f')
		await screen.press('nothing-like-it')
		await screen.press(keys.enter)
		expect(screen.text()).toContain('waiting for you 2')
	})

	test.concurrent('older sessions are read until it has seen all of them', async () => {
		await using stage = fiveSessions()
		stage.viewer.listing.set({ more: true, loading: false })
		const screen = await stage.open({ columns: 80, rows: 9 })
		stage.viewer.sessions.update((all) => [
			...all,
			...Array.from({ length: 50 }, (_, index) =>
				summary({ id: uuid(100 + index), ...over, endedAt: at(9e6), lastActivityAt: at(9e6) }),
			),
		])
		await screen.settled()
		const before = stage.viewer.askedSessions
		stage.viewer.listing.set({ more: true, loading: false })
		await screen.settled()
		expect(stage.viewer.askedSessions).toBe(before)
		await screen.press('f')
		await screen.press('etl')
		await screen.settled()
		expect(stage.viewer.askedSessions).toBe(before + 1)
		expect(screen.text()).toContain('Load faster')
	})
})

describe('the archive', () => {
	test.concurrent('puts a session out of sight, lists it on request, and takes it back', async () => {
		await using stage = fiveSessions()
		const screen = await stage.open({ columns: 90, rows: 30 })
		await screen.press('j')
		await screen.press('z')
		await screen.settled()
		expect(screen.text()).toContain('Archived api-server: f is:archived lists it.')
		expect(screen.text()).toContain('sessions · 1 archived')
		const list = () => screen.text().split(/─ /)[0]
		expect(list()).not.toContain('Limit the rate')
		expect(screen.text()).toMatch(/▸· web/)
		await screen.press('f')
		await screen.press('is:archived')
		await screen.press(keys.enter)
		expect(list()).toContain('Limit the rate')
		expect(list()).not.toContain('Dark mode')
		await screen.press('z')
		await screen.press(keys.escape)
		await screen.settled()
		expect(list()).toContain('Limit the rate')
		expect(screen.text()).not.toContain('archived')
	})

	test.concurrent('has what verify sends to itself from the start, and that is no session of an agent', async () => {
		await using stage = fiveSessions()
		const check = { id: uuid(9), agent: checkAgent, title: checkTitle, project: null, ...over }
		stage.viewer.sessions.update((all) => [summary({ ...check, endedAt: at(1) }), ...all])
		const screen = await stage.open({ columns: 90, rows: 30 })
		expect(screen.text()).toContain('Sessions 5')
		expect(screen.text()).not.toContain('styrby-tui verify')
		expect(screen.text()).not.toContain('archived')
		await screen.press('f')
		await screen.press('is:archived')
		expect(screen.text()).toContain('styrby-tui verify')
		// A server can name any agent, and seal no title.
		stage.viewer.sessions.set([
			summary({ ...check, title: 'Something else' }),
			summary({ ...check, id: uuid(8), problem: 'its name was changed on the server' }),
		])
		await screen.press(keys.escape)
		await screen.settled()
		expect(screen.text()).toContain('Something else')
		expect(screen.text()).toContain('altered')
	})

	test.concurrent('takes no session that waits', async () => {
		await using stage = twoWaiting()
		const screen = await stage.open()
		await screen.press('z')
		expect(screen.text()).toContain('It waits for an answer: that comes first.')
		expect(screen.text()).toContain('waiting for you 2')
	})

	test.concurrent('takes all that is listed and over, once that was confirmed', async () => {
		await using stage = fiveSessions()
		const screen = await stage.open({ columns: 90, rows: 30 })
		await screen.press('f')
		await screen.press('since:10d')
		await screen.press(keys.enter)
		await screen.press('Z')
		expect(screen.text()).toContain('Archive 3 sessions that are over?')
		await screen.press(keys.escape)
		expect(screen.text()).toContain('Dark mode')
		await screen.press('Z')
		await screen.press(keys.enter)
		await screen.press(keys.escape)
		await screen.settled()
		expect(screen.text()).toContain('sessions · 3 archived')
		expect(screen.text()).toContain('Mend the cart')
		expect(screen.text()).toContain('Load faster')
		expect(screen.text()).not.toContain('Dark mode')
	})

	test('is kept in a file of ids, shared by all that change it', async () => {
		const data = await mkdtemp(join(tmpdir(), 'styrby-archive-'))
		try {
			const open = async (account: string) => {
				const file = new ArchiveFile({ data, run: join(data, 'run'), account })
				await file.load()
				return file
			}
			const [one, other] = [await open(uuid(1)), await open(uuid(1))]
			await Promise.all([one.change([uuid(5), uuid(6)], true), other.change([uuid(7)], true)])
			await one.change([uuid(6)], false)
			expect([...(await open(uuid(1))).archived.get()].toSorted()).toEqual([uuid(5), uuid(7)])
			expect((await open(uuid(2))).archived.get().size).toBe(0)
			const file = join(data, 'archived.json')
			await writeFile(file, '{"v":1,"accounts":{"x":[]}}')
			const damaged = new ArchiveFile({ data, run: join(data, 'run'), account: uuid(1) })
			await expect(damaged.load()).rejects.toMatchObject({ code: 'state_corrupt' })
			await expect(damaged.change([uuid(5)], true)).rejects.toMatchObject({ code: 'state_corrupt' })
			expect(await readFile(file, 'utf8')).toBe('{"v":1,"accounts":{"x":[]}}')
		} finally {
			await rm(data, { recursive: true })
		}
	})
})
