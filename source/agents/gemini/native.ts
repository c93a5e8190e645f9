/**
 * Gemini CLI in its own interface, in a pseudo-terminal of ours. What was said is read from its chat file,
 * what it asks from its screen. An answer is typed only while the screen asks for exactly that.
 */
import { randomUUID } from 'node:crypto'
import { realpath } from 'node:fs/promises'
import { StyrbyError } from '../../protocol/errors.ts'
import type { RunningAgent, StartOptions } from '../agent.ts'
import { childEnvironment } from '../child-environment.ts'
import { PtyProgram } from '../pty/program.ts'
import { type NativeArguments, nativeArguments } from './arguments.ts'
import { ChatFile, geminiFolder, latestSession } from './chat-file.ts'
import { NativeSession } from './native-session.ts'

/** Throws `agent_failed`, `pty_missing`, `agent_arguments`, `agent_session_unknown`. */
export async function startNative(path: string, options: StartOptions): Promise<RunningAgent> {
	const given = nativeArguments(options.args)
	const cwd = await realpath(options.cwd)
	const folder = geminiFolder(options.env)
	const { session, args } = await sessionOf(given, folder, cwd)
	const chat = session === null ? null : new ChatFile(folder, session)
	const before = given.resume === null ? [] : ((await chat?.read()) ?? [])
	const program = await PtyProgram.start({
		path,
		args,
		cwd,
		env: childEnvironment(options.env),
		...(process.stdin.isTTY ? { terminal: process } : {}),
	})
	return new NativeSession({ program, cwd, chat, session, before, yolo: given.yolo, options })
}

async function sessionOf(
	{ resume, session, rest }: NativeArguments,
	folder: string,
	cwd: string,
): Promise<{ session: string | null; args: readonly string[] }> {
	if (resume === null) {
		if (session !== null) return { session, args: ['--session-id', session, ...rest] }
		const id = randomUUID()
		return { session: id, args: ['--session-id', id, ...rest] }
	}
	const known = resume === 'latest' ? await latestSession(folder, cwd) : resume
	if (known === null) {
		throw new StyrbyError(
			'agent_session_unknown',
			'Gemini CLI has no session of this folder to go on with; start one without --resume.',
		)
	}
	return { session: known, args: ['--resume', known, ...rest] }
}
