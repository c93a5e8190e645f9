/** Puts the viewer together: lists, requests, decisions, kept up to date by the account's channel. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Account } from '../account/account.ts'
import { keepUp } from '../account/keep-up.ts'
import type { AccountHint, Channel, SessionRow } from '../backend/gateway.ts'
import { fingerprint, randomId } from '../protocol/device.ts'
import { activeDevices } from '../protocol/device-log.ts'
import { exit, StyrbyError } from '../protocol/errors.ts'
import { assessRisk, type Risk, type RiskInput } from '../risk/risk.ts'
import { CostModel } from './cost-model.ts'
import { decide } from './decide.ts'
import type { Revoked } from './devices.ts'
import { DevicesModel } from './devices-model.ts'
import { GrantList } from './grants.ts'
import { Queue, Value } from './readable.ts'
import { RequestList } from './requests.ts'
import { SearchModel } from './search/search-model.ts'
import { send } from './send.ts'
import { FeedPool } from './session-feed.ts'
import { SessionList } from './session-list.ts'
import { StoredPages } from './session-pages.ts'
import { sessionsWithheld } from './session-summary.ts'
import { OpenSession } from './session-view.ts'
import type {
	Choice,
	Connection,
	Decision,
	DecisionState,
	RequestView,
	Sending,
	Sent,
	SentState,
	SessionPages,
	SessionView,
	Viewer,
	ViewerInfo,
} from './viewer.ts'

export interface OpenViewerOptions {
	account: Account
	backend: ViewerInfo['backend']
	vault: ViewerInfo['vault']
	now(): Date
	/** Where the search index of this account is kept; absent: in memory only. */
	searchFolder?: string
	/** How long a decision waits for its host, ms. */
	waitMs?: number
}

/** Hints of one session within this time are answered by one read, ms: after a quiet time, and else. */
const gather = { quiet: 60, busy: 500 }
const quietAfter = 1000
/** What a request changed in what is allowed for its session is read so much later, ms: the host says it soon. */
const looksGather = 1200
/** The log is looked at this often whatever the live channel says or leaves out, ms. */
const lookEvery = 30_000
const defaultWait = 10_000
/** Of what was sent to a session so many are kept, to show what became of them. */
const sentKept = 5

/**
 * Opens the viewer. Its lists fill in the background; `ready` resolves when the first ones are there, and
 * rejects when they can't be read.
 */
export function openViewer(options: OpenViewerOptions): OpenedViewer {
	return new OpenedViewer(options)
}

export class OpenedViewer implements Viewer {
	readonly info: Value<ViewerInfo>
	readonly connection = new Value<Connection>({ state: 'connecting', lastContact: null, why: null })
	readonly decisions = new Value<ReadonlyMap<string, DecisionState>>(new Map())
	readonly sent = new Value<ReadonlyMap<string, readonly SentState[]>>(new Map())
	readonly devices: DevicesModel
	readonly search: SearchModel
	readonly cost: CostModel
	readonly ready: Promise<void>
	readonly #options: OpenViewerOptions
	readonly #feeds: FeedPool
	readonly #list: SessionList
	readonly #requests: RequestList
	readonly #grants: GrantList
	/** Reading the ends of sessions: one after the other. */
	readonly #ends = new Queue()
	#lookingAtEnds = false
	readonly #toLookAt = new Set<string>()
	readonly #channel: Channel
	readonly #waiting = new Set<string>()
	/** What was sent last to a session, until it has left. */
	readonly #leaving = new Map<string, Promise<void>>()
	/** When a session was last read again, by its id. */
	readonly #readAt = new Map<string, number>()
	/** What else than the log did not verify. */
	#refusal: string | null = null
	#askedWhy = false
	/** Whether the live channel brings what happens. */
	#joined = false
	readonly #keeping: Disposable
	readonly #looking: NodeJS.Timeout
	#closed = false

	constructor(options: OpenViewerOptions) {
		const { account, now } = options
		this.#options = options
		this.#feeds = new FeedPool(account)
		this.#grants = new GrantList(account)
		this.#list = new SessionList(account, this.#feeds, now, (session, rows) =>
			this.#requests.pushed(session, rows),
		)
		this.#requests = new RequestList(account, (id) => {
			const summary = this.#list.get(id)
			return summary ? { agent: summary.agent, project: summary.project } : null
		})
		const crashed = (error: unknown) => {
			throw error
		}
		this.devices = new DevicesModel({ account, crashed })
		this.search = new SearchModel({
			account,
			sessions: this.#list.sessions,
			folder: options.searchFolder ?? null,
			now,
			crashed,
		})
		this.cost = new CostModel({ account, crashed })
		this.#keeping = keepUp(account, (code) => {
			this.connection.update((connection) => ({ ...connection, why: code }))
		})
		this.info = new Value(this.#describe())
		account.log.onChange(() => {
			if (this.#closed) return
			this.info.set(this.#describe())
			if (this.info.get().revoked) this.#stop()
			else {
				this.#list.lookAgain()
				void this.devices.refresh()
			}
		})
		// The log was pulled when the account was opened, and is again when the channel is joined.
		this.ready = this.#refreshLists()
		this.ready.catch((error: unknown) => this.#failed(error))
		this.#channel = account.gateway.followAccount((hint) => this.#take(hint))
		this.#looking = setInterval(() => this.#safely(account.log.refresh()), lookEvery)
		this.#looking.unref()
	}

	get account(): Account {
		return this.#options.account
	}

	get sessions() {
		return this.#list.sessions
	}

	get listing() {
		return this.#list.listing
	}

	get requests() {
		return this.#requests.requests
	}

	/** Looks for requests, and sessions, that the server hides. Throws `session_withheld` (exit 4). */
	async lookForHidden(): Promise<void> {
		const { now } = this.#options
		await this.#requests.lookForHidden(this.#list.live, now())
		if (this.#list.withheld > 0) throw sessionsWithheld(this.#list.withheld)
	}

	get grants() {
		return this.#grants.state
	}

	lookAtSessions(): void {
		if (this.#lookingAtEnds || this.#closed) return
		this.#lookingAtEnds = true
		const look = async () => {
			try {
				await this.#lookAt(this.#list.live)
			} finally {
				this.#lookingAtEnds = false
			}
		}
		this.#safely(this.#ends.run(look))
	}

	/** What the ends of these sessions say of requests that wait, and of what is allowed for them. */
	async #lookAt(sessions: readonly SessionRow[]): Promise<void> {
		const now = this.#options.now()
		await this.#requests.lookForHidden(sessions, now, ({ id, agent, project }, messages) => {
			this.#grants.take({ id, agent, project: this.#list.get(id)?.project ?? project }, messages)
		})
		this.#grants.publish(new Set(this.#list.live.map(({ id }) => id)))
	}

	/** A request came or was answered: something may be allowed for its session, or was used. */
	async #lookAtOne(session: string): Promise<void> {
		await sleep(looksGather)
		// What is told from here on may come after what is read now.
		this.#toLookAt.delete(session)
		const row = this.#list.live.find(({ id }) => id === session)
		if (row && !this.#closed) await this.#ends.run(() => this.#lookAt([row]))
	}

	/** Reads the page of sessions after the oldest one known. `false` when there is none. */
	moreSessions(): Promise<boolean> {
		return this.#list.more()
	}

	open(session: string): SessionView {
		const { account, now } = this.#options
		const list = this.#list.sessions
		const summary = {
			get: () => this.#list.get(session),
			subscribe: (listener: () => void) => list.subscribe(listener),
		}
		if (!this.#list.get(session)) this.#safely(this.#list.refreshOne(session))
		return new OpenSession({ account, feeds: this.#feeds, session, summary, now })
	}

	assess(input: RiskInput): Risk {
		return assessRisk(input)
	}

	pages(session: string): SessionPages {
		return new StoredPages(this.#options.account, session)
	}

	decide(request: RequestView, choice: Choice): Decision {
		const { account, now, waitMs = defaultWait } = this.#options
		this.#assertOpen()
		const placed = this.#requests.get(request.id)
		if (!placed) throw new StyrbyError('no_such_request', 'There is no such permission request.')
		// Judged by what the person looked at, not by what may have come since.
		const looked = {
			...placed,
			digest: request.digest,
			problem: request.problem,
			body: request.body,
		}
		const decision = decide({
			account,
			feeds: this.#feeds,
			request: looked,
			choice,
			now,
			waitMs,
			answered: (answer) => this.#requests.answer(request.id, answer),
		})
		const note = () => {
			this.decisions.update((all) => new Map(all).set(request.id, decision.get()))
		}
		decision.subscribe(note)
		note()
		return decision
	}

	send(session: string, what: Sending): Sent {
		const { account, now, waitMs = defaultWait } = this.#options
		this.#assertOpen()
		const summary = this.#list.get(session)
		const { sent, posted } = send({
			account,
			feeds: this.#feeds,
			session,
			now,
			id: randomId(account.random),
			what,
			waitMs,
			// What takes something back does no harm whenever it comes.
			silent: summary?.stale === true && what.kind !== 'take_back',
			before: this.#leaving.get(session) ?? Promise.resolve(),
		})
		this.#leaving.set(session, posted)
		const note = () => {
			const state = sent.get()
			this.sent.update((all) => {
				const known = all.get(session) ?? []
				const at = known.findIndex(({ id }) => id === state.id)
				const next = at < 0 ? [...known, state].slice(-sentKept) : known.with(at, state)
				return new Map(all).set(session, next)
			})
		}
		sent.subscribe(note)
		if (what.kind === 'take_back') void sent.done.then(() => this.#lookSoon(session))
		note()
		return sent
	}

	#assertOpen(): void {
		if (!this.#closed) return
		throw new StyrbyError('device_revoked', 'This device was revoked: nothing was sent.', {
			exitCode: exit.notSignedIn,
		})
	}

	#describe(): ViewerInfo {
		const { account, backend, vault } = this.#options
		const { record } = account.device
		const devices = activeDevices(account.log.state)
		return {
			backend,
			account: account.id,
			device: {
				id: record.id,
				name: account.deviceName(record.id) ?? record.id,
				fingerprint: fingerprint(record),
			},
			devices: devices.filter((device) => device.record.kind === 'device').length,
			hasRecoveryKey: devices.some((device) => device.record.kind === 'recovery'),
			vault,
			alarm: account.log.problem?.message ?? this.#refusal,
			revoked: this.#revocation(),
		}
	}

	#revocation(): Revoked | null {
		const { account } = this.#options
		const revoked = account.log.state.devices.get(account.device.record.id)?.revoked
		if (!revoked) return null
		const { by, at, reason } = revoked
		return { by, byName: account.deviceName(by), at, reason }
	}

	/** This device was revoked: nothing is read or sent any more. */
	#stop(): void {
		if (this.#closed) return
		this.#closed = true
		this.connection.set({ state: 'lost', lastContact: null, why: 'This device was revoked.' })
		this.search.forget().catch(() => undefined)
		void this.#end()
	}

	async #refresh(): Promise<void> {
		await this.ready.catch(() => undefined)
		await this.#options.account.log.refresh()
		await this.#refreshLists()
	}

	async #refreshLists(): Promise<void> {
		await this.#list.refresh()
		await this.#requests.refresh()
		const waiting = this.#requests.requests.get().filter(({ status }) => status === 'pending')
		await this.#list.include(waiting.map(({ session }) => session))
		this.#contact()
		void this.devices.refresh()
	}

	#take(hint: AccountHint): void {
		if (this.#closed) return
		switch (hint.type) {
			case 'joined':
				this.#joined = true
				this.#safely(this.#refresh().then(() => this.lookAtSessions()))
				break
			case 'lost':
				this.#joined = false
				this.connection.update((now) => ({ ...now, state: 'lost', why: hint.why }))
				// A server takes the channel of a device that was revoked: the log says whether it was.
				this.#safely(this.#options.account.log.refresh())
				break
			case 'sessions':
				this.#safely(this.#sessionChanged(hint.session))
				break
			case 'request':
				this.#safely(this.#requests.hinted(hint))
				// It moves up in the list, which must not happen while it is being answered.
				this.#safely(this.#list.refreshOne(hint.session))
				this.#lookSoon(hint.session)
				break
			case 'log':
				this.#safely(this.#options.account.log.refresh())
				break
			case 'mail':
				break
		}
	}

	#lookSoon(session: string): void {
		if (this.#toLookAt.has(session)) return
		this.#toLookAt.add(session)
		this.#safely(this.#lookAtOne(session))
	}

	/** A busy session says so many times a second: read once for all of them. */
	async #sessionChanged(session: string): Promise<void> {
		if (this.#waiting.has(session)) return
		this.#waiting.add(session)
		const before = this.#readAt.get(session) ?? Number.NEGATIVE_INFINITY
		const quiet = performance.now() - before > quietAfter
		await sleep(quiet ? gather.quiet : gather.busy)
		this.#waiting.delete(session)
		if (this.#closed) return
		this.#readAt.set(session, performance.now())
		await this.#list.refreshOne(session)
		this.#contact()
	}

	/** The backend has answered; what comes is shown by itself only while the channel is joined. */
	#contact(): void {
		const lastContact = this.#options.now().toISOString()
		if (this.#joined) this.connection.set({ state: 'live', lastContact, why: null })
		else this.connection.update((now) => ({ ...now, lastContact }))
	}

	#safely(work: Promise<unknown>): void {
		work.catch((error: unknown) => this.#failed(error))
	}

	#failed(error: unknown): void {
		if (this.#closed) return
		if (!(error instanceof StyrbyError)) throw error
		if (error.exitCode === 4) {
			if (!this.#options.account.log.problem) this.#refusal = error.message
			this.info.set(this.#describe())
		} else if (error.code === 'device_revoked' && !this.#askedWhy) {
			// The server's word for it; who did it, and whether that is so, the log says.
			this.#askedWhy = true
			this.#safely(this.#options.account.log.refresh())
		} else {
			this.connection.update((now) => ({ ...now, state: 'lost', why: error.message }))
		}
	}

	async [Symbol.asyncDispose](): Promise<void> {
		this.#closed = true
		await this.#end()
	}

	async #end(): Promise<void> {
		clearInterval(this.#looking)
		this.#keeping[Symbol.dispose]()
		this.devices[Symbol.dispose]()
		this.cost[Symbol.dispose]()
		this.#list[Symbol.dispose]()
		await this.search[Symbol.asyncDispose]()
		await this.#channel[Symbol.asyncDispose]()
		await this.#feeds[Symbol.asyncDispose]()
	}
}
