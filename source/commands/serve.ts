/** `serve`: the embedded backend in the foreground. It is otherwise started on demand. */
import { join, resolve } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { ensureFolder, resolveHome } from '../config/paths.ts'
import { redact } from '../config/redact.ts'
import { type ExitCode, exit, StyrbyError } from '../protocol/errors.ts'
import { type EmbeddedFolders, statusEmbedded } from '../server/discover.ts'
import { runDaemon } from '../server/run-daemon.ts'
import type { Flags, Invocation } from './command.ts'
import type { Io } from './io.ts'

export async function run({ flags, io }: Invocation): Promise<ExitCode> {
	const port = flags.number('port')
	const folders = foldersOf(flags, io)
	await ensureFolder(folders.data)
	await ensureFolder(folders.run)
	// As in the background: the engine's WebAssembly is compiled once and simply, in half the memory.
	setFlagsFromString('--liftoff-only')
	try {
		await runDaemon({
			...folders,
			...(port === undefined ? {} : { port }),
			databaseUrl: databaseOf(flags),
			idleMs: null,
			log: logTo(io),
			onReady: ({ url }) => {
				io.stdout.write(`styrby-tui: serving at ${url}, until Ctrl-C\n`)
			},
		})
	} catch (error) {
		throw await explained(error, folders)
	}
	return exit.done
}

/** A backend in a folder of its own is not found by the commands of this home, and must not be. */
function foldersOf(flags: Flags, { env, platform, cwd }: Io): EmbeddedFolders {
	const home = resolveHome(env, platform)
	const given = flags.text('data')
	if (given === undefined) return { data: home.data, run: home.run }
	const data = resolve(cwd, given)
	return data === home.data ? { data, run: home.run } : { data, run: join(data, 'run') }
}

function databaseOf(flags: Flags): string | null {
	const url = flags.text('database-url')
	if (url === undefined) return null
	const scheme = URL.canParse(url) ? new URL(url).protocol : ''
	if (scheme === 'postgres:' || scheme === 'postgresql:') return url
	throw new StyrbyError(
		'bad_value',
		'--database-url takes an address that begins with postgres:// or postgresql://.',
		{ exitCode: exit.usage },
	)
}

/** The terminal is for the one line that says where; the rest only for whoever wants to mend something. */
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
