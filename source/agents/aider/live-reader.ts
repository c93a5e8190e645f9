/** What a running Aider does, told from its chat history, its log of figures and its screen. */
import { randomUUID } from 'node:crypto'
import type { SessionEvent } from '../../protocol/events.ts'
import type { AgentOutput } from '../agent.ts'
import type { PtyProgram } from '../pty/program.ts'
import type { Mark } from '../pty/screen.ts'
import { changesOf } from './edits.ts'
import type { FollowedFile } from './followed-file.ts'
import { HistoryLines } from './history-lines.ts'
import type { Call } from './requests.ts'
import { sessionId } from './session-id.ts'
import { squeezed } from './squeezed.ts'
import { commandUse, edited, editUse, failed, result, type Step, Turns } from './turns.ts'
import { exactly, loggedUsage } from './usage.ts'

type Usage = Extract<SessionEvent, { kind: 'usage' }>

/** Of what a command printed. */
const mostOutput = 64 * 1024

export interface LiveReaderParts {
	program: PtyProgram
	history: FollowedFile
	/** Where its exact figures are written. */
	figures: FollowedFile
	root: string
	onOutput: (output: AgentOutput) => void
	onAnswered: (line: string, key: string) => void
}

export class LiveReader {
	readonly turns = new Turns()
	readonly lines = new HistoryLines()
	/** Whether the last turn ended in an error. */
	failed = false
	readonly #parts: LiveReaderParts
	/** Prompts of ours that Aider has not written down yet. */
	#prompted: string[] = []
	/** Usage that was printed, and whose exact figures are to come. */
	#reported: Usage[] = []
	#toldRounded = false
	/** When the chat began, until something was said in it. */
	#startedAt: string | null = null
	#command: { id: string; command: string } | null = null
	/** Calls that were allowed, and of which nothing is known yet. */
	#allowed: Call[] = []
	#block: { id: string; mark: Mark; sent: string } | null = null

	constructor(parts: LiveReaderParts) {
		this.#parts = parts
	}

	/** Whether the chat history is being written. */
	get recorded(): boolean {
		return this.#parts.history.grew
	}

	/** A prompt that came from elsewhere is about to be typed. */
	prompted(text: string): void {
		this.#prompted.push(squeezed(text))
	}

	/** A call was allowed: what comes of it belongs to it. */
	allowed(call: Call): void {
		this.#allowed.push(call)
	}

	unprompted(text: string): void {
		this.#prompted = this.#prompted.filter((one) => one !== squeezed(text))
	}

	/** Reads all that was written since. */
	async read(): Promise<void> {
		const { history } = this.#parts
		for await (const { text, line } of history.read()) {
			if (text === null) this.#notice('A line of the chat history over 32 MiB was left out')
			for (const item of this.lines.push(text ?? '', line)) await this.#item(item)
		}
		for (const item of this.lines.flushUser()) await this.#item(item)
		await this.#figures()
	}

	/**
	 * Aider waits: what it said is complete. `row`: where its question or its input line begins; `subject`:
	 * what it asks about.
	 */
	async pause(row: number, subject = ''): Promise<void> {
		await this.read()
		for (const item of this.lines.flush()) await this.#item(item)
		this.turns.drop(subject)
		await this.#steps(this.turns.rest())
		this.#printed(row)
		this.#rounded()
	}

	/** The turn is over: the person speaks next. */
	turnOver(): void {
		this.lines.takesUser = true
		this.turns.awaiting = false
		for (const { id } of this.#allowed) this.#event(failed(id, 'Aider did not do it'))
		this.#allowed = []
		this.#endBlock()
	}

	/** Aider has ended. */
	async end(): Promise<void> {
		await this.pause(this.#parts.program.screen.cursor.row)
	}

	/** Text of the model while it is being written, as far as the screen shows it as it is. */
	stream(): void {
		const block = this.#block
		const from = block?.mark.row() ?? null
		if (block === null || from === null) return
		const { screen } = this.#parts.program
		const text = screen
			.lines(from, screen.cursor.row)
			.map((line) => line.text)
			.join('\n')
			.replace(/^\n+/, '')
			.trimEnd()
		// Drawn anew, as formatted text is: what was sent stays until it is complete.
		if (!text.startsWith(block.sent) || /^Tokens: /m.test(text)) return
		const more = text.slice(block.sent.length)
		if (more === '') return
		const { length: offset } = block.sent
		block.sent = text
		const kind = 'agent_response'
		this.#parts.onOutput({ type: 'text', block: block.id, kind, offset, text: more })
	}

	async #item(item: Parameters<Turns['read']>[0]): Promise<void> {
		const source = `${item.line}`
		const before = this.turns.own.at(-1) ?? ''
		if (item.kind === 'started') this.#startedAt = item.at
		if (item.kind === 'user') {
			this.#identify(item.text)
			this.lines.takesUser = false
			this.failed = false
			this.#endBlock()
		}
		const block = item.kind === 'model' ? (this.#block?.id ?? null) : null
		await this.#steps(this.turns.read(item, source, block))
		if (item.kind === 'model') this.#endBlock()
		if (item.kind === 'user' && this.turns.awaiting) this.#beginBlock(item.text, before)
		if (item.kind === 'user') this.#parts.onOutput({ type: 'status', status: 'running' })
	}

	/** The id under which the history would be imported. */
	#identify(firstPrompt: string): void {
		if (this.#startedAt === null) return
		this.#parts.onOutput({ type: 'about', session: sessionId(this.#startedAt, firstPrompt) })
		this.#startedAt = null
	}

	async #steps(steps: readonly Step[]): Promise<void> {
		for (const step of steps) await this.#step(step)
	}

	async #step(step: Step): Promise<void> {
		switch (step.type) {
			case 'event':
				if (step.event.kind === 'error') this.failed = true
				this.#event(this.#sourced(step.event))
				return
			case 'usage':
				this.#reported.push(step.event)
				return
			case 'edited': {
				const { path, reply } = step
				const changes = await changesOf(reply, path, this.#parts.root)
				const known = this.#allowed.find(({ tool, of }) => tool === 'edit' && of === path)
				const id = known?.id ?? randomUUID()
				if (known === undefined) this.#event(editUse(id, path, reply))
				this.#allowed = this.#allowed.filter((one) => one !== known)
				this.#event(edited(id, path, changes))
				return
			}
			case 'command': {
				const { command } = step
				const known = this.#allowed.find(
					({ tool, of }) =>
						tool === 'shell' && of.split('\n').some((one) => one.trim() === command),
				)
				// One call may be several commands.
				if (known !== undefined && known.id === this.#command?.id) return
				this.#printed(this.#parts.program.screen.cursor.row)
				const id = known?.id ?? randomUUID()
				this.#command = { id, command }
				if (known === undefined) this.#event(commandUse(id, command))
				return
			}
			case 'answered':
				this.#parts.onAnswered(step.line, step.key)
				return
			case 'facts': {
				const { type: _, ...facts } = step
				this.#parts.onOutput({ type: 'about', ...facts })
			}
		}
	}

	/** A prompt that came from elsewhere says so. */
	#sourced(event: SessionEvent): SessionEvent {
		if (event.kind !== 'user_prompt') return event
		const text = squeezed(event.body.text)
		if (!this.#prompted.includes(text)) return event
		this.unprompted(event.body.text)
		return { kind: 'user_prompt', body: { ...event.body, source: 'viewer' } }
	}

	/** Aider logs the exact figures right after it has printed the rounded ones. */
	async #figures(): Promise<void> {
		for await (const { text } of this.#parts.figures.read()) {
			const exact = text === null ? null : loggedUsage(text)
			const next = exact === null ? undefined : this.#reported.shift()
			if (exact === null || next === undefined) continue
			this.#event({ kind: 'usage', body: exactly(next.body, exact) })
		}
	}

	/** Exact figures would have been written by now. */
	#rounded(): void {
		for (const event of this.#reported) this.#event(event)
		if (this.#reported.length > 0 && !this.#toldRounded) {
			this.#toldRounded = true
			this.#notice(
				'Aider logs no exact figures here: from a thousand on, tokens and costs are rounded',
			)
		}
		this.#reported = []
	}

	/** What the last command printed, which stands above `row`. */
	#printed(row: number): void {
		const command = this.#command
		if (command === null) return
		this.#command = null
		this.#allowed = this.#allowed.filter(({ id }) => id !== command.id)
		const { screen } = this.#parts.program
		const begin = `Running ${command.command}`.slice(0, screen.size.columns)
		const lines = screen.lines(row - 1000, row - 1)
		const at = lines.findLastIndex(({ text }) => text !== '' && begin.startsWith(text))
		const text =
			at < 0
				? ''
				: lines
						.slice(at + 1)
						.map((line) => line.text)
						.join('\n')
		this.#event(result(command.id, text.replace(/^\n+/, '').trimEnd().slice(-mostOutput)))
	}

	/** The model's words come below the prompt, or what Aider said before it where that is not shown. */
	#beginBlock(prompt: string, before: string): void {
		const { screen } = this.#parts.program
		const { row } = screen.cursor
		const marks = [squeezed(prompt.split('\n').at(-1) ?? ''), squeezed(before)].filter(Boolean)
		const lines = screen.lines(row - 200, row)
		for (const mark of marks) {
			const line = lines.findLast(({ text }) => {
				const shown = squeezed(text)
				return shown === mark || shown.replace(/^(?:[a-z-]*>|\.)/, '') === mark
			})
			const above = line === undefined ? -1 : row - line.row - line.height
			if (above < 0) continue
			this.#block = { id: randomUUID(), mark: screen.mark(above), sent: '' }
			return
		}
	}

	#endBlock(): void {
		this.#block?.mark.release()
		this.#block = null
	}

	#notice(text: string): void {
		this.#event({ kind: 'system', body: { type: 'notice', text, data: null } })
	}

	#event(event: SessionEvent): void {
		this.#parts.onOutput({ type: 'event', at: new Date().toISOString(), event })
	}
}
