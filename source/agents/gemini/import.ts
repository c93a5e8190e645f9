/** Gemini CLI's own history as sessions: a chat file, or a folder of them. A file is a session. */
import { createReadStream } from 'node:fs'
import { readdir, readFile, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { ImportedLine, ImportedSession } from '../agent.ts'
import { badLine, isFolder, notRecognised, readingStopped } from '../import-problems.ts'
import { readLines } from '../lines.ts'
import { ChatEvents } from './chat-events.ts'
import { isSaid, maxLineBytes, readHeader } from './chat-file.ts'
import {
	type ChatHeader,
	type ChatMessage,
	ChatMessages,
	parseChatDocument,
	parseChatLine,
} from './chat-lines.ts'

/** Whether a file is a chat of Gemini CLI, by its content: its lines, or (older) the one document. */
export async function isGeminiChat(path: string): Promise<boolean> {
	return (await readChat(path)) !== null
}

/**
 * The session of a chat file, or those of all files under a folder, each as a stream. Of a folder, files in
 * which nothing was said and those of sub-agents are left out. Throws `import_unreadable` when `path` can't
 * be read, `import_not_recognised` when a file is no chat of Gemini CLI.
 */
export async function* readHistory(path: string): AsyncGenerator<ImportedSession, void, void> {
	const folder = await isFolder(path)
	for (const file of folder ? await chatFilesUnder(path) : [path]) {
		const chat = await readChat(file)
		if (chat === null) {
			if (folder) continue
			throw notRecognised(path, 'a chat of Gemini CLI')
		}
		if (folder && (!chat.said || chat.header.kind === 'subagent')) continue
		const startedAt = timeOf(chat.header.startTime) ?? (await stat(file)).mtime.toISOString()
		yield {
			agent: 'gemini',
			session: chat.header.sessionId.trim(),
			file,
			cwd: await projectOf(file),
			startedAt,
			endedAt: chat.endedAt !== null && chat.endedAt > startedAt ? chat.endedAt : startedAt,
			events: eventsOf(file, chat.document, startedAt),
		}
	}
}

async function chatFilesUnder(folder: string): Promise<string[]> {
	const entries = await readdir(folder, { withFileTypes: true, recursive: true })
	return entries
		.filter((entry) => entry.isFile() && /^session-.*\.jsonl?$/.test(entry.name))
		.map((entry) => join(entry.parentPath, entry.name))
		.sort()
}

interface Chat {
	header: ChatHeader
	said: boolean
	/** The last message's time. */
	endedAt: string | null
	/** All messages, of a file that is one document. */
	document: ChatMessage[] | null
}

async function readChat(path: string): Promise<Chat | null> {
	const header = await readHeader(path)
	if (header === null) return readDocument(path)
	const chat: Chat = { header, said: false, endedAt: null, document: null }
	for await (const { text } of readLines(createReadStream(path), maxLineBytes)) {
		const line = text === null ? null : parseChatLine(text)
		if (line?.type !== 'message') continue
		chat.said ||= isSaid(line.message)
		chat.endedAt = timeOf(line.message.timestamp) ?? chat.endedAt
	}
	return chat
}

async function readDocument(path: string): Promise<Chat | null> {
	if (!path.endsWith('.json') || (await stat(path)).size > maxLineBytes) return null
	const document = parseChatDocument(await readFile(path, 'utf8'))
	if (document === null) return null
	const { header, messages } = document
	const endedAt = timeOf(messages.at(-1)?.timestamp ?? null)
	return { header, said: messages.some(isSaid), endedAt, document: messages }
}

async function* eventsOf(
	path: string,
	document: ChatMessage[] | null,
	startedAt: string,
): AsyncGenerator<ImportedLine, void, void> {
	const events = new ChatEvents()
	let latest = startedAt
	const give = (messages: readonly ChatMessage[]): ImportedLine[] =>
		messages.flatMap((message) =>
			events.read(message).map(({ source, at, event }): ImportedLine => {
				const own = timeOf(at)
				if (own !== null && own > latest) latest = own
				return { type: 'event', source, at: latest, event }
			}),
		)
	if (document !== null) {
		yield* give(document)
		return
	}
	const messages = new ChatMessages()
	try {
		for await (const line of readLines(createReadStream(path), maxLineBytes)) {
			const parsed = line.text === null ? null : parseChatLine(line.text)
			if (parsed === null)
				yield { type: 'problem', line: line.line, problem: badLine(line, 'a line of a chat') }
			else yield* give(messages.push(parsed))
		}
	} catch (error) {
		yield readingStopped(error)
	}
	yield* give(messages.end())
}

/** The project, as Gemini CLI writes it down beside its chats. */
async function projectOf(file: string): Promise<string | null> {
	try {
		const text = await readFile(join(dirname(dirname(file)), '.project_root'), 'utf8')
		return text.trim() === '' || text.length > 4096 ? null : text.trim()
	} catch {
		// A file that was moved, or of an older version.
		return null
	}
}

function timeOf(text: string | null): string | null {
	const ms = text === null ? Number.NaN : Date.parse(text)
	return Number.isNaN(ms) ? null : new Date(ms).toISOString()
}
