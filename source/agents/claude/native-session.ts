/** What is known of a native session while it runs, put together from hooks, transcript and registry. */
import { isAbsolute } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import * as v from 'valibot'
import type { SessionEvent } from '../../protocol/events.ts'
import type { AgentOutput } from '../agent.ts'
import type { HookCall } from '../hook-call.ts'
import type { HookTimes } from '../hooked.ts'
import { maybe, maybeText } from '../lenient.ts'
import { proposedChanges } from './changes.ts'
import { LiveBlocks } from './live-blocks.ts'
import { NativeRequests } from './native-requests.ts'
import { readRegistry } from './registry.ts'
import { permissionHookSchema, questionsOf, sessionRules } from './request.ts'
import { notice } from './stream.ts'
import { asksInMode } from './system-line.ts'
import { canonical } from './transcript.ts'
import { TranscriptFollower } from './transcript-follower.ts'

const hookSchema = v.object({
	hook_event_name: v.string(),
	session_id: maybeText,
	transcript_path: maybeText,
	cwd: maybeText,
	permission_mode: maybeText,
	agent_id: maybeText,
	message_id: maybeText,
	delta: maybeText,
	tool_name: maybeText,
	tool_input: v.optional(v.unknown(), null),
	tool_use_id: maybeText,
	duration_ms: maybe(v.pipe(v.number(), v.minValue(0))),
	last_assistant_message: maybeText,
	background_tasks: maybe(v.array(v.unknown())),
})
type Hook = v.InferOutput<typeof hookSchema>

/** How often to look, in ms: at a prompt on the screen, while the agent works, and else. */
const pollMs = { waiting: 50, running: 100, idle: 1000 }
/** How long the last lines of a turn may take into the transcript. */
const catchUpMs = 800
/** After the prompt has left the screen, a hook that is still connected was answered with yes. */
const hangUpMs = 100

const letGoLaterMs = 1000

export interface NativeSessionOptions {
	cwd: string
	/** The folder where the agent keeps its things. */
	folder: string
	/** ISO time: what is older is not told. By default, the time of the start. */
	since?: string
	/** When a request is left to the agent; by default the host ends it. */
	letGo?: HookTimes
	onOutput: (output: AgentOutput) => void
	/** Whether the host is held up: what is in the transcript can wait there. */
	crowded?: () => boolean
}

/** The running agent: our child, or a process that a person started. */
export interface AgentProcess {
	readonly pid: number | undefined
	gone(): boolean
}

export class NativeSession {
	readonly requests: NativeRequests
	readonly #options: NativeSessionOptions
	readonly #since: string
	readonly #live = new LiveBlocks()
	readonly #durations = new Map<string, number>()
	readonly #about = new Map<string, string>()
	#process: AgentProcess | null = null
	#follower: TranscriptFollower | null = null
	#path: string | null = null
	#status: 'running' | 'idle' | null = null
	#timer: NodeJS.Timeout | undefined
	#ended = false
	/** The registry said that the agent waits for a person. */
	#seenWaiting = false
	#failed = false
	/** The newest tool calls, for the requests about them. */
	readonly #called: { id: string; agent: string | null; tool: string; input: string }[] = []
	#turn = 0
	#lastWords = ''

	constructor(options: NativeSessionOptions) {
		this.#options = options
		this.#since = options.since ?? new Date().toISOString()
		this.requests = new NativeRequests(options.onOutput)
	}

	started(process: AgentProcess): void {
		this.#process = process
		this.#schedule()
	}

	/** A hook call; every one but a permission request is let go at once. */
	hook(call: HookCall): void {
		const hook = parseHook(call.body)
		if (hook?.hook_event_name === 'PermissionRequest') {
			void this.#permission(hook, call)
			return
		}
		void call.respond('')
		if (hook !== null) void this.#flow(hook)
	}

	/** Reads what is left, and closes everything. */
	async end(): Promise<void> {
		this.#ended = true
		clearTimeout(this.#timer)
		await this.#read()
		this.#follower?.flush()
		this.requests.end()
	}

	async #flow(hook: Hook): Promise<void> {
		this.#know(hook)
		const { hook_event_name: name, agent_id: agent, tool_use_id: toolUse } = hook
		if (name === 'MessageDisplay' && hook.message_id !== null && hook.delta !== null) {
			const text = this.#live.add(hook.message_id, hook.delta)
			if (text !== null) this.#options.onOutput(text)
		}
		if (name === 'UserPromptSubmit') {
			this.#turn++
			this.#lastWords = ''
			this.#setStatus('running')
		}
		if (name === 'PreToolUse' && toolUse !== null) {
			this.#called.push({
				id: toolUse,
				agent,
				tool: hook.tool_name ?? '',
				input: canonical(hook.tool_input),
			})
			if (this.#called.length > 50) this.#called.shift()
		}
		if ((name === 'PostToolUse' || name === 'PostToolUseFailure') && toolUse !== null) {
			if (hook.duration_ms !== null) this.#durations.set(toolUse, hook.duration_ms)
			this.requests.ran(toolUse, hook.tool_name ?? '', hook.tool_input)
		}
		await this.#read()
		if ((name === 'Stop' || name === 'StopFailure') && agent === null) {
			this.requests.release('cancelled', this.requests.onScreen)
			await this.#turnOver(hook)
		}
	}

	/** The transcript lags behind the hooks: the turn is over here when its last words are in. */
	async #turnOver(hook: Hook): Promise<void> {
		const turn = this.#turn
		const last = hook.last_assistant_message
		const until = Date.now() + catchUpMs
		while (last !== null && this.#lastWords !== last.trim() && Date.now() < until) {
			await sleep(pollMs.waiting)
			await this.#read()
		}
		if (turn !== this.#turn) return
		this.#follower?.flush()
		if ((hook.background_tasks?.length ?? 0) === 0) this.#setStatus('idle')
	}

	#noteEvent(event: SessionEvent): void {
		if (event.kind === 'error') this.#lastWords = event.body.text.trim()
		if (event.kind === 'agent_response' && event.body.parent === null) {
			this.#lastWords = event.body.text.trim()
		}
		// No hook tells of an interrupted turn.
		if (event.kind === 'system' && event.body.type === 'interrupted') this.#setStatus('idle')
	}

	/** The call that a request is about, by the hook before it or by the transcript. */
	#toolUse(agent: string | null, tool: string, input: unknown): string | null {
		const wanted = canonical(input)
		const called = this.#called.findLast(
			(one) => one.agent === agent && one.tool === tool && one.input === wanted,
		)
		return called?.id ?? this.#follower?.openTool(tool, input) ?? null
	}

	async #permission(hook: Hook, call: HookCall): Promise<void> {
		this.#know(hook)
		this.#setStatus('running')
		const asked = v.safeParse(permissionHookSchema, JSON.parse(call.body))
		if (!asked.success) {
			void call.respond('')
			const text = 'The agent asked something that the host does not understand; answer it there'
			this.#options.onOutput(notice(new Date().toISOString(), text))
			return
		}
		const { tool_name: tool, tool_input: input, permission_suggestions: suggested } = asked.output
		const cwd = hook.cwd ?? this.#options.cwd
		await this.#read()
		const toolUse = hook.tool_use_id ?? this.#toolUse(hook.agent_id, tool, input)
		const changes = await proposedChanges(tool, input, cwd)
		const rules = sessionRules(suggested)
		const questions = questionsOf(tool, input)
		const request = { tool, toolUse, input, rules, question: questions !== null }
		const letGoMs = await this.#letGoMs(hook.agent_id)
		const id = this.requests.hold(request, hook.agent_id, call, letGoMs)
		this.#options.onOutput({
			type: 'request',
			id,
			ask: {
				tool,
				tool_use: toolUse,
				input,
				description: typeof input.description === 'string' ? input.description : null,
				cwd,
				reason: null,
				changes,
				session_rules: rules,
				questions,
				...(questions === null ? { editable: true } : {}),
			},
		})
		call.onHangUp(() => this.#hungUp(id))
		this.#seenWaiting = false
		this.#schedule()
	}

	/** A sub-agent's prompt, and that of an agent without an interface, does not come before the hook is over. */
	async #letGoMs(agent: string | null): Promise<number | null> {
		const { letGo, folder } = this.#options
		if (letGo === undefined) return null
		const session = this.#about.get('session') ?? null
		const entry = await readRegistry(folder, this.#process?.pid, session)
		const hidden = agent !== null || entry?.entrypoint.startsWith('sdk')
		// The host's own clock for a request comes first, and says that it has expired.
		return hidden ? letGo.hold : letGo.request + letGoLaterMs
	}

	/** No, on the screen; or the agent is going away. */
	#hungUp(id: string): void {
		setTimeout(() => {
			const gone = this.#ended || this.#process === null || this.#process.gone()
			this.requests.hungUp(id, gone ? 'cancelled' : 'denied')
		}, 30)
	}

	/** Session, folder and mode, as every hook tells them; a new transcript is followed from its start. */
	#know(hook: Hook): void {
		const about: Extract<AgentOutput, { type: 'about' }> = { type: 'about' }
		if (this.#changed('session', hook.session_id)) about.session = hook.session_id ?? ''
		if (hook.agent_id === null && this.#changed('cwd', hook.cwd)) about.cwd = hook.cwd ?? ''
		if (hook.agent_id === null && this.#changed('mode', hook.permission_mode)) {
			about.mode = hook.permission_mode ?? ''
			about.asks = asksInMode(about.mode)
		}
		if (Object.keys(about).length > 1) this.#options.onOutput(about)
		const path = hook.transcript_path
		if (path === null || path === this.#path || !isAbsolute(path) || !path.endsWith('.jsonl'))
			return
		this.#path = path
		const before = this.#follower
		void before?.poll().then(() => before.flush())
		this.#follower = new TranscriptFollower({
			path,
			since: this.#since,
			context: {
				block: (_index, kind, text) => (kind === 'agent_response' ? this.#live.finish(text) : null),
				duration: (toolUse) => this.#durations.get(toolUse) ?? null,
			},
			onOutput: (output) => this.#transcriptOutput(output),
			onSettled: (settled) => this.requests.settled(settled),
		})
	}

	#transcriptOutput(output: AgentOutput): void {
		if (output.type !== 'about') {
			if (output.type === 'event') this.#noteEvent(output.event)
			this.#options.onOutput(output)
			return
		}
		const about: Extract<AgentOutput, { type: 'about' }> = { type: 'about' }
		if (output.model !== undefined && this.#changed('model', output.model))
			about.model = output.model
		if (output.version !== undefined && this.#changed('version', output.version)) {
			about.version = output.version
		}
		if (output.mode !== undefined && this.#changed('mode', output.mode)) {
			about.mode = output.mode
			about.asks = asksInMode(output.mode)
		}
		if (Object.keys(about).length > 1) this.#options.onOutput(about)
	}

	#changed(key: string, value: string | null): boolean {
		if (value === null || this.#about.get(key) === value) return false
		this.#about.set(key, value)
		return true
	}

	#setStatus(status: 'running' | 'idle'): void {
		if (this.#status === status) return
		this.#status = status
		this.#options.onOutput({ type: 'status', status })
		this.#schedule()
	}

	#schedule(): void {
		clearTimeout(this.#timer)
		if (this.#ended) return
		const ms = this.requests.onScreen.length > 0 ? pollMs.waiting : pollMs[this.#status ?? 'idle']
		this.#timer = setTimeout(() => {
			void this.#look().then(() => this.#schedule())
		}, ms)
	}

	async #look(): Promise<void> {
		await this.#read()
		if (this.#status === null) await this.#lookForInterface()
		if (this.requests.onScreen.length === 0) return
		const session = this.#about.get('session') ?? null
		const entry = await readRegistry(this.#options.folder, this.#process?.pid, session)
		if (entry === null || this.requests.onScreen.length === 0) return
		if (entry.status === 'waiting') this.#seenWaiting = true
		else if (this.#seenWaiting) {
			this.#seenWaiting = false
			const answered = this.requests.onScreen
			// A no hangs up the hook; give it the time to. The next request may come meanwhile.
			setTimeout(() => this.requests.release('approved', answered), hangUpMs)
		}
	}

	/** Before the first prompt no hook tells anything: it is in the agent's own list once its interface stands. */
	async #lookForInterface(): Promise<void> {
		const entry = await readRegistry(this.#options.folder, this.#process?.pid, null)
		if (entry?.status === 'idle' && this.#status === null) this.#setStatus('idle')
	}

	async #read(): Promise<void> {
		if (!this.#ended && this.#options.crowded?.()) return
		try {
			await this.#follower?.poll()
		} catch (error) {
			if (this.#failed) return
			this.#failed = true
			const why = error instanceof Error ? error.message : 'unknown cause'
			const text = `The transcript of the agent can not be read: ${why}`
			this.#options.onOutput(notice(new Date().toISOString(), text))
		}
	}
}

function parseHook(body: string): Hook | null {
	try {
		const parsed = v.safeParse(hookSchema, JSON.parse(body))
		return parsed.success ? parsed.output : null
	} catch {
		// Not JSON: nothing that we can act on, and the caller lets the hook go.
		return null
	}
}
