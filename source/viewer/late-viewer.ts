/**
 * A viewer on the screen before it is connected: it shows the list as it was when it was last read, and says
 * of when that is. Nothing in it can be answered, and nothing is sent, before the connected viewer has taken
 * over.
 */
import type { Risk, RiskInput } from '../risk/risk.ts'
import { type LastList, mostKept } from './last-list.ts'
import { LateCost } from './late-cost.ts'
import { LateDevices, notConnected } from './late-devices.ts'
import { LatePages } from './late-pages.ts'
import { LateSearch } from './late-search.ts'
import { LateSession } from './late-session.ts'
import { Value } from './readable.ts'
import { noGrants } from './unread.ts'
import type {
	Choice,
	Connection,
	Decision,
	DecisionState,
	GrantsState,
	Listing,
	RequestView,
	Sending,
	Sent,
	SentState,
	SessionPages,
	SessionSummary,
	SessionView,
	Viewer,
	ViewerInfo,
} from './viewer.ts'

/** The viewer that takes over; `ready` settles when its first list is there, or can't be read. */
export interface ConnectedViewer extends Viewer {
	readonly ready: Promise<void>
}

export class LateViewer implements Viewer {
	readonly info: Value<ViewerInfo>
	readonly connection: Value<Connection>
	readonly sessions: Value<readonly SessionSummary[]>
	readonly requests = new Value<readonly RequestView[]>([])
	readonly decisions = new Value<ReadonlyMap<string, DecisionState>>(new Map())
	readonly sent = new Value<ReadonlyMap<string, readonly SentState[]>>(new Map())
	readonly devices = new LateDevices()
	readonly search = new LateSearch()
	readonly cost = new LateCost()
	readonly listing: Value<Listing>
	readonly grants = new Value<GrantsState>(noGrants)
	readonly #listedAt: string
	readonly #attached = Promise.withResolvers<ConnectedViewer>()
	#viewer: ConnectedViewer | null = null

	constructor(last: LastList) {
		this.info = new Value(last.info)
		this.sessions = new Value(last.sessions)
		this.listing = new Value({ more: last.sessions.length >= mostKept, loading: false })
		this.#listedAt = last.at
		this.connection = new Value(this.#dated({ state: 'connecting', lastContact: null, why: null }))
		// Whoever waits for it looks after that.
		this.#attached.promise.catch(() => undefined)
	}

	/** `viewer` takes over: at once what it knows, and the list when it has read one. */
	attach(viewer: ConnectedViewer): void {
		this.#viewer = viewer
		this.info.follow(viewer.info)
		this.decisions.follow(viewer.decisions)
		this.sent.follow(viewer.sent)
		this.grants.follow(viewer.grants)
		this.devices.attach(viewer.devices)
		this.search.attach(viewer.search)
		this.cost.attach(viewer.cost)
		const connect = () => this.connection.set(this.#dated(viewer.connection.get()))
		viewer.connection.subscribe(connect)
		connect()
		this.#takeList(viewer)
		this.#attached.resolve(viewer)
	}

	/** There is no connection, and why; it is tried again. */
	lost(why: string): void {
		this.connection.set(this.#dated({ state: 'lost', lastContact: null, why }))
	}

	/** An empty list is one only when it was read: until then the last one is the better guess. */
	#takeList(viewer: ConnectedViewer): void {
		let taken = false
		const take = () => {
			if (taken) return
			taken = true
			stop()
			this.requests.follow(viewer.requests)
			this.sessions.follow(viewer.sessions)
			this.listing.follow(viewer.listing)
		}
		const stop = viewer.sessions.subscribe(take)
		// Where that fails, the viewer reads it again when it can.
		viewer.ready.then(take, () => undefined)
	}

	/** Before the backend was heard, what is shown is as old as the list. */
	#dated(connection: Connection): Connection {
		return { ...connection, lastContact: connection.lastContact ?? this.#listedAt }
	}

	lookAtSessions(): void {
		this.#viewer?.lookAtSessions()
	}

	async moreSessions(): Promise<boolean> {
		const viewer = await this.#attached.promise
		await viewer.ready
		return await viewer.moreSessions()
	}

	open(session: string): SessionView {
		if (this.#viewer) return this.#viewer.open(session)
		const summary = this.sessions.get().find(({ id }) => id === session) ?? null
		return new LateSession(session, summary, this.#attached.promise)
	}

	pages(session: string): SessionPages {
		return new LatePages(session, this.#attached.promise)
	}

	decide(request: RequestView, choice: Choice): Decision {
		if (!this.#viewer) throw notConnected()
		return this.#viewer.decide(request, choice)
	}

	assess(input: RiskInput): Risk {
		if (!this.#viewer) throw notConnected()
		return this.#viewer.assess(input)
	}

	send(session: string, what: Sending): Sent {
		if (!this.#viewer) throw notConnected()
		return this.#viewer.send(session, what)
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.#viewer?.[Symbol.asyncDispose]()
	}
}
