/** `serve`: the embedded backend in the foreground. It is otherwise started on demand. */
import { setFlagsFromString } from 'node:v8'
import { withLock } from '../config/lock.ts'
import { ensureFolder } from '../config/paths.ts'
import { redact } from '../config/redact.ts'
import { type ExitCode, exit, StyrbyError } from '../protocol/errors.ts'
import type { Backend } from '../server/backend.ts'
import {
	type EmbeddedFolders,
	embeddedState,
	joinEmbedded,
	statusEmbedded,
	stopEmbedded,
} from '../server/discover.ts'
import { type DaemonOptions, runDaemon } from '../server/run-daemon.ts'
import type { Invocation } from './command.ts'
import type { Io } from './io.ts'
import { showJoinTokens } from './serve/join-tokens.ts'
import { databaseOf, foldersOf, listenOf, onlyJoinToken } from './serve/options.ts'

/** How often an on-demand backend is asked to make room, each time started anew by some command meanwhile. */
const tries = 5
/** How long another command may be starting one, ms. */
const startMs = 40_000

export async function run({ flags, io }: Invocation): Promise<ExitCode> {
	const folders = foldersOf(flags, io)
	if (flags.has('join-token')) {
		onlyJoinToken(flags)
		io.stdout.write(`${await newJoinToken(folders)}\n`)
		return exit.done
	}
	const port = flags.number('port')
	const listen = await listenOf(flags, io)
	const databaseUrl = databaseOf(flags)
	await ensureFolder(folders.data)
	await ensureFolder(folders.run)
	// As in the background: the engine's WebAssembly is compiled once and simply, in half the memory.
	setFlagsFromString('--liftoff-only')
	let tokens: Disposable | null = null
	try {
		await serveInstead(folders, {
			...folders,
			...(port === undefined ? {} : { port }),
			databaseUrl,
			listen,
			idleMs: null,
			log: logTo(io),
			onReady: (backend) => {
				io.stdout.write(readyText(backend))
				if (listen !== null) tokens = showJoinTokens(backend, io)
			},
		})
	} catch (error) {
		throw await explained(error, folders)
	} finally {
		disposeOf(tokens)
	}
	return exit.done
}

const disposeOf = (part: Disposable | null) => part?.[Symbol.dispose]()

function readyText({ url, http }: Backend): string {
	const others =
		http.networkUrls.length === 0 ? '' : `, and for others at ${http.networkUrls.join(', ')}`
	return `styrby-tui: serving at ${url}${others}, until Ctrl-C\n`
}

/**
 * Serves in place of the backend that some command started in the background: that one is asked to end, and
 * its clients find this one. While this goes on, no other is started. Throws `backend_already_running` where
 * a person started the other.
 */
async function serveInstead(folders: EmbeddedFolders, options: DaemonOptions): Promise<void> {
	const { onReady } = options
	let serving: Promise<void> = Promise.resolve()
	const start = async () => {
		const ready = Promise.withResolvers<void>()
		serving = runDaemon({
			...options,
			onReady: (backend) => {
				onReady?.(backend)
				ready.resolve()
			},
		})
		await Promise.race([ready.promise, serving])
	}
	await withLock(
		folders.run,
		'backend-start',
		async () => {
			for (let left = tries; ; left--) {
				await makeRoom(folders)
				try {
					return await start()
				} catch (error) {
					const held = error instanceof StyrbyError && error.code === 'backend_already_running'
					if (!held || left === 0 || !(await inBackground(folders))) throw error
				}
			}
		},
		{ timeoutMs: startMs },
	)
	await serving
}

async function makeRoom(folders: EmbeddedFolders): Promise<void> {
	if (await inBackground(folders)) await stopEmbedded(folders)
}

async function inBackground(folders: EmbeddedFolders): Promise<boolean> {
	const state = await embeddedState(folders)
	return state !== null && !state.foreground
}

/** Of the backend of this home that other machines can reach. Throws `not_listening`. */
async function newJoinToken(folders: EmbeddedFolders): Promise<string> {
	const offer = await joinEmbedded(folders)
	if (offer?.token) return offer.token
	const what = offer === null ? 'No backend of this home runs' : 'Other machines can not reach it'
	throw new StyrbyError(
		'not_listening',
		`${what}: run "styrby-tui serve --listen HOST:PORT" first, and leave it running.`,
	)
}

/** The terminal is for what says where; the rest only for whoever wants to mend something. */
function logTo({ env, stderr, now }: Io): (line: string) => void {
	if (env.STYRBY_LOG !== 'debug') return () => {}
	return (line) => {
		const short = redact(line.replaceAll(/\s+/g, ' ')).slice(0, 500)
		stderr.write(`${now().toISOString()} ${short}\n`)
	}
}

/** With where it runs, so that there is something to be done about it. */
async function explained(error: unknown, folders: EmbeddedFolders): Promise<unknown> {
	if (!(error instanceof StyrbyError) || error.code !== 'backend_already_running') return error
	const running = await statusEmbedded(folders)
	if (running === null) return error
	return new StyrbyError(
		error.code,
		`The embedded backend of ${folders.data} runs already, at ${running.url} (process ${running.pid}): use that one, or end that process first.`,
		{ cause: error },
	)
}
