/**
 * Publishes one session: events are sealed, put on the disk, then sent. `publish` resolves when its event
 * is on the disk, and not before (docs/protocol.md, sections 4 and 5).
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Account } from '../account/account.ts'
import type { Gateway, Sealed } from '../backend/gateway.ts'
import { StyrbyError } from '../protocol/errors.ts'
import type { AgentName } from '../protocol/events.ts'
import { type ChainState, chainStart } from '../protocol/message.ts'
import { Pause } from './backoff.ts'
import { cleanEvent } from './clean-event.ts'
import { LiveChannel } from './live-channel.ts'
import { LiveText, type TextPiece } from './live-text.ts'
import { Outbox, type Step } from './outbox.ts'
import { outboxError } from './outbox-errors.ts'
import { grantOperations, maxGrants, type Operation } from './outbox-operations.ts'
import { ownRevocation } from './own-revocation.ts'
import { type Entry, type SealedEntry, sealEvent } from './seal-event.ts'
import { Sender } from './sender.ts'
import { SessionKeys } from './session-keys.ts'

export interface PublisherOptions {
	account: Account
	gateway: Gateway
	session: string
	/** A failure that is new; `final`: nothing more of this session will be sent. */
	onTrouble?: (error: StyrbyError, final: boolean) => void
	onRecovered?: () => void
	/** After an event is on the disk. */
	onPublished?: (entry: Entry, sealed: SealedEntry) => void
}

export interface StartOptions extends PublisherOptions {
	dataFolder: string
	agent: AgentName
	startedAt: string
	/** Plain, for the server's list; `null` unless the person chose so. */
	project: string | null
	label: Sealed | null
}

/** Events sealed in one transaction at most; they wait in memory only for that. */
const maxGroup = 200
/** How often a full or read-only disk is tried again, ms. */
const diskRetry = 1000
/** How often who waits for a full disk looks whether it is free, ms. */
const diskLook = 50

interface Waiting {
	entry: Entry
	afterwards: Operation[]
	ended: boolean
	resolve(sealed: SealedEntry): void
	reject(error: unknown): void
}

export class Publisher implements AsyncDisposable {
	readonly session: string
	readonly outbox: Outbox
	readonly #options: PublisherOptions
	readonly #keys: SessionKeys
	readonly #sender: Sender
	readonly #live: LiveChannel
	readonly #text: LiveText
	readonly #diskPause = new Pause()
	readonly #waiting: Waiting[] = []
	readonly #stopWatching: () => void
	#chain: ChainState
	#confirmed: { seq: number; chain: Uint8Array }
	#scheduled = false
	#blocked = false
	/** What is wrong with the disk, as it was said. */
	#trouble: string | null = null
	#failed: StyrbyError | null = null
	#revocation: StyrbyError | null = null
	readonly #revoked = Promise.withResolvers<StyrbyError>()
	#closed = false
	/** Hash of the log head that the last message with one has named. */
	#named: string | null = null

	private constructor(options: PublisherOptions, keys: SessionKeys, outbox: Outbox) {
		const { account, gateway, session } = options
		this.#options = options
		this.session = session
		this.outbox = outbox
		this.#keys = keys
		this.#chain = outbox.chain()
		this.#confirmed = outbox.confirmed()
		this.#sender = new Sender({
			outbox,
			gateway,
			log: account.log,
			onConfirmed: (work) => {
				if (work.kind === 'rows') {
					this.#confirmed = outbox.confirmed()
					account.seen.saw(session, this.#confirmed.seq)
				} else if (work.operation.kind === 'create') this.#live.open()
				// Who has revoked a device waits for this.
				else if (work.operation.kind === 'epoch') this.#live.beat()
			},
			onTrouble: (error, final) => options.onTrouble?.(error, final),
			onRecovered: () => options.onRecovered?.(),
		})
		this.#live = new LiveChannel({
			gateway,
			session,
			device: account.device,
			random: account.random,
			now: account.now,
			epochKey: () => keys.newest(),
			proof: () => ({ ...this.#confirmed, log: keys.head }),
		})
		this.#text = new LiveText({
			// While the disk does not take a new key, the old one is of no use any more.
			send: (piece) => {
				if (!keys.outdated) this.#live.text(piece)
			},
			now: () => performance.now(),
		})
		this.#stopWatching = account.log.onChange(() => this.#logChanged())
		if (account.log.problem) this.hold(true)
	}

	/**
	 * Starts a session: its first epoch, granted to every active device, and its row are on the disk when
	 * this returns. Throws `outbox_full`, `home_not_writable`.
	 */
	static start(options: StartOptions): Publisher {
		const { account, session, agent, startedAt, project, label } = options
		const keys = new SessionKeys(account, session)
		const chain = chainStart(session)
		const first = keys.next(chain, startedAt)
		const grants = first.grants.slice(0, maxGrants)
		const outbox = Outbox.create(
			options.dataFolder,
			{
				id: session,
				account: account.id,
				device: account.device.record.id,
				agent,
			},
			chain,
			[
				{
					kind: 'create',
					session: {
						id: session,
						agent,
						host: account.device.record.id,
						project,
						label,
						started_at: startedAt,
						epoch: first.epoch,
						grants,
					},
				},
				...grantOperations(first.grants.slice(maxGrants)),
			],
		)
		keys.accept(first)
		const publisher = new Publisher(options, keys, outbox)
		publisher.#sender.wake()
		return publisher
	}

	/**
	 * Goes on with a session whose host has died: from the chain that its outbox has. Throws `key_missing`
	 * where this device can't sign for it.
	 */
	static async resume(options: PublisherOptions, outbox: Outbox): Promise<Publisher> {
		const keys = await SessionKeys.restore(options.account, options.session, outbox.epoch)
		const publisher = new Publisher(options, keys, outbox)
		publisher.#logChanged()
		return publisher
	}

	/**
	 * Seals an event and keeps it. Resolves when it is on the disk; while the disk is full that takes until
	 * it is not. `afterwards` goes to the backend after it.
	 */
	publish(
		entry: Entry,
		options: { afterwards?: Operation[]; ended?: boolean } = {},
	): Promise<SealedEntry> {
		return new Promise((resolve, reject) => {
			if (this.#closed || this.#failed) {
				const ended = 'This session has ended: nothing more goes into it.'
				reject(this.#failed ?? new StyrbyError('session_ended', ended))
				return
			}
			const event = cleanEvent(entry.event)
			const at = timeOf(entry.at, this.#options.account.now())
			const { afterwards = [], ended = false } = options
			this.#waiting.push({ entry: { ...entry, event, at }, afterwards, ended, resolve, reject })
			this.#schedule()
		})
	}

	/** Resolves when this device was revoked, by whom and when: nothing more leaves it. */
	get revoked(): Promise<StyrbyError> {
		return this.#revoked.promise
	}

	/** The same, as far as it has come to that. */
	get revocation(): StyrbyError | null {
		return this.#revocation
	}

	/** Events that are not on the disk yet: who feeds this should wait while there are many. */
	get waiting(): number {
		return this.#waiting.length
	}

	/** Changes the row's label (title, project, directory; sealed). */
	label(label: Sealed): void {
		this.#commitSoon({ operations: [{ kind: 'update', change: { label } }] })
	}

	/** Text while it is written: sent to who listens, kept nowhere. */
	text(piece: TextPiece): void {
		this.#text.add(piece)
	}

	/** The key that is in use (32 bytes). */
	epochKey(): { epoch: number; key: Uint8Array } {
		return this.#keys.newest()
	}

	/** The backend may be back. */
	retryNow(): void {
		this.#sender.retryNow()
		this.#diskPause.end()
	}

	/** While held, nothing leaves this machine: the device log does not verify. */
	hold(held: boolean): void {
		if (this.#revocation) return
		this.#sender.hold(held)
		this.#live.mute(held)
	}

	/** Whether the backend got everything within `ms`; not while a full disk keeps some of it in memory. */
	async delivered(ms: number): Promise<boolean> {
		const deadline = performance.now() + ms
		if (!this.#closed && !this.#blocked) this.#flush()
		while (this.#waiting.length > 0 && !this.#closed) {
			const left = deadline - performance.now()
			if (left <= 0) return false
			await sleep(Math.min(left, diskLook))
		}
		return this.#sender.delivered(Math.max(0, deadline - performance.now()))
	}

	#schedule(): void {
		if (this.#scheduled || this.#blocked || this.#closed) return
		this.#scheduled = true
		// What arrives in the same turn of the event loop shares one sync of the disk.
		setImmediate(() => {
			this.#scheduled = false
			if (!this.#closed) this.#flush()
		})
	}

	#flush(): void {
		if (this.#revocation) return
		try {
			this.#followLog()
			while (this.#waiting.length > 0) this.#sealGroup()
			this.#trouble = null
		} catch (cause) {
			this.#diskFailed(outboxError(cause))
		}
		this.#sender.wake()
	}

	/** A change of the log is followed at once, before anything else is sealed. */
	#logChanged(): void {
		if (this.#closed || this.#revocation) return
		this.hold(this.#options.account.log.problem !== null)
		const revoked = ownRevocation(this.#options.account)
		if (revoked) {
			this.#stop(revoked)
			return
		}
		const before = this.#keys.head
		if (!this.#blocked) this.#flush()
		if (this.#keys.head !== before) this.#live.beat()
	}

	/** This device was revoked: what is not sent yet is not sent any more. */
	#stop(error: StyrbyError): void {
		this.#revocation = error
		this.#failed = error
		this.#sender.hold(true)
		this.#live.mute(true)
		for (const { reject } of this.#waiting.splice(0)) reject(error)
		this.#options.onTrouble?.(error, true)
		this.#revoked.resolve(error)
	}

	/**
	 * Devices that were added get the keys. After a revocation a fresh key is used at once, without waiting
	 * for a message: text that is just being written is sealed with it, too.
	 */
	#followLog(): void {
		const { account } = this.#options
		const { state } = account.log
		const { revoked, added } = this.#keys.changes()
		const opened = revoked ? this.#keys.next(this.#chain, account.now().toISOString()) : null
		const operations = grantOperations(added)
		if (opened) {
			const { epoch, grants } = opened
			operations.push({ kind: 'epoch', epoch, grants: grants.slice(0, maxGrants) })
			operations.push(...grantOperations(grants.slice(maxGrants)))
		}
		if (operations.length > 0) {
			this.outbox.commit({ operations, ...(opened ? { epoch: opened.number } : {}) })
		}
		this.#keys.followed(added, state)
		if (opened) this.#keys.accept(opened)
	}

	#sealGroup(): void {
		const { account } = this.#options
		const group = this.#waiting.slice(0, maxGroup)
		const keys = {
			...this.#keys.newest(),
			signSecret: account.device.signSecret,
			random: account.random,
		}
		const { head } = this.#keys
		let log = head.hash === this.#named ? undefined : head
		let chain = this.#chain
		const sealed = group.map(({ entry }) => {
			const one = sealEvent(this.session, chain, entry, keys, log)
			chain = one.chain
			log = undefined
			return one
		})
		this.outbox.commit({ ...stepOf(group, sealed), chain })
		this.#chain = chain
		this.#named = head.hash
		this.#waiting.splice(0, group.length)
		for (const [index, { entry, resolve }] of group.entries()) {
			const one = sealed[index]
			if (!one) continue
			const { event } = entry
			if ('block' in event.body && event.body.block) this.#text.finish(event.body.block)
			resolve(one)
			this.#options.onPublished?.(entry, one)
		}
	}

	#commitSoon(step: Step): void {
		try {
			this.outbox.commit(step)
			this.#sender.wake()
		} catch (cause) {
			this.#options.onTrouble?.(outboxError(cause), false)
		}
	}

	/** A full or read-only disk: everything stays in memory and waits; nobody is told that it was kept. */
	#diskFailed(error: StyrbyError): void {
		const passing = error.code === 'outbox_full' || error.code === 'home_not_writable'
		if (this.#trouble !== error.code) this.#options.onTrouble?.(error, !passing)
		this.#trouble = error.code
		if (!passing) {
			this.#failed = error
			for (const { reject } of this.#waiting.splice(0)) reject(error)
			return
		}
		this.#blocked = true
		void this.#diskPause.wait(diskRetry).then(() => {
			this.#blocked = false
			this.#schedule()
		})
	}

	/** Keeps what still waits, then stops. What the backend has not got stays in the outbox. */
	async [Symbol.asyncDispose](): Promise<void> {
		if (this.#closed) return
		this.#blocked = false
		this.#flush()
		this.#closed = true
		this.#stopWatching()
		this.#diskPause.end()
		this.#text[Symbol.dispose]()
		await this.#live[Symbol.asyncDispose]()
		await this.#sender[Symbol.asyncDispose]()
		const lost = new StyrbyError(
			'events_lost',
			`The end of this session (events: ${this.#waiting.length}) could not be kept, since the disk could not be written: free some space before you start another.`,
		)
		for (const { reject } of this.#waiting.splice(0)) reject(lost)
		if (this.outbox.ended && this.outbox.pending() === 0) this.outbox.remove()
		else this.outbox[Symbol.dispose]()
	}
}

/** An agent's own time, unless it is none that the backend takes: 1970 to 9998. */
function timeOf(text: string, now: Date): string {
	const time = new Date(text)
	const year = time.getUTCFullYear()
	return (year >= 1970 && year < 9999 ? time : now).toISOString()
}

/** What a group of sealed entries writes besides the chain. */
function stepOf(group: readonly Waiting[], sealed: readonly SealedEntry[]): Step {
	const opened = group.flatMap(({ entry }, index) => {
		const digest = sealed[index]?.digest
		if (!entry.opens || digest === undefined) return []
		return [{ request: entry.opens.request, digest, expiresAt: entry.opens.expires_at }]
	})
	return {
		rows: sealed.flatMap((one) => one.rows),
		opened,
		closed: group.flatMap(({ entry }) => (entry.closes ? [entry.closes.request] : [])),
		afterwards: group.flatMap((one) => one.afterwards),
		...(group.some((one) => one.ended) ? { ended: true } : {}),
	}
}
