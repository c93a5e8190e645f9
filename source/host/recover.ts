/**
 * What dead hosts left is brought to the backend by whichever process comes next: messages that were
 * acknowledged, answers that were decided, and the word that the session has stopped.
 */
import type { Account } from '../account/account.ts'
import type { Gateway } from '../backend/gateway.ts'
import { toBase64 } from '../protocol/bytes.ts'
import { isActive } from '../protocol/device-log.ts'
import { exit, StyrbyError } from '../protocol/errors.ts'
import type { Body } from '../protocol/events.ts'
import { sessionScope } from '../protocol/scope.ts'
import { locksIn, type TakeLock } from './host-lock.ts'
import { Outbox, type OutboxRequest } from './outbox.ts'
import { outboxError } from './outbox-errors.ts'
import { outboxSessions } from './outbox-files.ts'
import { statusUpdate } from './outbox-operations.ts'
import { removeOutbox } from './outbox-paths.ts'
import { Publisher } from './publisher.ts'
import { clearedBy, type KeptDecision, openDecision } from './sealed-decision.ts'
import { Sender } from './sender.ts'

export interface RecoverOptions {
	account: Account
	gateway: Gateway
	dataFolder: string
	/** How a session's lock is taken; by default in the outbox folder. */
	lock?: TakeLock
	/** How long one session may take, ms: what the backend does not take then is left for later. */
	waitMs?: number
	onTrouble?: (session: string, error: StyrbyError) => void
}

const died = 'The host of this session ended without closing it.'

/**
 * Returns the sessions that were recovered. Sessions whose host lives are left alone. What is about one
 * session goes to `onTrouble`. Throws `home_not_writable`, `outbox_failed` where there is no looking.
 */
export async function recoverSessions(options: RecoverOptions): Promise<string[]> {
	const recovered: string[] = []
	const take = options.lock ?? locksIn(options.dataFolder)
	for (const session of outboxSessions(options.dataFolder)) {
		try {
			await using lock = await take(session)
			if (lock && (await recoverOne(options, session))) recovered.push(session)
		} catch (error) {
			options.onTrouble?.(session, outboxError(error))
		}
	}
	return recovered
}

async function recoverOne(options: RecoverOptions, session: string): Promise<boolean> {
	const { account, gateway, dataFolder, waitMs = 10_000 } = options
	const outbox = Outbox.open(dataFolder, session)
	if (!outbox) {
		removeOutbox(dataFolder, session)
		return false
	}
	using _ = outbox
	if (outbox.session.account !== account.id) return false
	account.log.assertTrusted()
	const onTrouble = (error: StyrbyError) => options.onTrouble?.(session, error)
	{
		await using sender = new Sender({ outbox, gateway, log: account.log, onTrouble })
		if (!(await sender.delivered(waitMs))) return false
	}
	if (!outbox.ended && !(await close(options, outbox, waitMs))) return false
	await clearMail(options, session)
	outbox[Symbol.dispose]()
	removeOutbox(dataFolder, session)
	return true
}

/** Writes the end that the host did not write. Whether the backend has it. */
async function close(options: RecoverOptions, outbox: Outbox, waitMs: number): Promise<boolean> {
	const { account, gateway } = options
	const { id: session } = outbox.session
	const onTrouble = (error: StyrbyError) => options.onTrouble?.(session, error)
	const endedAt =
		(await gateway.readSession(session))?.last_activity_at ?? account.now().toISOString()
	const ended = statusUpdate('stopped', endedAt)
	await using publisher = await signing(options, outbox)
	if (!publisher) {
		// Only the device that hosted it can write into the session: its row in the list has to do.
		outbox.commit({ operations: [ended], ended: true })
		await using sender = new Sender({ outbox, gateway, log: account.log, onTrouble })
		return await sender.delivered(waitMs)
	}
	const at = account.now().toISOString()
	const answers = await Promise.all(
		outbox.openRequests().map(async (request) => await answerTo(account, session, request)),
	)
	const kept = answers.map((body) =>
		publisher.publish({
			at,
			event: { kind: 'permission_response', body },
			closes: { request: body.request, status: body.result },
		}),
	)
	const body: Body<'status'> = { status: 'stopped', detail: died, applied: null }
	kept.push(
		publisher.publish(
			{ at, event: { kind: 'status', body } },
			{ afterwards: [ended], ended: true },
		),
	)
	const settled = Promise.allSettled(kept)
	const delivered = await publisher.delivered(waitMs)
	await publisher[Symbol.asyncDispose]()
	const failures = (await settled).filter((one) => one.status === 'rejected')
	for (const { reason } of failures) if (!(reason instanceof StyrbyError)) throw reason
	return delivered && failures.length === 0
}

/** A publisher where this device may sign for the session, else `null`. */
async function signing(options: RecoverOptions, outbox: Outbox): Promise<Publisher | null> {
	const { account, gateway } = options
	const { id: session, device } = outbox.session
	if (device !== account.device.record.id || !isActive(account.log.state, device)) return null
	const onTrouble = (error: StyrbyError) => options.onTrouble?.(session, error)
	try {
		return await Publisher.resume({ account, gateway, session, onTrouble }, outbox)
	} catch (error) {
		if (error instanceof StyrbyError && error.exitCode === exit.refused) return null
		throw error
	}
}

/** A decision that was on the disk stands, whether or not the agent heard of it; all else is cancelled. */
async function answerTo(
	account: Account,
	session: string,
	request: OutboxRequest,
): Promise<Body<'permission_response'>> {
	const kept = await keptDecision(account, session, request)
	if (!kept) {
		return {
			request: request.id,
			result: 'cancelled',
			by: 'host',
			device: null,
			scope: null,
			reason: died,
			command: null,
		}
	}
	if (kept.request !== request.id) return { request: request.id, ...clearedBy(kept) }
	const { decision, device, scope, reason, signed } = kept
	return {
		request: request.id,
		result: decision === 'allow' ? 'approved' : 'denied',
		by: 'device',
		device,
		scope,
		reason,
		command: { bytes: toBase64(signed.bytes), signature: toBase64(signed.signature) },
	}
}

/** `null` where none was made, or what is left of it does not open. */
async function keptDecision(
	account: Account,
	session: string,
	{ decision }: OutboxRequest,
): Promise<KeptDecision | null> {
	if (!decision) return null
	const key = (await account.keys.load(sessionScope(session))).keyOf(decision.epoch)
	if (!(key instanceof Uint8Array)) return null
	try {
		return openDecision(decision, key)
	} catch (error) {
		if (error instanceof StyrbyError && error.exitCode === exit.refused) return null
		throw error
	}
}

async function clearMail({ account, gateway }: RecoverOptions, session: string): Promise<void> {
	const mail = await gateway.readMail(account.device.record.id)
	const ids = mail.filter((one) => one.session === session).map((one) => one.id)
	if (ids.length > 0) await gateway.deleteMail(ids)
}
