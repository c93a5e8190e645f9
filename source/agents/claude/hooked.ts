/** A Claude Code that a person started without us, with our hooks in its user settings. */
import { dirname, isAbsolute, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import * as v from 'valibot'
import { isAlive } from '../../config/is-alive.ts'
import { StyrbyError } from '../../protocol/errors.ts'
import type { AgentAnswer, AgentOutput } from '../agent.ts'
import type { Ended } from '../child-process.ts'
import {
	type AdoptOptions,
	aboutCall,
	type HookedAdapter,
	type HookedAgent,
	type HookedCall,
	type InstalledHook,
} from '../hooked.ts'
import { OutputQueue } from '../output-queue.ts'
import { NativeSession } from './native-session.ts'
import { configFolder } from './registry.ts'

/** How often to look whether the agent still runs, ms. */
const lookEvery = 1000
/** How long the last lines may take into the transcript, ms. */
const lastLinesMs = 300
/** How long the last call of an agent that has ended may take to be seen, ms. */
const lastCallMs = 1000
const tellTimeoutS = 5

/**
 * No more than is needed: each of them is a process. PreToolUse and MessageDisplay are not among them: the
 * transcript has all that they tell, a little later.
 */
const told = ['SessionStart', 'UserPromptSubmit', 'Stop', 'StopFailure', 'SessionEnd']
const toldBeside = ['PostToolUse', 'PostToolUseFailure']

export const hookedClaude: HookedAdapter = {
	name: 'claude',
	afterInstall: null,
	settingsFile: (env) => join(configFolder(env), 'settings.json'),
	hooks: (requestTimeoutMs) => [
		// Longer than any request may live: it is the host that lets go of it.
		ask('PermissionRequest', Math.ceil(requestTimeoutMs / 1000) + 60),
		...told.map((event) => tell(event)),
		// The agent need not wait for these.
		...toldBeside.map((event) => ({ ...tell(event), more: { async: true } })),
	],
	adopt: (options) => new HookedClaude(options),
}

function ask(event: string, timeout: number): InstalledHook {
	return { event, kind: 'ask', timeout, matcher: '*' }
}

function tell(event: string): InstalledHook {
	return { event, kind: 'tell', timeout: tellTimeoutS, matcher: '*' }
}

const pathSchema = v.object({ transcript_path: v.string() })

class HookedClaude implements HookedAgent {
	readonly name = 'claude'
	readonly output: AsyncIterable<AgentOutput>
	readonly ended: Promise<Ended>
	readonly #session: NativeSession
	readonly #queue = new OutputQueue<AgentOutput>()
	readonly #over = Promise.withResolvers<Ended>()
	readonly #timer: NodeJS.Timeout
	#saidEnd = false

	constructor({ first, cwd, since, requestTimeoutMs }: AdoptOptions) {
		const { pid } = first
		this.output = this.#queue
		this.#session = new NativeSession({
			cwd,
			since,
			folder: folderOf(first.body),
			letGoMs: requestTimeoutMs,
			onOutput: (output) => this.#queue.push(output),
			crowded: () => this.#queue.crowded,
		})
		this.#queue.push({ type: 'about', takes: { prompt: false, interrupt: true, modes: [] } })
		this.#session.started({ pid, gone: () => !isAlive(pid) })
		this.#timer = setInterval(() => {
			if (isAlive(pid)) return
			clearInterval(this.#timer)
			// Its last call may be on its way here.
			void sleep(lastCallMs).then(() => {
				if (!this.#saidEnd) this.#over.resolve({ code: null, signal: null, stderr: vanished })
			})
		}, lookEvery)
		this.ended = this.#over.promise.then(async (how) => {
			clearInterval(this.#timer)
			await this.#session.end()
			this.#queue.close()
			return how
		})
	}

	hook(call: HookedCall): void {
		this.#session.hook(call)
		if (aboutCall(call.body)?.event !== 'SessionEnd') return
		this.#saidEnd = true
		void sleep(lastLinesMs).then(() => this.#over.resolve({ code: 0, signal: null, stderr: '' }))
	}

	answer(id: string, answer: AgentAnswer): Promise<boolean> {
		return this.#session.requests.answer(id, answer)
	}

	async prompt(): Promise<void> {
		throw cannot('type the prompt there')
	}

	async interrupt(): Promise<void> {
		if (await this.#session.requests.interrupt()) return
		throw cannot('press Escape there, or deny its next request')
	}

	async setMode(): Promise<void> {
		throw cannot('change the mode there with Shift-Tab')
	}

	/** The agent goes on; it is not published any more. */
	async stop(): Promise<void> {
		this.#over.resolve({ code: null, signal: null, stderr: '' })
		await this.ended
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.stop()
	}
}

const vanished = 'The agent has ended without a word: it was killed, or it crashed.'

function cannot(instead: string): StyrbyError {
	return new StyrbyError(
		'agent_cannot',
		`This session was started without styrby-tui, in its own interface: ${instead}.`,
	)
}

/** `<folder>/projects/<project>/<session>.jsonl` is where the transcript lies. */
function folderOf(body: string): string {
	const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), pathSchema), body)
	const path = parsed.success ? parsed.output.transcript_path : ''
	return isAbsolute(path) ? dirname(dirname(dirname(path))) : configFolder(process.env)
}
