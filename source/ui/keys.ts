import type { Key as InkKey } from 'ink'

/** Name of a key as the key table writes it: `a`, `A`, `?`, `up`, `pageDown`, `ctrl-c`, `escape`. */
export type KeyName = string

/** What one read from the terminal brought. */
export interface KeyPress {
	names: readonly KeyName[]
	/**
	 * Nothing else came with it. Text that arrives in one piece may be a paste of a terminal without
	 * bracketed paste: it moves the highlight at most, it never answers a request.
	 */
	alone: boolean
	/** The terminal says that the key is held down. Few do: absent says nothing. */
	repeated?: true
}

const named = [
	['upArrow', 'up'],
	['downArrow', 'down'],
	['leftArrow', 'left'],
	['rightArrow', 'right'],
	['pageUp', 'pageUp'],
	['pageDown', 'pageDown'],
	['home', 'home'],
	['end', 'end'],
	['return', 'enter'],
	['escape', 'escape'],
	['backspace', 'backspace'],
	['delete', 'delete'],
] as const satisfies readonly (readonly [keyof InkKey, KeyName])[]

/** The keys in one input of Ink's. Keys with alt or super have no meaning here: an empty list. */
export function keyPress(input: string, key: InkKey): KeyPress {
	if (key.eventType === 'release') return { names: [], alone: true }
	const press = pressOf(input, key)
	return key.eventType === 'repeat' ? { ...press, repeated: true } : press
}

/** The beginning of what a terminal answers, which came in two pieces. */
const answerBegun = /^\[\?[\d;]*$/

function pressOf(input: string, key: InkKey): KeyPress {
	if (answerBegun.test(input)) return { names: [], alone: true }
	if (key.tab) return { names: [key.shift ? 'shift-tab' : 'tab'], alone: true }
	if (key.return && key.meta) return { names: ['alt-enter'], alone: true }
	const found = named.find(([property]) => key[property])
	if (found) return { names: [found[1]], alone: true }
	if (key.meta || key.super || key.hyper) return { names: [], alone: true }
	if (key.ctrl) return { names: input === '' ? [] : [`ctrl-${input}`], alone: true }
	// The return key sends \r.
	if (input === '\n') return { names: ['ctrl-j'], alone: true }
	const names = Array.from(input, (character) => characterKeys[character] ?? character)
	return { names, alone: names.length === 1 }
}

const characterKeys: Readonly<Record<string, KeyName>> = {
	' ': 'space',
	'\r': 'enter',
	'\n': 'enter',
	'\t': 'tab',
}

const symbols: Readonly<Record<KeyName, string>> = {
	up: '↑',
	down: '↓',
	left: '←',
	right: '→',
	enter: '⏎',
	escape: 'esc',
	pageUp: 'pgup',
	pageDown: 'pgdn',
}

/** How help and footer write a key. */
export function keySymbol(name: KeyName): string {
	return symbols[name] ?? name.replace(/^ctrl-/, '^').replace('enter', '⏎')
}
