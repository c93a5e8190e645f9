/** Questions of commands to the person at the terminal. */
import { createInterface } from 'node:readline/promises'
import { exit, StyrbyError } from '../protocol/errors.ts'
import type { Io } from './io.ts'

/** One line. Throws `interrupted` (exit 130) on Ctrl-C and Ctrl-D; `meaning` says what has not happened then. */
export async function askLine(io: Io, question: string, meaning: string): Promise<string> {
	const { stdin: input, stdout: output } = io
	const ask = createInterface({ input, output })
	try {
		return (await ask.question(question)).trim()
	} catch (cause) {
		if (!(cause instanceof Error) || cause.name !== 'AbortError') throw cause
		output.write('\n')
		throw interrupted(meaning, cause)
	} finally {
		ask.close()
	}
}

/** Return alone means no. Throws as `askLine` does. */
export async function askYes(io: Io, question: string, meaning: string): Promise<boolean> {
	return /^y(es)?$/i.test(await askLine(io, `${question} [y/N] `, meaning))
}

export function interrupted(meaning: string, cause?: unknown): StyrbyError {
	const message = `Interrupted: ${meaning}.`
	return new StyrbyError('interrupted', message, { exitCode: exit.interrupted, cause })
}

/** Where nobody can be asked. `how`: what to give instead. */
export function confirmationNeeded(how: string): StyrbyError {
	return new StyrbyError('confirmation_needed', `Without a terminal to ask in, give ${how}.`, {
		exitCode: exit.usage,
	})
}
