/**
 * The one error class of this project. `code` is stable: scripts and tests depend on it.
 * `message` is one sentence that says what is wrong and what to do next, and never holds a secret
 * or the plaintext of a message.
 */
export class StyrbyError extends Error {
	override readonly name = 'StyrbyError'
	readonly code: string
	readonly exitCode: ExitCode

	constructor(
		code: string,
		message: string,
		options: { exitCode?: ExitCode; cause?: unknown } = {},
	) {
		super(message, options.cause === undefined ? undefined : { cause: options.cause })
		this.code = code
		this.exitCode = options.exitCode ?? exit.failed
	}
}

/** Exit codes of the command line; see the table in the readme. */
export const exit = {
	done: 0,
	failed: 1,
	usage: 2,
	notSignedIn: 3,
	refused: 4,
	unreachable: 5,
	interrupted: 130,
} as const

export type ExitCode = (typeof exit)[keyof typeof exit]

/** A check of a signature, a box, a chain or a log failed: nothing of it may be used. Exit code 4. */
export function refused(code: string, message: string, cause?: unknown): StyrbyError {
	return new StyrbyError(code, message, { exitCode: exit.refused, cause })
}
