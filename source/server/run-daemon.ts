import { version } from '../config/version.ts'
import type { Backend } from './backend.ts'
import { startBackend } from './backend.ts'
import type { ListenOptions } from './network-address.ts'
import { readRuntime, writeRuntime } from './runtime-file.ts'

export interface DaemonOptions {
	readonly data: string
	readonly run: string
	/** The port to have; without it the one of last time, or any that is free. */
	readonly port?: number
	readonly databaseUrl?: string | null
	/** Where other machines are let in, too. */
	readonly listen?: ListenOptions | null
	/** Ends by itself after so many ms without a client; never when it is null. */
	readonly idleMs: number | null
	readonly log: (line: string) => void
	/** Called once requests are answered. */
	readonly onReady?: (backend: Backend) => void
	/** Ends the daemon as SIGTERM does. */
	readonly signal?: AbortSignal
}

/**
 * Runs the backend until SIGTERM, SIGINT, a request to stop, or nobody has used it for a while;
 * answers what is under way first. Throws what `startBackend` throws.
 */
export async function runDaemon(options: DaemonOptions): Promise<void> {
	const { data, run, idleMs, log } = options
	const ending = Promise.withResolvers<string>()
	const onSignal = (name: NodeJS.Signals) => ending.resolve(`got ${name}`)
	const onAbort = () => ending.resolve('asked to')
	process.on('SIGTERM', onSignal)
	process.on('SIGINT', onSignal)
	options.signal?.addEventListener('abort', onAbort)
	try {
		const before = performance.now()
		await using backend = await startBackend({
			data,
			log,
			port: options.port ?? (await readRuntime(run))?.port ?? 0,
			exactPort: options.port !== undefined,
			databaseUrl: options.databaseUrl ?? null,
			listen: options.listen ?? null,
			foreground: idleMs === null,
			onStop: ending.resolve,
		})
		const { port, start } = backend
		await writeRuntime(run, { port, pid: process.pid, start, version })
		log(`ready on port ${port} after ${Math.round(performance.now() - before)} ms`)
		options.onReady?.(backend)
		if (options.signal?.aborted) onAbort()
		using _found = staysFound(run, { port, pid: process.pid, start, version }, log)
		using _idle = watchIdle(backend, idleMs, () => ending.resolve('nobody uses it'))
		log(`stopping: ${await ending.promise}`)
	} finally {
		process.off('SIGTERM', onSignal)
		process.off('SIGINT', onSignal)
		options.signal?.removeEventListener('abort', onAbort)
	}
	log('stopped')
}

/** How often the daemon looks whether it can still be found, ms. */
const lookEvery = 3000

/** Without its runtime file a daemon that holds the data folder could neither be used nor replaced. */
function staysFound(
	run: string,
	own: Parameters<typeof writeRuntime>[1],
	log: (line: string) => void,
): Disposable {
	const look = async () => {
		if ((await readRuntime(run))?.start === own.start) return
		await writeRuntime(run, own)
		log('wrote the runtime file anew')
	}
	const failed = (error: unknown) =>
		log(`runtime file: ${error instanceof Error ? error.message : error}`)
	const timer = setInterval(() => void look().catch(failed), lookEvery)
	return {
		[Symbol.dispose]() {
			clearInterval(timer)
		},
	}
}

function watchIdle(backend: Backend, idleMs: number | null, onIdle: () => void): Disposable {
	if (idleMs === null) return { [Symbol.dispose]() {} }
	const look = () => {
		const { busy, lastActive } = backend.http
		if (busy === 0 && Date.now() - lastActive >= idleMs) onIdle()
	}
	const timer = setInterval(look, Math.max(50, Math.min(idleMs / 4, 30_000)))
	return {
		[Symbol.dispose]() {
			clearInterval(timer)
		},
	}
}
