import { type ExitCode, exit } from '../protocol/errors.ts'
import type { Invocation } from './command.ts'
import { playAll } from './demo/play.ts'
import { openDemoProfile } from './demo/profile.ts'
import { playAsText, summaryText } from './demo/text.ts'
import { hasScreen, type Io, isInteractive, wantsLines } from './io.ts'
import { showViewer } from './show-viewer.ts'

const welcome =
	'styrby-tui demo: recorded sessions of a real agent, sealed, stored, streamed, verified and decrypted on this machine.\n'

/** Ends the demo in order when it is told to end: its folder and its backend go with it. Told twice, it ends at once. */
function endOnSignal(end: AbortController): Disposable {
	const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
	const forget = () => {
		for (const signal of signals) process.off(signal, stop)
	}
	// Not `once`: a listener that is gone when others look makes them end the process themselves.
	const stop = () => {
		if (end.signal.aborted) forget()
		end.abort()
	}
	for (const signal of signals) process.on(signal, stop)
	return { [Symbol.dispose]: forget }
}

export async function run({ io, flags }: Invocation): Promise<ExitCode> {
	const screenReader = wantsLines(io, flags.has('screen-reader'))
	const shown = hasScreen(io) || (isInteractive(io) && screenReader)
	return shown ? onScreen(io, { mouse: flags.has('mouse'), screenReader }) : asText(io)
}

async function onScreen(
	io: Io,
	options: { mouse: boolean; screenReader: boolean },
): Promise<ExitCode> {
	const end = new AbortController()
	// While it starts and while it cleans up; in between the screens leave by themselves.
	using _signals = endOnSignal(end)
	io.stderr.write(welcome)
	await using profile = await openDemoProfile(io)
	if (end.signal.aborted) return exit.interrupted
	await using _playing = await playAll(profile, { speed: 1, now: io.now })
	await profile.viewer.ready
	if (end.signal.aborted) return exit.interrupted
	return await showViewer(io, profile.viewer, {
		banner: 'demo: recorded sessions in a throw-away profile; two wait for your answer',
		...options,
	})
}

async function asText(io: Io): Promise<ExitCode> {
	const started = performance.now()
	const end = new AbortController()
	using _signals = endOnSignal(end)
	io.stdout.write(welcome)
	let text: string
	{
		await using profile = await openDemoProfile(io)
		const interrupted = new Promise<null>((resolve) => {
			if (end.signal.aborted) resolve(null)
			end.signal.addEventListener('abort', () => resolve(null), { once: true })
		})
		const tally = await Promise.race([playAsText(io, profile), interrupted])
		if (!tally) return exit.interrupted
		text = summaryText(tally, (performance.now() - started) / 1000)
	}
	io.stdout.write(text)
	return exit.done
}
