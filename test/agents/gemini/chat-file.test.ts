import { appendFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ChatFile } from '../../../source/agents/gemini/chat-file.ts'

const session = '3346ee0d-fcec-4631-90e8-29048b7e9da9'
const header = { sessionId: session, projectHash: 'x', startTime: '2026-11-25T10:00:00.000Z' }
const message = (id: string, content: unknown, more = {}) => ({
	id,
	type: 'user',
	content,
	...more,
})
const lines = (...all: object[]) => all.map((line) => `${JSON.stringify(line)}\n`).join('')

let folder = ''
let chats = ''

beforeEach(async () => {
	folder = await mkdtemp(join(tmpdir(), 'styrby-test-'))
	chats = join(folder, 'tmp', 'project', 'chats')
	await mkdir(chats, { recursive: true })
})

afterEach(async () => {
	await rm(folder, { recursive: true, force: true })
})

const ids = (messages: readonly { id: string; again?: true }[]) =>
	messages.map(({ id, again }) => (again ? `${id} again` : id))

test('it is read as it grows, from when it is there', async () => {
	const chat = new ChatFile(folder, session)
	expect(await chat.read()).toEqual([])
	const path = join(chats, 'session-2026-11-25T10-00-3346ee0d.jsonl')
	await writeFile(
		join(chats, 'session-2026-11-25T09-00-3346ee0d.jsonl'),
		'{"sessionId":"3346ee0d-other"}\n',
	)
	await writeFile(path, lines(header, message('a', 'one')))
	expect(ids(await chat.read())).toEqual(['a'])
	expect(await chat.read()).toEqual([])
	await appendFile(path, lines({ $set: { lastUpdated: 'x' } }, message('b', 'two')))
	expect(ids(await chat.read())).toEqual(['b'])
})

test('another file in its place is read from its start', async () => {
	const chat = new ChatFile(folder, session)
	const path = join(chats, 'session-2026-11-25T10-00-3346ee0d.jsonl')
	await writeFile(path, lines(header))
	expect(await chat.read()).toEqual([])
	await rm(path)
	expect(await chat.read()).toEqual([])
	await writeFile(path, lines(header, message('a', 'one'), message('b', 'two')))
	expect(ids(await chat.read())).toEqual(['a', 'b'])
})

test('what is written down again is marked, however the reading falls', async () => {
	const chat = new ChatFile(folder, session)
	const path = join(chats, 'session-2026-11-25T10-00-3346ee0d.jsonl')
	const context = message('c', [{ text: '<session_context>\n(cut)\n</session_context>' }])
	await writeFile(
		path,
		lines(header, message('a', 'one'), context, message('a2', [{ text: 'one' }])),
	)
	expect(ids(await chat.read())).toEqual(['a'])
	await appendFile(path, lines({ $set: { messages: [context, message('a2', 'one')] } }))
	expect(ids(await chat.read())).toEqual(['c again', 'a2 again'])
	await appendFile(path, lines(message('b', 'two')))
	expect(ids(await chat.read())).toEqual(['b'])
	// No list follows: it was no history after all, and nothing of it is lost.
	const answer = { type: 'gemini', tokens: { input: 1 } }
	await appendFile(path, lines(context, message('d', 'three'), message('e', 'yes', answer)))
	expect(ids(await chat.read())).toEqual(['c', 'd', 'e'])
})
