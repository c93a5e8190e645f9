/**
 * Valid tokens for several processes that share one sign-in. A refresh token works once: whoever
 * refreshes does so alone, and looks first whether another process has done it meanwhile.
 */
import { refused, StyrbyError } from '../protocol/errors.ts'
import { notSignedIn } from './failure.ts'
import type { Tokens } from './sign-in.ts'

export interface TokenStore {
	load(): Promise<Tokens | null>
	save(tokens: Tokens): Promise<void>
}

export interface TokenSourceOptions {
	store: TokenStore
	/** What was loaded from the store just now. */
	known?: Tokens | null
	/** Runs alone among all processes that share the store. */
	exclusively<T>(work: () => Promise<T>): Promise<T>
	/** Exchanges a refresh token; throws `not_signed_in` when it works no longer. */
	refresh(refreshToken: string): Promise<Tokens>
	/** ms since 1970. */
	now?: () => number
}

/** A token is renewed when it is valid for less than this, ms. */
const margin = 5 * 60_000

/** Another account would be shown as empty, as if nothing had ever been there. */
export function accountChanged(): StyrbyError {
	return refused(
		'account_changed',
		'The server renews the sign-in of this account with one of another account: it is not used.',
	)
}

export class TokenSource {
	readonly #options: TokenSourceOptions
	readonly #now: () => number
	#tokens: Tokens | null = null
	#renewing: Promise<Tokens> | null = null

	constructor(options: TokenSourceOptions) {
		this.#options = options
		this.#tokens = options.known ?? null
		this.#now = options.now ?? Date.now
	}

	/**
	 * An access token that is valid for some minutes; when the backend is out of reach, one that is still
	 * valid at all. Throws `not_signed_in`, `backend_unreachable`, `account_changed` (exit 4).
	 */
	async accessToken(): Promise<string> {
		return (await this.tokens()).access_token
	}

	/** As `accessToken`, with the id of the account. */
	async tokens(): Promise<Tokens> {
		if (this.#tokens && this.#left(this.#tokens) >= margin) return this.#tokens
		this.#renewing ??= this.#renew().finally(() => {
			this.#renewing = null
		})
		return this.#renewing
	}

	#left(tokens: Tokens): number {
		return tokens.expires_at * 1000 - this.#now()
	}

	async #renew(): Promise<Tokens> {
		const stored = await this.#options.store.load()
		if (stored && this.#left(stored) >= margin) {
			this.#tokens = stored
			return stored
		}
		this.#tokens = await this.#options.exclusively(() => this.#renewAlone())
		return this.#tokens
	}

	async #renewAlone(): Promise<Tokens> {
		const { store, refresh } = this.#options
		const stored = await store.load()
		if (!stored) throw notSignedIn()
		if (this.#left(stored) >= margin) return stored
		try {
			const renewed = await refresh(stored.refresh_token)
			if (renewed.user_id !== stored.user_id) throw accountChanged()
			await store.save(renewed)
			return renewed
		} catch (error) {
			const away = error instanceof StyrbyError && error.code === 'backend_unreachable'
			if (away && this.#left(stored) > 0) return stored
			throw error
		}
	}
}
