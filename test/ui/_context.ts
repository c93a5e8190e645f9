/** How things stand when a key is pressed: as much as possible of what is asked of them is there. */
import type { KeyContext } from '../../source/ui/keymap/keymap.ts'
import type { SessionFacts } from '../../source/viewer/viewer.ts'
import { uuid } from './_viewer.ts'

export const takesAll: SessionFacts = {
	takes: { prompt: true, interrupt: true, modes: ['default', 'plan'] },
	mode: 'default',
	asks: true,
}

export function context(change: Partial<KeyContext> = {}): KeyContext {
	return {
		screen: { name: 'session', session: uuid(1) },
		session: true,
		listed: { any: true, filtered: true, archived: false, waiting: false, over: true },
		waiting: 1,
		focus: null,
		foldable: true,
		selected: false,
		find: false,
		hit: false,
		following: true,
		device: { id: uuid(900), own: false, active: true, kind: 'device' },
		grant: { keeper: 'host', leaving: false },
		act: null,
		route: { session: uuid(1), facts: takesAll, closed: null, busy: true },
		joining: null,
		...change,
	}
}
