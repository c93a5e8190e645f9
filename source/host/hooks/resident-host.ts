/**
 * Publishes sessions that a person started without us, as their hooks tell of them (docs/agents.md). One
 * a home. Whatever fails in here leaves the agents as they would be without us.
 */
import type { Account } from '../../account/account.ts'
import type { HookedAgent, HookedCall, HookTimes } from '../../agents/hooked.ts'
import { aboutCall } from '../../agents/hooked.ts'
import type { Gateway } from '../../backend/gateway.ts'
import { StyrbyError } from '../../protocol/errors.ts'
import { HostedSessions } from '../hosted-sessions.ts'
import { SessionHost, type SessionHostOptions } from '../session-host.ts'
import type { ProjectSetting } from '../session-label.ts'
import { loadHooked } from './hooked-agents.ts'

export interface ResidentHostOptions {
	account: Account
	gateway: Gateway
	dataFolder: string
	project: ProjectSetting
	/** How long a request waits for a person elsewhere: after that it is left to the agent's prompt. */
	times: HookTimes
	policy?: SessionHostOptions['policy']
	/** What is needed while a session is followed, such as a backend that is started. */
	need(): AsyncDisposable
	/** `session`: ours; `null`: it could not be made. */
	onTrouble(error: StyrbyError, session: string | null): void
}

interface Followed {
	/** Calls that came before the agent could take them. */
	early: HookedCall[]
	agent: HookedAgent | null
	/** The process of the agent. */
	pid: number
	/** It has said that it ends, or has ended: what comes now is another one's. */
	ending: boolean
	over: Promise<void>
}

/** Events that a session can be met at; any other one of a session that ended is late. */
const beginnings = ['SessionStart', 'UserPromptSubmit', 'BeforeAgent', 'PermissionRequest']
/** Ids of ended sessions that are kept, so that a late call does not begin one anew. */
const keptEnded = 1000
/** A prompt may be written down a little before its hook has run, ms. */
const promptMs = 50

export class ResidentHost implements AsyncDisposable {
	readonly #options: ResidentHostOptions
	readonly #hosted: HostedSessions
	/** The newest of each of the agents' own sessions. */
	readonly #followed = new Map<string, Followed>()
	readonly #all = new Set<Followed>()
	readonly #running = new Map<HookedAgent, SessionHost>()
	readonly #ended = new Set<string>()
	#closed = false

	/** Throws `home_not_writable`, `disk_full`, `home_failed`. */
	constructor(options: ResidentHostOptions) {
		this.#options = options
		this.#hosted = HostedSessions.open(options.dataFolder)
	}

	/** How many sessions are followed. */
	get sessions(): number {
		return this.#all.size
	}

	/** Takes a call of a hook. Never throws: a call that nothing can be made of is let go. */
	take(agent: string, call: HookedCall): void {
		const about = aboutCall(call.body)
		if (about === null || this.#closed) return void call.respond('')
		const key = `${agent} ${about.session}`
		const known = this.#followed.get(key)
		const begins = beginnings.includes(about.event)
		const resumed = known && begins && (known.ending || known.pid !== call.pid)
		if (known && !resumed) {
			if (about.event === 'SessionEnd') known.ending = true
			if (known.agent) known.agent.hook(call)
			else known.early.push(call)
			return
		}
		if (about.event === 'SessionEnd' || (this.#ended.has(key) && !begins)) {
			return void call.respond('')
		}
		const { promise, resolve } = Promise.withResolvers<void>()
		const followed: Followed = {
			early: [call],
			agent: null,
			pid: call.pid,
			ending: false,
			over: promise,
		}
		this.#followed.set(key, followed)
		this.#all.add(followed)
		void this.#follow(agent, about, followed)
			.catch((error: unknown) => this.#trouble(error))
			.finally(() => {
				for (const left of followed.early.splice(0)) void left.respond('')
				if (this.#followed.get(key) === followed) this.#followed.delete(key)
				this.#all.delete(followed)
				this.#keepEnded(key)
				resolve()
			})
	}

	async #follow(
		name: string,
		about: { event: string; session: string; cwd: string | null },
		followed: Followed,
	): Promise<void> {
		const { account, gateway, dataFolder, project, policy, times } = this.#options
		const [first] = followed.early
		if (first === undefined) return
		const adapter = await loadHooked(name)
		const timeoutMs = adapter.holdMs(times)
		await using _needed = this.#options.need()
		const cwd = about.cwd ?? '/'
		const since = await this.#since(adapter.name, about, first)
		await using host = await SessionHost.open({
			account,
			gateway,
			dataFolder,
			agent: adapter.name,
			cwd,
			project,
			timeoutMs,
			...(policy ? { policy } : {}),
			unanswered: 'leave',
			onTrouble: (error) => this.#options.onTrouble(error, host.session),
			onAgentSession: (session) => this.#hosted.hosted(adapter.name, session, host.session),
		})
		this.#hosted.hosted(adapter.name, about.session, host.session)
		await using agent = adapter.adopt({ first, cwd, since, times })
		followed.agent = agent
		void agent.ended.then(() => {
			followed.ending = true
		})
		for (const call of followed.early.splice(0)) agent.hook(call)
		if (this.#closed) void this.#letGo(host, agent)
		this.#running.set(agent, host)
		try {
			await host.run(agent)
		} finally {
			this.#running.delete(agent)
		}
	}

	/**
	 * From when on the agent's history is to be published: from this call; and where a host of this session
	 * died in the middle of it, from the last thing that it published.
	 */
	async #since(
		agent: string,
		{ event, session }: { event: string; session: string },
		{ at }: HookedCall,
	): Promise<string> {
		const now = new Date(at - promptMs).toISOString()
		if (event === 'SessionStart') return now
		const before = this.#hosted.liveSession(agent, session)
		if (before === null) return now
		try {
			const row = await this.#options.gateway.readSession(before)
			return row?.ended_at ?? row?.last_activity_at ?? now
		} catch (error) {
			// Out of reach: what happened in between is left to an import.
			this.#trouble(error)
			return now
		}
	}

	#keepEnded(key: string): void {
		this.#ended.add(key)
		const [oldest] = this.#ended
		if (this.#ended.size > keptEnded && oldest !== undefined) this.#ended.delete(oldest)
	}

	#trouble(error: unknown): void {
		const text = 'A session could not be published.'
		const known = error instanceof StyrbyError ? error : new StyrbyError('internal', text)
		this.#options.onTrouble(known, null)
	}

	async #letGo(host: SessionHost, agent: HookedAgent): Promise<void> {
		host.stopping('The host was stopped; the agent goes on.')
		await agent.stop()
	}

	/** Lets go of all agents: they go on, their sessions are closed. */
	async [Symbol.asyncDispose](): Promise<void> {
		this.#closed = true
		const all = [...this.#all].map(({ over }) => over)
		await Promise.all([...this.#running].map(([agent, host]) => this.#letGo(host, agent)))
		await Promise.all(all)
		this.#hosted[Symbol.dispose]()
	}
}
