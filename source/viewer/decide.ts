/** Sending a decision, and watching what becomes of it (docs/protocol.md, section 6). */
import type { Account } from '../account/account.ts'
import { nonceSize } from '../protocol/box.ts'
import { toBase64 } from '../protocol/bytes.ts'
import { sealCommand, signCommand, unseenDigest } from '../protocol/command.ts'
import { randomId } from '../protocol/device.ts'
import { headOf } from '../protocol/device-log.ts'
import { refused, StyrbyError } from '../protocol/errors.ts'
import type { Body } from '../protocol/events.ts'
import type { CheckedMessage } from './checked-message.ts'
import { decidingCommand } from './decided.ts'
import { Value } from './readable.ts'
import type { PlacedRequest } from './requests.ts'
import type { FeedPool } from './session-feed.ts'
import { SessionReader } from './session-reader.ts'
import { Tail } from './tail.ts'
import type { Choice, Decision, DecisionState, Stage } from './viewer.ts'

export interface DecideOptions {
	account: Account
	feeds: FeedPool
	request: PlacedRequest
	choice: Choice
	now(): Date
	/** How long to wait for the host's answer, and then for the agent to go on, ms. */
	waitMs: number
	/** Told of the host's answer to the request, whoever decided. */
	answered(answer: CheckedMessage): void
}

const ends: ReadonlySet<Stage> = new Set([
	'applied',
	'expired',
	'withdrawn',
	'lost',
	'refused',
	'failed',
])

class Tracked implements Decision {
	readonly done: Promise<DecisionState>
	readonly #state: Value<DecisionState>
	readonly #now: () => Date
	#finish: (state: DecisionState) => void = () => undefined

	constructor(request: string, choice: Choice, now: () => Date) {
		this.#now = now
		const winner = null
		this.#state = new Value({ request, choice, stage: 'sent', stages: [], winner, why: null })
		this.done = new Promise((resolve) => {
			this.#finish = resolve
		})
	}

	get = () => this.#state.get()
	subscribe = (listener: () => void) => this.#state.subscribe(listener)

	get ended(): boolean {
		return ends.has(this.get().stage) && this.get().stages.length > 0
	}

	reach(stage: Stage, more: Partial<Pick<DecisionState, 'winner' | 'why'>> = {}): void {
		if (this.ended) return
		const at = this.#now().toISOString()
		this.#state.update((state) => ({
			...state,
			...more,
			stage,
			stages: [...state.stages, { stage, at }],
		}))
		if (ends.has(stage)) this.#finish(this.get())
	}

	/** Ends the waiting where it is; a stage that comes later is still shown. */
	settle(why: string): void {
		if (this.ended) return
		this.#state.update((state) => ({ ...state, why }))
		this.#finish(this.get())
	}
}

/** Signs and boxes the decision for the session's host. Throws what makes that unsafe or impossible. */
async function sealedDecision(options: DecideOptions) {
	const { account, request, choice } = options
	if (choice.decision === 'allow' && (!request.digest || request.problem !== null)) {
		throw refused(
			'request_not_verified',
			'This request could not be verified: it can be denied, but not approved.',
		)
	}
	const keys = await new SessionReader(account, request.session).keys()
	const host = keys.by === null ? undefined : account.log.state.devices.get(keys.by)
	if (!host) throw refused('host_unknown', 'The host of this session is not in the device log.')
	if (host.revoked) {
		throw refused(
			'host_revoked',
			'The device that hosts this session was revoked: nothing is sent to it.',
		)
	}
	account.log.assertTrusted()
	const command = {
		id: randomId(account.random),
		session: request.session,
		to: host.record.id,
		by: account.device.record.id,
		at: options.now().toISOString(),
		log: headOf(account.log.state),
		kind: 'decision' as const,
		body: {
			request: request.id,
			// Of a request that does not open there is no digest: a host takes a denial all the same.
			digest: request.digest ?? unseenDigest,
			decision: choice.decision,
			scope: choice.scope,
			...(choice.reason === undefined ? {} : { reason: choice.reason }),
			...(choice.input === undefined ? {} : { input: choice.input }),
		},
	}
	const signed = signCommand(command, account.device.signSecret)
	const shared = account.keys.sharedWith(host.record)
	const sealed = sealCommand(signed, shared, account.random(nonceSize))
	const mail = {
		id: command.id,
		session: request.session,
		from: command.by,
		to: command.to,
		nonce: toBase64(sealed.nonce),
		ciphertext: toBase64(sealed.ciphertext),
	}
	return { mail, command: command.id }
}

/** Sends a decision and follows it to its end. Never rejects: a failure is a stage with its reason. */
export function decide(options: DecideOptions): Decision {
	const tracked = new Tracked(options.request.id, options.choice, options.now)
	void run(options, tracked).catch((error: unknown) => {
		const known = error instanceof StyrbyError
		tracked.reach('failed', { why: known ? error.message : 'The decision could not be sent.' })
		if (!known) throw error
	})
	return tracked
}

async function run(options: DecideOptions, tracked: Tracked): Promise<void> {
	const { account, feeds, request } = options
	const { mail, command } = await sealedDecision(options)
	const reader = new SessionReader(account, request.session)
	using tail = new Tail({
		reader,
		feeds,
		after: request.seq - 1,
		before: null,
		deliver: (messages) => {
			for (const message of messages) judge(options, tracked, command, message)
		},
		failed: () => undefined,
	})
	tracked.reach('sent')
	await account.gateway.postMail(mail)
	tracked.reach('stored')
	let timer: NodeJS.Timeout | undefined
	const late = new Promise<void>((resolve) => {
		timer = setTimeout(resolve, options.waitMs)
	})
	await Promise.race([tracked.done, late])
	clearTimeout(timer)
	if (tracked.ended) return
	// The hint may have been lost: look once more before saying that nobody answered.
	await tail.pull()
	if (tracked.ended) return
	const { stage } = tracked.get()
	if (stage === 'verified') {
		// The decision stands; the agent is still busy with what was allowed.
		await Promise.race([tracked.done, new Promise((r) => setTimeout(r, options.waitMs).unref())])
		tracked.settle('the agent has not reported back yet')
		return
	}
	tracked.reach('failed', {
		why: 'The host has not answered: it may be offline. The request is still open until it expires.',
	})
}

/** What one new message of the session means for a decision of ours. */
function judge(
	options: DecideOptions,
	tracked: Tracked,
	command: string,
	message: CheckedMessage,
): void {
	if (!message.verified || !message.body) return
	const { account, request } = options
	if (message.kind === 'status') {
		const { applied } = message.body as Body<'status'>
		if (applied === request.id && tracked.get().stage === 'verified') tracked.reach('applied')
		return
	}
	if (message.kind === 'system') {
		const { type, data, text } = message.body as Body<'system'>
		const refusal = type === 'notice' && isRefusalOf(data, command)
		if (refusal) tracked.reach('refused', { why: text ?? 'the host refused the decision' })
		return
	}
	if (message.kind !== 'permission_response') return
	const response = message.body as Body<'permission_response'>
	if (response.request !== request.id) return
	options.answered(message)
	outcome(options, tracked, command, response, decidingCommand(account, response))
}

function isRefusalOf(data: unknown, command: string): boolean {
	return typeof data === 'object' && data !== null && 'command' in data && data.command === command
}

function outcome(
	{ account }: DecideOptions,
	tracked: Tracked,
	command: string,
	{ by, device, result, reason }: Body<'permission_response'>,
	winner: ReturnType<typeof decidingCommand>,
): void {
	if (by === 'agent') {
		tracked.reach('withdrawn', { why: 'answered at the agent itself' })
	} else if (by === 'host' && result === 'expired') {
		tracked.reach('expired', { why: 'nobody answered in time' })
	} else if (by === 'host') {
		tracked.reach('withdrawn', { why: reason ?? 'the agent no longer asks' })
	} else if (winner?.id === command) {
		const same = (winner.body.decision === 'allow') === (result === 'approved')
		if (same) tracked.reach('verified')
		else tracked.reach('refused', { why: `the host recorded another answer: ${result}` })
	} else if (!winner || device === null) {
		tracked.reach('refused', { why: 'the answer in the session is not signed by a device' })
	} else {
		const name = account.deviceName(device)
		const why = `${name ?? 'another device'} was faster: ${result}`
		tracked.reach('lost', { winner: { id: device, name, result }, why })
	}
}
