/** Sending a prompt, an interrupt or a mode to a session, and watching what becomes of it. */
import { setTimeout as sleep } from 'node:timers/promises'
import { StyrbyError } from '../protocol/errors.ts'
import type { Body } from '../protocol/events.ts'
import type { CheckedMessage } from './checked-message.ts'
import { type Content, post, type Route, refusalOf, sealForHost, Tracked } from './posting.ts'
import { senderOf } from './senders.ts'
import { SessionReader } from './session-reader.ts'
import type { Sending, Sent, SentStage, SentState } from './viewer.ts'

export interface SendOptions extends Route {
	/** The command's id: fresh. */
	id: string
	what: Sending
	/** Its host was not heard of lately, so nothing is sent. */
	silent: boolean
	/** How long `done` waits for the host, ms. */
	waitMs: number
	/** What was sent to the same session before: the host takes them in their order. */
	before: Promise<unknown>
}

const ends: ReadonlySet<SentStage> = new Set(['obeyed', 'refused', 'failed'])
/** For so long after it was signed a host may still obey it, ms. */
const lifetime = 10 * 60_000
/** What takes something back is obeyed whenever it comes: how long that is waited for, ms. */
const longLifetime = 12 * 3_600_000

/** Sends it. Never rejects: a failure is a stage with its reason. `posted`: it was sent, or never will be. */
export function send(options: SendOptions): { sent: Sent; posted: Promise<void> } {
	const { id, session, what, now } = options
	const tracked = new Tracked<SentStage, SentState>('sent', {
		ends,
		now,
		shown: ({ stage, stages, why }) => ({ id, session, what, stage, stages, why }),
	})
	const posted = Promise.withResolvers<void>()
	const seen = tracked.subscribe(() => {
		if (tracked.stage !== 'sent') posted.resolve()
	})
	void options.before
		.then(() => run(options, tracked))
		.catch((error: unknown) => tracked.fail('failed', error, 'It could not be sent.'))
		.finally(seen)
	return { sent: tracked, posted: posted.promise }
}

async function run(options: SendOptions, tracked: Tracked<SentStage, SentState>): Promise<void> {
	const { account, session, id, silent, waitMs, now } = options
	const row = await account.gateway.readSession(session)
	if (!row) {
		throw new StyrbyError('no_such_session', 'There is no such session in this account.')
	}
	if (row.ended_at !== null) {
		throw new StyrbyError('session_ended', 'This session has ended: nothing was sent.')
	}
	if (silent) {
		throw new StyrbyError('host_silent', 'The host of this session is silent: nothing was sent.')
	}
	const mail = await sealForHost(options, id, contentOf(options.what))
	const until = now().getTime() + (options.what.kind === 'take_back' ? longLifetime : lifetime)
	await post(options, {
		mail,
		tracked,
		waitMs,
		after: new SessionReader(account, session).through(row),
		judge: (message) => judge(options, tracked, message),
		late: async () => {
			const time = new Date(until).toISOString().slice(11, 16)
			tracked.settle(`the host has not answered: it may still do it until ${time} UTC`)
			while (!tracked.ended && now().getTime() < until) await sleep(1000, undefined, { ref: false })
			tracked.reach('failed', { why: 'the host did not take it in time' })
		},
	})
}

function contentOf(what: Sending): Content {
	switch (what.kind) {
		case 'prompt':
			return { kind: 'prompt', body: { text: what.text } }
		case 'mode':
			return { kind: 'mode', body: { mode: what.mode } }
		case 'interrupt':
			return { kind: 'interrupt', body: {} }
		case 'take_back':
			return { kind: 'take_back', body: { grant: what.grant } }
	}
}

/** What one new message of the session means for it. */
function judge(
	{ account, id }: SendOptions,
	tracked: Tracked<SentStage, SentState>,
	message: CheckedMessage,
): void {
	const refusal = refusalOf(message, id)
	if (refusal !== null) {
		tracked.reach('refused', { why: refusal })
		return
	}
	if (message.kind === 'status') {
		const { status } = message.body as Body<'status'>
		if (status !== 'stopped' && status !== 'error') return
		tracked.reach('failed', { why: 'the session ended before its host took it' })
		return
	}
	if (!isRecordOf(message, id)) return
	const sender = senderOf(account, message)
	const ours = sender?.verified === true && sender.device === account.device.record.id
	if (ours) tracked.reach('obeyed')
	else tracked.reach('refused', { why: 'the host has recorded something else than what was sent' })
}

function isRecordOf({ kind, body }: CheckedMessage, id: string): boolean {
	if (kind !== 'system') return false
	const { type, data } = body as Body<'system'>
	return (
		type === 'command' &&
		typeof data === 'object' &&
		data !== null &&
		'command' in data &&
		data.command === id
	)
}
