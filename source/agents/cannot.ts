/** What a running agent can't be sent: errors that say what to do instead. */
import { StyrbyError } from '../protocol/errors.ts'

/** `agent_cannot`. `text`: the whole sentence. */
export function cannot(text: string): StyrbyError {
	return new StyrbyError('agent_cannot', text)
}

/** It has ended, or is about to. */
export function noMorePrompts(): StyrbyError {
	return cannot('This session takes no more prompts; start a new one with `styrby-tui run`.')
}

/** A mode that it was not said to take, or a mode when nothing is taken any more. `title`: the agent's name. */
export function otherMode(title: string, modes: readonly string[]): StyrbyError {
	return cannot(`${title} can be put in ${modes.join(', ')} from elsewhere, while it runs.`)
}

/** `agent_refused`: the agent did not take a mode. `why`: its own reason; `null`: it did not answer. */
export function modeRefused(title: string, why: string | null): StyrbyError {
	const text =
		why === null
			? `${title} did not say whether it changed its mode.`
			: `${title} did not change its mode: ${why}.`
	return new StyrbyError('agent_refused', text)
}

/** What is done at the agent itself. `instead`: the end of a sentence. */
export function inItsInterface(instead: string): StyrbyError {
	return cannot(`This session runs in its own interface: ${instead}.`)
}
