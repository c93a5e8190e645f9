/** A Codex that a person started without us, with our hooks in its `hooks.json`. */
import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'
import * as v from 'valibot'
import type { AgentAnswer, AgentOutput } from '../agent.ts'
import { tooDeep } from '../foreign.ts'
import { HeldRequests } from '../held-requests.ts'
import type { AdoptOptions, HookedAdapter, HookedCall, InstalledHook } from '../hooked.ts'
import { hookedCannot } from '../hooked-life.ts'
import { HookedSession } from '../hooked-session.ts'
import { maybeText } from '../lenient.ts'
import { pathsIn } from './rollout-calls.ts'
import { RolloutFollower } from './rollout-follower.ts'
import { parseJson } from './rollout-schema.ts'

const told = ['SessionStart', 'UserPromptSubmit', 'PreToolUse', 'PostToolUse', 'Stop', 'SessionEnd']
/** Codex warns of more for its last one. */
const tellTimeoutS = 3
/** How often to look into the rollout, ms. */
const pollMs = { running: 200, idle: 2000 }
/** A session of which nothing is heard for so long is closed; its next turn begins it anew. */
const silentMs = 60 * 60_000

export const hookedCodex: HookedAdapter = {
	name: 'codex',
	afterInstall:
		'at its next start Codex asks whether you trust new hooks: until you choose "Trust all and continue" they do not run.',
	settingsFile: (env) =>
		join(env.CODEX_HOME ?? join(env.HOME ?? homedir(), '.codex'), 'hooks.json'),
	// Its own prompt comes when the hook has ended.
	holdMs: ({ hold }) => hold,
	hooks: ({ hold }) => [
		{
			event: 'PermissionRequest',
			kind: 'ask',
			timeout: Math.ceil(hold / 1000) + 30,
			matcher: '*',
			more: {
				statusMessage: `Waits up to ${Math.ceil(hold / 1000)} s for an answer from elsewhere`,
			},
		},
		...told.map(
			(event): InstalledHook => ({ event, kind: 'tell', timeout: tellTimeoutS, matcher: '*' }),
		),
	],
	adopt: (options) => new HookedCodex(options),
}

const hookSchema = v.object({
	hook_event_name: v.string(),
	session_id: maybeText,
	transcript_path: maybeText,
	cwd: maybeText,
	model: maybeText,
	tool_name: maybeText,
	tool_input: v.optional(v.unknown(), null),
	tool_use_id: maybeText,
})
type Hook = v.InferOutput<typeof hookSchema>

const askSchema = v.object({ tool_name: v.string(), tool_input: v.record(v.string(), v.unknown()) })
const commandSchema = v.object({ command: v.string(), description: maybeText })

class HookedCodex extends HookedSession {
	readonly name = 'codex'
	readonly #options: AdoptOptions
	readonly #requests: HeldRequests
	readonly #called = new Map<string, string>()
	#follower: RolloutFollower | null = null
	#path: string | null = null
	#running = false
	#heard = Date.now()
	#timer: NodeJS.Timeout | undefined

	constructor(options: AdoptOptions) {
		super(options.first.pid)
		this.#options = options
		this.#requests = new HeldRequests((output) => this.#tell(output), options.times.hold)
		this.#tell({ type: 'about', takes: { prompt: false, interrupt: false, modes: [] } })
		this.#look()
	}

	hook(call: HookedCall): void {
		this.#heard = Date.now()
		const parsed = v.safeParse(hookSchema, parseJson(call.body))
		if (!parsed.success) return void call.respond('')
		const hook = parsed.output
		this.#know(hook)
		if (hook.hook_event_name === 'PermissionRequest') {
			void this.#ask(hook, call)
			return
		}
		void call.respond('')
		const key = keyOf(hook)
		if (hook.hook_event_name === 'UserPromptSubmit') this.#running = true
		if (hook.hook_event_name === 'PreToolUse' && hook.tool_use_id !== null) {
			this.#called.set(key, hook.tool_use_id)
		}
		if (hook.hook_event_name === 'PostToolUse') this.#requests.ran(key)
		if (hook.hook_event_name === 'Stop') {
			this.#running = false
			this.#requests.end()
			this.#called.clear()
		}
		if (hook.hook_event_name === 'SessionEnd') this.life.ends()
		void this.#read()
	}

	async answer(id: string, answer: AgentAnswer): Promise<boolean> {
		if (answer.decision === 'deny') {
			return this.#requests.answer(id, 'deny', hookAnswer('deny', answer.reason))
		}
		if (answer.scope === 'session' || answer.input !== undefined) {
			throw hookedCannot('such an answer can be given there only')
		}
		return this.#requests.answer(id, 'allow', hookAnswer('allow'))
	}

	protected async last(): Promise<void> {
		clearTimeout(this.#timer)
		await this.#follower?.poll().catch(() => undefined)
		this.#requests.end()
	}

	async #ask(hook: Hook, call: HookedCall): Promise<void> {
		await this.#read()
		const parsed = v.safeParse(askSchema, parseJson(call.body))
		if (!parsed.success || tooDeep(parsed.output.tool_input)) {
			await call.respond('')
			return
		}
		const asked = shown(parsed.output.tool_name, parsed.output.tool_input, hook.cwd)
		const key = keyOf(hook)
		const id = this.#requests.hold(key, call)
		this.#tell({
			type: 'request',
			id,
			ask: {
				...asked,
				tool_use: this.#called.get(key) ?? null,
				description: null,
				cwd: hook.cwd ?? this.#options.cwd,
				changes: [],
				session_rules: [],
				questions: null,
			},
		})
	}

	#know({ session_id, transcript_path: path, model, cwd }: Hook): void {
		if (path === null || path === this.#path || !isAbsolute(path) || !path.endsWith('.jsonl'))
			return
		this.#path = path
		this.#tell({
			type: 'about',
			...(session_id === null ? {} : { session: session_id }),
			...(model === null ? {} : { model }),
			...(cwd === null ? {} : { cwd }),
		})
		this.#follower = new RolloutFollower({
			path,
			since: this.#options.since,
			onOutput: (output) => this.#tell(output),
		})
	}

	#tell(output: AgentOutput): void {
		if (output.type === 'status') this.#running = output.status === 'running'
		this.queue.push(output)
	}

	async #read(): Promise<void> {
		// What is in the rollout can wait there while the host is held up.
		if (this.queue.crowded) return
		try {
			await this.#follower?.poll()
		} catch {
			// Not readable just now: the next look will tell.
		}
	}

	#look(): void {
		this.#timer = setTimeout(
			() => {
				if (Date.now() - this.#heard > silentMs) this.life.letGo()
				else void this.#read().finally(() => this.#look())
			},
			this.#running ? pollMs.running : pollMs.idle,
		)
	}
}

/** The same names and the same form as in a session that is hosted. */
function shown(tool: string, input: Record<string, unknown>, cwd: string | null) {
	const parsed = v.safeParse(commandSchema, input)
	if (!parsed.success) return { tool, input, reason: null }
	const { command, description: reason } = parsed.output
	if (tool === 'Bash') return { tool: 'exec_command', input: { command }, reason }
	if (tool !== 'apply_patch') return { tool, input, reason }
	return { tool, input: { paths: pathsIn(command, cwd), patch: command }, reason }
}

/** What a call is told apart by; its description comes with the request only. */
function keyOf({ tool_name, tool_input }: Hook): string {
	const parsed = v.safeParse(commandSchema, tool_input)
	return JSON.stringify([tool_name, parsed.success ? parsed.output.command : tool_input])
}

function hookAnswer(behavior: 'allow' | 'deny', message?: string): string {
	const decision = { behavior, ...(message === undefined ? {} : { message }) }
	return JSON.stringify({ hookSpecificOutput: { hookEventName: 'PermissionRequest', decision } })
}
