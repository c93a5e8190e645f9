import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as v from 'valibot'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { ImportedLine, ImportedSession } from '../../../source/agents/agent.ts'
import { findChatFile, latestSession } from '../../../source/agents/gemini/chat-file.ts'
import { isGeminiChat, readHistory } from '../../../source/agents/gemini/import.ts'
import { eventSchemas } from '../../../source/protocol/events.ts'
import { fixtures } from './_recording.ts'

const name = 'session-2026-11-25T17-42-f44e6b9f.jsonl'
const fixture = join(fixtures, 'chats', name)

let folder = ''
let chats = ''
let path = ''

beforeEach(async () => {
	folder = await mkdtemp(join(tmpdir(), 'styrby-test-'))
	chats = join(folder, 'tmp', 'project', 'chats')
	await mkdir(chats, { recursive: true })
	await writeFile(join(folder, 'tmp', 'project', '.project_root'), '/home/user/project')
	await writeFile(
		join(folder, 'projects.json'),
		JSON.stringify({ projects: { '/home/user/project': 'project' } }),
	)
	path = join(chats, name)
	await copyFile(fixture, path)
})

afterEach(async () => {
	await rm(folder, { recursive: true, force: true })
})

async function all(
	from: string,
): Promise<(Omit<ImportedSession, 'events'> & { lines: ImportedLine[] })[]> {
	const sessions = []
	for await (const { events, ...session } of readHistory(from)) {
		const lines: ImportedLine[] = []
		for await (const line of events) lines.push(line)
		sessions.push({ ...session, lines })
	}
	return sessions
}

const story = (lines: readonly ImportedLine[]) =>
	lines.flatMap((line) => {
		if (line.type !== 'event') return [line.problem]
		const { kind, body } = line.event
		if (kind === 'tool_use') return [`${kind} ${body.name}`]
		if (kind === 'tool_result') return [`${kind} ${body.ok} ${body.exit_code}`]
		if (kind === 'user_prompt' || kind === 'agent_response') return [`${kind} ${body.text}`]
		return kind === 'system' ? [body.type] : [kind]
	})

test('a session is read whole, though the file has parts of it twice', async () => {
	const [session, ...more] = await all(path)
	expect(more).toEqual([])
	expect(session).toMatchObject({ agent: 'gemini', file: path, cwd: '/home/user/project' })
	expect(session?.session).toMatch(/^f44e6b9f-/)
	expect(story(session?.lines ?? [])).toEqual([
		'user_prompt HELLO there',
		'agent_response fine',
		'usage',
		'user_prompt RUN it',
		'agent_thinking',
		'agent_response I will list the files here.',
		'usage',
		'tool_use run_shell_command',
		'tool_result false 3',
		'agent_response Done listing.',
		'usage',
		'user_prompt EDIT it',
		'usage',
		'tool_use replace',
		'tool_result false null',
		'interrupted',
		'user_prompt MORE',
		'agent_response fine',
		'usage',
	])
	for (const line of session?.lines ?? []) {
		if (line.type === 'event') v.parse(eventSchemas[line.event.kind], line.event.body)
	}
})

test('reading it again gives the same lines under the same names', async () => {
	const [first] = await all(path)
	expect(await all(path)).toEqual([first])
	const sources = (first?.lines ?? []).flatMap((line) => (line.type === 'event' ? line.source : []))
	expect(new Set(sources).size).toBe(sources.length)
})

test('a folder: files in which nothing was said, of sub-agents and of others are left out', async () => {
	const [header = ''] = (await readFile(path, 'utf8')).split('\n')
	const with_ = (more: object) => `${JSON.stringify({ ...JSON.parse(header), ...more })}\n`
	const said = '{"id":"a","timestamp":"2026-11-25T10:00:00Z","type":"user","content":"HI"}\n'
	await writeFile(join(chats, 'session-2026-11-25T17-43-f44e6b9f.jsonl'), header)
	await writeFile(join(chats, 'session-sub.jsonl'), with_({ kind: 'subagent' }) + said)
	await writeFile(join(chats, 'session-other.jsonl'), '{"type":"user"}\n')
	await writeFile(join(chats, 'session-two.jsonl'), with_({ sessionId: 'two' }) + said)
	expect((await all(folder)).map(({ session }) => session.slice(0, 8))).toEqual(['f44e6b9f', 'two'])
	const { sessionId } = JSON.parse(header)
	expect(await findChatFile(folder, sessionId)).toBe(path)
	expect(await latestSession(folder, '/home/user/project')).toBe(sessionId)
	expect(await latestSession(folder, '/home/user/other')).toBeNull()
})

test('a session of an older version, one document', async () => {
	const old = join(chats, 'session-old.json')
	const document = {
		sessionId: 'old',
		projectHash: 'x',
		startTime: '2025-09-01T10:00:00.000Z',
		messages: [
			{ id: '1', timestamp: '2025-09-01T10:00:01.000Z', type: 'user', content: 'HI' },
			{ id: '2', timestamp: '2025-09-01T10:00:02.000Z', type: 'gemini', content: 'hello' },
		],
	}
	await writeFile(old, JSON.stringify(document, null, 2))
	expect(await isGeminiChat(old)).toBe(true)
	const [session] = await all(old)
	expect(session).toMatchObject({ session: 'old', endedAt: '2025-09-01T10:00:02.000Z' })
	expect(story(session?.lines ?? [])).toEqual(['user_prompt HI', 'agent_response hello'])
})

test('what can not be read is named by its line, the rest is read', async () => {
	const lines = (await readFile(path, 'utf8')).trimEnd().split('\n')
	lines.splice(4, 0, 'garbage', '{"new":"kind"}')
	await writeFile(path, `${lines.join('\n')}\n{"id":"cut`)
	const [session] = await all(path)
	expect(session?.lines.filter(({ type }) => type === 'problem')).toEqual([
		{ type: 'problem', line: 5, problem: 'not a line of a chat, left out' },
		{ type: 'problem', line: 6, problem: 'not a line of a chat, left out' },
		{ type: 'problem', line: lines.length + 1, problem: 'cut off in the middle, left out' },
	])
	expect(session?.lines.filter(({ type }) => type === 'event')).toHaveLength(19)
})

test('other files are not recognised', async () => {
	const other = join(folder, 'x.jsonl')
	for (const text of [
		'',
		'x',
		'{}',
		'[]',
		'{"sessionId":"s"}',
		'{"type":"user","sessionId":"s"}',
	]) {
		await writeFile(other, text)
		expect(await isGeminiChat(other)).toBe(false)
	}
	await expect(all(other)).rejects.toMatchObject({ code: 'import_not_recognised' })
	await expect(all(join(folder, 'none'))).rejects.toMatchObject({ code: 'import_unreadable' })
})
