/** Ctrl-C, and the polite way to end a process, as an `AbortSignal` while something waits. */
export function stopSignal(): Disposable & { signal: AbortSignal } {
	const ending = new AbortController()
	const stop = () => ending.abort()
	const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
	for (const name of signals) process.on(name, stop)
	return {
		signal: ending.signal,
		[Symbol.dispose]() {
			for (const name of signals) process.off(name, stop)
		},
	}
}
