/** Sending a decision, and watching what becomes of it (docs/protocol.md, section 6). */
import type { Account } from '../account/account.ts'
import { unseenDigest } from '../protocol/command.ts'
import { randomId } from '../protocol/device.ts'
import { refused, StyrbyError } from '../protocol/errors.ts'
import type { Body } from '../protocol/events.ts'
import type { CheckedMessage } from './checked-message.ts'
import { decidingCommand } from './decided.ts'
import { endedWithin, post, refusalOf, sealForHost, Tracked } from './posting.ts'
import type { PlacedRequest } from './requests.ts'
import type { FeedPool } from './session-feed.ts'
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

/** Of a reason, UTF-16 units (docs/protocol.md, section 6). */
const longestReason = 4000
/** After a request's time the host may take so long to say that it is over, ms. */
const expiryGrace = 30_000
/** How long an agent may work on what was allowed until nobody waits to see it go on, ms. */
const longestWait = 12 * 3_600_000

type TrackedDecision = Tracked<Stage, DecisionState>

const ends: ReadonlySet<Stage> = new Set([
	'applied',
	'expired',
	'withdrawn',
	'lost',
	'refused',
	'failed',
])

/** Sends a decision and follows it to its end. Never rejects: a failure is a stage with its reason. */
export function decide(options: DecideOptions): Decision {
	const { request, choice, now } = options
	const tracked: TrackedDecision = new Tracked('sent', {
		ends,
		now,
		shown: (progress) => ({ request: request.id, choice, ...progress }),
	})
	void run(options, tracked).catch((error: unknown) =>
		tracked.fail('failed', error, 'The decision could not be sent.'),
	)
	return tracked
}

async function run(options: DecideOptions, tracked: TrackedDecision): Promise<void> {
	const { account, feeds, request, choice, now, waitMs } = options
	if (choice.decision === 'allow' && (!request.digest || request.problem !== null)) {
		throw refused(
			'request_not_verified',
			'This request could not be verified: it can be denied, but not approved.',
		)
	}
	if ((choice.reason?.length ?? 0) > longestReason) {
		// No host would read it: it is said here, where it can be made shorter.
		throw new StyrbyError(
			'reason_too_long',
			'The reason is longer than 4000 characters: shorten it.',
		)
	}
	const command = randomId(account.random)
	const route = { account, feeds, session: request.session, now }
	const mail = await sealForHost(route, command, {
		kind: 'decision',
		body: {
			request: request.id,
			// Of a request that does not open there is no digest: a host takes a denial all the same.
			digest: request.digest ?? unseenDigest,
			decision: choice.decision,
			scope: choice.scope,
			...(choice.reason === undefined ? {} : { reason: choice.reason }),
			...(choice.input === undefined ? {} : { input: choice.input }),
		},
	})
	await post(route, {
		mail,
		tracked,
		waitMs,
		after: request.seq - 1,
		judge: (message) => judge(options, tracked, command, message),
		late: async () => {
			if (tracked.stage !== 'verified') {
				const left = Date.parse(request.expiresAt) + expiryGrace - now().getTime()
				if (left > 0) tracked.settle('the host has not answered: it takes this when it is back')
				await nextWithin(tracked, Math.min(Math.max(0, left), longestWait))
			}
			if (tracked.stage === 'verified') {
				// The decision stands; the agent is still busy with what was allowed.
				await endedWithin(tracked, waitMs)
				tracked.settle('the agent has not reported back yet')
				await nextWithin(tracked, longestWait)
			} else {
				tracked.reach('failed', { why: 'the host has not answered before the time was up' })
			}
		},
	})
}

/** Waits until it has come a stage further, for so long at most, ms; nobody stays for its sake. */
async function nextWithin(tracked: TrackedDecision, ms: number): Promise<void> {
	const { stage } = tracked
	const { promise, resolve } = Promise.withResolvers<void>()
	const timer = setTimeout(resolve, ms).unref()
	const stop = tracked.subscribe(() => {
		if (tracked.stage !== stage) resolve()
	})
	await promise
	stop()
	clearTimeout(timer)
}

/** What one new message of the session means for a decision of ours. */
function judge(
	options: DecideOptions,
	tracked: TrackedDecision,
	command: string,
	message: CheckedMessage,
): void {
	const { account, request } = options
	if (message.kind === 'status') {
		const { applied } = message.body as Body<'status'>
		if (applied === request.id && tracked.stage === 'verified') tracked.reach('applied')
		return
	}
	const refusal = refusalOf(message, command)
	if (refusal !== null) {
		tracked.reach('refused', { why: refusal })
		return
	}
	if (message.kind !== 'permission_response') return
	const response = message.body as Body<'permission_response'>
	if (response.request !== request.id) return
	options.answered(message)
	outcome(options, tracked, command, response, decidingCommand(account, response))
}

function outcome(
	{ account }: DecideOptions,
	tracked: TrackedDecision,
	command: string,
	{ by, device, result, reason }: Body<'permission_response'>,
	winner: ReturnType<typeof decidingCommand>,
): void {
	if (by === 'agent') {
		tracked.reach('withdrawn', { why: 'answered at the agent itself' })
	} else if (by === 'host' && result === 'expired') {
		tracked.reach('expired', { why: 'nobody answered in time' })
	} else if (by === 'policy') {
		tracked.reach('withdrawn', { why: 'a policy of the host has answered it' })
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
