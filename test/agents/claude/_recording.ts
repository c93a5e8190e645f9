import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { AgentOutput } from '../../../source/agents/agent.ts'
import { StreamReader } from '../../../source/agents/claude/stream.ts'

export const fixtures = join(import.meta.dirname, '../../fixtures/agents/claude')

/** One line of a recording of a headless run. */
export interface Recorded {
	t: number
	dir: string
	line: Record<string, unknown>
}

export function recording(name: string): Recorded[] {
	return readFileSync(join(fixtures, `${name}.jsonl`), 'utf8')
		.trim()
		.split('\n')
		.map((line) => JSON.parse(line))
}

/** Plays a recording through the reader, our own answers included. */
export function play(steps: readonly Recorded[]): {
	outputs: AgentOutput[]
	reader: StreamReader
	refused: string[]
} {
	const reader = new StreamReader()
	const outputs: AgentOutput[] = []
	const refused: string[] = []
	const start = Date.parse('2026-11-24T00:00:00Z')
	for (const { t, dir, line } of steps) {
		const response = line.response
		if (dir === 'in' && line.type === 'control_response') {
			if (response !== null && typeof response === 'object' && 'request_id' in response) {
				reader.answered(String(response.request_id))
			}
		}
		if (dir !== 'out') continue
		const step = reader.read(JSON.stringify(line), new Date(start + t).toISOString())
		outputs.push(...step.outputs)
		refused.push(...step.refuse.map(({ id }) => id))
	}
	outputs.push(...reader.end('2026-11-25T00:00:00.000Z'))
	return { outputs, reader, refused }
}
