/** The cost of a viewer that is not connected yet: what is asked for is read when it is. */
import type { Cost, CostState } from './cost.ts'
import { Value } from './readable.ts'
import { unreadCost } from './unread.ts'

export class LateCost implements Cost {
	readonly state = new Value<CostState>(unreadCost)
	#cost: Cost | null = null
	#wanted: number | null | undefined

	attach(cost: Cost): void {
		this.#cost = cost
		if (this.#wanted !== undefined) cost.read(this.#wanted)
		this.state.follow(cost.state)
	}

	read(since: number | null): void {
		if (this.#cost) this.#cost.read(since)
		else this.#want(since)
	}

	readAgain(since: number | null): void {
		if (this.#cost) this.#cost.readAgain(since)
		else this.#want(since)
	}

	#want(since: number | null): void {
		this.#wanted = since
		this.state.set({ ...unreadCost, reading: true })
	}
}
