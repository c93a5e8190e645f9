import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { AgentAnswer, AgentOutput } from '../../../source/agents/agent.ts'
import type { ChatMessage } from '../../../source/agents/gemini/chat-lines.ts'
import { AcpReader } from '../../../source/agents/gemini/reader.ts'
import { requests } from '../../tools/outputs.ts'

export const fixtures = join(import.meta.dirname, '../../fixtures/agents/gemini')

export const names = readdirSync(fixtures)
	.filter((name) => name.endsWith('.jsonl'))
	.map((name) => name.replace('.jsonl', ''))

interface Message {
	id?: number
	method?: string
	params?: Record<string, unknown>
	result?: unknown
	error?: { code: number; message: string; data?: unknown }
}

/** One step of a recording: a line of the agent, what its chat file had, or what it was told. */
export interface Recorded {
	prompt?: string
	line?: Message
	chat?: ChatMessage[]
	answer?: AgentAnswer
	interrupt?: true
}

export function recording(name: string): Recorded[] {
	return readFileSync(join(fixtures, `${name}.jsonl`), 'utf8')
		.trim()
		.split('\n')
		.map((line) => JSON.parse(line))
}

export function newReader(): AcpReader {
	let ids = 0
	return new AcpReader('/home/user/project', () => `id-${++ids}`)
}

const start = Date.parse('2026-11-25T00:00:00Z')

/** Plays steps through the reader, our own answers included. */
export function play(steps: readonly Recorded[], reader = newReader()) {
	const outputs: AgentOutput[] = []
	/** The options that were chosen. */
	const chosen: string[] = []
	for (const [index, { prompt, line, chat, answer, interrupt }] of steps.entries()) {
		const at = new Date(start + index).toISOString()
		if (prompt !== undefined) outputs.push(...reader.prompted(prompt, 'agent', at))
		if (chat !== undefined) outputs.push(...reader.chat(chat, at))
		if (interrupt) outputs.push(...reader.drop().outputs)
		if (answer !== undefined) {
			const open = requests(outputs).at(-1)
			const given = reader.answer(open?.id ?? '', answer)
			if (given !== null) chosen.push(given.optionId)
		}
		if (line?.method !== undefined && line.id !== undefined) {
			outputs.push(...(reader.asked(line.id, line.params, at) ?? []))
		} else if (line?.method !== undefined) outputs.push(...reader.update(line.params, at))
		else if (line?.error !== undefined) {
			outputs.push(...reader.turnOver({ ok: false, error: { data: null, ...line.error } }, at))
		} else if (line !== undefined) {
			outputs.push(...reader.turnOver({ ok: true, result: line.result }, at))
		}
	}
	outputs.push(...reader.end('2026-11-26T00:00:00.000Z'))
	return { outputs, chosen, reader }
}
