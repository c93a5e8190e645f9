/** What agents call their tools and the parts of their input, as far as it matters for showing them. */
import type { FileChange } from '../protocol/events.ts'
import { isInChanges } from './in-changes.ts'

/** Of any shape, from an agent: nothing is taken for granted. */
export type Input = Readonly<Record<string, unknown>>

export function asInput(value: unknown): Input {
	return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {}
}

export function textOf(input: Input, ...names: readonly string[]): string | null {
	for (const name of names) {
		const value = input[name]
		if (typeof value === 'string') return value
	}
	return null
}

/** A shell of the system; any other program of that name may be anything. */
const systemShell =
	/^(?:(?:(?:\/usr(?:\/local)?|\/opt\/homebrew|\/run\/current-system\/sw|\/nix\/store\/[^/]+)?\/bin\/)?(?:ba|z|da|k)?sh)$/

/** The name under which an input holds its command. */
const commandKey = (input: Input) => (input.command == null ? 'cmd' : 'command')

/**
 * The shell command of a tool call, or `null`. Of a list of words it is the text that a shell of the system
 * is given with `-c` and nothing else, or all words in the form that a shell reads.
 */
export function commandOf(value: unknown): string | null {
	const input = asInput(value)
	const command = input[commandKey(input)]
	if (typeof command === 'string') return command
	const given = shellText(command)
	if (given !== null) return given.text
	if (!Array.isArray(command) || !command.every((word) => typeof word === 'string')) return null
	const words: string[] = command
	return words.map(quoted).join(' ')
}

/**
 * A command given as a list that is a shell (`with`: it and its flag) and the text that it runs, and nothing
 * else; `null` for any other.
 */
export function shellText(command: unknown): { text: string; with: string } | null {
	if (!Array.isArray(command) || !command.every((word) => typeof word === 'string')) return null
	const [shell = '', flag = '', text, ...more]: string[] = command
	if (text === undefined || more.length > 0) return null
	return systemShell.test(shell) && /^-l?c$/.test(flag) ? { text, with: `${shell} ${flag}` } : null
}

function quoted(word: string): string {
	return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}

const pathNames = [
	...['file_path', 'filePath', 'absolute_path', 'notebook_path', 'path', 'dir_path', 'directory'],
] as const

export function pathOf(value: unknown): string | null {
	return textOf(asInput(value), ...pathNames)
}

/** All of them, where an input names more than one. */
export function pathsOf(value: unknown): string[] {
	const input = asInput(value)
	return pathNames.flatMap((name) => textOf(input, name) ?? [])
}

export function urlOf(value: unknown): string | null {
	return textOf(asInput(value), 'url', 'uri')
}

/** Words that say what a call is about, where it is neither a command, a path nor a URL. */
export function subjectOf(value: unknown): string | null {
	const input = asInput(value)
	return textOf(input, 'pattern', 'query', 'description', 'prompt', 'skill', 'subject', 'name')
}

/** What of an input neither its command nor its changes show; `null` when that is nothing. */
export function restOf(
	value: unknown,
	shown: { command: boolean; changes: readonly FileChange[] },
): Input | null {
	const input = asInput(value)
	const rest = Object.entries(input).filter(
		([key, part]) =>
			!(shown.command && key === commandKey(input)) && !isInChanges(key, part, shown.changes),
	)
	return rest.length === 0 ? null : Object.fromEntries(rest)
}
