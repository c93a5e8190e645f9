import { beforeEach, expect, test } from 'vitest'
import type { Account } from '../../source/account/account.ts'
import { randomId } from '../../source/protocol/device.ts'
import { type OpenedViewer, openViewer } from '../../source/viewer/open-viewer.ts'
import type { SearchState } from '../../source/viewer/viewer.ts'
import { openAccount, TestSession } from '../tools/account.ts'
import { MemoryBackend } from '../tools/memory-gateway.ts'
import { reaches } from './_until.ts'

let backend: MemoryBackend
let account: Account

beforeEach(async () => {
	backend = new MemoryBackend()
	account = await openAccount(backend.gateway(randomId()))
})

function open(): OpenedViewer {
	return openViewer({
		account,
		backend: { kind: 'embedded', url: 'memory://' },
		vault: { kind: 'memory', detail: '' },
		now: () => new Date(),
	})
}

async function found(viewer: OpenedViewer, query: string): Promise<SearchState> {
	viewer.search.start()
	await reaches(viewer.search.state, ({ index }) => index.upToDate)
	viewer.search.ask(query)
	return reaches(viewer.search.state, (state) => state.query === query && !state.searching)
}

test('finds what was said, with the words marked', async () => {
	const session = await new TestSession(account).create()
	await session.say('first we look around')
	await session.say('then we add a Rate Limit to the route')
	await using viewer = open()
	const { hits, total, words } = await found(viewer, 'rate limit')
	expect(total).toBe(1)
	expect(words).toEqual(['rate', 'limit'])
	expect(hits[0]).toMatchObject({ session: session.id, seq: 2, kind: 'agent_response' })
	const [hit] = hits
	expect(hit?.matches.map(([from, to]) => hit.snippet.slice(from, to))).toEqual(['Rate', 'Limit'])
})

test('finds what is said while it is open', async () => {
	const session = await new TestSession(account).create()
	await session.say('one')
	await using viewer = open()
	expect((await found(viewer, 'zebra')).total).toBe(0)
	await session.say('a zebra crosses')
	await reaches(viewer.search.state, ({ total }) => total === 1)
})
