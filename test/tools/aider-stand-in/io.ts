/** What Aider says, where it says it: on the terminal, and in its chat history. Worded as in version 0.86.1. */
import { appendFileSync } from 'node:fs'
import { EndOfInput, readLine } from './editor.ts'

const { stdout } = process

export interface ConfirmOptions {
	subject?: string
	explicitYes?: boolean
	group?: ConfirmGroup
	allowNever?: boolean
}

/** Several questions of one kind. */
export class ConfirmGroup {
	preference: 'all' | 'skip' | null = null
	readonly shown: boolean

	constructor(items: number) {
		this.shown = items > 1
	}
}

export class Io {
	readonly pretty: boolean
	readonly #yes: boolean
	readonly #history: string
	readonly #never = new Set<string>()

	constructor(pretty: boolean, yes: boolean, history: string) {
		this.pretty = pretty
		this.#yes = yes
		this.#history = history
		const now = new Date(Date.now() - new Date().getTimezoneOffset() * 60_000).toISOString()
		this.#append(`\n# aider chat started at ${now.slice(0, 19).replace('T', ' ')}\n\n`)
	}

	/** One line, or several, of Aider's own. Broken at words where the terminal ends. */
	tool(text = '', { bold = false, log = true, color = '' } = {}): void {
		if (text !== '' && log) this.#quote(text)
		for (const line of text.split('\n').flatMap((one) => this.#wrapped(one))) {
			const style = this.pretty ? (bold ? '\u001B[7m' : color) : ''
			stdout.write(style === '' ? `${line}\n` : `${style}${line}\u001B[0m\n`)
		}
	}

	/** Written down line by line. */
	error(text: string): void {
		for (const line of text.split('\n')) this.#quote(line)
		this.tool(text, { log: false, color: '\u001B[31m' })
	}

	logged(text: string): void {
		this.#quote(text)
	}

	/** The person's next words. */
	async input(files: readonly string[], mode: string): Promise<string> {
		if (this.pretty) stdout.write(`\u001B[32m${'─'.repeat(stdout.columns)}\u001B[0m\n`)
		else stdout.write('\n')
		const shown = files.length === 0 ? '' : `${files.join(this.pretty ? '  ' : '\n')}\n`
		const text = await readLine(`${shown}${mode}> `)
		stdout.write('\n')
		this.user(text)
		return text
	}

	user(text: string): void {
		const lines = text === '' ? ['<blank>'] : text.split('\n')
		this.#append(`\n${`#### ${lines.join('  \n#### ')}`.trimEnd()}  \n`)
	}

	model(text: string): void {
		this.#append(`\n${text.trim()}\n\n`)
	}

	async confirm(asked: string, options: ConfirmOptions = {}): Promise<boolean> {
		const { subject, explicitYes = false } = options
		const group = options.group?.shown ? options.group : undefined
		const never = (options.allowNever ?? false) || group !== undefined
		const id = JSON.stringify([asked, subject])
		if (this.#never.has(id)) return false
		const all = group !== undefined && !explicitYes ? '/(A)ll' : ''
		const skip = group === undefined ? '' : '/(S)kip all'
		const question = `${asked} (Y)es/(N)o${all}${skip}${never ? "/(D)on't ask again" : ''} [Yes]: `
		if (subject !== undefined) {
			this.tool()
			const lines = subject.split('\n')
			const width = Math.max(...lines.map(({ length }) => length))
			this.tool(lines.map((line) => line.padEnd(lines.length > 1 ? width : 0)).join('\n'), {
				bold: true,
			})
		}
		const answer = this.#yes
			? explicitYes
				? 'n'
				: 'y'
			: (group?.preference ?? (await this.#answer(question, never)))
		const letter = answer.charAt(0).toLowerCase()
		this.#append(`> ${question.trim()} ${letter}  \n`)
		if (letter === 'd' && never) this.#never.add(id)
		if (group !== undefined && letter === 'a' && !explicitYes) group.preference = 'all'
		if (group !== undefined && letter === 's') group.preference = 'skip'
		return letter === 'y' || (letter === 'a' && !explicitYes)
	}

	async #answer(question: string, never: boolean): Promise<string> {
		const valid = ['yes', 'no', 'skip', 'all', ...(never ? ["don't"] : [])]
		for (;;) {
			let answer: string
			try {
				answer = (await readLine(question)).toLowerCase()
			} catch (error) {
				if (error instanceof EndOfInput) return 'y'
				throw error
			}
			if (answer === '') return 'y'
			if (valid.some((one) => one.startsWith(answer))) return answer
			this.error(`Please answer with one of: ${valid.join(', ')}`)
		}
	}

	#wrapped(line: string): string[] {
		const { columns } = stdout
		const rows: string[] = []
		let rest = line
		while (rest.length > columns) {
			const space = rest.lastIndexOf(' ', columns)
			const end = space > 0 ? space : columns
			rows.push(rest.slice(0, end))
			rest = rest.slice(space > 0 ? end + 1 : end)
		}
		return [...rows, rest]
	}

	#quote(text: string): void {
		this.#append(`${`> ${text.trim()}`.trimEnd()}  \n`)
	}

	#append(text: string): void {
		appendFileSync(this.#history, text)
	}
}
