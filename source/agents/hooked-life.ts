/** The life of an agent that we did not start: until it says that it ends, or its process has gone. */
import { setTimeout as sleep } from 'node:timers/promises'
import { isAlive } from '../config/is-alive.ts'
import type { StyrbyError } from '../protocol/errors.ts'
import { cannot } from './cannot.ts'
import type { Ended } from './child-process.ts'

/** How often to look whether the agent still runs, ms. */
const lookEvery = 1000
/** How long the last lines may take into the agent's own history, ms. */
const lastLinesMs = 300
/** How long the last call of an agent that has ended may take to be seen, ms. */
const lastCallMs = 1000
const vanished = 'The agent has ended without a word: it was killed, or it crashed.'

export class HookedLife {
	readonly ended: Promise<Ended>
	readonly #over = Promise.withResolvers<Ended>()
	#saidEnd = false

	/** `last`: what there is to do once it is over, before `ended` says so. */
	constructor(pid: number, last: () => Promise<void>) {
		const timer = setInterval(() => {
			if (isAlive(pid)) return
			clearInterval(timer)
			// Its last call may be on its way here.
			void sleep(lastCallMs).then(() => {
				if (!this.#saidEnd) this.#over.resolve({ code: null, signal: null, stderr: vanished })
			})
		}, lookEvery)
		this.ended = this.#over.promise.then(async (how) => {
			clearInterval(timer)
			await last()
			return how
		})
	}

	/** The agent says that it ends. */
	ends(): void {
		this.#saidEnd = true
		void sleep(lastLinesMs).then(() => this.letGo())
	}

	/** The agent goes on, or not; it is not published any more. */
	letGo(): void {
		this.#over.resolve({ code: 0, signal: null, stderr: '' })
	}
}

/** What such an agent can't be sent. `instead`: the end of a sentence. */
export function hookedCannot(instead: string): StyrbyError {
	return cannot(`This session was started without styrby-tui, in its own interface: ${instead}.`)
}
