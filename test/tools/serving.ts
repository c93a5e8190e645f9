/** The embedded backend in this process, with its database in the hands of the test. */
import { setTimeout as sleep } from 'node:timers/promises'
import { ensureFolder } from '../../source/config/paths.ts'
import type { Backend } from '../../source/server/backend.ts'
import { runDaemon } from '../../source/server/run-daemon.ts'

export interface Serving extends AsyncDisposable {
	backend: Backend
}

/** Serves the data folder as the background process does; the commands of its home find it. */
export async function serve(folders: {
	data: string
	run: string
	databaseUrl?: string
}): Promise<Serving> {
	await ensureFolder(folders.data)
	await ensureFolder(folders.run)
	const ending = new AbortController()
	const ready = Promise.withResolvers<Backend>()
	const ended = runDaemon({
		...folders,
		idleMs: null,
		log: () => undefined,
		onReady: ready.resolve,
		signal: ending.signal,
	})
	ended.catch(ready.reject)
	const backend = await ready.promise
	return {
		backend,
		async [Symbol.asyncDispose]() {
			// What is being answered is answered first.
			await sleep(0)
			ending.abort()
			await ended
		},
	}
}
