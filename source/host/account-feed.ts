/** What a host hears over the account's channel: the device log, mail, and that the line is back. */
import type { Account } from '../account/account.ts'
import type { AccountHint, Channel, Gateway, MailRow } from '../backend/gateway.ts'
import { StyrbyError } from '../protocol/errors.ts'
import { backoff } from './backoff.ts'

export interface FeedOptions {
	account: Account
	gateway: Gateway
	/** The channel is (again) joined: pull. */
	joined(): void
	mail(mail: MailRow): void
	/** The device log that the server shows does not verify (`error`), or does again (`null`). */
	alarm(error: StyrbyError | null): void
	/** There is no channel, so nobody says what is new: pull. */
	unheard?(): void
	/** How often the log is looked at though nobody says that it has changed, ms. */
	poll?: { joined: number; lost: number }
}

/** A hint can be lost, or withheld, and what it was about may be a revocation; without a channel all are. */
const defaultPoll = { joined: 15_000, lost: 2_000 }

export class AccountFeed implements AsyncDisposable {
	readonly #options: FeedOptions
	readonly #channel: Channel
	readonly #stop: () => void
	#alarmed = false
	#failures = 0
	#retry: NodeJS.Timeout | undefined
	#poll: NodeJS.Timeout | undefined
	#joined = false
	#closed = false

	constructor(options: FeedOptions) {
		this.#options = options
		this.#channel = options.gateway.followAccount((hint) => this.#heard(hint))
		this.#stop = options.account.log.onChange(() => this.#judge())
		this.#pollLater()
		this.#judge()
	}

	#heard(hint: AccountHint): void {
		if (hint.type === 'mail') this.#options.mail(hint.mail)
		if (hint.type === 'joined' || hint.type === 'lost') {
			this.#joined = hint.type === 'joined'
			this.#pollLater()
		}
		if (hint.type === 'joined') {
			this.#options.joined()
			void this.#refresh()
		}
		// The line of a device that was revoked is cut.
		if (hint.type === 'log' || hint.type === 'lost') void this.#refresh()
	}

	#pollLater(): void {
		clearTimeout(this.#poll)
		if (this.#closed) return
		const { joined, lost } = this.#options.poll ?? defaultPoll
		const look = () => {
			if (!this.#joined) this.#options.unheard?.()
			void this.#refresh().then(() => this.#pollLater())
		}
		this.#poll = setTimeout(look, this.#joined ? joined : lost)
		this.#poll.unref()
	}

	async #refresh(): Promise<void> {
		clearTimeout(this.#retry)
		try {
			await this.#options.account.log.refresh()
			this.#failures = 0
		} catch (error) {
			if (!(error instanceof StyrbyError)) throw error
			// Not left to the next hint: what was missed may be a revocation.
			this.#refreshLater()
		}
		this.#judge()
	}

	/** Out of reach, or a full disk, is no alarm. Anything refused is the server's doing. */
	#judge(): void {
		const { problem } = this.#options.account.log
		if (this.#alarmed === (problem !== null)) return
		this.#alarmed = problem !== null
		this.#options.alarm(problem)
		if (problem) this.#refreshLater()
	}

	#refreshLater(): void {
		clearTimeout(this.#retry)
		if (this.#closed) return
		this.#retry = setTimeout(() => void this.#refresh(), backoff(++this.#failures))
		this.#retry.unref()
	}

	async [Symbol.asyncDispose](): Promise<void> {
		this.#closed = true
		clearTimeout(this.#retry)
		clearTimeout(this.#poll)
		this.#stop()
		await this.#channel[Symbol.asyncDispose]()
	}
}
