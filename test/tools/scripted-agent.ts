/** An agent that does what a test says, with the manners of a real one. */
import type { AgentAnswer, AgentOutput, RunningAgent } from '../../source/agents/agent.ts'
import type { Ask } from '../../source/host/pending-request.ts'
import type { AgentName } from '../../source/protocol/events.ts'

export const someAsk: Ask = {
	tool: 'Bash',
	tool_use: 'tool-1',
	input: { command: 'rm -rf build' },
	description: 'Remove the build folder',
	cwd: '/home/dev/api-server',
	reason: null,
	changes: [],
	session_rules: [{ tool: 'Bash', rule: 'rm -rf build' }],
	questions: null,
}

type Ended = Awaited<RunningAgent['ended']>

export class ScriptedAgent implements RunningAgent {
	readonly name: AgentName = 'claude'
	readonly ended: Promise<Ended>
	readonly answers = new Map<string, AgentAnswer[]>()
	readonly prompts: string[] = []
	readonly modes: string[] = []
	interrupts = 0
	stops = 0
	/** Requests that are gone: an answer to one is not taken. */
	readonly gone = new Set<string>()
	/** Says "applied" as soon as an answer comes. */
	goesOn = true
	readonly #queue: AgentOutput[] = []
	#wake: (() => void) | null = null
	#over = false
	#end: (ended: Ended) => void = () => {}
	readonly #answered = new Map<string, (answer: AgentAnswer) => void>()

	constructor() {
		this.ended = new Promise((resolve) => {
			this.#end = resolve
		})
	}

	say(...outputs: AgentOutput[]): void {
		this.#queue.push(...outputs)
		this.#wake?.()
	}

	text(text: string, at = new Date().toISOString()): void {
		const body = { text, block: null, model: null, parent: null }
		this.say({ type: 'event', at, event: { kind: 'agent_response', body } })
	}

	/** Asks, and resolves with the first answer. */
	ask(id: string, ask: Ask = someAsk): Promise<AgentAnswer> {
		const answer = new Promise<AgentAnswer>((resolve) => this.#answered.set(id, resolve))
		this.say({ type: 'request', id, ask })
		return answer
	}

	async answer(id: string, answer: AgentAnswer): Promise<boolean> {
		if (this.gone.has(id) || this.#over) return false
		this.answers.set(id, [...(this.answers.get(id) ?? []), answer])
		this.#answered.get(id)?.(answer)
		if (this.goesOn) this.say({ type: 'applied', id })
		return true
	}

	async prompt(text: string): Promise<void> {
		this.prompts.push(text)
	}

	async interrupt(): Promise<void> {
		this.interrupts++
	}

	async setMode(mode: string): Promise<void> {
		this.modes.push(mode)
	}

	async stop(): Promise<void> {
		this.stops++
		this.finish({ code: null, signal: 'SIGTERM', stderr: '' })
	}

	finish(ended: Ended = { code: 0, signal: null, stderr: '' }): void {
		this.#over = true
		this.#end(ended)
		this.#wake?.()
	}

	get output(): AsyncIterable<AgentOutput> {
		return this.#outputs()
	}

	async *#outputs(): AsyncGenerator<AgentOutput> {
		for (;;) {
			const next = this.#queue.shift()
			if (next) yield next
			else if (this.#over) return
			else {
				await new Promise<void>((resolve) => {
					this.#wake = resolve
				})
				this.#wake = null
			}
		}
	}

	async [Symbol.asyncDispose](): Promise<void> {
		if (!this.#over) await this.stop()
	}
}
