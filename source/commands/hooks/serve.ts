/** `hooks serve`: the host of sessions that were started without us, until it is told to end. */
import { setTimeout as sleep } from 'node:timers/promises'
import { chosenProfile } from '../../config/profiles.ts'
import { keepHeapSmall } from '../../config/small-heap.ts'
import { HookCalls } from '../../host/hooks/hook-calls.ts'
import { becomeHost, callsFolder, takeCalls } from '../../host/hooks/host-process.ts'
import { ResidentHost } from '../../host/hooks/resident-host.ts'
import { type ExitCode, exit, StyrbyError } from '../../protocol/errors.ts'
import type { Invocation } from '../command.ts'
import { type Context, openBase, openContext } from '../context.ts'
import { finishDead } from '../finish-dead.ts'
import type { Io } from '../io.ts'
import { keepBackend } from '../keep-backend.ts'
import { policyHere } from '../policy-here.ts'
import { stopSignal } from '../stop-signal.ts'
import { hookTimes } from './times.ts'

/** How often to look whether another account was signed in to, ms. */
const lookEvery = 5000

export async function run({ io }: Invocation): Promise<ExitCode> {
	const { base } = await openBase(io)
	await using lock = await becomeHost(base)
	if (lock === null) {
		throw new StyrbyError(
			'hooks_host_running',
			'The host of the hooks runs already: see "styrby-tui hooks list".',
		)
	}
	// The terminal of the command that started us may close; we go on.
	process.on('SIGHUP', () => undefined)
	using stop = stopSignal()
	while (!stop.signal.aborted) {
		await using context = await openContext(io)
		await serveAccount(context, stop.signal)
	}
	return exit.done
}

/** Serves until told to end, or until another account is in use. */
async function serveAccount(context: Context, signal: AbortSignal): Promise<void> {
	const { account, gateway, home, base, settings, io, log } = context
	await using host = new ResidentHost({
		account,
		gateway,
		dataFolder: home.data,
		project: settings.project,
		times: hookTimes(settings),
		policy: policyHere(context),
		// The backend of this machine may end while no session is open.
		need: () => keepBackend(context, { atOnce: true }),
		onTrouble: (error, session) => {
			log.write('hooks.trouble', { session, code: error.code })
			say(io, `${session?.slice(0, 8) ?? '-'} ${error.code}: ${error.message}`)
		},
	})
	await using _calls = await HookCalls.start(callsFolder(base), (agent, call) =>
		host.take(agent, call),
	)
	await using _reachable = await takeCalls(base)
	keepHeapSmall()
	say(io, `takes calls of hooks (pid ${process.pid})`)
	// What a host before this one has left open; sessions of this one are locked.
	void finishDead(context).catch((error: unknown) => {
		log.write('recover.failed', { session: null, code: error instanceof Error ? error.name : '' })
	})
	while (!signal.aborted) {
		await sleep(lookEvery, undefined, { signal }).catch(() => undefined)
		const profile = await chosenProfile(base, io.env).catch(() => context.profile)
		if (profile?.id !== context.profile?.id) break
	}
	say(io, signal.aborted ? 'stopping' : 'another account is in use: opening that one')
}

function say(io: Io, line: string): void {
	io.stdout.write(`${io.now().toISOString()} ${line}\n`)
}
