/**
 * Commands on their way to this host, one after the other, each until it was written down: from the live
 * channel as they come, and pulled after each join for those that the channel lost.
 */
import type { Gateway, MailRow } from '../backend/gateway.ts'
import { exit, StyrbyError } from '../protocol/errors.ts'
import { backoff } from './backoff.ts'

export interface MailboxOptions {
	gateway: Gateway
	device: string
	session: string
	/** Resolves when the mail may be deleted; throws when it should be tried again. */
	handle(mail: MailRow): Promise<void>
	/** What a mail has to wait for before it is its turn, without holding up the others; `null`: nothing. */
	before?(mail: MailRow): Promise<void> | null
	/** A failure that is no wonder: of the line, or of the disk. */
	onTrouble?: (error: StyrbyError) => void
}

/** Ids remembered, so that one mail that comes twice is one. */
const remembered = 10_000

export class Mailbox implements Disposable {
	readonly #options: MailboxOptions
	readonly #seen = new Set<string>()
	readonly #done: string[] = []
	readonly #waiting = new Set<Promise<void>>()
	#queue: Promise<void> = Promise.resolve()
	#deleting: Promise<void> | null = null
	#retry: NodeJS.Timeout | null = null
	#failures = 0
	#closed = false

	constructor(options: MailboxOptions) {
		this.#options = options
	}

	/** Takes one mail, in its turn; `false` where there is no need. Mail of other sessions is theirs. */
	take(mail: MailRow): boolean {
		const { device, session } = this.#options
		if (this.#closed || mail.to !== device || mail.session !== session) return false
		if (this.#seen.has(mail.id)) return false
		this.#seen.add(mail.id)
		if (this.#seen.size > remembered) this.#forgetOldest()
		const before = this.#options.before?.(mail) ?? null
		if (before === null) this.#enqueue(mail)
		else this.#wait(mail, before)
		return true
	}

	#enqueue(mail: MailRow): void {
		this.#queue = this.#queue.then(() => this.#handle(mail))
	}

	#wait(mail: MailRow, before: Promise<void>): void {
		const waiting = before
			.then(
				() => this.#enqueue(mail),
				(error: unknown) => {
					this.#seen.delete(mail.id)
					this.#failed(error)
				},
			)
			.finally(() => this.#waiting.delete(waiting))
		this.#waiting.add(waiting)
	}

	/** Asks for all mail that waits. Never throws: it is asked for again at the next join, or by itself. */
	async pull(): Promise<void> {
		try {
			const mail = await this.#options.gateway.readMail(this.#options.device)
			const taken = mail.filter((one) => this.take(one)).length
			if (taken === 0) this.#failures = 0
		} catch (error) {
			this.#failed(error)
		}
	}

	/** Resolves when all mail that was taken is handled and deleted, as far as that goes. */
	async settled(): Promise<void> {
		await Promise.all(this.#waiting)
		await this.#queue
		await this.#deleting
	}

	async #handle(mail: MailRow): Promise<void> {
		if (this.#closed) return
		try {
			await this.#options.handle(mail)
			this.#failures = 0
			this.#done.push(mail.id)
			this.#deleting ??= this.#delete().finally(() => {
				this.#deleting = null
			})
		} catch (error) {
			this.#seen.delete(mail.id)
			this.#failed(error)
		}
	}

	/** The person's answer does not wait for this. */
	async #delete(): Promise<void> {
		while (this.#done.length > 0) {
			const ids = [...this.#done]
			try {
				await this.#options.gateway.deleteMail(ids)
				this.#done.splice(0, ids.length)
			} catch (error) {
				// It is deleted with the next one; until then it is known by its id and not taken again.
				if (!(error instanceof StyrbyError)) throw error
				return
			}
		}
	}

	#failed(error: unknown): void {
		if (this.#closed) return
		const known =
			error instanceof StyrbyError
				? error
				: new StyrbyError('internal', 'A command could not be handled.', {
						exitCode: exit.failed,
						cause: error,
					})
		this.#options.onTrouble?.(known)
		if (this.#retry) return
		this.#retry = setTimeout(
			() => {
				this.#retry = null
				void this.pull()
			},
			backoff(++this.#failures),
		)
		this.#retry.unref()
	}

	#forgetOldest(): void {
		for (const id of this.#seen) {
			this.#seen.delete(id)
			return
		}
	}

	[Symbol.dispose](): void {
		this.#closed = true
		if (this.#retry) clearTimeout(this.#retry)
	}
}
