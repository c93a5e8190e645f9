/** Words of a shell command. */
import { forEachChild, type SyntaxNode, type Word as WordNode } from 'unbash'

export interface Word {
	/** What the shell makes of it, as far as the text tells; expansions as they are written. */
	text: string
	/** Nothing in it is filled in when the command runs. A pattern such as `*.ts` counts as known. */
	known: boolean
	/** Scripts of `<(…)` in it: their output is what the word stands for. */
	fed: readonly string[]
	/** The shell puts names of files in its place. */
	pattern?: boolean
	/** It may become several words, or one that begins in another way than it is written: an option, say. */
	loose?: boolean
}

/** The program's name without its folder. */
export function baseName(program: string): string {
	return program.slice(program.lastIndexOf('/') + 1)
}

const filledIn = new Set([
	'SimpleExpansion',
	'ParameterExpansion',
	'CommandExpansion',
	'ArithmeticExpansion',
	'ProcessSubstitution',
])

export function wordOf(node: WordNode): Word {
	let known = true
	const fed: string[] = []
	const look = (part: SyntaxNode) => {
		if (filledIn.has(part.type)) known = false
		if (part.type === 'ProcessSubstitution') fed.push(part.text.slice(2, -1))
		forEachChild(part, look)
	}
	for (const part of node.parts ?? []) look(part)
	const parts = node.parts ?? []
	const pattern = parts.some(({ type }) => type === 'Glob' || type === 'ExtendedGlob')
	const loose =
		parts.some(({ type }) => type === 'BraceExpansion' || type === 'ExtendedGlob') ||
		parts[0]?.type === 'Glob' ||
		// zsh puts a program's path in the place of `=name`, and a folder's in that of `~name`.
		/^(?:=|~[^/])/.test(node.text)
	return { text: node.value, known, fed, ...(pattern && { pattern }), ...(loose && { loose }) }
}

/** Arguments that are not options. */
export function operands(args: readonly Word[]): Word[] {
	const end = args.findIndex(({ text }) => text === '--')
	const before = end === -1 ? args : args.slice(0, end)
	const plain = before.filter(({ text }) => !text.startsWith('-') || text === '-')
	return end === -1 ? plain : [...plain, ...args.slice(end + 1)]
}

/** Whether an option is there: a long one by its name, a short one also in a group (`-rf`). */
export function hasOption(args: readonly Word[], long: RegExp | null, short?: string): boolean {
	return args.some(
		({ text }) =>
			(long !== null && text.startsWith('--') && long.test(text)) ||
			(short !== undefined && /^-[A-Za-z]/.test(text) && text.slice(1).includes(short)),
	)
}
