/** What a host hears over the account's channel: the device log, mail, and that the line is back. */
import type { Account } from '../account/account.ts'
import type { AccountHint, Channel, Gateway, MailRow } from '../backend/gateway.ts'
import { exit, StyrbyError } from '../protocol/errors.ts'

export interface FeedOptions {
	account: Account
	gateway: Gateway
	/** The channel is (again) joined: pull. */
	joined(): void
	mail(mail: MailRow): void
	/** The device log that the server shows does not verify (`error`), or does again (`null`). */
	alarm(error: StyrbyError | null): void
}

export class AccountFeed implements AsyncDisposable {
	readonly #options: FeedOptions
	readonly #channel: Channel
	#alarmed = false

	constructor(options: FeedOptions) {
		this.#options = options
		this.#channel = options.gateway.followAccount((hint) => this.#heard(hint))
	}

	#heard(hint: AccountHint): void {
		if (hint.type === 'mail') this.#options.mail(hint.mail)
		if (hint.type === 'joined') {
			this.#options.joined()
			void this.#refresh()
		}
		if (hint.type === 'log') void this.#refresh()
	}

	async #refresh(): Promise<void> {
		try {
			await this.#options.account.log.refresh()
			if (this.#alarmed) this.#options.alarm(null)
			this.#alarmed = false
		} catch (error) {
			if (!(error instanceof StyrbyError)) throw error
			// Out of reach: the next join asks again. Anything else is the server's doing.
			if (error.exitCode !== exit.refused) return
			this.#alarmed = true
			this.#options.alarm(error)
		}
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.#channel[Symbol.asyncDispose]()
	}
}
