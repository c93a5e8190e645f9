/** Claude Code's own history as sessions: a transcript, or a folder of them. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { StyrbyError } from '../../protocol/errors.ts'
import type { ImportedLine, ImportedSession } from '../agent.ts'
import { listJsonLines } from '../history-lines.ts'
import { badLine, notRecognised, readingStopped, unreadable } from '../import-problems.ts'
import { readLines } from '../lines.ts'
import { type HistoryFile, isClaudeLine, maxLineBytes, readHistoryFile } from './history-files.ts'
import { contentBlocks, parseLine, type RawLine, timeOf } from './schema.ts'
import { blockText } from './tool-result.ts'
import { type TranscriptItem, TranscriptReader } from './transcript.ts'
import { parentInMeta } from './transcript-follower.ts'

/** Whether a file is a transcript of Claude Code, by its content. */
export async function isClaudeTranscript(path: string): Promise<boolean> {
	const stream = createReadStream(path, { end: 4 * 1024 * 1024 - 1 })
	for await (const { text } of readLines(stream, maxLineBytes)) {
		if (text !== null && isClaudeLine(text)) return true
	}
	return false
}

/**
 * The sessions of a transcript file, or of all files under a folder, each as a stream. A sub-agent's file
 * belongs to its session, merged in by time; the order within a file is kept. Throws `import_unreadable`
 * when `path` can't be read, `import_not_recognised` when a file is no transcript of Claude Code.
 */
export async function* readHistory(path: string): AsyncGenerator<ImportedSession, void, void> {
	const files = await historyFiles(path)
	const mains = files.filter(({ agent }) => agent === null)
	const known = new Set(mains.map(({ session }) => session))
	for (const main of mains) {
		yield session([main, ...files.filter((f) => f.agent !== null && f.session === main.session)])
	}
	// Sub-agents whose session's own file is gone.
	const orphans = files.filter((file) => file.agent !== null && !known.has(file.session))
	for (const id of new Set(orphans.map((file) => file.session))) {
		yield session(orphans.filter((file) => file.session === id))
	}
}

async function historyFiles(path: string): Promise<HistoryFile[]> {
	try {
		const folder = (await stat(path)).isDirectory()
		const paths = folder ? await listJsonLines(path) : [path, ...(await subAgentsOf(path))]
		const files: HistoryFile[] = []
		for (const one of paths) {
			const file = await readHistoryFile(one)
			if (file !== null) files.push(file)
			else if (!folder && one === path) {
				throw notRecognised(path, 'a transcript of Claude Code')
			}
		}
		return files
	} catch (cause) {
		if (cause instanceof StyrbyError) throw cause
		throw unreadable(path, cause)
	}
}

async function subAgentsOf(path: string): Promise<string[]> {
	const folder = join(path.replace(/\.jsonl$/, ''), 'subagents')
	try {
		const names = (await readdir(folder)).filter((name) => name.endsWith('.jsonl'))
		return names.sort().map((name) => join(folder, name))
	} catch {
		// A session without sub-agents has no such folder.
		return []
	}
}

function session(files: readonly HistoryFile[]): ImportedSession {
	const [main] = files
	const times = files.flatMap(({ startedAt, endedAt }) => [startedAt, endedAt]).sort()
	return {
		agent: 'claude',
		session: main?.session ?? '',
		...(main ? { file: main.path } : {}),
		cwd: files.find(({ cwd }) => cwd !== null)?.cwd ?? null,
		startedAt: main?.startedAt ?? '',
		endedAt: times.at(-1) ?? '',
		events: merged(files),
	}
}

/** What one line gave, with the time it is sorted by: never before the line above it. */
interface Step {
	at: string
	lines: ImportedLine[]
}

/** Several files as one stream, by time; each file's own order is kept. */
async function* merged(files: readonly HistoryFile[]): AsyncGenerator<ImportedLine, void, void> {
	const calls = new Map<string, string>()
	const streams = files.map((file) => fileSteps(file, calls))
	const heads = await Promise.all(streams.map((stream) => stream.next()))
	for (;;) {
		let first = -1
		for (const [index, head] of heads.entries()) {
			if (head.done) continue
			const best = heads[first]
			if (best === undefined || best.done || head.value.at < best.value.at) first = index
		}
		const head = heads[first]
		const stream = streams[first]
		if (head === undefined || head.done || stream === undefined) return
		yield* head.value.lines
		heads[first] = await stream.next()
	}
}

async function* fileSteps(
	file: HistoryFile,
	calls: Map<string, string>,
): AsyncGenerator<Step, void, void> {
	const where = file.agent === null ? '' : `${basename(file.path)}: `
	const names = new LineNames()
	let reader: TranscriptReader | null = null
	let at = file.startedAt
	const problem = (line: number, text: string): Step => ({
		at,
		lines: [{ type: 'problem', line, problem: `${where}${text}` }],
	})
	// First in line by its time only: who started a sub-agent must be read before its file is.
	yield { at, lines: [] }
	try {
		for await (const line of readLines(createReadStream(file.path), maxLineBytes)) {
			const parsed = line.text === null ? null : parseLine(line.text)
			if (line.text === null || parsed === null) {
				yield problem(line.line, badLine(line, 'a JSON object'))
				continue
			}
			const name = names.of(parsed, line.text)
			if (name === null) continue
			reader ??= new TranscriptReader({ parent: await parentOf(file, parsed, calls) })
			const own = timeOf(parsed.timestamp, at)
			if (own > at) at = own
			const { items } = reader.read(parsed, name, own)
			noteCalls(parsed, calls)
			const lines = items.flatMap(importedLine)
			if (isEmptyMessage(parsed)) yield problem(line.line, `${parsed.type} line without content`)
			else if (lines.length > 0) yield { at, lines }
		}
	} catch (error) {
		const stopped = readingStopped(error)
		yield problem(stopped.line, stopped.problem)
	}
	const rest = reader?.flush().flatMap(importedLine) ?? []
	if (rest.length > 0) yield { at, lines: rest }
}

function isEmptyMessage(line: RawLine): boolean {
	if (line.type !== 'user' && line.type !== 'assistant') return false
	return contentBlocks(line.message?.content ?? null).length === 0
}

/** Facts about the session are no messages, but a change of its permission mode is. */
function importedLine({ source, output }: TranscriptItem): ImportedLine[] {
	if (output.type === 'event') {
		return [{ type: 'event', source, at: output.at, event: output.event }]
	}
	return []
}

/** Which call started which sub-agent, by the prompt it was given. */
function noteCalls(line: RawLine, calls: Map<string, string>): void {
	if (line.type !== 'assistant') return
	for (const { type, id, input } of contentBlocks(line.message?.content ?? null)) {
		if (type !== 'tool_use' || id === null || input === null || typeof input !== 'object') continue
		if ('prompt' in input && typeof input.prompt === 'string') calls.set(input.prompt, id)
	}
}

async function parentOf(
	file: HistoryFile,
	first: RawLine,
	calls: ReadonlyMap<string, string>,
): Promise<string | null> {
	if (file.agent === null) return null
	const said = await parentInMeta(file.path)
	if (said !== null) return said
	const prompt = contentBlocks(first.message?.content ?? null)
		.map(blockText)
		.join('\n')
	return calls.get(prompt) ?? file.agent
}

/** Names of lines that stay the same whenever the file is read: the uuid, else what is in the line. */
class LineNames {
	readonly #seen = new Map<string, string>()
	readonly #counts = new Map<string, number>()

	/** `null` for a line that was there before, word for word. */
	of(line: RawLine, text: string): string | null {
		const hash = createHash('sha256').update(text).digest('base64url').slice(0, 22)
		if (line.uuid === null) {
			const count = (this.#counts.get(hash) ?? 0) + 1
			this.#counts.set(hash, count)
			return `${hash}.${count}`
		}
		const before = this.#seen.get(line.uuid)
		if (before === hash) return null
		if (before !== undefined) return `${line.uuid}.${hash}`
		this.#seen.set(line.uuid, hash)
		return line.uuid
	}
}
