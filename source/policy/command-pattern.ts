/**
 * Patterns of simple commands: words as a shell would read them, in which an unquoted `*` stands for any
 * characters of one word, and as the last word for any further words.
 */
import { parse, type Word as WordNode } from 'unbash'
import { baseName, type Word } from '../risk/word.ts'
import { matchesWildcard, type Wildcard } from './wildcard.ts'

export interface CommandPattern {
	/** `null`: any program. */
	program: string | null
	words: readonly PatternWord[]
	/** Further words may follow. */
	open: boolean
}

interface PatternWord {
	/** As it is written, for an option's letters. */
	text: string
	/** `null`: exactly `text`. */
	glob: Wildcard | null
}

/** What a call is, as far as a pattern looks at it. */
export interface Called {
	name: string | null
	program: string
	args: readonly Word[]
}

/** The pattern, or one sentence about why it is none. */
export function parseCommandPattern(text: string): CommandPattern | string {
	const script = parse(text)
	const [statement, more] = script.commands
	const command = statement?.command
	const simple =
		!script.errors?.length &&
		more === undefined &&
		!statement?.background &&
		command?.type === 'Command' &&
		command.prefix.length === 0
	if (!simple || !command.name) return 'is not one simple command'
	const words: WordNode[] = [command.name]
	for (const part of command.suffix) {
		if (part.type === 'Word') words.push(part)
		else if (part.type === 'Assignment') words.push(literal(part.text))
		else return 'is not one simple command'
	}
	const parsed = words.map(patternWord)
	if (parsed.includes(null)) return 'has parts that a shell would fill in: quote them'
	const [program, ...rest] = parsed.filter((word) => word !== null)
	if (!program) return 'is not one simple command'
	const any = program.glob !== null
	if (any && (program.text !== '*' || rest.length > 0)) {
		return 'has a program that is not written out'
	}
	const open = any || (rest.at(-1)?.text === '*' && rest.at(-1)?.glob !== null)
	return {
		program: any ? null : program.text,
		words: open && !any ? rest.slice(0, -1) : rest,
		open,
	}
}

function literal(text: string): WordNode {
	return { type: 'Word', text, value: text, pos: 0, end: 0 }
}

function patternWord(node: WordNode): PatternWord | null {
	const pieces = node.parts ?? []
	const between = ['']
	const add = (text: string) => between.push(`${between.pop() ?? ''}${text}`)
	for (const piece of pieces) {
		if (piece.type === 'Glob' && piece.kind === 'star') between.push('')
		else if (piece.type === 'DoubleQuoted') {
			if (!piece.parts.every(({ type }) => type === 'Literal')) return null
			for (const part of piece.parts) if ('value' in part) add(part.value)
		} else if ('value' in piece) add(piece.value)
		else if (piece.type === 'BraceExpansion') add(piece.text)
		else return null
	}
	return { text: node.value, glob: between.length === 1 ? null : between }
}

/** Whether a call is exactly what a pattern describes, word by word: good enough to allow it. */
export function matchesStrictly(pattern: CommandPattern, call: Called): boolean {
	const { program, words, open } = pattern
	if (call.name === null || call.name === '') return false
	// Another folder's program of the same name is another program.
	if (program !== null && program !== call.program) return false
	const { args } = call
	if (open ? args.length < words.length : args.length !== words.length) return false
	return words.every((word, index) => {
		const arg = args[index]
		if (!arg?.known || arg.loose) return false
		if (word.glob === null) return arg.text === word.text
		// A star at the beginning is no way in for an option.
		const smuggled = word.text.startsWith('*') && arg.text.startsWith('-')
		return !smuggled && matchesWildcard(word.glob, arg.text)
	})
}

/**
 * Whether a call may be what a pattern describes: good enough to deny it or to ask. The program counts
 * wherever it lies, options count in any order and grouping, options in between are passed over, and
 * further words may always follow.
 */
export function matchesLoosely(pattern: CommandPattern, call: Called): boolean {
	const { program, words } = pattern
	if (call.name === null) return false
	if (program === null) return true
	if (call.name === '' || baseName(program).toLowerCase() !== call.name.toLowerCase()) return false
	const options = words.filter(isOption)
	if (!options.every((option) => hasOption(call.args, option))) return false
	return inOrder(
		words.filter((word) => !isOption(word)),
		call.args,
	)
}

const isOption = ({ text }: PatternWord) => /^-./.test(text)

function hasOption(args: readonly Word[], { text, glob }: PatternWord): boolean {
	const given = args.map((arg) => arg.text)
	if (glob !== null) return given.some((one) => matchesWildcard(glob, one))
	const group = /^-([A-Za-z]+)$/.exec(text)?.[1]
	if (given.some((one) => one === text || one.startsWith(`${text}=`))) return true
	if (group === undefined) return false
	const letters = given.flatMap((one) => (/^-[A-Za-z]/.test(one) ? Array.from(one.slice(1)) : []))
	return Array.from(group).every((letter) => letters.includes(letter))
}

/** Operands one after the other; what may be passed over in between is an option, or the value of one. */
function inOrder(words: readonly PatternWord[], args: readonly Word[]): boolean {
	let left = words
	let afterOption = false
	for (const { text } of args) {
		const [next] = left
		if (!next) return true
		if (next.glob === null ? next.text === text : matchesWildcard(next.glob, text)) {
			left = left.slice(1)
			afterOption = false
		} else if (/^[-+]./.test(text)) afterOption = !text.includes('=')
		else if (afterOption) afterOption = false
		else return false
	}
	return left.length === 0
}
