import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { AgentOutput } from '../../../source/agents/agent.ts'
import { EventReader } from '../../../source/agents/opencode/reader.ts'

export const fixtures = join(import.meta.dirname, '../../fixtures/agents/opencode')

export const names = readdirSync(fixtures)
	.filter((name) => name.endsWith('.jsonl'))
	.map((name) => name.replace('.jsonl', ''))

/** One step of a recording: the prompt, an event of the agent, or an answer of ours. */
export interface Recorded {
	prompt?: string
	event?: { id: string; type: string; properties: Record<string, unknown> }
	answer?: { id: string; ok: boolean }
}

export function recording(name: string): Recorded[] {
	return readFileSync(join(fixtures, `${name}.jsonl`), 'utf8')
		.trim()
		.split('\n')
		.map((line) => JSON.parse(line))
}

const start = Date.parse('2026-11-25T00:00:00Z')

/** Plays steps through the reader, our own answers included. */
export function play(steps: readonly Recorded[], reader = new EventReader()) {
	const outputs: AgentOutput[] = []
	const refused: string[] = []
	let idle = 0
	for (const [index, { prompt, event, answer }] of steps.entries()) {
		if (prompt !== undefined) reader.prompted(prompt, 'agent')
		if (answer !== undefined) {
			reader.answering(answer.id)
			outputs.push(...reader.answered(answer.id, answer.ok))
		}
		if (event === undefined) continue
		const step = reader.read(JSON.stringify(event), new Date(start + index).toISOString())
		outputs.push(...step.outputs)
		refused.push(...step.refuse.map(({ id }) => id))
		if (step.idle) idle++
	}
	outputs.push(...reader.end('2026-11-26T00:00:00.000Z'))
	return { outputs, reader, refused, idle }
}
