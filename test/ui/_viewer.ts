/** The whole `Viewer` interface over plain data, so that screens can be tested without a backend. */
import type { Body, Kind } from '../../source/protocol/events.ts'
import { assessRisk, type Risk, type RiskInput } from '../../source/risk/risk.ts'
import { Value } from '../../source/viewer/readable.ts'
import type {
	Choice,
	Connection,
	Decision,
	DecisionState,
	GrantsState,
	Listing,
	LiveText,
	RequestView,
	Sending,
	Sent,
	SentStage,
	SentState,
	SessionPages,
	SessionState,
	SessionSummary,
	SessionView,
	ShownMessage,
	Stage,
	Viewer,
	ViewerInfo,
} from '../../source/viewer/viewer.ts'
import { ScriptedCost } from './_cost.ts'
import { ScriptedDevices } from './_devices.ts'
import { ScriptedPages } from './_pages.ts'
import { at, now, uuid } from './_present.ts'
import { ScriptedSearch } from './_search.ts'

export { at, now, uuid } from './_present.ts'

export function summary(change: Partial<SessionSummary> = {}): SessionSummary {
	return {
		id: uuid(1),
		agent: 'claude',
		status: 'running',
		project: 'api-server',
		title: null,
		cwd: '/home/sam/api-server',
		host: { id: uuid(900), name: 'build-box' },
		startedAt: at(720),
		lastActivityAt: at(5),
		endedAt: null,
		messages: 4,
		pending: 0,
		tokens: { input: 1200, output: 300, cache_read: 0, cache_write: 0 },
		costUsd: 0.42,
		stale: false,
		problem: null,
		...change,
	}
}

export function message<K extends Kind>(
	seq: number,
	kind: K,
	body: Body<K>,
	change: Partial<ShownMessage> = {},
): ShownMessage {
	return {
		session: uuid(1),
		seq,
		rows: 1,
		at: at(600 - seq),
		kind,
		body,
		verified: true,
		problem: null,
		...change,
	}
}

export const say = (seq: number, text: string) =>
	message(seq, 'agent_response', { text, block: null, model: null, parent: null })
export const ask = (seq: number, text: string) =>
	message(seq, 'user_prompt', { text, source: 'agent' })
export const call = (seq: number, id: string, command: string) =>
	message(seq, 'tool_use', { tool_use: id, name: 'Bash', input: { command }, parent: null })
export const result = (seq: number, id: string, text: string, change = {}) =>
	message(seq, 'tool_result', {
		tool_use: id,
		ok: true,
		text,
		exit_code: 0,
		duration_ms: 200,
		changes: [],
		parent: null,
		...change,
	})

export function requestBody(
	id: string,
	change: Partial<Body<'permission_request'>> = {},
): Body<'permission_request'> {
	return {
		request: id,
		tool: 'Bash',
		tool_use: null,
		input: { command: 'npm install express-rate-limit' },
		description: null,
		cwd: '/home/sam/api-server',
		reason: null,
		changes: [],
		session_rules: [{ tool: 'Bash', rule: 'npm install:*' }],
		questions: null,
		expires_at: new Date(now + 272_000).toISOString(),
		...change,
	}
}

export function request(id: string, change: Partial<RequestView> = {}): RequestView {
	return {
		id,
		session: uuid(1),
		agent: 'claude',
		project: 'api-server',
		status: 'pending',
		body: requestBody(id),
		digest: 'aa'.repeat(32),
		problem: null,
		risk: { level: 'medium', reasons: ['installs packages'] },
		createdAt: at(28),
		expiresAt: new Date(now + 272_000).toISOString(),
		decided: null,
		...change,
	}
}

export function transcript(
	messages: readonly ShownMessage[],
	change: Partial<SessionState> = {},
): SessionState {
	return {
		summary: null,
		messages,
		hasOlder: false,
		hasNewer: false,
		live: [],
		verifiedTo: messages.at(-1)?.seq ?? null,
		problems: 0,
		readers: { count: 3, revoked: 0, allSigned: true },
		lastHeartbeat: at(3),
		facts: { takes: null, mode: null, asks: null },
		senders: new Map(),
		loading: false,
		error: null,
		...change,
	}
}

export const info: ViewerInfo = {
	backend: { kind: 'embedded', url: 'http://127.0.0.1:4321' },
	account: uuid(500),
	device: { id: uuid(901), name: 'laptop', fingerprint: 'A1B2-C3D4-E5F6-G7H8-J9K0' },
	devices: 3,
	hasRecoveryKey: false,
	vault: { kind: 'keychain', detail: 'Secret Service' },
	alarm: null,
	revoked: null,
}

export interface Decided {
	request: RequestView
	choice: Choice
}

/** A viewer whose data the test sets, and which writes down what it was asked to do. */
export class ScriptedViewer implements Viewer {
	readonly info: Value<ViewerInfo>
	readonly connection = new Value<Connection>({ state: 'live', lastContact: at(1), why: null })
	readonly sessions = new Value<readonly SessionSummary[]>([])
	readonly listing = new Value<Listing>({ more: false, loading: false })
	readonly requests = new Value<readonly RequestView[]>([])
	readonly decisions = new Value<ReadonlyMap<string, DecisionState>>(new Map())
	readonly sent = new Value<ReadonlyMap<string, readonly SentState[]>>(new Map())
	readonly sendings: { session: string; what: Sending }[] = []
	readonly devices = new ScriptedDevices()
	readonly search = new ScriptedSearch()
	readonly grants = new Value<GrantsState>({ grants: [], looking: false })
	looks = 0
	readonly cost = new ScriptedCost()
	readonly states = new Map<string, Value<SessionState>>()
	/** All messages of a session, where its window does not have them all. */
	readonly stored = new Map<string, readonly ShownMessage[]>()
	/** First and last number of each page that was read. */
	readonly pagesRead: [number, number][] = []
	readonly opened: string[] = []
	readonly asked: { session: string; what: string }[] = []
	readonly decided: Decided[] = []
	open_ = 0
	disposed = false
	askedSessions = 0
	readonly #done = new Map<string, PromiseWithResolvers<DecisionState>>()

	constructor(change: Partial<ViewerInfo> = {}) {
		this.info = new Value({ ...info, ...change })
	}

	transcript(session: string): Value<SessionState> {
		const known = this.states.get(session) ?? new Value(transcript([]))
		this.states.set(session, known)
		return known
	}

	async moreSessions(): Promise<boolean> {
		this.askedSessions++
		this.listing.set({ more: false, loading: false })
		return false
	}

	lookAtSessions(): void {
		this.looks++
	}

	open(session: string): SessionView {
		this.opened.push(session)
		this.open_++
		const ask = (what: string) => async () => {
			this.asked.push({ session, what })
		}
		return {
			state: this.transcript(session),
			loadOlder: ask('older'),
			loadNewer: ask('newer'),
			loadEnd: ask('end'),
			loadAround: async (seq) => {
				this.asked.push({ session, what: `around ${seq}` })
				const stored = this.stored.get(session)
				if (!stored) return
				const messages = stored.filter((each) => Math.abs(each.seq - seq) <= 100)
				this.transcript(session).update((state) => ({
					...state,
					messages,
					hasOlder: (messages[0]?.seq ?? 1) > 1,
					hasNewer: messages.at(-1) !== stored.at(-1),
				}))
			},
			[Symbol.asyncDispose]: async () => {
				this.open_--
			},
		}
	}

	assess(input: RiskInput): Risk {
		return assessRisk(input)
	}

	/** Of what the test has stored, else of what is loaded. */
	pages(session: string): SessionPages {
		return new ScriptedPages(
			() => this.stored.get(session) ?? this.transcript(session).get().messages,
			this.pagesRead,
		)
	}

	decide(request: RequestView, choice: Choice): Decision {
		this.decided.push({ request, choice })
		const done = Promise.withResolvers<DecisionState>()
		this.#done.set(request.id, done)
		const state: DecisionState = {
			request: request.id,
			choice,
			stage: 'sent',
			stages: [{ stage: 'sent', at: at(0) }],
			winner: null,
			why: null,
		}
		this.decisions.update((all) => new Map(all).set(request.id, state))
		return {
			get: () => this.decisions.get().get(request.id) ?? state,
			subscribe: (listener) => this.decisions.subscribe(listener),
			done: done.promise,
		}
	}

	send(session: string, what: Sending): Sent {
		this.sendings.push({ session, what })
		const id = uuid(700 + this.sendings.length)
		const stages = [{ stage: 'sent', at: at(0) }] as const
		const state: SentState = { id, session, what, stage: 'sent', stages, why: null }
		const known = this.sent.get().get(session) ?? []
		this.sent.update((all) => new Map(all).set(session, [...known, state]))
		return {
			get: () => state,
			subscribe: (listener) => this.sent.subscribe(listener),
			done: new Promise(() => undefined),
		}
	}

	/** Moves what was sent last to a session on. */
	reachSent(session: string, stage: SentStage, why: string | null = null): void {
		const known = this.sent.get().get(session) ?? []
		const last = known.at(-1)
		if (!last) throw new Error(`nothing was sent to ${session}`)
		const stages = [...last.stages, { stage, at: at(0) }]
		const next = known.with(-1, { ...last, stage, stages, why })
		this.sent.update((all) => new Map(all).set(session, next))
	}

	/** Moves a decision on, as the backend and the host would. */
	reach(id: string, stage: Stage, change: Partial<DecisionState> = {}): void {
		const before = this.decisions.get().get(id)
		if (!before) throw new Error(`no decision for ${id}`)
		const stages = [...before.stages, { stage, at: at(0) }]
		const state = { ...before, stage, stages, ...change }
		this.decisions.update((all) => new Map(all).set(id, state))
		if (!['sent', 'stored', 'verified'].includes(stage)) this.#done.get(id)?.resolve(state)
	}

	/** The signed answer is here: the request is over. */
	settle(id: string, status: 'approved' | 'denied'): void {
		this.requests.update((all) =>
			all.map((each) =>
				each.id === id
					? {
							...each,
							status,
							decided: {
								by: 'device',
								device: uuid(901),
								name: 'laptop',
								result: status,
								scope: status === 'approved' ? 'once' : null,
								reason: null,
								input: null,
								at: at(0),
								verified: true,
							},
						}
					: each,
			),
		)
	}

	live(session: string, live: readonly LiveText[]): void {
		this.transcript(session).update((state) => ({ ...state, live }))
	}

	async [Symbol.asyncDispose](): Promise<void> {
		this.disposed = true
	}
}
