import { cpSync, readFileSync } from 'node:fs'
import { appendFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ImportedLine, ImportedSession } from '../../../source/agents/agent.ts'
import { isClaudeTranscript, readHistory } from '../../../source/agents/claude/import.ts'
import { fixtures } from './_recording.ts'

let folder = ''
beforeEach(async () => {
	folder = await mkdtemp(join(tmpdir(), 'styrby-test-'))
})
afterEach(() => rm(folder, { recursive: true }))

async function all(path: string) {
	const sessions: (Omit<ImportedSession, 'events'> & { lines: ImportedLine[] })[] = []
	for await (const { events, ...session } of readHistory(path)) {
		const lines: ImportedLine[] = []
		for await (const line of events) lines.push(line)
		sessions.push({ ...session, lines })
	}
	return sessions
}

const problems = (lines: ImportedLine[]) => lines.filter(({ type }) => type === 'problem')
const texts = (lines: ImportedLine[]) =>
	lines.flatMap((line) => {
		if (line.type !== 'event' || line.event.kind === 'usage') return []
		return 'text' in line.event.body ? [line.event.body.text] : [line.event.kind]
	})

const session = 'aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee'
let serial = 0
function line(type: 'user' | 'assistant', content: unknown, rest: object = {}): string {
	serial++
	return JSON.stringify({
		type,
		uuid: `00000000-0000-4000-8000-${String(serial).padStart(12, '0')}`,
		timestamp: new Date(1_790_000_000_000 + serial * 1000).toISOString(),
		sessionId: session,
		cwd: '/home/dev/project',
		message: { role: type, id: `m${serial}`, content },
		...rest,
	})
}

test('a recorded transcript is one session', async () => {
	const [one, ...more] = await all(join(fixtures, 'interactive-transcript.jsonl'))
	expect(more).toEqual([])
	expect(one).toMatchObject({
		agent: 'claude',
		session: '15cdfaff-e6fc-4b29-a9ed-ef4c510b8eef',
		cwd: '/home/dev/project',
		startedAt: '2026-11-24T03:18:39.432Z',
		endedAt: '2026-11-24T03:19:16.124Z',
	})
	expect(problems(one?.lines ?? [])).toEqual([])
})

test('every user, assistant, tool call and tool result is there once, in order', async () => {
	const path = join(fixtures, 'interactive-transcript.jsonl')
	const wanted = readFileSync(path, 'utf8')
		.trim()
		.split('\n')
		.map((text) => JSON.parse(text))
		.filter(({ type }) => type === 'user' || type === 'assistant')
		.flatMap(({ uuid, message }) => {
			const blocks = typeof message.content === 'string' ? [0] : message.content
			return blocks.map((_: unknown, index: number) => `${uuid}#${index}`)
		})
	const [one] = await all(path)
	const sources = (one?.lines ?? []).flatMap((found) =>
		found.type === 'event' && found.event.kind !== 'usage' ? [found.source] : [],
	)
	expect(sources).toEqual(wanted)
})

test('reading again gives the same sources', async () => {
	const path = join(fixtures, 'interactive-transcript.jsonl')
	expect(await all(path)).toEqual(await all(path))
})

test('what was appended since is all that is new', async () => {
	const path = join(folder, 'a.jsonl')
	await writeFile(path, `${line('user', 'one')}\n${line('assistant', 'two')}\n`)
	const sources = async () =>
		(await all(path))[0]?.lines.map((found) => (found.type === 'event' ? found.source : '')) ?? []
	const before = await sources()
	await appendFile(path, `${line('user', 'three')}\n`)
	const after = await sources()
	expect(after.slice(0, 2)).toEqual(before)
	expect(after).toHaveLength(3)
})

test('a damaged line is named by its number, and the rest is there', async () => {
	const path = join(folder, 'a.jsonl')
	await writeFile(
		path,
		[
			line('user', 'one'),
			'{"type":"user","message":{"role"',
			line('assistant', [{ type: 'text', text: 'two' }]),
			'',
			'\u0000\ufffd garbage',
			'[]',
			line('user', []),
			JSON.stringify({ type: 'assistant', uuid: 'x', sessionId: session, message: 'text' }),
			line('user', 'three'),
			line('user', 'cut off').slice(0, 80),
		].join('\n'),
	)
	const [one] = await all(path)
	expect(texts(one?.lines ?? [])).toEqual(['one', 'two', 'three'])
	expect(problems(one?.lines ?? [])).toEqual([
		{ type: 'problem', line: 2, problem: 'not a JSON object, left out' },
		{ type: 'problem', line: 5, problem: 'not a JSON object, left out' },
		{ type: 'problem', line: 6, problem: 'not a JSON object, left out' },
		{ type: 'problem', line: 7, problem: 'user line without content' },
		{ type: 'problem', line: 8, problem: 'assistant line without content' },
		{ type: 'problem', line: 10, problem: 'cut off in the middle, left out' },
	])
})

test('a line that is there twice comes once; two lines with one uuid both come', async () => {
	const path = join(folder, 'a.jsonl')
	const first = line('user', 'one')
	await writeFile(path, `${first}\n${first}\n${first.replace('"one"', '"two"')}\n`)
	const [one] = await all(path)
	expect(texts(one?.lines ?? [])).toEqual(['one', 'two'])
	const sources = one?.lines.map((found) => (found.type === 'event' ? found.source : ''))
	expect(new Set(sources).size).toBe(2)
})

test('lines without a uuid are all there', async () => {
	const path = join(folder, 'a.jsonl')
	const plain = line('user', 'again', { uuid: undefined })
	await writeFile(path, `${plain}\n${plain}\n`)
	const [one] = await all(path)
	expect(texts(one?.lines ?? [])).toEqual(['again', 'again'])
})

describe('a folder', () => {
	test('gives its sessions with their sub-agents, and leaves other files alone', async () => {
		const project = join(folder, 'projects', '-home-dev-project')
		const agents = join(project, session, 'subagents')
		await mkdir(agents, { recursive: true })
		const call = { type: 'tool_use', id: 'toolu_1', name: 'Agent', input: { prompt: 'count' } }
		const sub = { isSidechain: true, agentId: 'a1' }
		const lines = [
			line('user', 'go'),
			line('assistant', [call]),
			line('user', 'count', sub),
			line('assistant', [{ type: 'text', text: 'three' }], sub),
			line('assistant', [{ type: 'text', text: 'done' }]),
		]
		await writeFile(
			join(project, `${session}.jsonl`),
			`${[lines[0], lines[1], lines[4]].join('\n')}\n`,
		)
		await writeFile(join(agents, 'agent-a1.jsonl'), `${lines[2]}\n${lines[3]}\n`)
		await writeFile(join(project, 'other.jsonl'), '{"timestamp":"x","type":"y","payload":{}}\n')
		await writeFile(join(project, 'notes.txt'), 'nothing')
		const sessions = await all(folder)
		expect(sessions.map((one) => one.session)).toEqual([session])
		const found = sessions[0]?.lines ?? []
		expect(texts(found)).toEqual(['go', 'tool_use', 'count', 'three', 'done'])
		const parents = found.flatMap((one) =>
			one.type === 'event' && one.event.kind === 'agent_response' ? [one.event.body.parent] : [],
		)
		expect(parents).toEqual(['toolu_1', null])

		const alone = await all(join(project, `${session}.jsonl`))
		expect(alone).toEqual(sessions)

		await writeFile(
			join(agents, 'agent-a1.meta.json'),
			JSON.stringify({ toolUseId: 'toolu_by_meta' }),
		)
		const [said] = await all(folder)
		expect(JSON.stringify(said?.lines)).toContain('"parent":"toolu_by_meta"')
	})

	test('gives sub-agents whose session is gone', async () => {
		const file = line('user', 'count', { isSidechain: true, agentId: 'a1' })
		await writeFile(join(folder, 'agent-a1.jsonl'), `${file}\n`)
		const [one] = await all(folder)
		expect(one?.session).toBe(session)
		expect(texts(one?.lines ?? [])).toEqual(['count'])
	})

	test('with two copies of a session gives both', async () => {
		cpSync(join(fixtures, 'interactive-transcript.jsonl'), join(folder, 'a.jsonl'))
		cpSync(join(fixtures, 'interactive-transcript.jsonl'), join(folder, 'b.jsonl'))
		expect(await all(folder)).toHaveLength(2)
	})
})

test('transcripts are known by what is in them', async () => {
	expect(await isClaudeTranscript(join(fixtures, 'interactive-transcript.jsonl'))).toBe(true)
	const path = join(folder, 'a')
	await writeFile(path, `garbage\n${line('user', 'one')}\n`)
	expect(await isClaudeTranscript(path)).toBe(true)
	await writeFile(path, '{"timestamp":"x","type":"session_meta","payload":{"id":"x"}}\n')
	expect(await isClaudeTranscript(path)).toBe(false)
	await writeFile(path, Buffer.alloc(100_000, 1))
	expect(await isClaudeTranscript(path)).toBe(false)
})

test('a file that is none, or not there, is said so', async () => {
	const path = join(folder, 'a.jsonl')
	await expect(all(path)).rejects.toMatchObject({ code: 'import_unreadable' })
	await writeFile(path, 'hello\n')
	await expect(all(path)).rejects.toMatchObject({ code: 'import_not_recognised' })
})
