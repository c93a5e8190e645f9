/** A session page by page: nothing is lost or doubled at the edges, and what lacks is marked. */
import { beforeEach, expect, test } from 'vitest'
import type { Account } from '../../source/account/account.ts'
import { randomId } from '../../source/protocol/device.ts'
import { StoredPages } from '../../source/viewer/session-pages.ts'
import type { ShownMessage } from '../../source/viewer/viewer.ts'
import { openAccount, TestSession } from '../tools/account.ts'
import { MemoryBackend } from '../tools/memory-gateway.ts'

let backend: MemoryBackend
let account: Account
let session: TestSession
let pages: StoredPages

/** So long that it takes several rows. */
const long = 'x'.repeat(300_000)

beforeEach(async () => {
	backend = new MemoryBackend()
	account = await openAccount(backend.gateway(randomId()))
	session = await new TestSession(account).create()
	for (let index = 1; index <= 5; index++) await session.say(`message ${index}`)
	await session.say(long)
	for (let index = 1; index <= 5; index++) await session.say(`later ${index}`)
	pages = new StoredPages(account, session.id)
})

const rows = () => backend.sessions.get(session.id)?.messages ?? []
const ends = (all: readonly ShownMessage[]) => all.map(({ seq, rows }) => [seq, seq + rows - 1])

async function forward(limit: number): Promise<ShownMessage[]> {
	const all: ShownMessage[] = []
	for (let place = 0, more = true; more; ) {
		const page = await pages.after(place, limit)
		all.push(...page.messages)
		expect(page.place > place || !page.more).toBe(true)
		;({ place, more } = page)
	}
	return all
}

async function backward(limit: number): Promise<ShownMessage[]> {
	const all: ShownMessage[] = []
	for (let place = (await pages.last()) + 1, more = true; more; ) {
		const page = await pages.before(place, limit)
		all.unshift(...page.messages)
		;({ place, more } = page)
	}
	return all
}

test.each([1, 2, 3, 5, 200])('pages of %i have every message once, both ways', async (limit) => {
	const all = await forward(limit)
	expect(all).toHaveLength(11)
	expect(all.every(({ verified, problem }) => verified && problem === null)).toBe(true)
	let next = 1
	for (const [from = 0, to = 0] of ends(all)) {
		expect(from).toBe(next)
		next = to + 1
	}
	expect(next - 1).toBe(rows().length)
	expect(ends(await backward(limit))).toEqual(ends(all))
})

test('rows that are withheld at the end are marked, once it is known that they should be there', async () => {
	const { length } = rows()
	await pages.last()
	rows().splice(-3)
	const all = await forward(4)
	const wrong = all.filter(({ problem }) => problem !== null)
	expect(wrong.map(({ seq, rows: count }) => [seq, seq + count - 1]).at(-1)?.[1]).toBe(length)
	expect(wrong[0]?.seq).toBe(length - 2)
})

test('a row that was changed shows at its place', async () => {
	const changed = rows()[2]
	if (changed) changed.created_at = '2020-01-01T00:00:00.000Z'
	const all = await forward(2)
	expect(all.filter(({ problem }) => problem !== null).map(({ seq }) => seq)).toEqual([3])
})

test('rows are handed out as they are stored', async () => {
	expect(await pages.rows(2, 3)).toEqual(rows().slice(1, 4))
	expect(await pages.rows(rows().length, 5)).toEqual(rows().slice(-1))
})
