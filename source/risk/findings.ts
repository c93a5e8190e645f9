import type { Risk } from './risk.ts'

const order = { low: 0, medium: 1, high: 2 } as const

/** Collects why a request is risky. */
export class Findings {
	readonly #found: { level: Risk['level']; reason: string }[] = []

	add(level: Risk['level'], reason: string): void {
		if (!this.#found.some((each) => each.reason === reason)) this.#found.push({ level, reason })
	}

	/** The highest level found; medium where nothing was: not known is not harmless. */
	get level(): Risk['level'] {
		return this.#found.reduce<Risk['level']>(
			(highest, { level }) => (order[level] > order[highest] ? level : highest),
			this.#found.length === 0 ? 'medium' : 'low',
		)
	}

	reasons(level: Risk['level']): string[] {
		return this.#found.filter((each) => each.level === level).map(({ reason }) => reason)
	}
}
