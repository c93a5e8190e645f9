/**
 * Messages of the app-server → outputs. A state machine without I/O and clock: messages and times go in,
 * outputs come out. Nothing in a message can make it throw.
 */
import type { SessionEvent } from '../../protocol/events.ts'
import type { AgentOutput } from '../agent.ts'
import { typeName } from '../foreign.ts'
import { errorEvent, retryEvent } from './errors.ts'
import { callOf, event, saidBy, system } from './items.ts'
import { LiveText } from './live-text.ts'
import { isQuiet, planText } from './notifications.ts'
import { OpenCalls } from './open-calls.ts'
import { Requests } from './requests.ts'
import {
	type Opened,
	paramsOf,
	partsText,
	type RawItem,
	type RawParams,
	type RpcMessage,
} from './schema.ts'
import { type Facts, factsOfOpened, factsOfSettings, whatIsNew } from './settings.ts'
import { Threads } from './threads.ts'
import { ThreadUsage } from './usage.ts'

/** Names of unknown messages that are told: some come by the hundred. */
const maxUnknown = 200

export class ThreadReader {
	readonly requests: Requests
	readonly #threads = new Threads()
	readonly #usage = new ThreadUsage()
	readonly #live = new LiveText()
	readonly #calls = new OpenCalls()
	/** Texts of ours that come back as prompts. */
	readonly #sent = new Map<string, 'agent' | 'viewer' | 'reason'>()
	readonly #unknown = new Set<string>()
	#facts: Facts = {}
	#lastError = ''
	#turnFailed = false

	constructor() {
		this.requests = new Requests({
			cwd: () => this.#facts.cwd ?? null,
			changesOf: (item) => this.#calls.changesOf(item),
			toolCall: (server, tool) => this.#calls.toolCall(server, tool),
		})
	}

	/** The thread that this session is about, once it is open. */
	get thread(): string | null {
		return this.#threads.main
	}

	/** The turn that runs in the session's thread. */
	get turn(): string | null {
		return this.#threads.turn
	}

	/** Whether the last turn of the session's thread ended with a failure. */
	get failed(): boolean {
		return this.#turnFailed
	}

	/** Before a text of ours is sent, by the id that it is sent with. */
	sending(id: string, source: 'agent' | 'viewer' | 'reason'): void {
		this.#sent.set(id, source)
	}

	/** A call is being denied from elsewhere, for this reason. */
	denied(call: string | null, reason: string): void {
		if (call !== null && reason !== '') this.#calls.denied(call, reason)
	}

	/** A thread was started, resumed or forked: from now on the session is about it, if it is one to keep. */
	opened(opened: Opened): AgentOutput[] {
		const ran = this.turn !== null
		if (!this.#threads.opened(opened.thread)) return []
		const outputs = this.#know(factsOfOpened(opened))
		return ran && this.turn === null ? [...outputs, { type: 'status', status: 'idle' }] : outputs
	}

	read(message: RpcMessage, now: string): AgentOutput[] {
		if (message.type === 'request') return this.requests.open(message)
		if (message.type === 'response') return []
		return this.#notification(message.method, paramsOf(message.params), timeOf(message.at, now))
	}

	/** The app-server has ended: what is still open is closed. */
	end(now: string): AgentOutput[] {
		const ran = this.turn !== null
		this.#threads.end()
		const outputs = [...this.requests.end(), ...this.#calls.interrupted(null, now)]
		return ran ? [...outputs, { type: 'status', status: 'idle' }] : outputs
	}

	#notification(method: string, params: RawParams, at: string): AgentOutput[] {
		// Whoever asked has an answer, in whichever thread.
		if (method === 'serverRequest/resolved') return this.requests.resolved(params.requestId)
		if (params.thread !== null) this.#threads.started(params.thread)
		const thread = params.threadId ?? params.thread?.id ?? null
		if (this.#threads.isAside(thread)) return this.#aside(method, params)
		switch (method) {
			case 'turn/started':
				return this.#turnStarted(thread, params)
			case 'turn/completed':
				return this.#turnOver(thread, params, at)
			case 'item/started':
				return this.#itemStarted(thread, params.item, at)
			case 'item/completed':
				return this.#itemDone(thread, params.item, at)
			case 'item/agentMessage/delta':
			case 'item/plan/delta':
				return this.#live.add(params, 'agent_response')
			case 'item/reasoning/summaryTextDelta':
			case 'item/reasoning/textDelta':
				return this.#live.add(params, 'agent_thinking')
			case 'item/fileChange/patchUpdated':
				this.#calls.patched(params)
				return []
			case 'thread/tokenUsage/updated':
				return this.#tokens(thread, params, at)
			case 'thread/settings/updated':
				return this.#threads.isMain(thread)
					? this.#know(factsOfSettings(params.threadSettings))
					: []
			case 'error':
				return this.#error(params, at)
			case 'turn/plan/updated': {
				const text = planText(params)
				return text === null ? [] : [event(at, system('plan', text, { plan: params.plan }))]
			}
			case 'model/rerouted':
				return [event(at, system('model_rerouted', params.toModel))]
			case 'warning':
			case 'configWarning':
			case 'guardianWarning':
			case 'deprecationNotice': {
				const text = params.message ?? params.summary
				return text === null ? [] : [event(at, system('warning', text))]
			}
			default:
				return this.#other(method, at)
		}
	}

	/** Of a thread on the side only what it asks is told, and that it asks no more. */
	#aside(method: string, { turn }: RawParams): AgentOutput[] {
		return method === 'turn/completed' ? this.requests.turnOver(turn?.id ?? null) : []
	}

	#turnStarted(thread: string | null, { turn, turnId }: RawParams): AgentOutput[] {
		const id = turn?.id ?? turnId
		if (thread === null || id === null) return []
		this.#threads.turnStarted(thread, id)
		return this.#threads.isMain(thread) ? [{ type: 'status', status: 'running' }] : []
	}

	#turnOver(thread: string | null, { turn }: RawParams, at: string): AgentOutput[] {
		if (thread === null || turn === null) return []
		this.#threads.turnOver(thread)
		const outputs: AgentOutput[] = []
		if (turn.status === 'failed' && turn.error !== null) {
			outputs.push(...this.#failed(errorEvent(turn.error), at))
		}
		this.#lastError = ''
		if (turn.status !== 'completed') outputs.push(...this.#calls.interrupted(thread, at))
		if (turn.status === 'interrupted') outputs.push(event(at, system('interrupted', null)))
		outputs.push(...this.requests.turnOver(turn.id))
		if (this.#threads.isMain(thread)) {
			this.#turnFailed = turn.status === 'failed'
			outputs.push({ type: 'status', status: 'idle' })
		}
		return outputs
	}

	#itemStarted(thread: string | null, item: RawItem | null, at: string): AgentOutput[] {
		if (item === null || thread === null) return []
		this.#threads.startedBy(item)
		return this.#calls.started(thread, this.#threads.parentOf(thread), item, at)
	}

	#itemDone(thread: string | null, item: RawItem | null, at: string): AgentOutput[] {
		if (item === null || thread === null) return []
		const parent = this.#threads.parentOf(thread)
		if (item.type === 'userMessage') return this.#userMessage(thread, item, parent, at)
		if (callOf(item, parent) === null) {
			const said = saidBy(item, { model: this.#modelOf(thread), parent })
			this.#live.done(item.id)
			return said === null ? [] : [event(at, said)]
		}
		this.#threads.startedBy(item)
		return this.#calls.done(thread, parent, item, at)
	}

	#userMessage(thread: string, item: RawItem, parent: string | null, at: string): AgentOutput[] {
		const text = partsText(item.content)
		const source = this.#sent.get(item.clientId ?? '') ?? 'agent'
		this.#sent.delete(item.clientId ?? '')
		if (source === 'reason') return [event(at, system('denial', text))]
		if (!this.#threads.isMain(thread)) {
			return [event(at, system('subagent_prompt', text, { parent }))]
		}
		return [event(at, { kind: 'user_prompt', body: { text, source } })]
	}

	#tokens(thread: string | null, { turnId, tokenUsage }: RawParams, at: string): AgentOutput[] {
		if (thread === null || tokenUsage === null) return []
		if (!this.#threads.sawTurn(turnId)) {
			this.#usage.startFrom(thread, tokenUsage.total)
			return []
		}
		const body = this.#usage.add(thread, tokenUsage, this.#modelOf(thread))
		return body === null ? [] : [event(at, { kind: 'usage', body })]
	}

	#error({ error, willRetry }: RawParams, at: string): AgentOutput[] {
		if (error === null) return []
		return willRetry ? [event(at, retryEvent(error))] : this.#failed(errorEvent(error), at)
	}

	/** The same failure comes as a message of its own and at the end of its turn. */
	#failed(failure: Extract<SessionEvent, { kind: 'error' }>, at: string): AgentOutput[] {
		if (failure.body.text === this.#lastError) return []
		this.#lastError = failure.body.text
		return [event(at, failure)]
	}

	/** A message of a type that we do not know is kept under its name, once. */
	#other(method: string, at: string): AgentOutput[] {
		if (isQuiet(method) || this.#unknown.has(method) || this.#unknown.size >= maxUnknown) return []
		this.#unknown.add(method)
		return [event(at, system(`codex/${typeName(method.replaceAll('/', '.'))}`, null))]
	}

	#know(facts: Facts): AgentOutput[] {
		const about = whatIsNew(this.#facts, facts)
		this.#facts = { ...this.#facts, ...facts }
		return about === null ? [] : [about]
	}

	/** The session's own model may change from turn to turn; a sub-agent keeps its own. */
	#modelOf(thread: string): string | null {
		const own = this.#facts.model ?? null
		return this.#threads.isMain(thread) ? own : (this.#threads.modelOf(thread) ?? own)
	}
}

/** The agent's own time (ms) where it is one. */
function timeOf(ms: number | null, now: string): string {
	return ms !== null && ms > 0 && ms < 253_402_300_800_000 ? new Date(ms).toISOString() : now
}
