import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Account } from '../../source/account/account.ts'
import { revokeDevice } from '../../source/account/revoking.ts'
import { hitLines } from '../../source/commands/search-lines.ts'
import { emptyQuery } from '../../source/search/query.ts'
import { type OpenedViewer, openViewer } from '../../source/viewer/open-viewer.ts'
import { Value } from '../../source/viewer/readable.ts'
import { SearchEngine } from '../../source/viewer/search/engine.ts'
import { SearchModel } from '../../source/viewer/search/search-model.ts'
import type { SearchState } from '../../source/viewer/viewer.ts'
import { firstHome, newHome, pair } from '../account/_devices.ts'
import hostile from '../fixtures/hostile-text.json' with { type: 'json' }
import { TestSession } from '../tools/account.ts'
import type { MemoryBackend } from '../tools/memory-gateway.ts'
import { reaches } from './_until.ts'

let backend: MemoryBackend
let account: Account
let folder: string

beforeEach(async () => {
	;({ backend, account } = await firstHome())
	folder = join(await mkdtemp(join(tmpdir(), 'search-')), 'index')
})
afterEach(() => rm(join(folder, '..'), { recursive: true, force: true }))

function open(searchFolder: string | null = null, of = account): OpenedViewer {
	return openViewer({
		account: of,
		backend: { kind: 'embedded', url: 'memory://' },
		vault: { kind: 'memory', detail: '' },
		now: () => new Date(),
		...(searchFolder === null ? {} : { searchFolder }),
	})
}

async function ready({ search }: Pick<OpenedViewer, 'search'>): Promise<SearchState> {
	search.start()
	return reaches(search.state, ({ index }) => index.upToDate)
}

async function found(viewer: Pick<OpenedViewer, 'search'>, query: string): Promise<SearchState> {
	await ready(viewer)
	viewer.search.ask(query)
	return reaches(viewer.search.state, (state) => state.query === query && !state.searching)
}

async function sessionSaying(...texts: readonly string[]): Promise<TestSession> {
	const session = await new TestSession(account).create()
	for (const text of texts) await session.say(text)
	return session
}

const reads = () => backend.calls.filter((name) => name === 'read_messages').length

test('nothing runs before it is started', async () => {
	await sessionSaying('one')
	await using viewer = open(folder)
	await viewer.ready
	viewer.search.ask('one')
	expect(reads()).toBe(0)
	expect(viewer.search.state.get()).toMatchObject({ searching: true, hits: [] })
	viewer.search.start()
	await reaches(viewer.search.state, ({ total, searching }) => total === 1 && !searching)
})

test('finds what was said, with the words marked', async () => {
	const session = await sessionSaying('first we look around', 'then a Rate Limit for the route')
	await using viewer = open()
	const { hits, total, words } = await found(viewer, 'rate limit agent:claude')
	expect(total).toBe(1)
	expect(words).toEqual(['rate', 'limit'])
	const [hit] = hits
	expect(hit).toMatchObject({
		session: session.id,
		seq: 2,
		kind: 'agent_response',
		title: 'a title',
	})
	expect(hit?.matches.map(([from, to]) => hit.snippet.slice(from, to))).toEqual(['Rate', 'Limit'])
	expect((await found(viewer, 'rate agent:codex')).total).toBe(0)
	expect((await found(viewer, 'agent:claude kind:response')).total).toBe(2)
})

test('what is wrong with a query is in the state, and what was found is gone', async () => {
	await sessionSaying('one')
	await using viewer = open()
	expect((await found(viewer, 'one')).total).toBe(1)
	viewer.search.ask('one colour:red')
	const { problem, hits, searching } = viewer.search.state.get()
	expect(problem).toMatchObject({ code: 'unknown_field', at: 4 })
	expect([hits, searching]).toEqual([[], false])
})

test('the last of many questions is answered', async () => {
	await sessionSaying('one', 'two', 'one two')
	await using viewer = open()
	await ready(viewer)
	for (const query of ['o', 'on', 'one', 'one t', 'one two']) viewer.search.ask(query)
	const state = await reaches(viewer.search.state, ({ searching }) => !searching)
	expect([state.query, state.total]).toEqual(['one two', 1])
})

test('a question at any moment after an answer is answered', async () => {
	await sessionSaying('one', 'two')
	await using viewer = open()
	await ready(viewer)
	const { search } = viewer
	for (let steps = 0; steps < 12; steps++) {
		await new Promise<void>((resolve) => {
			const stop = search.state.subscribe(() => {
				if (search.state.get().searching) return
				stop()
				resolve()
			})
			search.ask('one')
		})
		for (let step = 0; step < steps; step++) await Promise.resolve()
		search.ask('two')
		await reaches(search.state, ({ query, searching }) => query === 'two' && !searching)
	}
})

test('of questions that come together only the last is worked on', async () => {
	const key = new Uint8Array(32)
	await using engine = new SearchEngine({ folder: null, key, account: account.id })
	await engine.open()
	const ask = (text: string) =>
		engine.ask({ ...emptyQuery, terms: [{ text, not: false }] }, 10, () => undefined)
	const answers = await Promise.all(['o', 'on', 'one'].map(ask))
	expect(answers).toEqual([null, null, { hits: [], total: 0 }])
})

test('more brings the next ones', async () => {
	await sessionSaying(...Array.from({ length: 70 }, (_, index) => `number ${index}`))
	await using viewer = open()
	expect(await found(viewer, 'number')).toMatchObject({ total: 70, hits: { length: 50 } })
	viewer.search.more()
	const { hits } = await reaches(viewer.search.state, (state) => state.hits.length > 50)
	expect(hits.map(({ seq }) => seq)).toEqual(Array.from({ length: 70 }, (_, index) => 70 - index))
})

test('finds what is said while it is open', async () => {
	const session = await sessionSaying('one')
	await using viewer = open()
	expect((await found(viewer, 'zebra')).total).toBe(0)
	await session.say('a zebra crosses')
	await reaches(viewer.search.state, ({ total }) => total === 1)
})

test('a long body is found wherever its parts were cut, also when they come later', async () => {
	const session = await sessionSaying(...Array.from({ length: 48 }, () => 'filler'))
	const text = `begin ${'x y '.repeat(60_000)} end`
	await session.say(text)
	await using viewer = open()
	expect(session.chain.seq).toBeGreaterThan(50)
	const { hits, index } = await found(viewer, '"begin x"')
	expect(hits.map(({ seq }) => seq)).toEqual([49])
	expect(index).toMatchObject({ messages: 49, problem: null })
	expect((await found(viewer, '"y end"')).total).toBe(1)
})

test('the next one has it already, and reads only what is new', async () => {
	const session = await sessionSaying('one', 'two')
	const alone = async () => {
		await using search = new SearchModel({
			account,
			sessions: new Value([]),
			folder,
			now: () => new Date(),
			crashed: (error) => {
				throw error
			},
		})
		const before = reads()
		const { total } = await found({ search }, 'two')
		return { total, reads: reads() - before }
	}
	expect(await alone()).toEqual({ total: 1, reads: 1 })
	expect(await alone()).toEqual({ total: 1, reads: 0 })
	await session.say('three two')
	expect(await alone()).toEqual({ total: 2, reads: 1 })
})

test('an index that was changed is told of and built anew', async () => {
	await sessionSaying('one', 'two')
	{
		await using viewer = open(folder)
		await ready(viewer)
	}
	const state = join(folder, 'state')
	const bytes = await readFile(state)
	bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1
	await writeFile(state, bytes)
	const problems = new Set<string | null>()
	await using viewer = open(folder)
	viewer.search.state.subscribe(() => problems.add(viewer.search.state.get().index.problem))
	const { total, index } = await found(viewer, 'two')
	expect([...problems].join()).toContain('damaged or changed')
	expect([total, index.problem, index.messages]).toEqual([1, null, 2])
})

test('texts that were changed on the disk are found out when they are looked at', async () => {
	await sessionSaying('one two')
	{
		await using viewer = open(folder)
		await ready(viewer)
	}
	const [name = ''] = (await readdir(folder)).filter((each) => each.endsWith('.segment'))
	await using viewer = open(folder)
	await ready(viewer)
	const bytes = await readFile(join(folder, name))
	bytes[40] = (bytes[40] ?? 0) ^ 1
	await writeFile(join(folder, name), bytes)
	viewer.search.ask('"one two"')
	const { hits } = await reaches(
		viewer.search.state,
		({ total, index }) => total > 0 && index.upToDate,
	)
	expect(hits[0]?.snippet).toBe('one two')
})

test('what does not verify is never found; what verifies later is', async () => {
	const session = await sessionSaying('alpha one', 'alpha two', 'alpha three', 'alpha four')
	const { messages } = backend.sessions.get(session.id) ?? { messages: [] }
	const [first, second, third] = messages.map((row) => ({ ...row }))
	if (!first || !second || !third) throw new Error('no rows')
	// One altered, one from elsewhere in the session, one withheld.
	messages[0] = { ...first, created_at: '2020-01-01T00:00:00.000Z' }
	messages[1] = { ...third, seq: 2 }
	messages.splice(2, 1)
	{
		await using viewer = open(folder)
		const { hits, index } = await found(viewer, 'alpha')
		expect(hits.map(({ seq }) => seq)).toEqual([4])
		expect(index.messages).toBe(1)
		expect(index.problem).toContain('3 messages did not verify')
	}
	messages.splice(0, 2, first, second, third)
	await using viewer = open(folder)
	const { hits, index } = await found(viewer, 'alpha')
	expect(hits.map(({ seq }) => seq)).toEqual([4, 3, 2, 1])
	expect(index).toMatchObject({ messages: 4, problem: null })
})

test('a device that is revoked keeps nothing', async () => {
	const laptop = await pair(account, newHome(account.gateway, 'laptop'))
	await sessionSaying('one')
	await using viewer = open(folder, laptop)
	expect((await found(viewer, 'one')).total).toBe(1)
	expect(await readdir(folder)).not.toEqual([])
	await revokeDevice(account, laptop.device.record.id, { waitMs: 0 })
	await laptop.log.refresh()
	await reaches(viewer.search.state, ({ hits, query }) => hits.length === 0 && query === '')
	await expect.poll(() => readdir(folder).catch(() => null), { timeout: 10_000 }).toBeNull()
})

test('without a place on the disk it is in memory, and says so', async () => {
	await sessionSaying('one')
	await writeFile(folder, 'a file in the way')
	await using viewer = open(folder)
	const { total, index } = await found(viewer, 'one')
	expect(total).toBe(1)
	expect(index.problem).toContain('not kept')
	expect(await readFile(folder, 'utf8')).toBe('a file in the way')
})

test('while the backend is away, what was read is found', async () => {
	await sessionSaying('one')
	{
		await using viewer = open(folder)
		await ready(viewer)
	}
	await using viewer = open(folder)
	await viewer.ready
	backend.cut()
	viewer.search.start()
	viewer.search.ask('one')
	const state = await reaches(viewer.search.state, ({ total }) => total === 1)
	expect(state.index.upToDate).toBe(false)
	await reaches(
		viewer.search.state,
		({ index }) => index.problem?.includes('out of reach') === true,
	)
})

test('hostile text is found by what it says, and acts nowhere', async () => {
	const texts = hostile.flatMap(({ text }) => (text === undefined ? [] : [`needle ${text} tail`]))
	expect(texts.length).toBeGreaterThan(15)
	await sessionSaying(...texts)
	await using viewer = open()
	const { hits, total } = await found(viewer, 'needle')
	expect(total).toBe(texts.length)
	for (const hit of hits) {
		const lines = hitLines(hit, 80, new Date())
		expect(lines.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Bidi_Control}\u200b]/u)
	}
})
