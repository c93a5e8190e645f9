/** A home that is signed in and is no device of the account yet: its code, until it is let in or recovered. */
import { setTimeout as sleep } from 'node:timers/promises'
import { type Offer, type OfferOptions, offerPairing } from '../account/joining.ts'
import { recoverDevice } from '../account/recovery.ts'
import { exit, StyrbyError } from '../protocol/errors.ts'
import { parseRecoveryWords } from '../protocol/recovery.ts'
import type { Progress, Revoked } from './devices.ts'
import { Value } from './readable.ts'
import type { Readable } from './viewer.ts'

export interface Waiting {
	step: 'waiting'
	code: string
	fingerprint: string
	/** ms since the epoch. */
	expiresAt: number
	/** What went wrong while looking for an answer; it is looked for again. */
	trouble: string | null
}

/** Names are sealed with a key that a revoked device is not given any more: the fingerprint says who it was. */
export interface RevokedHere extends Revoked {
	fingerprint: string | null
}

export type JoinState =
	| { step: 'asking' }
	| Waiting
	| { step: 'recovering'; progress: Progress | null }
	/** Nothing goes on by itself: a new code, or the words. */
	| { step: 'failed'; problem: string }
	/** This home was a device, and was revoked: it asks for nothing until it is told to. */
	| { step: 'revoked'; revoked: RevokedHere }
	| { step: 'joined' }

export interface Joining extends AsyncDisposable {
	readonly state: Readable<JoinState>
	/** Gives the code up, and asks with another one. */
	newCode(): void
	/** What is wrong with typed recovery words, or `null`; never one of the words. */
	wordsProblem(words: string): string | null
	/** Joins with the recovery words instead. */
	recover(words: string): void
}

export interface JoiningOptions extends OfferOptions {
	/** Set where this home was a device until it was revoked. */
	revoked: RevokedHere | null
	/** Is told of what is no known error: a mistake of ours. */
	crashed(error: unknown): void
	/** Before it is looked again after the backend could not be asked, ms. */
	retryMs?: number
}

const retryMs = 3000

export function openJoining(options: JoiningOptions): Joining {
	return new OpenJoining(options)
}

class OpenJoining implements Joining {
	readonly state: Value<JoinState>
	readonly #options: JoiningOptions
	/** Ends what goes on now. */
	#turn = new AbortController()
	#running: Promise<void> = Promise.resolve()
	#offer: Offer | null = null

	constructor(options: JoiningOptions) {
		this.#options = options
		const { revoked } = options
		this.state = new Value<JoinState>(revoked ? { step: 'revoked', revoked } : { step: 'asking' })
		if (!revoked) this.#begin((signal) => this.#ask(signal))
	}

	newCode(): void {
		if (this.#busy()) return
		const offer = this.#offer
		this.#begin(async (signal) => {
			this.#show(signal, { step: 'asking' })
			if (await this.#wasLetIn(offer, signal)) return
			await this.#ask(signal)
		})
	}

	wordsProblem(words: string): string | null {
		try {
			parseRecoveryWords(words)
			return null
		} catch (error) {
			if (error instanceof StyrbyError) return error.message
			throw error
		}
	}

	recover(text: string): void {
		if (this.#busy()) return
		const words = parseRecoveryWords(text)
		const offer = this.#offer
		this.#begin(async (signal) => {
			this.#show(signal, { step: 'recovering', progress: null })
			if (await this.#wasLetIn(offer, signal)) return
			const onProgress = (progress: Progress) =>
				this.#show(signal, { step: 'recovering', progress })
			await recoverDevice(this.#options, words, { onProgress, signal })
			this.#show(signal, { step: 'joined' })
		})
	}

	/** Takes a request back, where it has not been answered meanwhile. */
	async #wasLetIn(offer: Offer | null, signal: AbortSignal): Promise<boolean> {
		const account = await offer?.cancel()
		this.#offer = null
		if (account === undefined || typeof account === 'string') return false
		this.#show(signal, { step: 'joined' })
		return true
	}

	/** Takes a request back that nobody has answered. */
	async [Symbol.asyncDispose](): Promise<void> {
		this.#turn.abort()
		await this.#running
		if (this.state.get().step === 'joined') return
		await this.#offer?.cancel().catch((error: unknown) => {
			// It is over in ten minutes all the same.
			if (!(error instanceof StyrbyError)) throw error
		})
	}

	#busy(): boolean {
		return ['recovering', 'joined'].includes(this.state.get().step)
	}

	#begin(work: (signal: AbortSignal) => Promise<void>): void {
		this.#turn.abort()
		const turn = new AbortController()
		const before = this.#running
		this.#turn = turn
		this.#running = before
			.then(() => work(turn.signal))
			.catch((error: unknown) => {
				if (turn.signal.aborted) return
				if (!(error instanceof StyrbyError)) this.#options.crashed(error)
				this.#show(turn.signal, { step: 'failed', problem: messageOf(error) })
			})
	}

	/** Offers a code until it was answered, and another one whenever one has expired. */
	async #ask(signal: AbortSignal): Promise<void> {
		for (let offer: Offer | null = null; !signal.aborted; ) {
			try {
				offer ??= await this.#posted(signal)
				await offer.wait(signal)
				this.#show(signal, { step: 'joined' })
				return
			} catch (error) {
				if (!(error instanceof StyrbyError)) throw error
				if (error.code === 'pairing_expired') {
					offer = null
					this.#show(signal, { step: 'asking' })
				} else if (error.exitCode === exit.unreachable && offer) {
					this.#show(signal, waiting(offer, error.message))
					await sleep(this.#options.retryMs ?? retryMs, undefined, { signal })
				} else throw error
			}
		}
	}

	async #posted(signal: AbortSignal): Promise<Offer> {
		const offer = await offerPairing(this.#options)
		this.#offer = offer
		this.#show(signal, waiting(offer, null))
		return offer
	}

	#show(signal: AbortSignal, state: JoinState): void {
		if (!signal.aborted) this.state.set(state)
	}
}

function waiting({ code, fingerprint, expiresAt }: Offer, trouble: string | null): Waiting {
	return { step: 'waiting', code, fingerprint, expiresAt, trouble }
}

function messageOf(error: unknown): string {
	if (error instanceof StyrbyError) return error.message
	return 'Something went wrong in styrby-tui itself: see its log.'
}
