/** Keys that a person chose, in the place of the table's own. */
import { StyrbyError } from '../../protocol/errors.ts'
import { nearest } from '../../text/nearest.ts'
import type { KeyName } from '../keys.ts'
import { isEditingKey } from '../line-edit.ts'
import { isTypedKey, readKeyName } from './key-names.ts'
import { answers, type BoundCommand, type CommandId, commands, Keymap } from './keymap.ts'
import { typing } from './screens.ts'

/** As in `config.json`: keys by the id of a command; none at all: it has no key. */
export type KeySettings = Readonly<Record<string, string | readonly string[]>>

/** Keys that no choice takes away: the ways out of everything, and through what is asked. */
const kept: Readonly<Partial<Record<CommandId, KeyName>>> = {
	leave: 'ctrl-c',
	back: 'escape',
	cancel: 'escape',
	up: 'up',
	down: 'down',
	'page-up': 'pageUp',
	'page-down': 'pageDown',
}
/** Commands whose keys say what they do. */
const fixed: ReadonlySet<CommandId> = new Set(['pick-number'])
/** Commands that nothing else leads to. */
const needed: ReadonlySet<CommandId> = new Set(['help', 'quit'])

/** Keys that a hand presses without looking, besides all that move. */
const reflexes: readonly KeyName[] = [
	'up',
	'down',
	'left',
	'right',
	'pageUp',
	'pageDown',
	'home',
	'end',
	'tab',
	'shift-tab',
	'space',
	'escape',
	'backspace',
	'delete',
]

/**
 * The table with the keys that were chosen. Throws `bad_settings`, naming what is wrong and what it is in the
 * way of, for an unknown command or key, for two commands that want one key on one screen, for an answer on a
 * key that moves, and for a way out that would be gone.
 */
export function bindKeys(settings: KeySettings): Keymap {
	const chosen = new Map<CommandId, readonly KeyName[]>()
	for (const [id, written] of Object.entries(settings)) {
		const command = named(id)
		chosen.set(command.id, keysOf(command, typeof written === 'string' ? [written] : written))
	}
	const bound = commands.map((command) => {
		const keys = chosen.get(command.id)
		return keys ? { ...command, keys } : command
	})
	checkAnswers(bound)
	for (const command of bound) if (chosen.has(command.id)) checkConflicts(command, bound)
	return new Keymap(bound)
}

function wrong(message: string): StyrbyError {
	return new StyrbyError('bad_settings', `"keys" in config.json: ${message}`)
}

function named(id: string): BoundCommand {
	const command = commands.find((one) => one.id === id)
	if (command) return command
	const ids = commands.map((one) => one.id)
	const near = nearest(id, ids)
	throw wrong(
		near === null
			? `there is no command "${shown(id)}"; those there are stand in docs/viewer.md, and in the help at the end of each line.`
			: `there is no command "${shown(id)}"; did you mean "${near}"?`,
	)
}

function keysOf(command: BoundCommand, written: readonly string[]): readonly KeyName[] {
	const { id, screens, keys: own } = command
	if (fixed.has(id)) throw wrong(`the keys of "${id}" are what it does: leave them as they are.`)
	const keys = written.map((one) => {
		const read = readKeyName(one)
		if ('key' in read) return read.key
		throw wrong(`"${id}" has the key "${shown(one)}", which there is not: ${read.problem}.`)
	})
	const way = kept[id]
	if (way !== undefined && !keys.includes(way)) {
		throw wrong(`"${id}" keeps ${way}, whatever else it has: add it, or leave "${id}" out.`)
	}
	if (needed.has(id) && keys.length === 0) throw wrong(`"${id}" needs a key: give it one.`)
	const stolen = keys.find((key) => key === 'escape')
	if (stolen !== undefined && !own.includes('escape')) {
		throw wrong(`"${id}" has the key escape, which always goes back: give it another.`)
	}
	const onlyTyping = screens.every((screen) => typing.includes(screen))
	const text = onlyTyping && keys.find((key) => isTypedKey(key) || isEditingKey(key))
	if (text) {
		throw wrong(`"${id}" has the key ${text}, which edits the text there: give it another.`)
	}
	return [...new Set(keys)]
}

/** What an answer must not have: a hand on its way down a list would give it. */
function checkAnswers(bound: readonly BoundCommand[]): void {
	const moves = bound.filter(({ group }) => group === 'Move')
	for (const command of bound) {
		if (!answers.has(command.id)) continue
		for (const key of command.keys) {
			const move = moves.find(({ keys }) => keys.includes(key))
			if (move) {
				throw wrong(
					`"${command.id}" answers and "${move.id}" moves, and both have the key ${key}: an answer has a key that does nothing else.`,
				)
			}
			const own = commands.find(({ id }) => id === command.id)?.keys ?? []
			if (reflexes.includes(key) || (key === 'enter' && !own.includes('enter'))) {
				throw wrong(
					`"${command.id}" has the key ${key}, which is pressed without looking: an answer has a key that does nothing else.`,
				)
			}
		}
	}
}

function checkConflicts(command: BoundCommand, bound: readonly BoundCommand[]): void {
	for (const other of bound) {
		if (other.id === command.id || givesWay(command, other)) continue
		const key = command.keys.find((one) => other.keys.includes(one))
		const screen = command.screens.find((one) => other.screens.includes(one))
		if (key === undefined || screen === undefined) continue
		throw wrong(
			`"${command.id}" and "${other.id}" both have the key ${key} on the screen "${screen}": give one of them another.`,
		)
	}
}

/** Whether the table itself has them on one key of one screen: one of them means nothing while the other does. */
function givesWay(one: BoundCommand, other: BoundCommand): boolean {
	const [first, second] = [one, other].map(({ id }) => commands.find((each) => each.id === id))
	if (!first || !second) return false
	return (
		first.keys.some((key) => second.keys.includes(key)) &&
		first.screens.some((screen) => second.screens.includes(screen))
	)
}

/** What stands in a file, in a message: it may be anything. */
function shown(text: string): string {
	return JSON.stringify(text.slice(0, 40)).slice(1, -1)
}
