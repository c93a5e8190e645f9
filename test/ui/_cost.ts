/** What sessions cost, set by the test. */
import type { Cost, CostState, Spent } from '../../source/viewer/cost.ts'
import { Value } from '../../source/viewer/readable.ts'
import { unreadCost } from '../../source/viewer/unread.ts'

export class ScriptedCost implements Cost {
	readonly state = new Value<CostState>(unreadCost)
	readonly asked: { since: number | null; again: boolean }[] = []

	read(since: number | null): void {
		this.asked.push({ since, again: false })
	}

	readAgain(since: number | null): void {
		this.asked.push({ since, again: true })
	}

	show(spent: readonly Spent[], change: Partial<CostState> = {}): void {
		this.state.update((state) => ({ ...state, spent, rows: spent.length, ...change }))
	}
}

export function spentOn(day: string, change: Partial<Spent> = {}): Spent {
	return {
		day,
		agent: 'claude',
		project: 'api-server',
		model: 'opus',
		responses: 10,
		tokens: { input: 1000, output: 500, cache_read: 20_000, cache_write: 3000 },
		costUsd: 1,
		unpriced: 0,
		...change,
	}
}
