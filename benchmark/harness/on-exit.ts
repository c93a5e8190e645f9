/** What has to be ended when this process is, however that comes about. */
const living = new Set<() => void>()

process.on('exit', () => {
	for (const end of living) end()
})
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
	process.on(signal, () => process.exit(130))
}

/** Calls `end` when this process exits, unless it was disposed of before. */
export function onExit(end: () => void): Disposable {
	living.add(end)
	return {
		[Symbol.dispose]() {
			living.delete(end)
		},
	}
}
