/** Codex's own history as sessions: a rollout, or a folder of them. A file is a session. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import type { SessionEvent } from '../../protocol/events.ts'
import type { ImportedLine, ImportedSession } from '../agent.ts'
import { lastLines, listJsonLines } from '../history-lines.ts'
import { badLine, isFolder, notRecognised, readingStopped } from '../import-problems.ts'
import { readLines } from '../lines.ts'
import { RolloutReader } from './rollout-reader.ts'
import { isRolloutLine, parseRolloutLine, timeOf } from './rollout-schema.ts'

/** Lines over this are reported, not read. */
const maxLineBytes = 64 * 1024 * 1024
const headBytes = 4 * 1024 * 1024

/** Whether a file is a rollout of Codex, by its content. */
export async function isCodexRollout(path: string): Promise<boolean> {
	return (await readMeta(path)) !== null
}

/**
 * The session of a rollout, or those of all rollouts under a folder, each as a stream. Throws
 * `import_unreadable` when `path` can't be read, `import_not_recognised` when a file is no rollout of Codex.
 */
export async function* readHistory(path: string): AsyncGenerator<ImportedSession, void, void> {
	const folder = await isFolder(path)
	for (const file of folder ? await listJsonLines(path) : [path]) {
		const session = await sessionOf(file)
		if (session !== null) yield session
		else if (!folder) {
			throw notRecognised(path, 'a rollout of Codex')
		}
	}
}

async function sessionOf(path: string): Promise<ImportedSession | null> {
	const meta = await readMeta(path)
	if (meta === null) return null
	const startedAt = meta.at ?? (await stat(path)).mtime.toISOString()
	return {
		agent: 'codex',
		session: meta.id,
		file: path,
		cwd: meta.cwd,
		startedAt,
		endedAt: later(startedAt, await lastTime(path)),
		events: eventsOf(path, startedAt),
	}
}

async function* eventsOf(
	path: string,
	startedAt: string,
): AsyncGenerator<ImportedLine, void, void> {
	const reader = new RolloutReader()
	const counts = new Map<string, number>()
	let at = startedAt
	const named = (name: string, events: readonly SessionEvent[]) =>
		events.map((event, index): ImportedLine => {
			return { type: 'event', source: `${name}.${index}`, at, event }
		})
	try {
		for await (const line of readLines(createReadStream(path), maxLineBytes)) {
			const parsed = line.text === null ? null : parseRolloutLine(line.text)
			if (line.text === null || parsed === null) {
				yield { type: 'problem', line: line.line, problem: badLine(line, 'a line of a rollout') }
				continue
			}
			at = later(at, timeOf(parsed.timestamp))
			// The name of a line stays the same whenever the file is read, and wherever in it the line is.
			const hash = createHash('sha256').update(line.text).digest('base64url').slice(0, 22)
			const count = (counts.get(hash) ?? 0) + 1
			counts.set(hash, count)
			yield* named(`${hash}.${count}`, reader.read(parsed))
		}
	} catch (error) {
		yield readingStopped(error)
	}
}

/** The first line that says which thread it is. */
async function readMeta(
	path: string,
): Promise<{ id: string; cwd: string | null; at: string | null } | null> {
	const stream = createReadStream(path, { end: headBytes - 1 })
	for await (const { text } of readLines(stream, headBytes)) {
		if (text === null || !isRolloutLine(text)) continue
		const line = parseRolloutLine(text)
		if (line === null || line.payload.id === null) continue
		return { id: line.payload.id, cwd: line.payload.cwd, at: timeOf(line.timestamp) }
	}
	return null
}

/** The time of the last line that has one, looking at the end of the file only. */
async function lastTime(path: string): Promise<string | null> {
	for (const text of await lastLines(path)) {
		const at = timeOf(parseRolloutLine(text)?.timestamp ?? null)
		if (at !== null) return at
	}
	return null
}

function later(at: string, other: string | null): string {
	return other !== null && other > at ? other : at
}
