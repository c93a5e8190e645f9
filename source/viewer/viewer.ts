/**
 * A person's view of all their sessions: what the screens and the plain commands read, and the few
 * things they can do. Everything in here was verified and decrypted, or says that it was not.
 */
import type { Body, Kind, RequestStatus, SessionRule } from '../protocol/events.ts'
import type { Risk, RiskInput } from '../risk/risk.ts'
import type { Cost } from './cost.ts'
import type { Devices, Revoked } from './devices.ts'

/** A value that changes: read it, and be told when to read it again. `get` returns the same object until it changes. */
export interface Readable<T> {
	get(): T
	subscribe(listener: () => void): () => void
}

export interface Connection {
	state: 'connecting' | 'live' | 'lost'
	/** Last time the backend answered, ISO 8601 UTC, or `null`. */
	lastContact: string | null
	why: string | null
}

export interface Tokens {
	input: number
	output: number
	cache_read: number
	cache_write: number
}

export interface SessionSummary {
	id: string
	agent: string
	status: string
	/** From the plain column or from the sealed label; `null`: off, or not readable. */
	project: string | null
	title: string | null
	cwd: string | null
	host: { id: string; name: string | null }
	startedAt: string
	lastActivityAt: string
	endedAt: string | null
	messages: number
	pending: number
	tokens: Tokens
	costUsd: number
	/** Said to be running, but silent for more than 45 s. */
	stale: boolean
	/** What the server says of it other than its host has signed, or withholds; `null` when it all holds. */
	problem: string | null
}

/** One message of a transcript (parts joined), or the mark of one that can't be shown. */
export interface ShownMessage {
	session: string
	/** Sequence number of its first row; `rows` how many rows it takes. */
	seq: number
	rows: number
	at: string
	/** `null` when it could not be opened. */
	kind: Kind | null
	body: Body | null
	verified: boolean
	/** One sentence, `null` when all is well. Never shown together with a body as if that were verified. */
	problem: string | null
}

/** Text that an agent is writing just now. */
export interface LiveText {
	block: string
	kind: 'agent_response' | 'agent_thinking'
	text: string
}

/** What a session's host has said of it; `null`: nothing that is known here. */
export interface SessionFacts {
	/** What it takes from other devices. */
	takes: { prompt: boolean; interrupt: boolean; modes: readonly string[] } | null
	/** The agent's permission mode, in its own word. */
	mode: string | null
	/** Whether requests reach a person in it. */
	asks: boolean | null
	/** Rules of its machine answer first, or would if they were believed; absent: there are none. */
	policy?: 'in_force' | 'refused'
}

/** Which device sent what the host has recorded in a message. */
export interface Sender {
	device: string
	name: string | null
	kind: Sending['kind']
	/** The prompt, or the mode; `null` where the signature does not hold, and of an interrupt. */
	text: string | null
	/** The device's signature was checked against the device log. */
	verified: boolean
	/** Number of the message that shows the prompt; `null`: none does. */
	became: number | null
}

export interface SessionState {
	summary: SessionSummary | null
	/** A window of the transcript, ascending by seq. */
	messages: readonly ShownMessage[]
	hasOlder: boolean
	hasNewer: boolean
	live: readonly LiveText[]
	/** All rows up to here were checked; `null` before the first check. */
	verifiedTo: number | null
	problems: number
	/** Devices that can read what is said now; `revoked`: those of them that were revoked since the newest key. */
	readers: { count: number; revoked: number; allSigned: boolean } | null
	/** Last sign of life of the host, ISO 8601 UTC; `null` when not live or none yet. */
	lastHeartbeat: string | null
	facts: SessionFacts
	/** Who sent a prompt, an interrupt or a mode, by the number of its message. */
	senders: ReadonlyMap<number, Sender>
	loading: boolean
	error: string | null
}

export interface SessionView extends AsyncDisposable {
	readonly state: Readable<SessionState>
	loadOlder(): Promise<void>
	loadNewer(): Promise<void>
	/** Moves the window to the end and follows it. */
	loadEnd(): Promise<void>
	/** Moves the window so that `seq` is in it. */
	loadAround(seq: number): Promise<void>
}

/** Messages in order, checked. */
export interface MessagePage {
	messages: readonly ShownMessage[]
	/** Where the next page begins: the number of the last row looked at, or of the first, going back. */
	place: number
	/** Whether there may be more beyond it. */
	more: boolean
}

/** A message as the server holds it: what `show --raw` prints. Byte strings are base64. */
export interface StoredRow {
	session_id: string
	seq: number
	epoch: number
	nonce: string
	ciphertext: string
	signature: string
	created_at: string
	input_tokens: number
	output_tokens: number
	cache_read_tokens: number
	cache_write_tokens: number
	cost_usd: number
}

/** All of a session page by page, for what goes through it without keeping it. Throws `StyrbyError`. */
export interface SessionPages {
	/** Number of the last row that should be there. */
	last(): Promise<number>
	/** About `limit` rows after number `seq`; more where one message has more. */
	after(seq: number, limit: number): Promise<MessagePage>
	/** About `limit` rows before number `seq`. */
	before(seq: number, limit: number): Promise<MessagePage>
	/** `count` rows from number `seq` on as they are stored, unchecked; those that are not there are left out. */
	rows(seq: number, count: number): Promise<StoredRow[]>
}

export interface RequestView {
	id: string
	session: string
	agent: string
	project: string | null
	status: RequestStatus
	/** `null` when it can't be opened or verified: it can be denied, never approved. */
	body: Body<'permission_request'> | null
	/** Hex; what a decision is bound to. */
	digest: string | null
	problem: string | null
	risk: Risk | null
	createdAt: string
	expiresAt: string
	decided: Decided | null
}

export interface Decided {
	by: 'device' | 'agent' | 'host' | 'policy'
	device: string | null
	name: string | null
	result: Exclude<RequestStatus, 'pending'>
	scope: 'once' | 'session' | null
	reason: string | null
	/** Answers to questions, or the input as it was changed, by the device's signed word; else `null`. */
	input: unknown
	at: string
	/** The deciding device's signature was checked against the device log. */
	verified: boolean
}

export interface Choice {
	decision: 'allow' | 'deny'
	scope: 'once' | 'session'
	reason?: string
	/** For edited input and answered questions only. */
	input?: unknown
}

/** Something that a device allowed for a session, by the word of its host. */
export interface SessionGrant {
	/** Id of the decision that gave it. */
	id: string
	session: string
	agent: string
	project: string | null
	/** The request that it was given with. */
	request: string
	tool: string
	rules: readonly SessionRule[]
	device: { id: string; name: string | null }
	at: string
	/** Requests that were allowed by it since. */
	uses: number
	usedAt: string | null
	/** Who answers by it: the host, which can count it and take it back, or the agent, which can not. */
	keeper: 'host' | 'agent'
	/** The device's signature was checked against the device log. */
	verified: boolean
}

export interface GrantsState {
	/** The newest first. */
	grants: readonly SessionGrant[]
	/** They have not been read yet. */
	looking: boolean
}

/**
 * sent: left this device · stored: the backend has it · verified: the host's signed answer is here ·
 * applied: the agent went on. Or its end: expired · withdrawn (answered at the agent) · lost (to another
 * device) · refused (by the host) · failed (never left, or no answer in time).
 */
export type Stage =
	| 'sent'
	| 'stored'
	| 'verified'
	| 'applied'
	| 'expired'
	| 'withdrawn'
	| 'lost'
	| 'refused'
	| 'failed'

/** How far something that was sent has come. */
export interface Progress<T extends string> {
	stage: T
	/** ISO 8601 UTC of each stage reached, in order. */
	stages: readonly { stage: T; at: string }[]
	/** The device that won, for `lost`. */
	winner: { id: string; name: string | null; result: string } | null
	why: string | null
}

export interface Followed<S> extends Readable<S> {
	/** Resolves at the last stage, or when it is not waited for any longer; later stages are still shown. */
	readonly done: Promise<S>
}

export interface DecisionState extends Progress<Stage> {
	request: string
	choice: Choice
}

export type Decision = Followed<DecisionState>

/** What can be sent to a session besides answers to its requests. */
export type Sending =
	| { kind: 'prompt'; text: string }
	| { kind: 'interrupt' }
	| { kind: 'mode'; mode: string }
	/** What was allowed for the session is allowed no longer; `null`: all of that. */
	| { kind: 'take_back'; grant: string | null }

/**
 * sent: left this device · stored: the backend has it · obeyed: the host's signed record of it is here. Or
 * its end: refused (by the host, or the agent) · failed (never left, or nobody took it).
 */
export type SentStage = 'sent' | 'stored' | 'obeyed' | 'refused' | 'failed'

export interface SentState extends Omit<Progress<SentStage>, 'winner'> {
	id: string
	session: string
	what: Sending
}

export type Sent = Followed<SentState>

export interface Backend {
	kind: 'embedded' | 'supabase'
	url: string
	/** Whose password, or mailbox, the sign-in is by, where it is by one. */
	email?: string | null
}

export interface ViewerInfo {
	backend: Backend
	account: string
	device: { id: string; name: string; fingerprint: string }
	devices: number
	hasRecoveryKey: boolean
	vault: { kind: 'keychain' | 'file' | 'memory'; detail: string }
	/** Set when the device log does not verify: nothing may be encrypted to anyone. */
	alarm: string | null
	/** Set when the log says that this device was revoked: nothing is read or sent any more. */
	revoked: Revoked | null
}

/** One message that a search has found. */
export interface SearchHit {
	session: string
	/** Number of its first row: where to open the session (`SessionView.loadAround`). */
	seq: number
	at: string
	kind: Kind
	agent: string
	project: string | null
	title: string | null
	/** Raw text around the best match, at most 300 UTF-16 units: hostile until it is made safe. */
	snippet: string
	/** Offsets into `snippet` of what matched: from (included), to (not included), ascending. */
	matches: readonly (readonly [number, number])[]
}

export interface SearchProblem {
	code: string
	/** One sentence: what is wrong with the query, and what to write. */
	message: string
	/** Offset in the query, UTF-16 units. */
	at: number
}

export interface SearchState {
	/** As it was asked last; `hits` may still be those of the query before while `searching`. */
	query: string
	problem: SearchProblem | null
	/** Whole words before beginnings before insides of words; the newest first within each. */
	hits: readonly SearchHit[]
	/** All that match; while `searching`, as far as it was counted. */
	total: number
	searching: boolean
	/** Folded words and phrases that are looked for in texts: what to mark in the session that is opened. */
	words: readonly string[]
	index: {
		/** Messages that can be found. */
		messages: number
		sessionsDone: number
		/** Known so far; all of them once `upToDate`. */
		sessions: number
		upToDate: boolean
		/** One sentence, such as why something can't be found; `null` when all is well. */
		problem: string | null
	}
}

/** Full-text search over all that this device can read, on this machine alone. */
export interface Search {
	readonly state: Readable<SearchState>
	/** Looks for it, and again as the index grows. May be called at every key: the last one counts. */
	ask(query: string): void
	/** Opens the index and brings it up to date, once; before, nothing runs. */
	start(): void
	/** The next hits, where `total` says that there are more. */
	more(): void
}

/** How much of the list of sessions is known. */
export interface Listing {
	/** There are older ones, which were not read yet. */
	more: boolean
	/** Older ones are being read. */
	loading: boolean
}

export interface Viewer extends AsyncDisposable {
	readonly info: Readable<ViewerInfo>
	readonly connection: Readable<Connection>
	/** Newest activity first. A summary is the same object for as long as nothing about it changes. */
	readonly sessions: Readable<readonly SessionSummary[]>
	readonly listing: Readable<Listing>
	/** Pending ones oldest first, then past ones newest first. */
	readonly requests: Readable<readonly RequestView[]>
	/** Decisions made in this process, by request id. */
	readonly decisions: Readable<ReadonlyMap<string, DecisionState>>
	readonly devices: Devices
	/** What is allowed for the sessions that go on. */
	readonly grants: Readable<GrantsState>
	/** Reads again what is allowed for the sessions, and looks for requests that the server hides. */
	lookAtSessions(): void
	readonly search: Search
	readonly cost: Cost
	/** Reads the page of sessions after the oldest one known. `false` when there is none. */
	moreSessions(): Promise<boolean>
	open(session: string): SessionView
	/** Reads through a session, whether it is open or not. */
	pages(session: string): SessionPages
	decide(request: RequestView, choice: Choice): Decision
	/** How risky it would be to allow an input that a person has changed. */
	assess(input: RiskInput): Risk
	/** What was sent in this process, by session, the newest last. */
	readonly sent: Readable<ReadonlyMap<string, readonly SentState[]>>
	send(session: string, what: Sending): Sent
}
