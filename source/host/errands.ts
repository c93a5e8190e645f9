/**
 * Prompts, interrupts and changes of mode from other devices (docs/protocol.md, section 6): each is obeyed
 * once, one after the other, and only while it is fresh.
 */
import type { RunningAgent, Takes } from '../agents/agent.ts'
import { within } from '../agents/child-process.ts'
import type { Command, SignedCommand } from '../protocol/command.ts'
import { StyrbyError } from '../protocol/errors.ts'

/** A command that is for the agent, and no decision. */
export type Errand = Exclude<Command, { kind: 'decision' | 'take_back' }>

export interface ErrandsOptions {
	agent: Pick<RunningAgent, 'prompt' | 'interrupt' | 'setMode'>
	/** What the agent said it takes; `null`: nothing yet, so it is asked. */
	takes(): Takes | null
	/** ms since 1970. */
	now(): number
	/** Notes on the disk that a command was used: it is never obeyed again. */
	use(id: string): void
	/** The agent took it. */
	obeyed(command: Errand, signed: SignedCommand): void
	refused(error: StyrbyError, command: Errand): void
	/** Runs work that nobody waits for. */
	run(work: () => Promise<unknown>): void
}

/** A command that is older is not obeyed, ms: whoever sent it has gone on by now. */
export const errandLifetime = 10 * 60_000
/** How far the sender's clock may be ahead of ours, ms. */
export const errandAhead = 3 * 60_000
/** How long one may take before the next one is begun, ms. */
const patience = 5_000

export class Errands {
	readonly #options: ErrandsOptions
	/** When the newest command of each device was signed, ms. */
	readonly #newest = new Map<string, number>()
	#last: Promise<unknown> = Promise.resolve()

	constructor(options: ErrandsOptions) {
		this.#options = options
	}

	/** Takes a command whose box, signature and place were checked, and which was not used before. */
	take(command: Errand, signed: SignedCommand): void {
		const { use, refused, run } = this.#options
		use(command.id)
		const problem = this.#whyNot(command)
		if (problem) {
			refused(problem, command)
			return
		}
		this.#newest.set(command.by, Date.parse(command.at))
		const before = this.#last
		const turn = before.then(() => this.#obey(command, signed))
		const done = within(turn, patience)
		this.#last = done
		run(async () => {
			if (await done) await turn
		})
	}

	/** A server can hold a command back, and let another one pass it. */
	#whyNot(command: Errand): StyrbyError | null {
		const at = Date.parse(command.at)
		const age = this.#options.now() - at
		if (age > errandLifetime) {
			return new StyrbyError(
				'command_expired',
				'A command came more than ten minutes after it was sent, so it was not obeyed: send it again.',
			)
		}
		if (-age > errandAhead) {
			return new StyrbyError(
				'command_expired',
				'A command is dated more than three minutes in the future, so it was not obeyed: set the clocks of both devices right.',
			)
		}
		if (at < (this.#newest.get(command.by) ?? at)) {
			return new StyrbyError(
				'command_overtaken',
				'A command came after a newer one of the same device, so it was not obeyed: send it again.',
			)
		}
		return null
	}

	async #obey(command: Errand, signed: SignedCommand): Promise<void> {
		const { agent, takes, obeyed, refused } = this.#options
		try {
			assertTaken(command, takes())
			if (command.kind === 'prompt') await agent.prompt(command.body.text)
			else if (command.kind === 'mode') await agent.setMode(command.body.mode)
			else await agent.interrupt()
		} catch (error) {
			if (!(error instanceof StyrbyError)) throw error
			refused(error, command)
			return
		}
		obeyed(command, signed)
	}
}

/** Throws `agent_cannot` where the agent said that it does not take this. */
function assertTaken(command: Errand, takes: Takes | null): void {
	if (takes === null) return
	if (command.kind === 'prompt' && !takes.prompt) {
		throw cannot('takes no prompts from elsewhere: type it where the agent runs')
	}
	if (command.kind === 'interrupt' && !takes.interrupt) {
		throw cannot('can not be interrupted from elsewhere: do it where the agent runs')
	}
	if (command.kind === 'mode' && !takes.modes.includes(command.body.mode)) {
		const which =
			takes.modes.length === 0
				? 'its mode can be changed only where it runs'
				: `it can be put in ${takes.modes.join(', ')}`
		throw cannot(`does not take this mode from elsewhere: ${which}`)
	}
}

function cannot(what: string): StyrbyError {
	return new StyrbyError('agent_cannot', `The agent ${what}.`)
}
