/**
 * Between an agent that asks and the devices that answer (docs/protocol.md, section 6). The first
 * acceptable decision is written to the disk, then the agent is told, then everybody else. Whatever fails
 * in here leaves a request unanswered or denied, never allowed.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Account } from '../account/account.ts'
import type { AgentAnswer, RunningAgent, Takes } from '../agents/agent.ts'
import type { Gateway, MailRow } from '../backend/gateway.ts'
import { toBase64 } from '../protocol/bytes.ts'
import { type Command, unseenDigest } from '../protocol/command.ts'
import { randomId } from '../protocol/device.ts'
import { isActive } from '../protocol/device-log.ts'
import { StyrbyError } from '../protocol/errors.ts'
import type { SessionStatus } from '../protocol/events.ts'
import { checkMail } from './check-mail.ts'
import { type Errand, Errands } from './errands.ts'
import { Mailbox } from './mailbox.ts'
import { Notices } from './notices.ts'
import {
	type Ask,
	covers,
	type PendingRequest,
	type Verdict,
	type Withdrawal,
} from './pending-request.ts'
import type { Publisher } from './publisher.ts'
import { clearedBy, type KeptDecision, sealDecision } from './sealed-decision.ts'
import { SessionGrants, type SessionGrantsOptions } from './session-grants.ts'
import {
	type Automatic,
	byAgent,
	byHost,
	byItself,
	type DecisionCommand,
	keptDecision,
	type Response,
	type Ruling,
	unusable,
	verdictOf,
} from './verdict.ts'

export interface BrokerOptions {
	account: Account
	gateway: Gateway
	publisher: Publisher
	agent: Pick<RunningAgent, 'answer' | 'prompt' | 'interrupt' | 'setMode'>
	/** How long a request waits for a person, ms. */
	timeoutMs: number
	/** What nobody has answered is denied (the default), or left to the agent's own prompt. */
	unanswered?: 'deny' | 'leave'
	now(): Date
	/** What the rules of this machine answer. */
	policy?: (ask: Ask) => Ruling
	/** The agent, and where its requests are judged: by what was allowed for the session. */
	grants?: Pick<SessionGrantsOptions, 'agent' | 'around'>
	/** What the session's status is, for the event that says "applied". */
	status(): SessionStatus
	/** What the agent said it can be sent; `null`: nothing yet. */
	takes?(): Takes | null
	onTrouble?: (error: StyrbyError) => void
}

type TakeBack = Extract<Command, { kind: 'take_back' }>

/** How long the agent may take to receive an answer, ms: then it is taken as received. */
const handOver = 5000
/** How long to wait for what became of a request that was gone when the answer came, ms. */
const explanation = 1000
/** The longest that a timer can wait, ms (25 days). */
const longestTimer = 2 ** 31 - 1
/** Changes of what is allowed for the session within this time are said together, ms. */
const saidAfter = 500
/** Unknown senders make us look at the log again, but not more often than this, ms. */
const logInterval = 2000

export class PermissionBroker implements AsyncDisposable {
	readonly mailbox: Mailbox
	readonly #options: BrokerOptions
	readonly #byAgent = new Map<string, PendingRequest>()
	readonly #byId = new Map<string, PendingRequest>()
	readonly #running = new Set<Promise<unknown>>()
	readonly #notices: Notices
	readonly #errands: Errands
	readonly #grants: SessionGrants
	#saying: NodeJS.Timeout | null = null
	#logAsked = Number.NEGATIVE_INFINITY
	/** A look at the log that has not begun yet. */
	#look: Promise<void> | null = null
	readonly #ended = new AbortController()
	#retired: { reason: string; atAgent: boolean } | null = null
	#closed = false
	/** How often all that is allowed for the session was taken back. */
	#takenBack = 0

	constructor(options: BrokerOptions) {
		this.#options = options
		this.#notices = new Notices(() => this.#now())
		this.#errands = new Errands({
			agent: options.agent,
			takes: () => options.takes?.() ?? null,
			now: () => this.#now(),
			use: (id) => options.publisher.outbox.commit({ command: id }),
			obeyed: (command, signed) => this.#obeyed(command, signed),
			refused: (error, command) => this.#refuse(error, command),
			run: (work) => this.#run(work),
		})
		this.#grants = new SessionGrants({
			...(options.grants ?? { agent: 'claude', around: null }),
			now: () => options.now().toISOString(),
			isActive: (device) => isActive(options.account.log.state, device),
			changed: () => this.#grantsChanged(),
		})
		this.mailbox = new Mailbox({
			gateway: options.gateway,
			device: options.account.device.record.id,
			session: options.publisher.session,
			handle: (mail) => this.#handle(mail),
			before: (mail) => this.#senderLooked(mail),
			...(options.onTrouble ? { onTrouble: options.onTrouble } : {}),
		})
	}

	get #leaves(): boolean {
		return this.#options.unanswered === 'leave'
	}

	#now(): number {
		return this.#options.now().getTime()
	}

	/** The agent asks. It is shown to nobody, and answered by no rule, before it is on the disk. */
	open(agentId: string, ask: Ask): void {
		const { account, publisher, timeoutMs } = this.#options
		const opened = this.#now()
		const request: PendingRequest = {
			agentId,
			id: randomId(account.random),
			ask,
			expiresAt: opened + timeoutMs,
			digest: null,
			state: 'pending',
			timer: null,
			withdrawn: null,
			decided: null,
			onWithdrawn: null,
			applied: false,
			automatic: false,
		}
		if (this.#retired) {
			this.#leave(request)
			return
		}
		request.timer = setTimeout(() => this.#expire(request), Math.min(timeoutMs, longestTimer))
		this.#byAgent.set(agentId, request)
		this.#byId.set(request.id, request)
		const automatic = this.#automaticFor(ask)
		request.automatic = automatic !== null
		const expires_at = new Date(request.expiresAt).toISOString()
		const body = { request: request.id, ...ask, expires_at }
		this.#run(async () => {
			const published = publisher.publish({
				at: new Date(opened).toISOString(),
				event: { kind: 'permission_request', body },
				opens: { request: request.id, expires_at },
			})
			// Both in one step onto the disk, and so to the backend: nobody is shown a request that waits.
			if (automatic) await Promise.all([published, this.#answered(request, byItself(automatic))])
			request.digest = (await published).digest
			if (automatic) await this.#automatic(request, automatic)
			else this.#clear(request, this.#grants.covering(ask)?.kept ?? null)
		})
	}

	/** The machine's own rules first: what they deny or ask, nobody has allowed for the session. */
	#automaticFor(ask: Ask): Automatic | null {
		const ruled = this.#ruled(ask)
		if (ruled) return ruled === 'ask' ? null : ruled
		const grant = this.#grants.covering(ask)
		return grant && { answer: { decision: 'allow', scope: 'once' }, reason: '', grant }
	}

	#ruled(ask: Ask): Ruling {
		return this.#options.policy?.(ask) ?? null
	}

	/** Hands over what a rule answers, which is on the disk. */
	async #automatic(request: PendingRequest, { answer, grant }: Automatic): Promise<void> {
		// Withdrawn, expired or ended meanwhile: that answer came later, and holds.
		if (request.state !== 'pending') return
		request.state = 'deciding'
		if (request.timer) clearTimeout(request.timer)
		request.timer = null
		// A full disk may have kept it waiting for long.
		const allowed = answer.decision === 'allow'
		const ruled = allowed ? this.#ruled(request.ask) : null
		const holds = grant
			? this.#grants.has(grant) && ruled === null
			: ruled !== null && ruled !== 'ask' && ruled.answer.decision === 'allow'
		if (allowed && !holds) {
			await this.#takeBack(request)
			return
		}
		const told = await this.#tell(request, answer)
		this.#finish(request)
		if (!told) {
			this.#respond(request, await this.#explained(request))
			return
		}
		if (grant) this.#grants.used(grant)
		request.decided = allowed ? 'approved' : 'denied'
		if (request.applied) this.#sayApplied(request)
		else this.#correct(request)
	}

	async #takeBack(request: PendingRequest): Promise<void> {
		const reason = 'What allowed it on this machine no longer holds.'
		const told = await this.#tell(request, { decision: 'deny', reason })
		this.#finish(request)
		this.#respond(request, told ? byHost('cancelled', reason) : await this.#explained(request))
	}

	/** Answered at the agent, or dropped by it. */
	withdrawn(agentId: string, result: Withdrawal): void {
		const request = this.#byAgent.get(agentId)
		if (!request) return
		request.withdrawn = result
		request.onWithdrawn?.()
		this.#correct(request)
		if (request.state !== 'pending') return
		this.#finish(request)
		this.#respond(request, byAgent(result))
	}

	/** The agent had an answer of its own already when ours was handed over: that one holds, and is said. */
	#correct(request: PendingRequest): void {
		const { decided, withdrawn, applied } = request
		if (decided === null || withdrawn === null || withdrawn === 'cancelled' || applied) return
		request.decided = null
		if (withdrawn === decided) this.#sayApplied(request)
		else this.#respond(request, byAgent(withdrawn))
	}

	/** The agent took our answer and went on. */
	applied(agentId: string): void {
		const request = this.#byAgent.get(agentId)
		if (!request || request.applied) return
		request.applied = true
		if (request.state === 'closed') this.#sayApplied(request)
	}

	/**
	 * No device decides here any more, since this one was revoked: what waits is left to the person at the
	 * agent, or denied where there is none.
	 */
	retire(reason: string, atAgent: boolean): void {
		this.#retired = { reason, atAgent }
		this.#stopMail()
		for (const request of [...this.#byId.values()]) {
			if (request.state === 'pending') this.#leave(request)
		}
	}

	#leave(request: PendingRequest): void {
		this.#finish(request)
		if (!this.#retired || this.#retired.atAgent) return
		const { reason } = this.#retired
		this.#run(() => this.#tell(request, { decision: 'deny', reason }))
	}

	#stopMail(): void {
		this.#closed = true
		this.#ended.abort()
		this.mailbox[Symbol.dispose]()
	}

	/** Ends every request that waits: the agent or the host ends. */
	async close(reason: string): Promise<void> {
		this.#stopMail()
		this.sayGrants()
		for (const request of [...this.#byId.values()]) {
			if (request.state !== 'pending') continue
			this.#finish(request)
			if (!this.#leaves) this.#run(() => this.#tell(request, { decision: 'deny', reason }))
			this.#respond(request, byHost('cancelled', reason))
		}
		while (this.#running.size > 0) await Promise.all(this.#running)
		await this.mailbox.settled()
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.close('The host has ended.')
	}

	/** Keeps track of work that nobody waits for; its failure is said, not lost. */
	#run(work: () => Promise<unknown>): void {
		const running = work()
			.catch((error: unknown) => {
				if (!(error instanceof StyrbyError)) throw error
				this.#options.onTrouble?.(error)
			})
			.finally(() => this.#running.delete(running))
		this.#running.add(running)
	}

	#finish(request: PendingRequest): void {
		request.state = 'closed'
		if (request.timer) clearTimeout(request.timer)
		request.timer = null
		this.#byId.delete(request.id)
	}

	#answered(request: PendingRequest, response: Response): Promise<unknown> {
		return this.#options.publisher.publish({
			at: this.#options.now().toISOString(),
			event: { kind: 'permission_response', body: { request: request.id, ...response } },
			closes: { request: request.id, status: response.result },
		})
	}

	#respond(request: PendingRequest, response: Response): void {
		this.#run(async () => {
			await this.#answered(request, response)
			if (this.#byAgent.get(request.agentId) === request && request.withdrawn) {
				this.#byAgent.delete(request.agentId)
			}
		})
	}

	#sayApplied(request: PendingRequest): void {
		this.#byAgent.delete(request.agentId)
		const body = { status: this.#options.status(), detail: null, applied: request.id }
		const at = this.#options.now().toISOString()
		this.#run(() => this.#options.publisher.publish({ at, event: { kind: 'status', body } }))
	}

	#expire(request: PendingRequest): void {
		if (request.state !== 'pending') return
		this.#finish(request)
		if (this.#leaves) {
			this.#respond(request, byHost('expired', 'Nobody answered in time: it waits at the agent.'))
			return
		}
		const reason = 'Nobody answered in time, so it is denied.'
		this.#run(async () => {
			const told = await this.#tell(request, { decision: 'deny', reason })
			this.#respond(request, told ? byHost('expired', reason) : await this.#explained(request))
		})
	}

	/** Hands an answer to the agent. `false`: the request was gone, or the agent could not take it. */
	async #tell(request: PendingRequest, answer: AgentAnswer): Promise<boolean> {
		try {
			return await this.#handOver(request, answer)
		} catch (error) {
			if (!(error instanceof StyrbyError)) throw error
			this.#options.onTrouble?.(error)
			return false
		}
	}

	async #handOver(request: PendingRequest, answer: AgentAnswer): Promise<boolean> {
		let timer: NodeJS.Timeout | undefined
		const late = new Promise<boolean>((resolve) => {
			timer = setTimeout(() => resolve(true), handOver)
		})
		try {
			return await Promise.race([this.#options.agent.answer(request.agentId, answer), late])
		} finally {
			clearTimeout(timer)
		}
	}

	/** What became of a request that was gone when our answer came. */
	async #explained(request: PendingRequest): Promise<Response> {
		if (!request.withdrawn) {
			await new Promise<void>((resolve) => {
				const timer = setTimeout(resolve, explanation)
				request.onWithdrawn = () => {
					clearTimeout(timer)
					resolve()
				}
			})
		}
		return byAgent(request.withdrawn ?? 'cancelled')
	}

	/** Mail of a sender that the log does not have waits for a look at it that begins after the mail came. */
	#senderLooked(mail: MailRow): Promise<void> | null {
		if (this.#options.account.log.state.devices.has(mail.from)) return null
		this.#look ??= this.#lookAtLog()
		return this.#look
	}

	async #lookAtLog(): Promise<void> {
		const pause = Math.max(0, this.#logAsked + logInterval - performance.now())
		await sleep(pause, undefined, { ref: false, signal: this.#ended.signal })
		this.#logAsked = performance.now()
		this.#look = null
		await this.#options.account.log.refresh()
	}

	/** One mail. Returns when what it did is on the disk; throws when it should be tried again. */
	async #handle(mail: MailRow): Promise<void> {
		const { account, publisher } = this.#options
		const checked = await checkMail(mail, {
			account,
			session: publisher.session,
		})
		if (!checked.ok) {
			this.#refuse(checked.error, checked.command)
			return
		}
		const { command, signed } = checked
		if (publisher.outbox.hasCommand(command.id)) return
		switch (command.kind) {
			case 'decision':
				this.#decide(command, signed)
				return
			case 'prompt':
			case 'interrupt':
			case 'mode':
				this.#errands.take(command, signed)
				return
			case 'take_back':
				this.#takeBackGrants(command, signed)
		}
	}

	/** Whenever it comes: less is allowed by it, never more. */
	#takeBackGrants(command: TakeBack, signed: Verdict['signed']): void {
		const { grant } = command.body
		this.#options.publisher.outbox.commit({ command: command.id })
		if (grant !== null && this.#grants.isAgents(grant)) {
			this.#refuse(agentsOwn, command)
			return
		}
		if (grant === null) this.#takenBack++
		const ended = this.#grants.takeBack(grant)
		if (grant === null || ended) this.#obeyed(command, signed)
		else this.#refuse(noGrant, command)
	}

	/** Says soon what is in force: once for what comes together. */
	#grantsChanged(): void {
		this.#saying ??= setTimeout(() => this.sayGrants(), saidAfter)
	}

	/** Says in the session what is allowed for it now. */
	sayGrants(again = false): void {
		if (this.#saying) clearTimeout(this.#saying)
		else if (!again) return
		this.#saying = null
		if (this.#retired || (again && !this.#grants.any)) return
		const at = this.#options.now().toISOString()
		const event = { kind: 'system', body: this.#grants.notice() } as const
		this.#run(() => this.#options.publisher.publish({ at, event }))
	}

	#decide(command: DecisionCommand, signed: Verdict['signed']): void {
		const { publisher } = this.#options
		const { body } = command
		const request = this.#byId.get(body.request)
		const problem = this.#whyNot(command, request)
		if (problem || !request) {
			publisher.outbox.commit({ command: command.id })
			if (problem) this.#refuse(problem, command)
			return
		}
		const verdict = this.#verdictOf(command, signed, request)
		const kept = keptDecision(request, verdict)
		this.#keep(request, kept, command.id)
		request.state = 'deciding'
		if (request.timer) clearTimeout(request.timer)
		request.timer = null
		this.#run(() => this.#carryOut(request, verdict, command.id))
	}

	/** What this host answers by itself from now on, the agent is told for this once. */
	#verdictOf(
		command: DecisionCommand,
		signed: Verdict['signed'],
		request: PendingRequest,
	): Verdict {
		const verdict = verdictOf(command, signed, request)
		const { answer, scope } = verdict
		if (answer.decision !== 'allow' || scope !== 'session' || answer.input !== undefined)
			return verdict
		return this.#grants.keeps(request.ask)
			? { ...verdict, answer: { decision: 'allow', scope: 'once' } }
			: verdict
	}

	/**
	 * Why a decision can't be accepted; `null` when it can, or when the session already holds the answer
	 * that its sender will see.
	 */
	#whyNot(command: DecisionCommand, request: PendingRequest | undefined): StyrbyError | null {
		const { body } = command
		if (!request) {
			if (this.#options.publisher.outbox.request(body.request)) return null
			return new StyrbyError('request_unknown', 'There is no such permission request here.')
		}
		if (request.state !== 'pending') return late
		if (this.#now() >= request.expiresAt) {
			this.#expire(request)
			return late
		}
		const denied = body.decision === 'deny' && body.digest === unseenDigest
		if (denied) return null
		if (body.digest === request.digest) return unusable(body, request)
		return new StyrbyError(
			'digest_mismatch',
			'A decision was made on something else than what the agent asks for: the request still waits.',
		)
	}

	async #carryOut(request: PendingRequest, verdict: Verdict, command: string): Promise<void> {
		const takenBack = this.#takenBack
		const told = await this.#tell(request, verdict.answer)
		this.#finish(request)
		if (!told) {
			this.#respond(request, await this.#explained(request))
			return
		}
		const { signed, device, scope, reason, answer } = verdict
		request.decided = answer.decision === 'allow' ? 'approved' : 'denied'
		this.#respond(request, {
			result: request.decided,
			by: 'device',
			device,
			scope,
			reason,
			command: { bytes: toBase64(signed.bytes), signature: toBase64(signed.signature) },
		})
		if (request.applied) this.#sayApplied(request)
		else this.#correct(request)
		const asAsked = answer.decision === 'allow' && answer.input === undefined
		if (!asAsked || scope !== 'session') return
		// All was taken back while the agent was told of this: it is for the one request then.
		if (takenBack !== this.#takenBack && this.#grants.keeps(request.ask)) return
		const kept = keptDecision(request, verdict)
		this.#grants.begin(command, request.ask, kept)
		for (const other of [...this.#byId.values()]) {
			const equal = covers(request.ask, other.ask)
			if (equal || this.#grants.covering(other.ask)) this.#clear(other, kept)
		}
	}

	/** What was allowed for the session needs no second answer where it waits already. */
	#clear(request: PendingRequest, kept: KeptDecision | null): void {
		// What is not on the disk yet is looked at when it is; what a rule answers has its answer.
		if (!kept || request.state !== 'pending' || request.automatic || !request.digest) return
		if (this.#now() >= request.expiresAt || this.#ruled(request.ask) !== null) return
		const grant = this.#grants.covering(request.ask)
		this.#keep(request, kept)
		this.#finish(request)
		this.#run(async () => {
			const told = await this.#tell(request, { decision: 'allow', scope: 'once' })
			if (told && grant) this.#grants.used(grant)
			this.#respond(request, told ? clearedBy(kept) : await this.#explained(request))
			if (request.applied) this.#sayApplied(request)
		})
	}

	/** On the disk, before the agent is told. */
	#keep({ id }: PendingRequest, kept: KeptDecision, command?: string): void {
		const { publisher, account } = this.#options
		const decision = sealDecision(kept, publisher.epochKey(), account.random)
		publisher.outbox.commit({
			decided: { request: id, decision },
			...(command === undefined ? {} : { command }),
		})
	}

	/** Says in the session what was obeyed, with the signed command: every device can check who sent it. */
	#obeyed({ id, kind, by }: Errand | TakeBack, signed: Verdict['signed']): void {
		const proof = { bytes: toBase64(signed.bytes), signature: toBase64(signed.signature) }
		const data = { command: id, kind, by, ...proof }
		const at = this.#options.now().toISOString()
		const event = { kind: 'system', body: { type: 'command', text: null, data } } as const
		this.#run(() => this.#options.publisher.publish({ at, event }))
	}

	/** Says in the session that a command was not obeyed, and why; the request it was about still waits. */
	#refuse(error: StyrbyError, command: Command | null): void {
		if (error === late || this.#closed) return
		const event = this.#notices.about({
			code: error.code,
			text: error.message,
			command: command?.id ?? null,
			request: command?.kind === 'decision' ? command.body.request : null,
			device: command?.by ?? null,
		})
		if (!event) return
		const at = this.#options.now().toISOString()
		this.#run(() => this.#options.publisher.publish({ at, event }))
	}
}

const agentsOwn = new StyrbyError(
	'agent_cannot',
	'The agent was handed this rule and keeps it until the session ends: it can not be taken back from here.',
)
const noGrant = new StyrbyError('grant_unknown', 'This is not allowed for the session any more.')

/** Somebody was faster, or the time was over: the answer in the session says which. */
const late = new StyrbyError('request_closed', 'This request has an answer already.')
