/** Aider's own history as sessions: a chat history file, or a folder with such. Each chat in it is one. */
import { createReadStream } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import type { SessionEvent } from '../../protocol/events.ts'
import type { ImportedLine, ImportedSession } from '../agent.ts'
import { notRecognised, readingStopped, unreadable } from '../import-problems.ts'
import { readLines } from '../lines.ts'
import { changesOf } from './edits.ts'
import { HistoryLines } from './history-lines.ts'
import { sessionId } from './session-id.ts'
import { commandUse, edited, editUse, result, type Step, Turns } from './turns.ts'

/** Lines over this are reported, not read. */
const maxLineBytes = 32 * 1024 * 1024
const headBytes = 1024 * 1024
const startedForm = /^# aider chat started at \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\s*$/

/** Whether a file is a chat history of Aider, by its content. */
export async function isAiderHistory(path: string): Promise<boolean> {
	const stream = createReadStream(path, { end: headBytes - 1 })
	for await (const { text } of readLines(stream, headBytes)) {
		if (text !== null && startedForm.test(text)) return true
	}
	return false
}

/**
 * The chats of a history file, or of all such files under a folder, each as a stream. The history has no
 * times but those at which chats began. Throws `import_unreadable`, `import_not_recognised`.
 */
export async function* readHistory(path: string): AsyncGenerator<ImportedSession, void, void> {
	for (const file of await historyFiles(path)) yield* sessionsOf(file)
}

async function historyFiles(path: string): Promise<string[]> {
	try {
		if ((await stat(path)).isDirectory()) {
			const entries = await readdir(path, { withFileTypes: true, recursive: true })
			return entries
				.filter((entry) => entry.isFile() && entry.name.endsWith('.aider.chat.history.md'))
				.map((entry) => join(entry.parentPath, entry.name))
				.sort()
		}
		if (await isAiderHistory(path)) return [path]
	} catch (cause) {
		throw unreadable(path, cause)
	}
	throw notRecognised(path, 'a chat history of Aider')
}

interface Chat {
	id: string
	startedAt: string
	/** Bytes that it takes in the file, and the line it begins on. */
	start: number
	end: number
	line: number
}

async function* sessionsOf(file: string): AsyncGenerator<ImportedSession, void, void> {
	const { mtime, size } = await stat(file)
	const chats = await chatsOf(file, size)
	for (const chat of chats) {
		const { id, startedAt } = chat
		const changed = mtime.toISOString()
		yield {
			agent: 'aider',
			session: id,
			file,
			cwd: dirname(resolve(file)),
			startedAt,
			endedAt: chat === chats.at(-1) && changed > startedAt ? changed : startedAt,
			events: eventsOf(file, chat),
		}
	}
}

/** Where the chats are in which something was said. */
async function chatsOf(file: string, size: number): Promise<Chat[]> {
	const chats: Chat[] = []
	const ids = new Map<string, number>()
	const lines = new HistoryLines()
	let open: { at: string; start: number; line: number; said: string | null } | null = null
	const close = (end: number) => {
		if (open === null || open.said === null) return
		const name = sessionId(open.at, open.said)
		const count = (ids.get(name) ?? 0) + 1
		ids.set(name, count)
		const id = count === 1 ? name : `${name}.${count}`
		const { start, line } = open
		chats.push({ id, startedAt: localTime(open.at), start, end, line })
	}
	for await (const { text, line, start } of readLines(createReadStream(file), maxLineBytes, true)) {
		for (const item of lines.push(text ?? '', line)) {
			if (item.kind === 'started') {
				close(start)
				open = { at: item.at, start, line, said: null }
			} else if (item.kind === 'user' && open !== null) open.said ??= item.text
		}
	}
	for (const item of lines.flush()) {
		if (item.kind === 'user' && open !== null) open.said ??= item.text
	}
	close(size)
	return chats
}

/** A time of this machine's, or the beginning of time where there is no such. */
function localTime(at: string): string {
	const time = new Date(at.replace(' ', 'T'))
	return Number.isNaN(time.getTime()) ? new Date(0).toISOString() : time.toISOString()
}

async function* eventsOf(
	file: string,
	{ start, end, startedAt, line: first }: Chat,
): AsyncGenerator<ImportedLine, void, void> {
	const lines = new HistoryLines()
	const turns = new Turns()
	const stream = createReadStream(file, { start, end: Math.max(start, end - 1) })
	const event = (source: string, of: SessionEvent): ImportedLine => {
		return { type: 'event', source, at: startedAt, event: of }
	}
	async function* told(steps: readonly Step[]): AsyncGenerator<ImportedLine, void, void> {
		for (const step of steps) {
			if (step.type === 'event' || step.type === 'usage') yield event(step.source, step.event)
			else if (step.type === 'command') {
				yield event(`${step.source}:use`, commandUse(step.source, step.command))
				// What it printed is not in the history.
				yield event(`${step.source}:result`, result(step.source, ''))
			} else if (step.type === 'edited') {
				const { source, path, reply } = step
				// The file may have changed a hundred times since: only what the reply says counts.
				const changes = await changesOf(reply, path, dirname(file), async () => undefined)
				yield event(`${source}:use`, editUse(source, path, reply))
				yield event(`${source}:result`, edited(source, path, changes))
			}
		}
	}
	try {
		for await (const { text, line } of readLines(stream, maxLineBytes, true)) {
			if (text === null) {
				const problem = 'longer than 32 MiB, left out'
				yield { type: 'problem', line: first + line - 1, problem }
			}
			for (const item of lines.push(text ?? '', line))
				yield* told(turns.read(item, `${item.line}`, null))
		}
	} catch (error) {
		yield readingStopped(error)
	}
	for (const item of lines.flush()) yield* told(turns.read(item, `${item.line}`, null))
	yield* told(turns.rest())
}
