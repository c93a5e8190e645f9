import type { AgentName } from '../protocol/events.ts'
import type { AgentAnswer, AgentOutput } from './agent.ts'
import type { Ended } from './child-process.ts'
import type { HookedAgent, HookedCall } from './hooked.ts'
import { HookedLife, hookedCannot } from './hooked-life.ts'
import { OutputQueue } from './output-queue.ts'

/** What is the same for every agent that we did not start: little can be sent to it, and it is let go. */
export abstract class HookedSession implements HookedAgent {
	abstract readonly name: AgentName
	readonly ended: Promise<Ended>
	protected readonly queue = new OutputQueue<AgentOutput>()
	protected readonly life: HookedLife

	/** `pid`: the agent's process. */
	constructor(pid: number) {
		this.life = new HookedLife(pid, async () => {
			await this.last()
			this.queue.close()
		})
		this.ended = this.life.ended
	}

	get output(): AsyncIterable<AgentOutput> {
		return this.queue
	}

	abstract hook(call: HookedCall): void

	abstract answer(id: string, answer: AgentAnswer): Promise<boolean>

	/** What there is to do once the agent is over, while its output is still taken. */
	protected abstract last(): Promise<void>

	async prompt(): Promise<void> {
		throw hookedCannot('type the prompt there')
	}

	async interrupt(): Promise<void> {
		throw hookedCannot('press Escape there')
	}

	async setMode(): Promise<void> {
		throw hookedCannot('change the mode there')
	}

	async stop(): Promise<void> {
		this.life.letGo()
		await this.ended
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.stop()
	}
}
