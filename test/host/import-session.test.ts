import { appendFile, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readHistory } from '../../source/agents/claude/index.ts'
import { HostedSessions } from '../../source/host/hosted-sessions.ts'
import { type ImportResult, importId, importSession } from '../../source/host/import-session.ts'
import { openLabel } from '../../source/protocol/label.ts'
import { makeHost, readSession, type TestHost } from './_host.ts'

let host: TestHost
let hosted: HostedSessions
let folder: string
beforeEach(async () => {
	host = await makeHost()
	hosted = HostedSessions.open(host.dataFolder)
	folder = join(host.dataFolder, 'projects')
	await mkdir(folder)
})
afterEach(async () => {
	hosted[Symbol.dispose]()
	await host[Symbol.asyncDispose]()
})

const agentSession = '6f9619ff-8b86-4d01-b42d-00cf4fc964ff'
let clock = Date.parse('2026-02-01T10:00:00Z')

function line(type: 'user' | 'assistant', text: string): string {
	clock += 1000
	const uuid = crypto.randomUUID()
	const content = type === 'user' ? text : [{ type: 'text', text }]
	const message = {
		role: type,
		content,
		...(type === 'user' ? {} : { id: `m-${uuid}`, model: 'x' }),
	}
	const timestamp = new Date(clock).toISOString()
	const common = { sessionId: agentSession, cwd: '/home/dev/api-server', version: '2.1.330' }
	return `${JSON.stringify({ type, uuid, parentUuid: null, isSidechain: false, timestamp, message, ...common })}\n`
}

async function importAll(path: string, list = hosted): Promise<ImportResult[]> {
	const { account, gateway } = host
	const results: ImportResult[] = []
	for await (const imported of readHistory(path)) {
		const options = { account, gateway, hosted: list, project: 'encrypted' as const }
		results.push(await importSession(imported, options))
	}
	return results
}

async function textsOf(session: string): Promise<string[]> {
	return (await readSession(host, session)).flatMap(({ event }) =>
		event.kind === 'user_prompt' || event.kind === 'agent_response' ? [event.body.text] : [],
	)
}

const file = () => join(folder, `${agentSession}.jsonl`)
const accountKey = async () => {
	const key = (await host.account.keys.load(host.account.scope)).keyOf(0)
	if (!(key instanceof Uint8Array)) throw key
	return key
}

describe('import', () => {
	it('brings every line in, in order, once, as a session that has ended', async () => {
		const texts = Array.from({ length: 1200 }, (_, n) => `line ${n}`)
		await writeFile(
			file(),
			texts.map((text, n) => line(n % 2 ? 'assistant' : 'user', text)).join(''),
		)
		const [result] = await importAll(folder)
		const id = importId(await accountKey(), 'claude', agentSession)
		expect(result).toMatchObject({ session: id, skipped: 0, problems: [], reason: null })
		expect(await textsOf(id)).toEqual(texts)
		const row = await host.gateway.readSession(id)
		expect(row).toMatchObject({ status: 'stopped', started_at: '2026-02-01T10:00:01.000Z' })
		expect(row?.ended_at).toBe(row?.last_activity_at)
		expect(row?.project).toBe(null)
		const label = row?.label && openLabel(`session:${id}`, row.label, await accountKey())
		expect(label).toMatchObject({
			title: 'line 0',
			project: 'api-server',
			cwd: '/home/dev/api-server',
		})
	})

	it('adds nothing when repeated, and only what is new when the file has grown', async () => {
		await writeFile(file(), line('user', 'one') + line('assistant', 'two'))
		const [first] = await importAll(file())
		const [again] = await importAll(file())
		expect(again).toMatchObject({ messages: 0, skipped: first?.messages })
		await appendFile(file(), line('user', 'three'))
		const [grown] = await importAll(file())
		expect(grown?.messages).toBeGreaterThan(0)
		expect(await textsOf(first?.session ?? '')).toEqual(['one', 'two', 'three'])
	})

	it('finds what is there without its own list', async () => {
		const large = 'x'.repeat(200_000)
		const same = line('user', 'again')
		await writeFile(
			file(),
			line('user', 'one') + same + line('assistant', large) + line('user', 'again'),
		)
		const [first] = await importAll(file())
		const before = await textsOf(first?.session ?? '')
		const empty = join(host.dataFolder, 'empty')
		using list = HostedSessions.open(empty)
		const [again] = await importAll(file(), list)
		expect(again).toMatchObject({ messages: 0, skipped: first?.messages })
		await appendFile(file(), line('user', 'new'))
		await importAll(file(), list)
		expect(await textsOf(first?.session ?? '')).toEqual([...before, 'new'])
	})

	it('finds what is there with a list that lacks some of it, such as an older copy', async () => {
		const texts = ['one', 'again', 'two', 'again', 'three']
		await writeFile(file(), texts.map((text) => line('user', text)).join(''))
		const [first] = await importAll(file())
		const list = new DatabaseSync(join(host.dataFolder, 'agent-sessions.db'))
		list.exec('delete from imported where seq > 2')
		list.close()
		await appendFile(file(), line('user', 'again'))
		const [again] = await importAll(file())
		expect(again).toMatchObject({ messages: 1, skipped: first?.messages })
		expect(await textsOf(first?.session ?? '')).toEqual([...texts, 'again'])
		expect((await importAll(file()))[0]).toMatchObject({ messages: 0 })
	})

	it('goes on where it died, at any call', async () => {
		const texts = Array.from({ length: 1100 }, (_, n) => `line ${n}`)
		await writeFile(file(), texts.map((text) => line('user', text)).join(''))
		const id = importId(await accountKey(), 'claude', agentSession)
		let calls = 0
		for (let dies = 1; ; dies++) {
			calls = 0
			const fail = (when: 'before' | 'after') => {
				calls++
				const now = dies % 2 ? 'before' : 'after'
				if (when === now && calls >= dies) throw new Error('killed')
			}
			host.backend.faults.before = () => fail('before')
			host.backend.faults.after = () => fail('after')
			try {
				await importAll(file())
				break
			} catch (error) {
				if (!(error instanceof Error) || error.message !== 'killed') throw error
			}
		}
		host.backend.faults.before = undefined
		host.backend.faults.after = undefined
		expect(await textsOf(id)).toEqual(texts)
		expect((await host.gateway.readSession(id))?.ended_at).not.toBe(null)
	})

	it('reports lines that can not be read, with their numbers, and brings the rest', async () => {
		const broken = `${line('user', 'one')}{"type":"user", oh no\n${line('user', 'two')}`
		await writeFile(file(), `${broken}${line('user', 'cut').slice(0, 80)}`)
		const [result] = await importAll(file())
		expect(result?.problems.map((problem) => problem.line)).toEqual([2, 4])
		expect(await textsOf(result?.session ?? '')).toEqual(['one', 'two'])
	})

	it('leaves alone what was published live, and what another device has imported', async () => {
		await writeFile(file(), line('user', 'one'))
		hosted.hosted('claude', agentSession, 'the-live-one')
		const [live] = await importAll(file())
		expect(live).toMatchObject({ reason: 'hosted_live', session: 'the-live-one', messages: 0 })
	})

	it('takes a fresh key after a revocation', async () => {
		await writeFile(file(), line('user', 'one'))
		const [first] = await importAll(file())
		const { account, viewer } = host
		await account.log.append(account.device, {
			type: 'revoke',
			at: new Date().toISOString(),
			device: viewer.record.id,
			reason: null,
		})
		await appendFile(file(), line('user', 'two'))
		await importAll(file())
		const events = await readSession(host, first?.session ?? '')
		expect(events[0]?.epoch).toBe(0)
		expect(events.at(-1)?.epoch).toBe(1)
	})

	it('refuses to add to a session whose end was changed on the server', async () => {
		await writeFile(file(), line('user', 'one'))
		const [first] = await importAll(file())
		const stored = host.backend.sessions.get(first?.session ?? '')
		const last = stored?.messages.at(-1)
		if (last) last.signature = Buffer.alloc(64).toString('base64')
		await appendFile(file(), line('user', 'two'))
		await expect(importAll(file())).rejects.toThrow(
			expect.objectContaining({ code: 'import_altered' }),
		)
	})
})

it('an import id says nothing and is the same everywhere', () => {
	const key = new Uint8Array(32).fill(7)
	const id = importId(key, 'claude', agentSession)
	expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
	expect(importId(key, 'claude', agentSession)).toBe(id)
	expect(importId(key, 'codex', agentSession)).not.toBe(id)
	expect(importId(new Uint8Array(32), 'claude', agentSession)).not.toBe(id)
})
