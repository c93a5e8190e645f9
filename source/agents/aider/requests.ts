/** The question that Aider has on its screen, from when it is sure that it asks until it was answered. */
import { randomUUID } from 'node:crypto'
import type { SessionEvent } from '../../protocol/events.ts'
import type { AgentAnswer, AgentOutput } from '../agent.ts'
import type { PtyProgram } from '../pty/program.ts'
import type { Mark, Screen } from '../pty/screen.ts'
import { askedCommand } from './asked-command.ts'
import { changesOf } from './edits.ts'
import { knownQuestion } from './known-questions.ts'
import { askOf, keyFor, resultOf } from './questions.ts'
import { type Confirm, confirmAt, linesAbove, typedAnswer } from './screen-prompts.ts'
import { squeezed } from './squeezed.ts'
import { commandUse, editUse, failed, type Turns } from './turns.ts'

interface Open {
	id: string
	/** The call that it is about, and what the call is known by. */
	call: Call | null
	confirm: Confirm
	mark: Mark
	typed: boolean
}

/** A command or an edit that was asked for. */
export interface Call {
	id: string
	tool: 'shell' | 'edit'
	/** The command's text, or the file's name. */
	of: string
}

/** How long Aider may take to write down an answer that it took, ms. */
export const writtenDownMs = 500

export class Requests {
	readonly #program: PtyProgram
	readonly #turns: Turns
	readonly #root: string
	readonly #onOutput: (output: AgentOutput) => void
	readonly #onAllowed: (call: Call) => void
	#open: Open | null = null
	/** The question that was answered last: it is not asked again where it stands. */
	#before: { line: string; mark: Mark } | null = null

	constructor(
		program: PtyProgram,
		turns: Turns,
		root: string,
		onOutput: (output: AgentOutput) => void,
		onAllowed: (call: Call) => void,
	) {
		this.#onAllowed = onAllowed
		this.#program = program
		this.#turns = turns
		this.#root = root
		this.#onOutput = onOutput
	}

	get waiting(): boolean {
		return this.#open !== null
	}

	/** The chat history has an answer. */
	answered(line: string, key: string): void {
		const open = this.#open
		// It may begin where a command's output ended.
		if (open?.confirm.line.endsWith(line)) this.#settle(open, resultOf(open.confirm, key))
	}

	/** Opens the question on the screen. `recorded`: the chat history is being written. */
	async open(confirm: Confirm, recorded: boolean): Promise<void> {
		const { screen } = this.#program
		const now = confirmAt(screen)
		if (now?.line !== confirm.line || now.row !== confirm.row) return
		const subject = linesAbove(screen, confirm.row)
		const before = this.#before
		if (before?.line === confirm.line && before.mark.row() === confirm.row) return
		if (!this.#isAsked(confirm, subject, recorded)) return
		const about = knownQuestion(confirm.question)
		const mark = screen.mark(screen.cursor.row - confirm.row)
		const shown = subject.join('\n').trim()
		const command =
			about?.subject === 'command'
				? askedCommand(this.#turns.reply, subject, confirm.question)
				: null
		const said = command ?? shown
		const open: Open = {
			id: randomUUID(),
			call: callOf(about?.tool, said),
			confirm,
			mark,
			typed: false,
		}
		this.#open = open
		const changes =
			about?.subject === 'path' && about.tool === 'edit'
				? await changesOf(this.#turns.reply, said, this.#root)
				: []
		// It may have been answered while its file was read.
		if (this.#open !== open) return
		const asked = askOf(confirm, said, changes, this.#root)
		const sure = about?.subject !== 'command' || command !== null
		const ask = sure ? asked : { ...asked, input: { shown } }
		const { call } = open
		if (call !== null) this.#event(callEvent(call, this.#turns.reply))
		this.#onOutput({ type: 'request', id: open.id, ask: { ...ask, tool_use: call?.id ?? null } })
	}

	/** Whether the question is over: then what became of it, once that is known or `late`. */
	settle(recorded: boolean, late: boolean): 'open' | 'settled' | 'unknown' {
		const open = this.#open
		if (open === null) return 'settled'
		const { screen } = this.#program
		const row = open.mark.row()
		const height = Math.ceil((open.confirm.line.length + 1) / screen.size.columns)
		const typed = row === null ? null : typedAnswer(screen, open.confirm, row)
		const at = row !== null && screen.cursor.row >= row && screen.cursor.row < row + height
		if (at && typed !== null && this.#program.running) return 'open'
		if (recorded && !late) return 'unknown'
		if (recorded || typed === null) this.#settle(open, 'cancelled')
		else this.#settle(open, resultOf(open.confirm, typed))
		return 'settled'
	}

	async answer(id: string, answer: AgentAnswer): Promise<boolean> {
		const open = this.#open
		if (open === null || open.id !== id || open.typed) return false
		const { key, taken } = keyFor(open.confirm, answer)
		const typed = await this.#program.type((screen) => this.#stands(open, screen), `${key}\r`, {
			meanwhile: 'drop',
		})
		if (!typed) return false
		open.typed = taken
		return taken
	}

	/** Aider has ended. */
	end(): void {
		if (this.#open !== null) this.#settle(this.#open, 'cancelled')
	}

	/** Whether the same question still waits on the screen, with nothing typed. */
	#stands(open: Open, screen: Screen): boolean {
		const now = confirmAt(screen)
		return (
			this.#open === open &&
			now !== null &&
			now.line === open.confirm.line &&
			now.row === open.mark.row() &&
			this.#program.waitsForKeys()
		)
	}

	/**
	 * Whether Aider asks, and not a text that looks like it: it must wait for keys; what it asks about must
	 * be what it wrote down last; and where it asks about nothing, the model must have spoken already.
	 */
	#isAsked(confirm: Confirm, subject: readonly string[], recorded: boolean): boolean {
		const { screen } = this.#program
		if (!this.#program.waitsForKeys()) return false
		// Without a history nothing else can be held against it.
		if (!recorded) return screen.modes.bracketedPasteMode || this.#program.waitsInRead()
		const about = knownQuestion(confirm.question)
		// What a running command prints may look like anything.
		const running = /^Running /.test(this.#turns.own.at(-1) ?? '')
		if (running && about?.tool !== 'add-output') return false
		const own = squeezed(this.#turns.own.join(''))
		const shown = squeezed(subject.join(''))
		if (shown !== '' && own.endsWith(shown)) return true
		return (about?.subject ?? null) === null && !this.#turns.awaiting
	}

	#event(event: SessionEvent): void {
		this.#onOutput({ type: 'event', at: new Date().toISOString(), event })
	}

	#settle(open: Open, result: 'approved' | 'denied' | 'cancelled'): void {
		this.#open = null
		this.#before?.mark.release()
		this.#before = { line: open.confirm.line, mark: open.mark }
		const { call } = open
		if (call !== null) {
			if (result === 'approved') this.#onAllowed(call)
			else this.#event(failed(call.id, result === 'denied' ? 'Denied' : 'Cancelled'))
		}
		const ours = open.typed && result !== 'cancelled'
		this.#onOutput(
			ours ? { type: 'applied', id: open.id } : { type: 'withdrawn', id: open.id, result },
		)
	}
}

function callOf(tool: string | undefined, of: string): Call | null {
	if ((tool !== 'shell' && tool !== 'edit') || of === '') return null
	return { id: randomUUID(), tool, of }
}

function callEvent({ id, tool, of }: Call, reply: string): SessionEvent {
	return tool === 'shell' ? commandUse(id, of) : editUse(id, of, reply)
}
