/** Which files of a folder are transcripts of Claude Code, and which of them make one session. */
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import * as v from 'valibot'
import { lastLines } from '../history-lines.ts'
import { readLines } from '../lines.ts'
import { parseLine, type RawLine, timeOf } from './schema.ts'

/** Lines over this are reported, not read. */
export const maxLineBytes = 64 * 1024 * 1024
const headBytes = 4 * 1024 * 1024

export interface HistoryFile {
	path: string
	/** The session it belongs to. */
	session: string
	/** Set for a sub-agent's file. */
	agent: string | null
	cwd: string | null
	startedAt: string
	endedAt: string
}

const markSchema = v.looseObject({ type: v.string(), sessionId: v.string() })
const summarySchema = v.object({
	type: v.literal('summary'),
	summary: v.string(),
	leafUuid: v.string(),
})

/** Whether a line is one of Claude Code's. (Codex has `payload`, Gemini one document a file.) */
export function isClaudeLine(text: string): boolean {
	let value: unknown
	try {
		value = JSON.parse(text)
	} catch {
		// A corrupt line says nothing about the file.
		return false
	}
	const mark = v.safeParse(markSchema, value)
	if (mark.success) return !('payload' in mark.output)
	return v.is(summarySchema, value)
}

/** What a file is, by its content; `null` when it is no transcript of Claude Code. */
export async function readHistoryFile(path: string): Promise<HistoryFile | null> {
	const head = await readHead(path)
	if (!head.recognised) return null
	const name = basename(path, '.jsonl')
	const inAgentFolder = basename(dirname(path)) === 'subagents'
	const agent = inAgentFolder || name.startsWith('agent-') ? (head.agent ?? name) : null
	const folderSession = inAgentFolder ? basename(dirname(dirname(path))) : null
	const named = isUuid(name) ? name : null
	const session = named ?? head.session ?? folderSession ?? name
	const changed = (await stat(path)).mtime.toISOString()
	const startedAt = head.at ?? changed
	const endedAt = (await lastTime(path)) ?? startedAt
	return {
		path,
		session,
		agent,
		cwd: head.cwd,
		startedAt,
		endedAt: later(startedAt, endedAt),
	}
}

interface Head {
	recognised: boolean
	session: string | null
	agent: string | null
	cwd: string | null
	at: string | null
}

async function readHead(path: string): Promise<Head> {
	const head: Head = { recognised: false, session: null, agent: null, cwd: null, at: null }
	const stream = createReadStream(path, { end: headBytes - 1 })
	for await (const { text } of readLines(stream, headBytes)) {
		if (text === null) continue
		head.recognised ||= isClaudeLine(text)
		const line = parseLine(text)
		if (line === null) continue
		head.session ??= line.sessionId
		head.agent ??= line.isSidechain ? line.agentId : null
		head.cwd ??= line.cwd
		head.at ??= lineTime(line)
		const complete = head.session !== null && head.cwd !== null && head.at !== null
		if (head.recognised && complete) break
	}
	return head
}

/** The time of the last line that has one, looking at the end of the file only. */
async function lastTime(path: string): Promise<string | null> {
	for (const text of await lastLines(path)) {
		const line = parseLine(text)
		const at = line === null ? null : lineTime(line)
		if (at !== null) return at
	}
	return null
}

function lineTime(line: RawLine): string | null {
	const at = timeOf(line.timestamp, '')
	return at === '' ? null : at
}

function later(a: string, b: string): string {
	return [a, b].sort()[1] ?? a
}

function isUuid(name: string): boolean {
	return v.is(v.pipe(v.string(), v.uuid()), name)
}
