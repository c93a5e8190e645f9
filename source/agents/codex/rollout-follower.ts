/** Follows the rollout of a thread as it grows, for a session that is known by nothing else. */
import type { AgentOutput } from '../agent.ts'
import { FileTail } from '../file-tail.ts'
import { notice } from './items.ts'
import { RolloutReader } from './rollout-reader.ts'
import { parseRolloutLine, timeOf } from './rollout-schema.ts'

const maxLineBytes = 64 * 1024 * 1024
const begun = ['task_started', 'turn_started']
const over = ['task_complete', 'turn_complete', 'turn_aborted']

export interface RolloutFollowerOptions {
	path: string
	/** ISO time: what is older is read but not told. */
	since: string
	onOutput: (output: AgentOutput) => void
}

export class RolloutFollower {
	readonly #options: RolloutFollowerOptions
	readonly #tail: FileTail
	readonly #reader = new RolloutReader()
	#running: Promise<void> = Promise.resolve()

	constructor(options: RolloutFollowerOptions) {
		this.#options = options
		this.#tail = new FileTail(options.path, maxLineBytes)
	}

	/** Reads what is new. Calls queue up, so that lines keep their order. */
	poll(): Promise<void> {
		const next = () => this.#poll()
		this.#running = this.#running.then(next, next)
		return this.#running
	}

	async #poll(): Promise<void> {
		const { since, onOutput } = this.#options
		for await (const { text } of this.#tail.read()) {
			const now = new Date().toISOString()
			const line = text === null ? null : parseRolloutLine(text)
			if (line === null) {
				onOutput(notice(now, 'A line of the rollout is too long or no JSON, and was left out'))
				continue
			}
			const at = timeOf(line.timestamp) ?? now
			const events = this.#reader.read(line)
			if (at < since) continue
			for (const event of events) onOutput({ type: 'event', at, event })
			if (line.type !== 'event_msg') continue
			if (begun.includes(line.payload.type ?? '')) onOutput({ type: 'status', status: 'running' })
			if (over.includes(line.payload.type ?? '')) onOutput({ type: 'status', status: 'idle' })
		}
	}
}
