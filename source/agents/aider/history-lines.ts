/**
 * Aider's chat history, line by line. Whoever spoke is told by how a line begins and ends: Aider writes
 * `#### … ` for the person and `> … ` for itself, both with two spaces at the end; the rest is the model's.
 */

export type HistoryItem =
	/** A chat began; the time is local and without a zone. */
	| { kind: 'started'; at: string; line: number }
	| { kind: 'user'; text: string; line: number }
	| { kind: 'model'; text: string; line: number }
	/** One line of Aider's own. */
	| { kind: 'tool'; text: string; line: number }

const startedForm = /^# aider chat started at (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)\s*$/
const userForm = /^####(?: (.*?))? {2}$/
const toolForm = /^>(?: (.*?))? {2}$/

export class HistoryLines {
	/** Whether the person may have spoken. Live, the model can't: a line of its that looks so stays its own. */
	takesUser = true
	#open: { kind: 'user' | 'model'; lines: string[]; line: number } | null = null
	#inTool = false

	/** What a line completes. Numbers start at 1. */
	push(text: string, line: number): HistoryItem[] {
		const started = startedForm.exec(text)
		if (started !== null && this.takesUser) {
			return [...this.flush(), { kind: 'started', at: started[1] ?? '', line }]
		}
		const user = this.takesUser ? userForm.exec(text) : null
		if (user !== null) return this.#add('user', user[1] ?? '', line)
		const tool = toolForm.exec(text)
		if (tool !== null) return this.#tool(tool[1] ?? '', line)
		// Of several lines that Aider writes at once only the first is marked. The model's begin after a gap;
		// an empty line of a command is filled with spaces.
		if (this.#inTool && text !== '') return this.#tool(text.replace(/^> /, '').trimEnd(), line)
		this.#inTool = false
		if (text.trim() === '' && this.#open?.kind !== 'model') return this.flush()
		return this.#add('model', text, line)
	}

	/** The person's words, which are written at once: nothing need follow them. */
	flushUser(): HistoryItem[] {
		return this.#open?.kind === 'user' ? this.flush() : []
	}

	/** What is complete at the end. */
	flush(): HistoryItem[] {
		const open = this.#open
		this.#open = null
		this.#inTool = false
		if (open === null) return []
		const text = open.lines.join('\n').replace(/^\n+/, '').trimEnd()
		return text === '' ? [] : [{ kind: open.kind, text, line: open.line }]
	}

	#add(kind: 'user' | 'model', text: string, line: number): HistoryItem[] {
		const before = this.#open?.kind === kind ? [] : this.flush()
		this.#inTool = false
		this.#open ??= { kind, lines: [], line }
		this.#open.lines.push(text)
		return before
	}

	#tool(text: string, line: number): HistoryItem[] {
		const before = this.flush()
		this.#inTool = true
		return text === '' ? before : [...before, { kind: 'tool', text, line }]
	}
}
