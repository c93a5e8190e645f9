/** The secrets of join tokens: in memory only, as hashes, each good once and for ten minutes. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'

export const joinMinutes = 10

/** That may wait to be used at once; the oldest goes when there are more. */
const most = 16

const hashOf = (secret: string) => createHash('sha256').update(secret).digest()

export class JoinSecrets {
	readonly #now: () => number
	#waiting: { hash: Buffer; expiresAt: number }[] = []
	/** Called when one was used. */
	onUsed: () => void = () => undefined

	/** `now` in ms. */
	constructor(now: () => number) {
		this.#now = now
	}

	/** 32 random bytes, base64url. `expiresAt` in ms since 1970. */
	issue(): { secret: string; expiresAt: number } {
		const secret = randomBytes(32).toString('base64url')
		const expiresAt = this.#now() + joinMinutes * 60_000
		this.#waiting = [...this.#waiting, { hash: hashOf(secret), expiresAt }].slice(-most)
		return { secret, expiresAt }
	}

	/** Whether it is one of these; it is none from then on. Takes as long whichever it is. */
	take(presented: string): boolean {
		const hash = hashOf(presented)
		const before = this.#waiting
		const matches = before.map((one) => timingSafeEqual(one.hash, hash))
		const good = before.some((one, index) => matches[index] && one.expiresAt > this.#now())
		this.#waiting = before.filter((one, index) => !matches[index] && one.expiresAt > this.#now())
		if (good) queueMicrotask(this.onUsed)
		return good
	}
}
