/** Guesses at passwords and join secrets: who guesses wrong too often has to wait. */

export interface AttemptLimits {
	/** Wrong guesses of one address, and of all together, within the window. */
	readonly perAddress: number
	readonly overall: number
	readonly windowMs: number
}

export const attemptLimits: AttemptLimits = {
	perAddress: 10,
	overall: 200,
	windowMs: 10 * 60_000,
}

export class Attempts {
	readonly #limits: AttemptLimits
	readonly #now: () => number
	#since: number
	#all = 0
	readonly #wrong = new Map<string, number>()

	constructor(now: () => number, limits: AttemptLimits = attemptLimits) {
		this.#limits = limits
		this.#now = now
		this.#since = now()
	}

	/** Whether a guess of this address is not even looked at. */
	refuses(address: string): boolean {
		this.#turn()
		const { perAddress, overall } = this.#limits
		return this.#all >= overall || (this.#wrong.get(keyOf(address)) ?? 0) >= perAddress
	}

	/** Counted before it is known to be wrong, so that guesses at once are no way around. */
	begin(address: string): void {
		this.#turn()
		const key = keyOf(address)
		this.#all += 1
		this.#wrong.set(key, (this.#wrong.get(key) ?? 0) + 1)
	}

	/** The guess was right, and does not count. */
	right(address: string): void {
		const key = keyOf(address)
		this.#all = Math.max(0, this.#all - 1)
		this.#wrong.set(key, Math.max(0, (this.#wrong.get(key) ?? 0) - 1))
	}

	#turn(): void {
		if (this.#now() - this.#since < this.#limits.windowMs) return
		this.#since = this.#now()
		this.#all = 0
		this.#wrong.clear()
	}
}

/** Of IPv6 the network: one machine has all addresses of it. */
function keyOf(address: string): string {
	const plain = address.replace(/^::ffff:(?=\d+\.)/, '')
	if (!plain.includes(':')) return plain
	const [head = '', tail] = plain.split('::')
	const front = head === '' ? [] : head.split(':')
	const back = tail ? tail.split(':') : []
	const gap = Array.from({ length: Math.max(0, 8 - front.length - back.length) }, () => '0')
	return [...front, ...gap, ...back].slice(0, 4).join(':')
}
