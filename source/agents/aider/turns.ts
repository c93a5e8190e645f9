/** Lines of the chat history as session events: the same for a session that runs and one brought in. */
import type { FileChange, SessionEvent } from '../../protocol/events.ts'
import { commandsIn, editsIn } from './edits.ts'
import type { HistoryItem } from './history-lines.ts'
import { hasSubject } from './known-questions.ts'
import { squeezed } from './squeezed.ts'
import { reportedUsage } from './usage.ts'

type Usage = Extract<SessionEvent, { kind: 'usage' }>

/** What a line came to, in order. */
export type Step =
	| { type: 'event'; source: string; event: SessionEvent }
	| { type: 'usage'; source: string; event: Usage }
	/** A file was changed; `changes` are to be found out. */
	| { type: 'edited'; source: string; path: string; reply: string }
	/** A command runs, and what it prints is not in the history. */
	| { type: 'command'; source: string; command: string }
	/** A question was answered: its line up to the answer, and the letter. */
	| { type: 'answered'; line: string; key: string }
	| { type: 'facts'; model?: string; version?: string }

const answeredForm = /^(.* \(Y\)es\/\(N\)o.* \[[A-Za-z]{1,10}\]:) ([a-z])$/
const errorForm =
	/^(?:litellm\.\w+|Unexpected error|\w*(?:Error|Exception)): |^Model .* has hit a token limit!/
const announcement = /^(?:Aider v(\d[\w.+-]*)|(?:Main model|Model): (\S+)(?: with .*)?)$/
const appliedForm = /^Applied edit to (.+)$/
const runningForm = /^Running (.+)$/

/** Of a line that says something to us, in characters. */
const longestLine = 10_000

export class Turns {
	/** The model's last reply in this turn. */
	reply = ''
	model: string | null = null
	/** Whether the model is expected to speak: nothing that Aider asks about its reply can be asked yet. */
	awaiting = false
	/** Aider's own lines since the model or the person spoke. */
	own: string[] = []
	#notices: { source: string; lines: string[] } | null = null

	/** `source`: the name of the line the item began on. */
	read(item: HistoryItem, source: string, block: string | null): Step[] {
		if (item.kind === 'tool') return this.#tool(item.text, source)
		const before = this.rest()
		this.own = []
		if (item.kind === 'started') {
			this.reply = ''
			return before
		}
		if (item.kind === 'user') {
			this.reply = ''
			this.awaiting = !/^[/!]/.test(item.text)
			const body = { text: item.text, source: 'agent' as const }
			return [...before, { type: 'event', source, event: { kind: 'user_prompt', body } }]
		}
		this.reply = item.text
		this.awaiting = false
		const body = { text: item.text, block, model: this.model, parent: null }
		return [...before, { type: 'event', source, event: { kind: 'agent_response', body } }]
	}

	/** Lines of Aider's own that wait for more of them. */
	rest(): Step[] {
		const notices = this.#notices
		this.#notices = null
		if (notices === null) return []
		const body = { type: 'aider', text: notices.lines.join('\n'), data: null }
		return [{ type: 'event', source: notices.source, event: { kind: 'system', body } }]
	}

	/** Lines of Aider's own that are what it asks about: the request shows them. */
	drop(subject: string): void {
		let rest = squeezed(subject)
		const lines = this.#notices?.lines ?? []
		for (let last = lines.at(-1); last !== undefined; last = lines.at(-1)) {
			if (!rest.endsWith(squeezed(last))) break
			rest = rest.slice(0, rest.length - squeezed(last).length)
			lines.pop()
		}
		if (lines.length === 0) this.#notices = null
	}

	#tool(text: string, source: string): Step[] {
		if (text.length > longestLine) {
			this.#note(text, source)
			return []
		}
		this.own.push(text)
		const facts = announcement.exec(text)
		if (facts !== null) {
			const [, version, model] = facts
			this.model = model ?? this.model
			this.#note(text, source)
			return [{ type: 'facts', ...(version ? { version } : {}), ...(model ? { model } : {}) }]
		}
		const step = this.#known(text, source)
		if (step !== null) return [...this.rest(), step]
		this.#note(text, source)
		return []
	}

	/** What a question was about stands on the line before it. */
	#dropSubject(line: string): void {
		const last = this.#notices?.lines.at(-1)
		if (last !== undefined && hasSubject(line)) this.drop(last)
	}

	#known(text: string, source: string): Step | null {
		const used = reportedUsage(text, this.model)
		if (used !== null) return { type: 'usage', source, event: { kind: 'usage', body: used } }
		const answered = answeredForm.exec(text)
		if (answered !== null) {
			const [, line = '', key = ''] = answered
			this.#dropSubject(line)
			// What was allowed may be given to the model, which then speaks again.
			if (/^(?:Add|Attempt to fix)/.test(line) && key !== 'n') this.awaiting = true
			return { type: 'answered', line, key }
		}
		const path = appliedForm.exec(text)?.[1]
		if (path !== undefined) return { type: 'edited', source, path, reply: this.reply }
		const command = runningForm.exec(text)?.[1]
		const whole = commandsIn(this.reply).find((one) => one.split('\n').includes(command ?? ''))
		if (command !== undefined && whole !== undefined) return { type: 'command', source, command }
		if (/^\^C (?:again to exit|KeyboardInterrupt)$/.test(text)) {
			const body = { type: 'interrupted', text: null, data: null }
			return { type: 'event', source, event: { kind: 'system', body } }
		}
		if (errorForm.test(text)) {
			this.awaiting = false
			return {
				type: 'event',
				source,
				event: { kind: 'error', body: { code: 'agent_error', text } },
			}
		}
		return null
	}

	#note(text: string, source: string): void {
		this.#notices ??= { source, lines: [] }
		this.#notices.lines.push(text)
	}
}

export function editUse(id: string, path: string, reply: string): SessionEvent {
	const edits = editsIn(reply).get(path) ?? []
	const input = {
		path,
		edits: edits.map(({ old_string, new_string }) => ({ search: old_string, replace: new_string })),
	}
	return { kind: 'tool_use', body: { tool_use: id, name: 'edit', input, parent: null } }
}

export function edited(id: string, path: string, changes: FileChange[]): SessionEvent {
	return result(id, `Applied edit to ${path}`, changes)
}

/** A call that came to nothing. */
export function failed(id: string, text: string): SessionEvent {
	const { body } = result(id, text)
	return { kind: 'tool_result', body: { ...body, ok: false } }
}

export function commandUse(source: string, command: string): SessionEvent {
	return {
		kind: 'tool_use',
		body: { tool_use: source, name: 'shell', input: { command }, parent: null },
	}
}

/** Aider doesn't say how a command ended. */
export function result(
	source: string,
	text: string,
	changes: FileChange[] = [],
): Extract<SessionEvent, { kind: 'tool_result' }> {
	return {
		kind: 'tool_result',
		body: {
			tool_use: source,
			ok: true,
			text,
			exit_code: null,
			duration_ms: null,
			changes,
			parent: null,
		},
	}
}
