import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AgentOutput, RunningAgent, StartOptions } from '../agent.ts'
import { childEnvironment } from '../child-environment.ts'
import { OutputQueue } from '../output-queue.ts'
import { PtyProgram } from '../pty/program.ts'
import { placesOf } from './arguments.ts'
import { FollowedFile } from './followed-file.ts'
import { AiderSession } from './session.ts'

/** Starts Aider. Throws `pty_missing`, `agent_failed`. */
export async function start(path: string, options: StartOptions): Promise<RunningAgent> {
	const { args, cwd, headless, stay = false } = options
	await using cleanup = new AsyncDisposableStack()
	const env = childEnvironment(options.env)
	const places = await placesOf(args, env, cwd)
	const folder = await mkdtemp(join(tmpdir(), 'styrby-aider-'))
	cleanup.defer(() => rm(folder, { recursive: true, force: true }))
	const analytics = places.analytics ?? join(folder, 'figures.jsonl')
	const native = headless === undefined
	const own = native
		? []
		: ['--no-pretty', '--no-show-release-notes', ...(stay ? [] : ['--message', headless])]
	const history = await FollowedFile.open(places.history)
	const figures = await FollowedFile.open(analytics)
	const { stdin, stdout } = process
	const program = await PtyProgram.start({
		path,
		args: [...own, ...args],
		cwd,
		// By the environment, since it is the last thing that Aider looks at before its own files.
		env: places.analytics === null ? { ...env, AIDER_ANALYTICS_LOG: analytics } : env,
		leftover: folder,
		...(native ? { terminal: { stdin, stdout } } : {}),
	})
	const session = new AiderSession({
		program,
		history,
		figures,
		root: places.root,
		queue: new OutputQueue<AgentOutput>(),
		native,
		interactive: native || stay,
		alwaysYes: places.alwaysYes,
		cleanup: cleanup.move(),
		signal: options.signal,
	})
	if (!native && stay) void session.begin(headless)
	return session
}
