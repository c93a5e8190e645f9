/** Names of keys as a person writes them in a config file. */
import { textWidth } from '../../text/width.ts'
import type { KeyName } from '../keys.ts'

const named: readonly KeyName[] = [
	'up',
	'down',
	'left',
	'right',
	'pageUp',
	'pageDown',
	'home',
	'end',
	'enter',
	'escape',
	'backspace',
	'delete',
	'tab',
	'shift-tab',
	'space',
	'alt-enter',
]

const otherNames: Readonly<Record<string, KeyName>> = {
	...Object.fromEntries(named.map((name) => [name.toLowerCase(), name])),
	esc: 'escape',
	return: 'enter',
	pgup: 'pageUp',
	pgdn: 'pageDown',
	'page-up': 'pageUp',
	'page-down': 'pageDown',
	del: 'delete',
	' ': 'space',
}

/** What a terminal sends for these is what it sends for another key. */
const sameAs: Readonly<Record<string, KeyName>> = {
	'ctrl-h': 'backspace',
	'ctrl-i': 'tab',
	'ctrl-m': 'enter',
}

/** What may be written, for messages and for the documentation. */
export const keyForms = `a character, ctrl- and a letter, or one of ${named.join(', ')}`

/** Known without the sets of all characters, which are slow to put together: the first frame waits for the keys. */
const plainKey = /^[\x21-\x7e]$/

/**
 * The key that is written so: `a`, `A`, `?`, `up`, `pgdn`, `esc`, `ctrl-d`, `^d`. Otherwise why there is no such
 * key, as the end of a sentence.
 */
export function readKeyName(written: string): { key: KeyName } | { problem: string } {
	const control = /^(?:ctrl[-+]|\^)([a-z])$/i.exec(written)?.[1]
	if (control !== undefined) {
		const key = `ctrl-${control.toLowerCase()}`
		const same = sameAs[key]
		return same === undefined
			? { key }
			: { problem: `a terminal sends the same for ${key} as for ${same}` }
	}
	const found = Object.hasOwn(otherNames, written.toLowerCase())
		? otherNames[written.toLowerCase()]
		: undefined
	if (found !== undefined) return { key: found }
	if (plainKey.test(written)) return { key: written }
	const alone = Array.from(written).length === 1 && /^[^\p{C}\p{Z}\p{M}]$/u.test(written)
	if (alone && textWidth(written) > 0) return { key: written }
	return { problem: `a key is ${keyForms}` }
}

/** Whether the key is text where something is typed. */
export function isTypedKey(key: KeyName): boolean {
	return key === 'space' || Array.from(key).length === 1
}
