/**
 * Messages of the app-server → outputs. A state machine without I/O and clock: messages and times go in,
 * outputs come out. Nothing in a message can make it throw.
 */
import type { SessionEvent } from '../../protocol/events.ts'
import type { AgentOutput } from '../agent.ts'
import { typeName } from '../claude/schema.ts'
import { errorEvent, retryEvent } from './errors.ts'
import { callOf, resultOf, saidBy, system } from './items.ts'
import { LiveText } from './live-text.ts'
import { isQuiet, planText } from './notifications.ts'
import { Requests } from './requests.ts'
import {
	type Opened,
	paramsOf,
	partsText,
	type RawChange,
	type RawItem,
	type RawParams,
	type RpcMessage,
} from './schema.ts'
import { type Facts, factsOfOpened, factsOfSettings } from './settings.ts'
import { ThreadUsage } from './usage.ts'

interface OpenCall {
	thread: string
	item: RawItem
}

const maxKept = 200

export class ThreadReader {
	readonly requests: Requests
	readonly #usage = new ThreadUsage()
	readonly #live = new LiveText()
	readonly #calls = new Map<string, OpenCall>()
	/** The call that started a sub-agent, by the sub-agent's thread. */
	readonly #parents = new Map<string, string>()
	/** Turns that run, by thread. */
	readonly #turns = new Map<string, string>()
	/** Turns that began before our eyes: only theirs is the usage that is counted. */
	readonly #seenTurns = new Set<string>()
	/** Texts of ours that come back as prompts. */
	readonly #sent = new Map<string, 'agent' | 'viewer' | 'reason'>()
	readonly #unknown = new Set<string>()
	#thread: string | null = null
	#facts: Facts = {}
	#lastError = ''
	#turnFailed = false

	constructor() {
		this.requests = new Requests({
			cwd: () => this.#facts.cwd ?? null,
			changesOf: (item) => this.#changesOf(item),
			toolCall: (server, tool) => this.#toolCall(server, tool),
		})
	}

	/** The thread that this session is about, once it is open. */
	get thread(): string | null {
		return this.#thread
	}

	/** The turn that runs in the session's thread. */
	get turn(): string | null {
		return this.#thread === null ? null : (this.#turns.get(this.#thread) ?? null)
	}

	/** Whether the last turn of the session's thread ended with a failure. */
	get failed(): boolean {
		return this.#turnFailed
	}

	/** Before a text of ours is sent, by the id that it is sent with. */
	sending(id: string, source: 'agent' | 'viewer' | 'reason'): void {
		this.#sent.set(id, source)
	}

	/** A thread was started, resumed or forked: from now on the session is about it. */
	opened(opened: Opened): AgentOutput[] {
		if (opened.thread.parentThreadId !== null) return []
		this.#thread = opened.thread.id
		return this.#know(factsOfOpened(opened))
	}

	read(message: RpcMessage, now: string): AgentOutput[] {
		if (message.type === 'request') return this.requests.open(message)
		if (message.type === 'response') return []
		return this.#notification(message.method, paramsOf(message.params), timeOf(message.at, now))
	}

	/** The app-server has ended: what is still open is closed. */
	end(now: string): AgentOutput[] {
		const outputs = this.requests.end()
		for (const id of [...this.#calls.keys()]) outputs.push(...this.#interrupted(id, now))
		this.#turns.clear()
		return outputs
	}

	#notification(method: string, params: RawParams, at: string): AgentOutput[] {
		const thread = params.threadId ?? params.thread?.id ?? null
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
				this.#patched(params)
				return []
			case 'thread/tokenUsage/updated':
				return this.#tokens(thread, params, at)
			case 'serverRequest/resolved':
				return this.requests.resolved(params.requestId)
			case 'thread/settings/updated':
				return thread === this.#thread ? this.#know(factsOfSettings(params.threadSettings)) : []
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

	#turnStarted(thread: string | null, { turn, turnId }: RawParams): AgentOutput[] {
		const id = turn?.id ?? turnId
		if (thread === null || id === null) return []
		this.#turns.set(thread, id)
		this.#seenTurns.add(id)
		return thread === this.#thread ? [{ type: 'status', status: 'running' }] : []
	}

	#turnOver(thread: string | null, { turn }: RawParams, at: string): AgentOutput[] {
		if (thread === null || turn === null) return []
		this.#turns.delete(thread)
		const outputs: AgentOutput[] = []
		if (turn.status === 'failed' && turn.error !== null) {
			outputs.push(...this.#failed(errorEvent(turn.error), at))
		}
		this.#lastError = ''
		if (turn.status !== 'completed') {
			for (const [id, call] of [...this.#calls]) {
				if (call.thread === thread) outputs.push(...this.#interrupted(id, at))
			}
		}
		if (turn.status === 'interrupted') outputs.push(event(at, system('interrupted', null)))
		outputs.push(...this.requests.turnOver(turn.id))
		if (thread === this.#thread) {
			this.#turnFailed = turn.status === 'failed'
			outputs.push({ type: 'status', status: 'idle' })
		}
		return outputs
	}

	#itemStarted(thread: string | null, item: RawItem | null, at: string): AgentOutput[] {
		if (item === null || thread === null || this.#calls.has(item.id)) return []
		const body = callOf(item, this.#parent(thread))
		if (body === null) return []
		this.#calls.set(item.id, { thread, item })
		this.#noteSubAgents(item)
		return [event(at, { kind: 'tool_use', body })]
	}

	#itemDone(thread: string | null, item: RawItem | null, at: string): AgentOutput[] {
		if (item === null || thread === null) return []
		const parent = this.#parent(thread)
		if (item.type === 'userMessage') return this.#userMessage(thread, item, parent, at)
		if (callOf(item, parent) === null) {
			const said = saidBy(item, { model: this.#facts.model ?? null, parent })
			this.#live.done(item.id)
			return said === null ? [] : [event(at, said)]
		}
		// One that was already given up as interrupted is not told twice.
		const outputs = this.#calls.has(item.id) ? [] : this.#itemStarted(thread, item, at)
		this.#calls.delete(item.id)
		this.#noteSubAgents(item)
		outputs.push(event(at, { kind: 'tool_result', body: resultOf(item, parent) }))
		return outputs
	}

	#userMessage(thread: string, item: RawItem, parent: string | null, at: string): AgentOutput[] {
		const text = partsText(item.content)
		const source = this.#sent.get(item.clientId ?? '') ?? 'agent'
		this.#sent.delete(item.clientId ?? '')
		if (source === 'reason') return [event(at, system('denial', text))]
		if (parent !== null || thread !== this.#thread) {
			return [event(at, system('subagent_prompt', text, { parent }))]
		}
		return [event(at, { kind: 'user_prompt', body: { text, source } })]
	}

	#interrupted(id: string, at: string): AgentOutput[] {
		const call = this.#calls.get(id)
		if (call === undefined) return []
		this.#calls.delete(id)
		const item = { ...call.item, status: 'failed', error: { message: 'Interrupted.' } }
		const body = resultOf(item, this.#parent(call.thread))
		return [event(at, { kind: 'tool_result', body })]
	}

	#patched({ itemId, changes }: RawParams): void {
		const call = this.#calls.get(itemId ?? '')
		if (call !== undefined && changes !== null) call.item = { ...call.item, changes }
	}

	#tokens(thread: string | null, { turnId, tokenUsage }: RawParams, at: string): AgentOutput[] {
		if (thread === null || tokenUsage === null) return []
		if (turnId === null || !this.#seenTurns.has(turnId)) {
			this.#usage.startFrom(thread, tokenUsage.total)
			return []
		}
		const body = this.#usage.add(thread, tokenUsage, this.#facts.model ?? null)
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

	/** A message of a type that we do not know is kept under its name, once: some come by the hundred. */
	#other(method: string, at: string): AgentOutput[] {
		if (isQuiet(method) || this.#unknown.has(method) || this.#unknown.size >= maxKept) return []
		this.#unknown.add(method)
		return [event(at, system(`codex/${typeName(method.replaceAll('/', '.'))}`, null))]
	}

	#know(facts: Facts): AgentOutput[] {
		const about: Extract<AgentOutput, { type: 'about' }> = { type: 'about' }
		const { session, model, cwd, version, mode, asks } = facts
		const known = this.#facts
		if (session !== undefined && session !== known.session) about.session = session
		if (model !== undefined && model !== known.model) about.model = model
		if (cwd !== undefined && cwd !== known.cwd) about.cwd = cwd
		if (version !== undefined && version !== known.version) about.version = version
		if (mode !== undefined && (mode !== known.mode || asks !== known.asks)) {
			about.mode = mode
			if (asks !== undefined) about.asks = asks
		}
		this.#facts = { ...known, ...facts }
		return Object.keys(about).length > 1 ? [about] : []
	}

	#noteSubAgents(item: RawItem): void {
		for (const thread of item.receiverThreadIds) {
			if (thread !== this.#thread && !this.#parents.has(thread)) this.#parents.set(thread, item.id)
		}
	}

	#parent(thread: string): string | null {
		return thread === this.#thread ? null : (this.#parents.get(thread) ?? thread)
	}

	#changesOf(id: string): readonly RawChange[] | null {
		return this.#calls.get(id)?.item.changes ?? null
	}

	#toolCall(server: string, tool: string): string | null {
		const calls = [...this.#calls.values()].map(({ item }) => item)
		return calls.findLast((item) => item.server === server && item.tool === tool)?.id ?? null
	}
}

export function event(at: string, of: SessionEvent): AgentOutput {
	return { type: 'event', at, event: of }
}

export function notice(at: string, text: string): AgentOutput {
	return event(at, system('notice', text))
}

/** The agent's own time (ms) where it is one. */
function timeOf(ms: number | null, now: string): string {
	return ms !== null && ms > 0 && ms < 253_402_300_800_000 ? new Date(ms).toISOString() : now
}
