/** A Claude Code that a person started without us, with our hooks in its user settings. */
import { dirname, isAbsolute, join } from 'node:path'
import * as v from 'valibot'
import { isAlive } from '../../config/is-alive.ts'
import type { AgentAnswer } from '../agent.ts'
import {
	type AdoptOptions,
	aboutCall,
	type HookedAdapter,
	type HookedCall,
	type InstalledHook,
} from '../hooked.ts'
import { hookedCannot } from '../hooked-life.ts'
import { HookedSession } from '../hooked-session.ts'
import { NativeSession } from './native-session.ts'
import { configFolder } from './registry.ts'

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
	holdMs: ({ request }) => request,
	hooks: ({ request }) => [
		// Longer than any request may live: it is the host that lets go of it.
		ask('PermissionRequest', Math.ceil(request / 1000) + 60),
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

class HookedClaude extends HookedSession {
	readonly name = 'claude'
	readonly #session: NativeSession

	constructor({ first, cwd, since, times }: AdoptOptions) {
		const { pid } = first
		super(pid)
		const { queue } = this
		const session = new NativeSession({
			cwd,
			since,
			folder: folderOf(first.body),
			letGo: times,
			onOutput: (output) => queue.push(output),
			crowded: () => queue.crowded,
		})
		queue.push({ type: 'about', takes: { prompt: false, interrupt: true, modes: [] } })
		session.started({ pid, gone: () => !isAlive(pid) })
		this.#session = session
	}

	hook(call: HookedCall): void {
		this.#session.hook(call)
		if (aboutCall(call.body)?.event === 'SessionEnd') this.life.ends()
	}

	answer(id: string, answer: AgentAnswer): Promise<boolean> {
		return this.#session.requests.answer(id, answer)
	}

	protected last(): Promise<void> {
		return this.#session.end()
	}

	override async interrupt(): Promise<void> {
		if (await this.#session.requests.interrupt()) return
		throw hookedCannot('press Escape there, or deny its next request')
	}

	override async setMode(): Promise<void> {
		throw hookedCannot('change the mode there with Shift-Tab')
	}
}

/** `<folder>/projects/<project>/<session>.jsonl` is where the transcript lies. */
function folderOf(body: string): string {
	const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), pathSchema), body)
	const path = parsed.success ? parsed.output.transcript_path : ''
	return isAbsolute(path) ? dirname(dirname(dirname(path))) : configFolder(process.env)
}
