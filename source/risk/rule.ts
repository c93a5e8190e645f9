import type { Call } from './shell.ts'

export interface Rule {
	id: string
	level: 'medium' | 'high'
	/** The reason, or `null` where the rule does not apply. */
	check(call: Call): string | null
}
