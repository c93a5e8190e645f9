/** What agents call their tools and the parts of their input, as far as it matters for showing them. */

/** Of any shape, from an agent: nothing is taken for granted. */
export type Input = Readonly<Record<string, unknown>>

export function asInput(value: unknown): Input {
	return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {}
}

function textOf(input: Input, ...names: readonly string[]): string | null {
	for (const name of names) {
		const value = input[name]
		if (typeof value === 'string') return value
	}
	return null
}

/**
 * The shell command of a tool call, or `null`. A command given as a list of words is one only when it is
 * not a shell's own `-c` text, which is then the command.
 */
export function commandOf(value: unknown): string | null {
	const { command: own, cmd } = asInput(value)
	const command = own ?? cmd
	if (typeof command === 'string') return command
	if (!Array.isArray(command) || !command.every((word) => typeof word === 'string')) return null
	const words: string[] = command
	const [shell = '', flag = '', script] = words
	if (/(?:^|\/)(?:ba|z|da|k)?sh$/.test(shell) && /^-\w*c$/.test(flag) && script !== undefined) {
		return script
	}
	return words.map(quoted).join(' ')
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

const shownInCommand = new Set(['command', 'cmd'])
const shownInChanges = new Set([
	...[
		'file_path',
		'filePath',
		'notebook_path',
		'old_string',
		'new_string',
		'oldString',
		'newString',
	],
	...['content', 'new_source', 'edits'],
])

/** What of an input neither its command nor its changes show; `null` when that is nothing. */
export function restOf(
	value: unknown,
	shown: { command: boolean; changes: boolean },
): Input | null {
	const rest = Object.entries(asInput(value)).filter(
		([key]) =>
			!(shown.command && shownInCommand.has(key)) && !(shown.changes && shownInChanges.has(key)),
	)
	return rest.length === 0 ? null : Object.fromEntries(rest)
}
