/**
 * Every program that a shell command would run, found by a parser: through pipelines, lists, loops,
 * functions, substitutions, here-documents, `sudo`, `xargs`, `find -exec`, `sh -c` and the like.
 */
import { type Command, forEachChild, parse, type SyntaxNode } from 'unbash'
import { hasLeftover, hasLeftoverText } from './leftover.ts'
import { type Place, resolvePath } from './paths.ts'
import { baseName, type Word, wordOf } from './word.ts'
import { unwrap } from './wrappers.ts'

/** One program with its arguments. */
export interface Call {
	/** Without its folder; `null`: only known when it runs. */
	name: string | null
	/** As it is written. */
	program: string
	args: readonly Word[]
	/** Environment set for this call, or by it: name and value. */
	environment: readonly (readonly [string, string])[]
	/** Names of the programs whose output it reads. */
	input: readonly string[]
	/** What it reads as a here-document or here-string. */
	text: string | null
	place: Place
	/** The name is that of a function in the same script, whose body is looked at too. */
	defined: boolean
}

export interface Target {
	path: Word
	place: Place
}

export interface Walk {
	calls: Call[]
	/** Targets of redirections. */
	writes: Target[]
	/** Files that redirections read. */
	reads: Target[]
	/** All words, wherever they stand. */
	words: Word[]
	/**
	 * What of it is more than commands, pipes, lists, subshells and conditions, or differs between shells:
	 * node types of the parser, and redirections.
	 */
	involved: string[]
	/** Why not all of it can be known. */
	problems: string[]
}

export const tooDeep = 'is nested too deep to be checked'
const readDifferently = 'is written in a way that shells read in different ways'
const deepest = 6
const longest = 50_000

const plain: ReadonlySet<string> = new Set<SyntaxNode['type']>([
	...(['Script', 'Statement', 'CompoundList', 'Command', 'Pipeline', 'AndOr', 'Time'] as const),
	...(['Negation', 'If', 'Elif', 'While', 'Subshell', 'BraceGroup', 'Redirected'] as const),
	...(['Word', 'Literal', 'Glob', 'SingleQuoted', 'DoubleQuoted'] as const),
	...(['SimpleExpansion', 'ParameterExpansion', 'CommandExpansion', 'BraceExpansion'] as const),
	...(['Assignment', 'Redirect', 'FileDescriptor', 'HereDoc', 'HereDocDelimiter'] as const),
	...(['HereDocBody', 'HereString'] as const),
])

/** `place`: where the shell starts. */
export function walkShell(script: string, place: Place): Walk {
	const walk: Walk = {
		calls: [],
		writes: [],
		reads: [],
		words: [],
		involved: [],
		problems: [],
	}
	new Walker(walk, place, new Set(), 0).script(script)
	return walk
}

class Walker {
	readonly #walk: Walk
	readonly #functions: Set<string>
	readonly #depth: number
	#place: Place
	#input: readonly string[] = []

	constructor(walk: Walk, place: Place, functions: Set<string>, depth: number) {
		this.#walk = walk
		this.#place = place
		this.#functions = functions
		this.#depth = depth
	}

	script(text: string): void {
		if (this.#depth > deepest) {
			this.#problem(tooDeep)
			return
		}
		if (text.length > longest) {
			this.#problem('is too long to be checked')
			return
		}
		this.#visit(parse(text))
	}

	#problem(problem: string): void {
		this.#walk.problems.push(problem)
	}

	#visit(node: SyntaxNode): void {
		if (!plain.has(node.type)) this.#walk.involved.push(node.type)
		switch (node.type) {
			case 'Script':
				if (node.errors && node.errors.length > 0) {
					this.#problem(`can't be read as a shell command: ${node.errors[0]?.message}`)
				}
				this.#children(node)
				return
			case 'Command':
				this.#command(node)
				return
			case 'Pipeline':
				this.#pipeline(node.commands)
				return
			case 'Function':
				this.#functions.add(node.name.value)
				this.#children(node)
				return
			case 'Subshell':
			case 'CommandExpansion':
			case 'ProcessSubstitution':
				this.#apart(node)
				return
			case 'Word':
				if (hasLeftover(node)) this.#problem(readDifferently)
				this.#walk.words.push(wordOf(node))
				this.#children(node)
				return
			case 'ParameterExpansion':
				// An index is worked out by running what is in it; so is the name that `!` looks up.
				if (node.index !== undefined || node.prefix === '!') this.#walk.involved.push('index')
				this.#children(node)
				return
			case 'Assignment':
				if (node.index !== undefined) this.#walk.involved.push('index')
				this.#children(node)
				return
			case 'HereDoc':
				if (hasLeftoverText(node)) this.#problem(readDifferently)
				this.#children(node)
				return
			case 'Redirect':
				this.#redirect(node)
				this.#children(node)
				return
			default:
				this.#children(node)
				return
		}
	}

	#children(node: SyntaxNode): void {
		forEachChild(node, (child) => this.#visit(child))
	}

	/** What runs in a shell of its own leaves the folder of this one as it is. */
	#apart(
		node: Extract<SyntaxNode, { type: 'Subshell' | 'CommandExpansion' | 'ProcessSubstitution' }>,
	): void {
		const [place, input] = [this.#place, this.#input]
		// `>(…)` is fed by whatever it is given to.
		const fed = node.type === 'ProcessSubstitution' && node.text.startsWith('>')
		this.#input = fed ? ['the command'] : []
		this.#children(node)
		this.#place = place
		this.#input = input
	}

	#pipeline(commands: readonly SyntaxNode[]): void {
		const [place, input] = [this.#place, this.#input]
		let fed = input
		for (const command of commands) {
			this.#input = fed
			const first = this.#walk.calls.length
			this.#visit(command)
			fed = [...fed, ...this.#walk.calls.slice(first).map(({ name }) => name ?? '')]
			this.#place = place
		}
		this.#input = input
	}

	#redirect(node: Extract<SyntaxNode, { type: 'Redirect' }>): void {
		const { operator, target } = node
		if (!target) return
		const path = wordOf(target)
		if (operator === '<' || operator === '<&') {
			if (/^\/dev\/(?:tcp|udp)\//.test(path.text)) this.#problem('connects to another machine')
			if (operator === '<') this.#walk.reads.push({ path, place: this.#place })
			return
		}
		if (operator === '>&' && /^(?:\d+-?|-)$/.test(path.text)) return
		// Not every shell knows it, or sees a file's name there: to some the rest is another command.
		if (operator.includes('&') || /^[!&|]/.test(path.text)) this.#walk.involved.push(operator)
		this.#walk.writes.push({ path, place: this.#place })
	}

	#command(node: Command): void {
		const environment: [string, string][] = []
		const words: Word[] = node.name ? [wordOf(node.name)] : []
		let text: string | null = null
		for (const part of [...node.prefix, ...node.suffix]) {
			if (part.type === 'Assignment') {
				const given = part.value?.type === 'Word' ? wordOf(part.value) : null
				const value = given?.text ?? ''
				if (node.prefix.includes(part)) environment.push([part.name ?? '', value])
				else if (given) words.push({ ...given, text: `${part.name ?? ''}=${value}` })
				else words.push({ text: part.text, known: !/[$`]/.test(part.text), fed: [] })
			} else if (part.type === 'Word') words.push(wordOf(part))
			else if (part.type === 'HereDoc') text = part.body.text
			else if (part.type === 'HereString') text = part.target?.value ?? ''
		}
		this.#children(node)
		this.#run(words, environment, text)
	}

	/** Takes down a call, and what it would run in turn. */
	#run(
		words: readonly Word[],
		environment: readonly [string, string][],
		text: string | null,
	): void {
		const [program, ...args] = words
		if (!program) {
			if (environment.length > 0) this.#call(null, '', [], environment, null)
			return
		}
		// What a pattern or braces stand for is found out by the shell.
		const filledIn = /[*?]|\{.*[,.].*\}|.\[/.test(program.text)
		const name = program.known && !filledIn ? baseName(program.text) : null
		this.#call(name, program.text, args, environment, text)
		if (name === null) return
		if (name === 'cd' || name === 'pushd') {
			this.#enter(args)
			return
		}
		const inner = unwrap(name, args, text)
		const place = inner.folder
			? { ...this.#place, folder: this.#resolve(inner.folder) }
			: this.#place
		const deeper = new Walker(this.#walk, place, this.#functions, this.#depth + 1)
		deeper.#input = this.#input
		for (const script of inner.scripts) deeper.script(script)
		for (const command of inner.commands) {
			if (this.#depth >= deepest) this.#problem(tooDeep)
			else deeper.#run(command, inner.environment, null)
		}
		if (inner.problem) this.#problem(inner.problem)
	}

	#call(
		name: string | null,
		program: string,
		args: readonly Word[],
		environment: readonly [string, string][],
		text: string | null,
	): void {
		this.#walk.calls.push({
			name: program === '' ? '' : name,
			program,
			args,
			environment,
			input: this.#input,
			text,
			place: this.#place,
			defined: name !== null && this.#functions.has(name),
		})
	}

	#resolve(folder: Word): string | null {
		return folder.known || /^\$\{?(?:HOME|PWD|TMPDIR)\}?(?:\/[^$`]*)?$/.test(folder.text)
			? resolvePath(folder.text, this.#place)
			: null
	}

	#enter(args: readonly Word[]): void {
		const folder = args.find(({ text }) => !/^-[LPe@]+$|^--$/.test(text))
		const known = folder === undefined ? '~' : folder.text
		const next =
			folder && (known === '-' || /^[+-]\d/.test(known)) ? null : this.#resolve(folder ?? home)
		this.#place = { ...this.#place, folder: next }
	}
}

const home: Word = { text: '~', known: true, fed: [] }
