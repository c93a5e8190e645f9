/** OpenCode's own history as sessions: its database, or a folder with such. */
import { stat } from 'node:fs/promises'
import * as v from 'valibot'
import type { SessionEvent } from '../../protocol/events.ts'
import type { ImportedLine, ImportedSession } from '../agent.ts'
import { unreadable } from '../import-problems.ts'
import { findHistory, HistoryFile, type PartRow, type SessionRow } from './history-file.ts'
import { errorEvent, partEvent, toolResult, toolUse } from './parts.ts'
import { messageSchema, partSchema, type RawMessage, type RawPart, timeOf } from './schema.ts'

export { isOpencodeHistory } from './history-file.ts'

/**
 * The sessions of a database, or of all under a folder, each as a stream. A sub-agent's session belongs to
 * the one that started it, merged in by time. Throws `import_unreadable`, `import_not_recognised`.
 */
export async function* readHistory(path: string): AsyncGenerator<ImportedSession, void, void> {
	for (const file of await historyFiles(path)) {
		using history = new HistoryFile(file)
		for (const session of history.sessions()) yield sessionOf(file, session)
	}
}

async function historyFiles(path: string): Promise<string[]> {
	try {
		return (await stat(path)).isDirectory() ? await findHistory(path) : [path]
	} catch (cause) {
		throw unreadable(path, cause)
	}
}

function sessionOf(file: string, row: SessionRow): ImportedSession {
	const startedAt = timeOf(row.time_created, new Date(0).toISOString())
	return {
		agent: 'opencode',
		session: row.id,
		file,
		cwd: row.directory,
		startedAt,
		endedAt: timeOf(row.time_updated, startedAt),
		events: eventsOf(file, row, startedAt),
	}
}

async function* eventsOf(
	file: string,
	row: SessionRow,
	startedAt: string,
): AsyncGenerator<ImportedLine, void, void> {
	using history = new HistoryFile(file)
	yield* new SessionReader(history, row, startedAt).lines()
}

type EventLine = Extract<ImportedLine, { type: 'event' }>

class SessionReader {
	readonly #history: HistoryFile
	readonly #session: string
	readonly #messages = new Map<string, RawMessage>()
	/** Sub-agents' sessions, and the tool call that each belongs to. */
	readonly #callOf = new Map<string, string>()
	/** What comes later than it stands in the table: results of tools, ends of turns. */
	#later: EventLine[] = []
	#at: string
	#record = 0

	constructor(history: HistoryFile, { id }: SessionRow, startedAt: string) {
		this.#history = history
		this.#session = id
		this.#at = startedAt
	}

	*lines(): Generator<ImportedLine, void, void> {
		for (const row of this.#history.messages(this.#session)) {
			this.#record++
			const known = row === null ? null : { id: row.id, sessionID: row.session_id }
			const message = row === null ? null : parse(row.data, messageSchema, known)
			if (message === null) yield this.#problem(`message ${row?.id ?? ''}`)
			else this.#message(message)
		}
		for (const row of this.#history.parts(this.#session)) {
			this.#record++
			const read = row === null ? null : this.#read(row)
			if (row === null || read === null) {
				yield this.#problem(`part ${row?.id ?? ''}`)
				continue
			}
			const at = timeOf(row.time_created, this.#at)
			if (at > this.#at) this.#at = at
			yield* this.#due(this.#at)
			yield* this.#part(read.part, read.message, this.#at)
		}
		yield* this.#due(null)
	}

	#message(message: RawMessage): void {
		this.#messages.set(message.id, message)
		const { error, time, id } = message
		if (error === null) return
		const at = timeOf(time?.completed ?? time?.created, this.#at)
		this.#later.push(line(`${id}:error`, at, errorEvent(error)))
	}

	#read(row: PartRow): { part: RawPart; message: RawMessage } | null {
		const message = this.#messages.get(row.message_id)
		const known = { id: row.id, sessionID: row.session_id, messageID: row.message_id }
		const part = parse(row.data, partSchema, known)
		return part === null || message === undefined ? null : { part, message }
	}

	*#part(part: RawPart, message: RawMessage, at: string): Generator<ImportedLine, void, void> {
		const own = part.sessionID === this.#session
		const parent = own ? null : (this.#callOf.get(part.sessionID) ?? part.sessionID)
		if (part.type === 'tool') {
			const child = part.state?.metadata?.sessionId
			if (typeof child === 'string') this.#callOf.set(child, part.callID ?? part.id)
			const status = part.state?.status ?? 'pending'
			if (status === 'pending') return
			yield line(`${part.id}:use`, at, toolUse(part, parent))
			const result = toolResult(part, parent)
			if (result === null) return
			const end = timeOf(part.state?.time?.end, at)
			this.#later.push(line(`${part.id}:result`, end < at ? at : end, result))
			return
		}
		// What is being written just now comes with the next import.
		const open = part.time !== null && part.time.end === null
		if (open && message.role !== 'user' && message.time?.completed === null) return
		const event = partEvent(part, {
			role: message.role,
			model: message.modelID,
			parent,
			source: 'agent',
			block: null,
		})
		if (event !== null) yield line(part.id, at, event)
	}

	/** What is due by then, in order of time; everything for `null`. */
	*#due(until: string | null): Generator<ImportedLine, void, void> {
		const due = this.#later.filter(({ at }) => until === null || at <= until)
		if (due.length === 0) return
		this.#later = this.#later.filter((one) => !due.includes(one))
		for (const one of due.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0))) {
			if (one.at > this.#at) this.#at = one.at
			yield one
		}
	}

	#problem(what: string): ImportedLine {
		const name = what.replace(/[^\w. -]/gu, '?').slice(0, 80)
		const problem = `${name} of session ${this.#session.slice(0, 80)} can not be read`
		return { type: 'problem', line: this.#record, problem }
	}
}

function line(source: string, at: string, event: SessionEvent): EventLine {
	return { type: 'event', source, at, event }
}

/** A record with the ids of its row, which it does not repeat. */
function parse<T extends v.GenericSchema>(
	data: string | null,
	schema: T,
	ids: Record<string, string> | null,
): v.InferOutput<T> | null {
	if (data === null) return null
	let value: unknown
	try {
		value = JSON.parse(data)
	} catch {
		return null
	}
	if (value === null || typeof value !== 'object' || Array.isArray(value)) return null
	const parsed = v.safeParse(schema, { ...value, ...ids })
	return parsed.success ? parsed.output : null
}
