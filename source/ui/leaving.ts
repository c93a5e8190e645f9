/** The ways out of the program that are not a key. */

const exitCodes = { SIGHUP: 129, SIGINT: 130, SIGQUIT: 131, SIGTERM: 143 } as const

export interface Ways {
	leave(exitCode: number): void
	crash(error: unknown): void
	stdout: NodeJS.WriteStream
}

/** Listens for signals, crashes and the loss of the terminal; the result stops listening. */
export function listenForEnd({ leave, crash, stdout }: Ways): () => void {
	const signals = Object.entries(exitCodes).map(([signal, code]) => {
		const listener = () => leave(code)
		process.on(signal, listener)
		return () => process.off(signal, listener)
	})
	// A terminal that is gone can't be written to: the person hung up.
	const gone = () => leave(exitCodes.SIGHUP)
	stdout.on('error', gone)
	process.on('uncaughtException', crash)
	process.on('unhandledRejection', crash)
	return () => {
		for (const stop of signals) stop()
		stdout.off('error', gone)
		process.off('uncaughtException', crash)
		process.off('unhandledRejection', crash)
	}
}
