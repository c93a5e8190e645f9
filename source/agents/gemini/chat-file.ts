/** The file in which Gemini CLI keeps a session while it runs: where it is, and what is new in it. */
import { createReadStream } from 'node:fs'
import { readdir, readFile, stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import * as v from 'valibot'
import { FileTail } from '../file-tail.ts'
import { readLines } from '../lines.ts'
import {
	type ChatHeader,
	type ChatMessage,
	ChatMessages,
	isContext,
	parseChatLine,
	textOf,
} from './chat-lines.ts'

export const maxLineBytes = 64 * 1024 * 1024

const projectsSchema = v.object({ projects: v.record(v.string(), v.string()) })

/** Gemini CLI's own folder of this person. */
export function geminiFolder(env: NodeJS.ProcessEnv): string {
	return join(env.GEMINI_CLI_HOME ?? env.HOME ?? homedir(), '.gemini')
}

/**
 * The file of a session, or `null` while there is none. Of several, the one in which something was said: when
 * a session is loaded, an empty one is made beside its own.
 */
export async function findChatFile(folder: string, session: string): Promise<string | null> {
	const paths = await chatFiles(folder, session)
	for (const path of paths) if (await saysSomething(path)) return path
	return paths[0] ?? null
}

async function chatFiles(folder: string, session: string): Promise<string[]> {
	const ending = `-${session.slice(0, 8)}.jsonl`
	const found: string[] = []
	for (const project of await list(join(folder, 'tmp'))) {
		const chats = join(folder, 'tmp', project, 'chats')
		for (const name of await list(chats)) {
			if (!name.startsWith('session-') || !name.endsWith(ending)) continue
			const path = join(chats, name)
			if ((await readHeader(path))?.sessionId === session) found.push(path)
		}
	}
	return found
}

/** The newest session of a project in which something was said, or `null`. */
export async function latestSession(folder: string, cwd: string): Promise<string | null> {
	const chats = join(folder, 'tmp', (await projectName(folder, cwd)) ?? '', 'chats')
	let newest: ChatHeader | null = null
	for (const name of await list(chats)) {
		if (!name.startsWith('session-') || !name.endsWith('.jsonl')) continue
		const path = join(chats, name)
		const header = await readHeader(path)
		if (header === null || header.startTime <= (newest?.startTime ?? '')) continue
		if (await saysSomething(path)) newest = header
	}
	return newest?.sessionId ?? null
}

async function projectName(folder: string, cwd: string): Promise<string | null> {
	try {
		const text = await readFile(join(folder, 'projects.json'), 'utf8')
		const parsed = v.safeParse(projectsSchema, JSON.parse(text))
		return parsed.success ? (parsed.output.projects[cwd] ?? null) : null
	} catch {
		// No session was ever kept.
		return null
	}
}

export async function readHeader(path: string): Promise<ChatHeader | null> {
	for await (const { text } of readLines(createReadStream(path), maxLineBytes)) {
		const line = text === null ? null : parseChatLine(text)
		return line?.type === 'header' ? line.header : null
	}
	return null
}

async function saysSomething(path: string): Promise<boolean> {
	for await (const { text } of readLines(createReadStream(path), maxLineBytes)) {
		const line = text === null ? null : parseChatLine(text)
		if (line?.type === 'message' && isSaid(line.message)) return true
	}
	return false
}

/** Whether somebody said it. */
export function isSaid({ type, content }: ChatMessage): boolean {
	if (type === 'gemini') return true
	return type === 'user' && !isContext(textOf(content))
}

/** Reads a session's file as it grows. */
export class ChatFile {
	readonly #folder: string
	readonly #session: string
	readonly #messages = new ChatMessages()
	#file: Followed | null = null

	constructor(folder: string, session: string) {
		this.#folder = folder
		this.#session = session
	}

	/** Messages that were added since the last call, or were changed; once more, should it be another file. */
	async read(): Promise<ChatMessage[]> {
		if (this.#file === null || (await identity(this.#file.path)) !== this.#file.identity) {
			this.#file = await this.#find()
		}
		const messages: ChatMessage[] = []
		if (this.#file === null) return messages
		for await (const { text } of this.#file.tail.read()) {
			const line = text === null ? null : parseChatLine(text)
			if (line !== null) messages.push(...this.#messages.push(line))
		}
		return messages
	}

	/**
	 * The file beside it that goes on where the person has begun another session, or gone on with one: it was
	 * written since (ms since 1970), and its last prompt is one that `shown` knows.
	 */
	async successor(since: number, shown: (prompt: string) => boolean): Promise<Successor | null> {
		if (this.#file === null) return null
		const folder = dirname(this.#file.path)
		for (const name of await list(folder)) {
			const path = join(folder, name)
			if (path === this.#file.path || !/^session-.*\.jsonl$/.test(name)) continue
			if ((await stat(path)).mtimeMs < since) continue
			const session = (await readHeader(path))?.sessionId
			if (session === undefined || session === this.#session) continue
			const chat = new ChatFile(this.#folder, session)
			const messages = await chat.read()
			const last = messages.findLastIndex((one) => one.type === 'user' && !one.again && isSaid(one))
			const prompt = messages[last]
			if (prompt === undefined || !shown(textOf(prompt.content))) continue
			return { chat, session, before: messages.slice(0, last), news: messages.slice(last) }
		}
		return null
	}

	/** It is removed and made anew when the agent starts again before anything was said. */
	async #find(): Promise<Followed | null> {
		const path = await findChatFile(this.#folder, this.#session)
		const found = path === null ? null : await identity(path)
		if (path === null || found === null) return null
		return { path, identity: found, tail: new FileTail(path, maxLineBytes) }
	}
}

export interface Successor {
	chat: ChatFile
	session: string
	/** What was said in it before the prompt that it was known by. */
	before: ChatMessage[]
	news: ChatMessage[]
}

interface Followed {
	path: string
	identity: string
	tail: FileTail
}

/** Tells a file from another one of its name. */
async function identity(path: string): Promise<string | null> {
	try {
		const { ino, birthtimeMs } = await stat(path)
		return `${ino} ${birthtimeMs}`
	} catch {
		// Gone.
		return null
	}
}

async function list(folder: string): Promise<string[]> {
	try {
		return (await readdir(folder)).sort()
	} catch {
		// Not there yet.
		return []
	}
}
