/**
 * What sending anything to a session's host has in common: it is signed and boxed, posted, and followed in
 * the session until the host has said what became of it (docs/protocol.md, section 6).
 */
import type { Account } from '../account/account.ts'
import type { MailRow } from '../backend/gateway.ts'
import { nonceSize } from '../protocol/box.ts'
import { toBase64 } from '../protocol/bytes.ts'
import {
	type Command,
	sealCommand,
	signCommand,
	type UnsignedCommand,
} from '../protocol/command.ts'
import { headOf } from '../protocol/device-log.ts'
import { refused, StyrbyError } from '../protocol/errors.ts'
import type { Body } from '../protocol/events.ts'
import type { CheckedMessage } from './checked-message.ts'
import { Value } from './readable.ts'
import type { FeedPool } from './session-feed.ts'
import { SessionReader } from './session-reader.ts'
import { Tail } from './tail.ts'
import type { Followed, Progress } from './viewer.ts'

export interface Route {
	account: Account
	feeds: FeedPool
	session: string
	now(): Date
}

type ContentOf<C> = C extends Command ? Pick<C, 'kind' | 'body'> : never
export type Content = ContentOf<Command>

/** Something sent, and how far it came. `S`: what is shown of it. */
export class Tracked<T extends string, S> implements Followed<S> {
	readonly done: Promise<S>
	#progress: Progress<T>
	readonly #state: Value<S>
	readonly #shown: (progress: Progress<T>) => S
	readonly #ends: ReadonlySet<T>
	readonly #now: () => Date
	#finish: (state: S) => void = () => undefined

	/** `first`: the stage it is on its way to; `ends`: those after which there is no other. */
	constructor(
		first: T,
		options: { ends: ReadonlySet<T>; now(): Date; shown(progress: Progress<T>): S },
	) {
		this.#progress = { stage: first, stages: [], winner: null, why: null }
		this.#shown = options.shown
		this.#ends = options.ends
		this.#now = options.now
		this.#state = new Value(this.#shown(this.#progress))
		this.done = new Promise((resolve) => {
			this.#finish = resolve
		})
	}

	get = () => this.#state.get()
	subscribe = (listener: () => void) => this.#state.subscribe(listener)

	get stage(): T {
		return this.#progress.stage
	}

	get ended(): boolean {
		return this.#ends.has(this.stage) && this.#progress.stages.length > 0
	}

	reach(stage: T, more: Partial<Pick<Progress<T>, 'winner' | 'why'>> = {}): void {
		if (this.ended) return
		const stages = [...this.#progress.stages, { stage, at: this.#now().toISOString() }]
		this.#change({ why: null, ...more, stage, stages })
		if (this.#ends.has(stage)) this.#finish(this.get())
	}

	/** Ends the waiting where it is; a stage that comes later is still shown. */
	settle(why: string): void {
		if (this.ended) return
		this.#change({ why })
		this.#finish(this.get())
	}

	/** It could not be sent, or not be followed. Throws again what is no error of ours to tell. */
	fail(failed: T, error: unknown, otherwise: string): void {
		const known = error instanceof StyrbyError
		this.reach(failed, { why: known ? error.message : otherwise })
		if (!known) throw error
	}

	#change(change: Partial<Progress<T>>): void {
		this.#progress = { ...this.#progress, ...change }
		this.#state.set(this.#shown(this.#progress))
	}
}

/**
 * Signs and boxes a command for the session's host. Throws `host_unknown`, `host_revoked`, and what a log
 * that does not verify gives.
 */
export async function sealForHost(
	{ account, session, now }: Omit<Route, 'feeds'>,
	id: string,
	content: Content,
): Promise<Omit<MailRow, 'created_at'>> {
	const keys = await new SessionReader(account, session).keys()
	const host = keys.by === null ? undefined : account.log.state.devices.get(keys.by)
	if (!host) throw refused('host_unknown', 'The host of this session is not in the device log.')
	if (host.revoked) {
		throw refused(
			'host_revoked',
			'The device that hosts this session was revoked: nothing is sent to it.',
		)
	}
	account.log.assertTrusted()
	const command: UnsignedCommand = {
		id,
		session,
		to: host.record.id,
		by: account.device.record.id,
		at: now().toISOString(),
		log: headOf(account.log.state),
		...content,
	}
	const signed = signCommand(command, account.device.signSecret)
	const shared = account.keys.sharedWith(host.record)
	const sealed = sealCommand(signed, shared, account.random(nonceSize))
	return {
		id,
		session,
		from: command.by,
		to: command.to,
		nonce: toBase64(sealed.nonce),
		ciphertext: toBase64(sealed.ciphertext),
	}
}

export interface Posting {
	mail: Omit<MailRow, 'created_at'>
	tracked: {
		readonly ended: boolean
		readonly done: Promise<unknown>
		reach(stage: 'sent' | 'stored'): void
	}
	/** Messages of the session after this number are looked at. */
	after: number
	/** How long to wait for the host, ms. */
	waitMs: number
	judge(message: CheckedMessage): void
	/** Nobody has answered in that time; what comes while this runs still counts. */
	late(): Promise<void>
}

/** Posts a boxed command and follows the session until `tracked` has ended, or `late` has. */
export async function post({ account, feeds, session }: Route, posting: Posting): Promise<void> {
	const { mail, tracked, after, waitMs, judge, late } = posting
	using tail = new Tail({
		reader: new SessionReader(account, session),
		feeds,
		after,
		before: null,
		deliver: (messages) => {
			for (const message of messages) if (message.verified && message.body) judge(message)
		},
		failed: () => undefined,
	})
	tracked.reach('sent')
	await account.gateway.postMail(mail)
	tracked.reach('stored')
	await endedWithin(tracked, waitMs)
	if (tracked.ended) return
	// The hint may have been lost: look once more before saying that nobody answered.
	await tail.pull()
	if (!tracked.ended) await late()
}

/** Waits until it has ended, for so long at most, ms. */
export async function endedWithin(
	tracked: Pick<Followed<unknown>, 'done'>,
	ms: number,
): Promise<void> {
	const { promise, resolve } = Promise.withResolvers<void>()
	const timer = setTimeout(resolve, ms)
	await Promise.race([tracked.done, promise])
	clearTimeout(timer)
}

/** The host's word why it did not do what a command says; `null` where the message is none. */
export function refusalOf(message: CheckedMessage, command: string): string | null {
	if (message.kind !== 'system') return null
	const { type, data, text } = message.body as Body<'system'>
	const ours =
		typeof data === 'object' && data !== null && 'command' in data && data.command === command
	return type === 'notice' && ours ? (text ?? 'the host gave no reason') : null
}
