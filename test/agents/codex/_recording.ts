import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as v from 'valibot'
import type { AgentAnswer, AgentOutput } from '../../../source/agents/agent.ts'
import { openedSchema, parseMessage } from '../../../source/agents/codex/schema.ts'
import { ThreadReader } from '../../../source/agents/codex/thread-reader.ts'

export const fixtures = join(import.meta.dirname, '../../fixtures/agents/codex')

export const names = readdirSync(fixtures)
	.filter((name) => name.endsWith('.jsonl'))
	.map((name) => name.replace('.jsonl', ''))

/** One step of a recording, as test/tools/record-codex.ts writes it. */
export interface Recorded {
	opened?: unknown
	sent?: { id: string; source: 'agent' | 'viewer' | 'reason' }
	message?: { params?: Record<string, unknown>; [field: string]: unknown }
	answer?: { id: string; answer: AgentAnswer }
}

export function recording(name: string): Recorded[] {
	return readFileSync(join(fixtures, `${name}.jsonl`), 'utf8')
		.trim()
		.split('\n')
		.map((line) => JSON.parse(line))
}

/** The lines of the app-server in all recordings. */
export const allLines = names.flatMap((name) =>
	recording(name).flatMap(({ message }) => (message ? [JSON.stringify(message)] : [])),
)

const start = Date.parse('2026-11-25T00:00:00Z')

/** Plays steps through the reader, our own answers included; `replies`: what the agent was sent for them. */
export function play(steps: readonly Recorded[], reader = new ThreadReader()) {
	const outputs: AgentOutput[] = []
	const replies: unknown[] = []
	for (const [index, { opened, sent, message, answer }] of steps.entries()) {
		if (opened !== undefined) outputs.push(...reader.opened(v.parse(openedSchema, opened)))
		if (sent !== undefined) reader.sending(sent.id, sent.source)
		if (answer !== undefined) replies.push(reader.requests.take(answer.id, answer.answer)?.result)
		const read = message === undefined ? null : parseMessage(JSON.stringify(message))
		if (read !== null) outputs.push(...reader.read(read, new Date(start + index).toISOString()))
	}
	outputs.push(...reader.end('2026-11-26T00:00:00.000Z'))
	return { outputs, reader, replies }
}
