/** Hosts one agent session: what the agent says is published, what it asks is put before the devices. */
import { isDeepStrictEqual } from 'node:util'
import type { Account } from '../account/account.ts'
import type { AgentOutput, RunningAgent, Takes } from '../agents/agent.ts'
import type { Gateway } from '../backend/gateway.ts'
import type { Surroundings } from '../policy/part.ts'
import type { PolicyFile, PolicyState } from '../policy/policy-file.ts'
import { randomId } from '../protocol/device.ts'
import { refused, StyrbyError } from '../protocol/errors.ts'
import type { AgentName, Body, SessionEvent, SessionStatus } from '../protocol/events.ts'
import { modeName } from '../protocol/mode-name.ts'
import { AccountFeed } from './account-feed.ts'
import { locksIn, type TakeLock } from './host-lock.ts'
import { statusUpdate } from './outbox-operations.ts'
import type { Ask } from './pending-request.ts'
import { PermissionBroker } from './permission-broker.ts'
import { Publisher } from './publisher.ts'
import type { Entry, SealedEntry } from './seal-event.ts'
import { type ProjectSetting, plainProject, sessionLabel, titleOf } from './session-label.ts'
import { SessionPolicy } from './session-policy.ts'
import type { Ruling } from './verdict.ts'

export interface SessionHostOptions {
	account: Account
	gateway: Gateway
	dataFolder: string
	/** How a session's lock is taken; by default in the outbox folder. */
	lock?: TakeLock
	agent: AgentName
	cwd: string
	/** The first prompt of a session that has no interface of its own. */
	prompt?: string
	project: ProjectSetting
	/** How long a request waits for a person, ms. */
	timeoutMs: number
	/** The rules of this machine; without, everything is asked. */
	policy?: { file: Pick<PolicyFile, 'read'>; around: Omit<Surroundings, 'folder'> }
	/** What nobody has answered is denied (the default), or left to the agent's own prompt. */
	unanswered?: 'deny' | 'leave'
	/** The session's clock; the account's by default. A replayed session runs on its own. */
	now?: () => Date
	/** A failure that is new; `final`: nothing more of this session will be sent. */
	onTrouble?: (error: StyrbyError, final: boolean) => void
	onRecovered?: () => void
	onPublished?: (entry: Entry, sealed: SealedEntry) => void
	/** The agent's own id of the session, as soon as it is known. */
	onAgentSession?: (session: string) => void
}

export interface SessionEnd {
	status: 'stopped' | 'error'
	code: number | null
	signal: string | null
	/** Whether the backend has everything; else the outbox keeps it. */
	delivered: boolean
	pending: number
	/** This device was revoked meanwhile, by whom and when: the end of the session is not published. */
	revoked: StyrbyError | null
}

/** Events that may wait for the disk before the agent is kept waiting. */
const maxWaiting = 1000
/** How long the end of a session waits for the backend, ms. */
const lastDelivery = 5000
const maxStderr = 8000
/**
 * After so many messages it is said again what the session takes: whoever reads its end finds it there.
 */
const sayTakesEvery = 100
/** How often the policy is looked at though nothing is asked, ms. */
const policyLook = 5000

export class SessionHost implements AsyncDisposable {
	readonly session: string
	readonly publisher: Publisher
	readonly #options: SessionHostOptions
	readonly #lock: AsyncDisposable
	#title: string | null
	#labelling: Promise<void> = Promise.resolve()
	#cwd: string
	#status: SessionStatus = 'starting'
	#stopping: string | null = null
	#takes: Takes | null = null
	/** The agent's permission mode, and whether requests reach a person in it, as far as it said. */
	#mode: { mode: string | null; asks: boolean | null } = { mode: null, asks: null }
	#policyState: PolicyState['kind'] = 'none'
	#sayGrants: () => void = () => undefined
	/** Number of the message that said last what the session takes. */
	#takesSaid = 0
	#closed = false
	/** The agent has ended, or is being ended: nothing is waited for any more. */
	readonly #ending = Promise.withResolvers<void>()

	private constructor(
		options: SessionHostOptions,
		session: string,
		publisher: Publisher,
		lock: AsyncDisposable,
	) {
		this.#options = options
		this.session = session
		this.publisher = publisher
		this.#lock = lock
		this.#title = options.prompt === undefined ? null : titleOf(options.prompt)
		this.#cwd = options.cwd
	}

	/**
	 * Makes a session, before its agent is started: when this returns, it is on the disk and on its way to
	 * the backend. Throws `outbox_full`, `home_not_writable`, `key_missing`.
	 */
	static async open(options: SessionHostOptions): Promise<SessionHost> {
		const { account, gateway, dataFolder, agent, cwd, project } = options
		const session = randomId(account.random)
		const lock = await (options.lock ?? locksIn(dataFolder))(session)
		if (!lock) throw new StyrbyError('session_taken', 'This session is hosted already.')
		try {
			const title = options.prompt === undefined ? null : titleOf(options.prompt)
			const publisher = Publisher.start({
				account,
				gateway,
				dataFolder,
				session,
				agent,
				startedAt: (options.now ?? account.now)().toISOString(),
				project: plainProject(cwd, project),
				label: await sessionLabel(account, session, { title, cwd, project }),
				...(options.onTrouble ? { onTrouble: options.onTrouble } : {}),
				...(options.onRecovered ? { onRecovered: options.onRecovered } : {}),
				...(options.onPublished ? { onPublished: options.onPublished } : {}),
			})
			const host = new SessionHost(options, session, publisher, lock)
			host.#say('starting', null)
			return host
		} catch (error) {
			await lock[Symbol.asyncDispose]()
			throw error
		}
	}

	/** Publishes what the agent says and answers what it asks, until it has ended. */
	async run(agent: RunningAgent): Promise<SessionEnd> {
		const { account, gateway } = this.#options
		const policy = this.#policy()
		const broker = new PermissionBroker({
			account,
			gateway,
			publisher: this.publisher,
			agent,
			timeoutMs: this.#options.timeoutMs,
			unanswered: this.#options.unanswered ?? 'deny',
			now: this.#options.now ?? account.now,
			status: () => this.#status,
			takes: () => this.#takes,
			...(policy ? { policy: (ask) => this.#judge(policy, ask) } : {}),
			grants: { agent: this.#options.agent, around: this.#around() },
			onTrouble: (error) => this.#trouble(error),
		})
		this.#sayGrants = () => broker.sayGrants(true)
		const feed = new AccountFeed({
			account,
			gateway,
			joined: () => {
				this.publisher.retryNow()
				void broker.mailbox.pull()
			},
			mail: (mail) => broker.mailbox.take(mail),
			unheard: () => void broker.mailbox.pull(),
			alarm: (error) => {
				this.publisher.hold(error !== null)
				if (error) this.#trouble(error)
			},
		})
		void agent.ended.then(() => this.#ending.resolve())
		policy?.look()
		const looking = setInterval(() => policy?.look(), policyLook).unref()
		void this.publisher.revoked.then((error) => this.#retire(agent, broker, error))
		try {
			for await (const output of agent.output) await this.#take(output, broker)
			const ended = await agent.ended
			await broker.close('The agent has ended.')
			return await this.#end(ended)
		} catch (error) {
			await broker.close('The host failed.')
			const text = 'The host of this session failed.'
			await this.fail(error instanceof StyrbyError ? error : new StyrbyError('internal', text))
			throw error
		} finally {
			clearInterval(looking)
			await broker[Symbol.asyncDispose]()
			await feed[Symbol.asyncDispose]()
		}
	}

	#around(): Surroundings | null {
		const { policy, cwd } = this.#options
		return policy ? { ...policy.around, folder: cwd } : null
	}

	#policy(): SessionPolicy | null {
		const { policy, agent } = this.#options
		const around = this.#around()
		if (!policy || !around) return null
		return new SessionPolicy({
			file: policy.file,
			agent,
			around,
			onState: (body, state) => this.#policyChanged(body, state),
		})
	}

	#policyChanged(body: Body<'system'>, state: PolicyState): void {
		this.#policyState = state.kind
		void this.#publish({ at: this.#now(), event: { kind: 'system', body } })
		if (state.kind === 'refused') {
			const text = `The policy is not in force, and everything is asked: ${state.problem}`
			this.#trouble(refused('policy_refused', text))
		}
	}

	/** Whatever fails in a policy leaves the request to a person. */
	#judge(policy: SessionPolicy, ask: Ask): Ruling {
		try {
			return policy.answer(ask)
		} catch (cause) {
			const text = 'A request could not be judged by the policy, so it is asked.'
			this.#trouble(new StyrbyError('policy_failed', text, { cause }))
			return 'ask'
		}
	}

	/** The agent could not be started: the session says so and ends. */
	async fail(error: StyrbyError): Promise<SessionEnd> {
		return this.#end({ code: null, signal: null, stderr: '', failure: error })
	}

	/** We are ending the agent ourselves: its end is not its failure. */
	stopping(why: string): void {
		this.#stopping ??= why
		this.#ending.resolve()
	}

	/** This device was revoked: an agent with an interface of its own goes on in it, any other is ended. */
	#retire(agent: RunningAgent, broker: PermissionBroker, error: StyrbyError): void {
		const atAgent = this.#options.prompt === undefined
		broker.retire('The device that this agent runs on was revoked.', atAgent)
		if (atAgent) return
		this.stopping(error.message)
		void agent.stop()
	}

	async #take(output: AgentOutput, broker: PermissionBroker): Promise<void> {
		switch (output.type) {
			case 'event':
				return this.#event(output.at, output.event)
			case 'text': {
				const { type: _, ...piece } = output
				this.publisher.text(piece)
				return
			}
			case 'request':
				broker.open(output.id, output.ask)
				return
			case 'withdrawn':
				broker.withdrawn(output.id, output.result)
				return
			case 'applied':
				broker.applied(output.id)
				return
			case 'status':
				if (output.status !== this.#status) this.#say(output.status, null)
				return
			case 'about':
				this.#about(output)
		}
	}

	async #event(at: string, event: SessionEvent): Promise<void> {
		if (event.kind === 'user_prompt' && this.#title === null) {
			this.#title = titleOf(event.body.text)
			if (this.#title !== null) this.#relabel()
		}
		const published = this.#publish({ at, event })
		// A disk that is full for long must not fill the memory too: then the agent waits.
		if (this.publisher.waiting > maxWaiting) await Promise.race([published, this.#ending.promise])
	}

	#about(about: Extract<AgentOutput, { type: 'about' }>): void {
		const { type: _, mode, asks, takes, ...facts } = about
		if (about.session !== undefined) this.#noteAgentSession(about.session)
		if (about.cwd !== undefined && about.cwd !== this.#cwd) {
			this.#cwd = about.cwd
			this.#relabel()
		}
		if (Object.keys(facts).length > 0) {
			this.#system('about', null, facts)
		}
		if (mode !== undefined || asks !== undefined) {
			const name = mode === undefined ? 'this' : modeName(this.#options.agent, mode)
			const text =
				asks === false
					? `Approvals are off in ${name} mode: the agent decides by itself and asks nobody.`
					: `The agent is in ${name} mode.`
			const data = { mode: mode ?? null, asks: asks ?? null }
			this.#mode = data
			this.#system('mode', text, data)
		}
		if (takes === undefined || isDeepStrictEqual(takes, this.#takes)) return
		this.#takes = takes
		this.#sayTakes()
	}

	/** What another device may send to this session, and the mode that it is in. */
	#sayTakes(): void {
		const policy = this.#policyState === 'none' ? {} : { policy: this.#policyState }
		if (this.#takes) this.#system('takes', null, { ...this.#takes, ...this.#mode, ...policy })
	}

	/** A home that can not be written must not end the agent. */
	#noteAgentSession(session: string): void {
		try {
			this.#options.onAgentSession?.(session)
		} catch (error) {
			if (!(error instanceof StyrbyError)) throw error
			this.#trouble(error)
		}
	}

	#relabel(): void {
		const { account, project } = this.#options
		const work = async () => {
			const about = { title: this.#title, cwd: this.#cwd, began: this.#options.cwd, project }
			const label = await sessionLabel(account, this.session, about)
			if (label) this.publisher.label(label)
		}
		// One after the other: the newest is the one that stays. A name that can't be sealed is no end.
		this.#labelling = this.#labelling.then(work).catch((error: unknown) => {
			if (!(error instanceof StyrbyError)) throw error
			this.#trouble(error)
		})
	}

	#now(): string {
		return (this.#options.now ?? this.#options.account.now)().toISOString()
	}

	#system(type: string, text: string | null, data: unknown): void {
		void this.#publish({ at: this.#now(), event: { kind: 'system', body: { type, text, data } } })
	}

	#say(status: SessionStatus, detail: string | null, end?: string): void {
		this.#status = status
		const body = { status, detail, applied: null }
		void this.#publish(
			{ at: end ?? this.#now(), event: { kind: 'status', body } },
			{ afterwards: [statusUpdate(status, end)], ended: end !== undefined },
		)
	}

	async #publish(entry: Entry, options?: Parameters<Publisher['publish']>[1]): Promise<void> {
		try {
			const { seq } = await this.publisher.publish(entry, options)
			if (seq - this.#takesSaid < sayTakesEvery || this.#status === 'stopped') return
			this.#takesSaid = seq
			this.#sayTakes()
			this.#sayGrants()
		} catch (error) {
			if (!(error instanceof StyrbyError)) throw error
			this.#trouble(error)
		}
	}

	#trouble(error: StyrbyError): void {
		this.#options.onTrouble?.(error, false)
	}

	async #end(ended: {
		code: number | null
		signal: string | null
		stderr: string
		failure?: StyrbyError
	}): Promise<SessionEnd> {
		const { code, signal, stderr, failure } = ended
		const failed = failure !== undefined || (this.#stopping === null && code !== 0)
		const status = failed ? 'error' : 'stopped'
		if (failure) {
			const body = { code: failure.code, text: failure.message }
			void this.#publish({ at: this.#now(), event: { kind: 'error', body } })
		} else if (failed && stderr.trim() !== '') {
			const body = { code: 'agent_failed', text: stderr.slice(-maxStderr) }
			void this.#publish({ at: this.#now(), event: { kind: 'error', body } })
		}
		this.#say(status, this.#stopping ?? endDetail(code, signal), this.#now())
		const delivered = await this.publisher.delivered(lastDelivery)
		if (delivered) await this.#clearMail()
		const pending = this.publisher.outbox.pending()
		const revoked = this.publisher.revocation
		await this[Symbol.asyncDispose]()
		return { status, code, signal, delivered, pending, revoked }
	}

	/** What came too late for this session is of no use to anybody. */
	async #clearMail(): Promise<void> {
		const { gateway, account } = this.#options
		try {
			const mail = await gateway.readMail(account.device.record.id)
			const ids = mail.filter((one) => one.session === this.session).map((one) => one.id)
			if (ids.length > 0) await gateway.deleteMail(ids)
		} catch (error) {
			if (!(error instanceof StyrbyError)) throw error
			this.#trouble(error)
		}
	}

	async [Symbol.asyncDispose](): Promise<void> {
		if (this.#closed) return
		this.#closed = true
		await this.#labelling
		await this.publisher[Symbol.asyncDispose]()
		await this.#lock[Symbol.asyncDispose]()
	}
}

function endDetail(code: number | null, signal: string | null): string | null {
	if (signal !== null) return `The agent was ended by ${signal}.`
	return code === 0 || code === null ? null : `The agent ended with exit code ${code}.`
}
