import { homedir } from 'node:os'
import { resolve } from 'node:path'
import type { Settings } from '../config/settings.ts'
import type { ExitCode } from '../protocol/errors.ts'
import type { Archive } from '../viewer/archive.ts'
import type { Viewer } from '../viewer/viewer.ts'
import type { Io } from './io.ts'

/** How a person wants the screens, on all of them. */
export interface ScreenOptions {
	keys?: Settings['keys']
	mouse?: boolean
	screenReader?: boolean
}

export interface ShowOptions extends ScreenOptions {
	notifications?: Settings['notifications']
	/** What is archived on this machine. */
	archive?: Archive
	/** One line under the header. */
	banner?: string
	log?: (error: unknown) => void
	/** Called once the first frame is on the screen. */
	shown?: () => void
	/** Ends the screens when it rejects, which `showViewer` then throws too. */
	failed?: Promise<never>
}

/** Loads the screens. They read colour support from the environment once, when they are loaded. */
export function loadScreens(io: Io): Promise<typeof import('../ui/run-app.tsx')> {
	if (io.env.NO_COLOR && io.env.FORCE_COLOR === undefined) io.env.FORCE_COLOR = '0'
	return import('../ui/run-app.tsx')
}

/** Writes a file of the person's own; `~` is their home. */
async function save(path: string, parts: AsyncIterable<string>): Promise<string> {
	const { writeExport } = await import('../config/export-file.ts')
	const whole = resolve(path.replace(/^~(?=\/|$)/, homedir()))
	await writeExport(whole, parts, { force: false })
	return whole
}

/** Shows the viewer full screen until the person leaves. Returns the exit code. */
export async function showViewer(io: Io, viewer: Viewer, options: ShowOptions): Promise<ExitCode> {
	const { runApp } = await loadScreens(io)
	const { stdin, stdout, stderr, env } = io
	const { exitCode } = await runApp(viewer, { stdin, stdout, stderr, env, save, ...options })
	// Signals give codes of their own, 128 and the signal's number.
	return exitCode as ExitCode
}
