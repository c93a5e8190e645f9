import { render } from 'ink'
import { StyrbyError } from '../protocol/errors.ts'
import { displayText } from '../text/safe-text.ts'
import { type Archive, archiveInMemory } from '../viewer/archive.ts'
import type { Joining } from '../viewer/joining.ts'
import type { Backend, Viewer } from '../viewer/viewer.ts'
import { App } from './app.ts'
import { clipboardBy } from './clipboard.ts'
import { type Drawn, Root } from './components/root.tsx'
import { crashReport } from './crash-report.ts'
import { Echo, listening } from './echo.ts'
import type { DrawnFrame } from './frame.ts'
import { JoinApp } from './join-app.ts'
import { bindKeys, type KeySettings } from './keymap/bindings.ts'
import type { Keymap } from './keymap/keymap.ts'
import { listenForEnd } from './leaving.ts'
import { type MouseAct, mouseOff, mouseOn, withoutMouse } from './mouse.ts'
import { defaultNotifications, type Notifications, notifier } from './notifier.ts'
import { Painted } from './painted.ts'
import { speak, spokenSize } from './spoken/speaking.tsx'
import type { Screen, Size } from './state.ts'
import { Terminal } from './terminal.ts'
import { isColourless, themeFor } from './theme.ts'

export interface RunAppOptions {
	stdin: NodeJS.ReadStream
	stdout: NodeJS.WriteStream
	/** Where a crash is reported, after the screen was given back. Default: the process's own. */
	stderr?: NodeJS.WritableStream
	env: Readonly<Record<string, string | undefined>>
	notifications?: Partial<Notifications>
	/** ms since the epoch. Default: the system's clock. */
	now?: () => number
	/** What is archived on this machine. Default: nothing, and nothing of it is kept. */
	archive?: Archive
	/** A screen to start on, above the list of sessions. */
	initial?: Screen
	/** One line under the header. */
	banner?: string
	/** Keys that a person chose, by command. Default: the table's own. */
	keys?: KeySettings
	/** Whether the wheel scrolls and a click highlights. Default: no, as text can't be selected then. */
	mouse?: boolean
	/** Lines for a screen reader in the place of the full screen. Default: no. */
	screenReader?: boolean
	/** Writes a new file; resolves to where it is. Default: there is nowhere to write to. */
	save?: (path: string, parts: AsyncIterable<string>) => Promise<string>
	/** Takes what went wrong; nothing of it is shown but that it did. */
	log?: (error: unknown) => void
	/** Called once the first frame is on the screen. */
	shown?: () => void
	/** Ends the screens when it rejects; that is thrown when the terminal was given back. */
	failed?: Promise<never>
	/** After the terminal was given back, before `runApp` resolves. */
	onQuit?: (exitCode: number) => void | Promise<void>
}

const nowhere = async (): Promise<string> => {
	throw new StyrbyError('no_files', 'Files can not be written from here.')
}

/** A transcript that closes slowly does not keep the person in the program. */
const closeMs = 1000

/** What a terminal gives to an app that is shown on it. */
interface Shown {
	size: Size
	now: () => number
	/** Leaves the program. */
	leave: (exitCode: number) => void
	/** Gives the terminal to the shell until the person is back. */
	suspend: () => void
	echo?: Echo
	/** Draws everything again. */
	redraw: () => void
}

/**
 * Shows the viewer full screen until the person leaves, a signal ends it, or it crashes. The terminal is
 * then as it was before. Throws `bad_settings` for keys that can't be. Exit codes: 0 left with `q`, 130 with
 * ctrl-c, 1 crashed, 129/131/143 by signal.
 */
export async function runApp(
	viewer: Viewer,
	options: RunAppOptions,
): Promise<{ exitCode: number }> {
	const { stdout, env, banner, log } = options
	const keymap = bindKeys(options.keys ?? {})
	const tell = notifier({
		...defaultNotifications,
		...options.notifications,
		// It would show them as text.
		...(env.TERM === 'dumb' ? { title: false, osc: false } : {}),
		env,
		write: (data) => stdout.write(data),
		...(log === undefined ? {} : { log }),
	})
	tell.begin()
	return await runScreens(options, {
		make: (shown) =>
			new App({
				...shown,
				viewer,
				archive: options.archive ?? archiveInMemory(),
				banner: banner === undefined ? null : displayText(banner),
				jumpScroll: !options.screenReader && Boolean(env.SSH_CONNECTION ?? env.SSH_TTY),
				notifier: tell,
				copy: clipboardBy((data) => stdout.write(data), env),
				save: options.save ?? nowhere,
				plainCode: options.screenReader === true || isColourless(env),
				initial: options.initial ?? null,
				keymap,
			}),
		keymap,
		away: () => tell.end(),
		close: (app) => app[Symbol.asyncDispose](),
	})
}

/** Shows how a home becomes a device, until it is one or the person leaves. Ends as `runApp` does. */
export async function runJoin(
	joining: Joining,
	backend: Backend,
	options: RunAppOptions,
): Promise<{ exitCode: number }> {
	const keymap = bindKeys(options.keys ?? {})
	return await runScreens(options, {
		make: (shown) => new JoinApp({ ...shown, joining, backend, keymap }),
		keymap,
		away: () => undefined,
		close: async (app) => app[Symbol.dispose](),
	})
}

interface Screens<A> {
	make(shown: Shown): A
	keymap: Keymap
	/** Before the terminal is given away. */
	away(): void
	close(app: A): Promise<void>
}

interface OnTerminal<F extends DrawnFrame> extends Drawn<F> {
	back(): void
	/** The terminal has shown what was written to it last. */
	shown?(): void
	resize(size: Size): void
	mouse(act: MouseAct): void
}

async function runScreens<F extends DrawnFrame, A extends OnTerminal<F>>(
	options: RunAppOptions,
	screens: Screens<A>,
): Promise<{ exitCode: number }> {
	const { stdin, stdout, env, log, screenReader = false } = options
	const mouse = options.mouse === true && !screenReader
	const ended = Promise.withResolvers<number>()
	let report: string | null = null
	const leave = (exitCode: number) => ended.resolve(exitCode)
	const crash = (error: unknown) => {
		log?.(error)
		report ??= crashReport(error)
		leave(1)
	}
	options.failed?.catch(ended.reject)
	const stopListening = listenForEnd({ leave, crash, stdout })
	const away = () => {
		if (mouse) stdout.write(mouseOff)
		screens.away()
	}
	const columns = () => stdout.columns || 80
	const sizeNow = () =>
		screenReader ? spokenSize(columns()) : { columns: columns(), rows: stdout.rows || 24 }
	const terminal = new Terminal({
		away,
		back: () => {
			if (mouse) stdout.write(mouseOn)
			spoken?.again()
			app.back()
		},
		failed: crash,
	})
	const echo = new Echo(
		(data) => stdout.write(data),
		() => app.shown?.(),
	)
	const app = screens.make({
		size: sizeNow(),
		now: options.now ?? Date.now,
		leave,
		suspend: () => void echo.quiet().then(terminal.suspend),
		...(screenReader || env.TERM === 'dumb' ? {} : { echo }),
		redraw: terminal.redraw,
	})
	const resize = () => app.resize(sizeNow())
	// Before Ink's own listener, so that what it draws has the new size already.
	stdout.on('resize', resize)
	// Ink turns echo off only after its first frame, and draws that where the cursor is: what was typed before
	// would stand in it, or push it aside.
	stdin.setRawMode(true)
	stdout.write('\r')
	if (mouse) stdout.write(mouseOn)
	const onLines = { stdin, stdout, terminal, keymap: screens.keymap, dumb: env.TERM === 'dumb' }
	const spoken = screenReader ? speak<F>(app, onLines) : null
	const draw = () => {
		const input = listening(stdin, (chunk) => echo.heard(chunk))
		const painted = new Painted<F>((frame) => app.drawn(frame))
		const root = <Root app={app} theme={themeFor(env)} terminal={terminal} painted={painted} />
		return render(root, {
			stdin: mouse ? withoutMouse(input, (act) => app.mouse(act)) : input,
			stdout,
			alternateScreen: true,
			incrementalRendering: true,
			interactive: true,
			maxFps: 60,
			exitOnCtrlC: false,
			onRender: painted.rendered,
		})
	}
	const instance = spoken?.instance ?? draw()
	const unmounted = instance.waitUntilExit().then(
		() => leave(0),
		(error: unknown) => crash(error),
	)
	setImmediate(() => options.shown?.())
	const { exitCode, failure } = await ended.promise.then(
		(code) => ({ exitCode: code, failure: null }),
		(error: unknown) => ({ exitCode: 1, failure: { error } }),
	)
	await echo.quiet()
	instance.unmount()
	await unmounted
	spoken?.end()
	stdin.setRawMode(false)
	// What is typed from now on is for the shell. A stream that was read otherwise hears `pause` only when it flows.
	stdin.resume().pause()
	stdout.off('resize', resize)
	away()
	terminal[Symbol.dispose]()
	await Promise.race([screens.close(app), patience()]).catch((error) => log?.(error))
	stopListening()
	if (report !== null) (options.stderr ?? process.stderr).write(report)
	await options.onQuit?.(exitCode)
	if (failure) throw failure.error
	return { exitCode }
}

function patience(): Promise<void> {
	const { promise, resolve } = Promise.withResolvers<void>()
	setTimeout(resolve, closeMs).unref()
	return promise
}
