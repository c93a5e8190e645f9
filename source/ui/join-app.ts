/** The screens of a home without a device. Its keys stand in the same table as all others. */

import { oneLine } from '../text/one-line.ts'
import { safeText } from '../text/safe-text.ts'
import { padLine, type StyledLine, span } from '../text/styled.ts'
import type { Joining, JoinState } from '../viewer/joining.ts'
import type { Backend } from '../viewer/viewer.ts'
import { type DrawnFrame, emptyScreen, inputRows } from './frame.ts'
import { inputFrame } from './input.ts'
import type { KeyContext } from './keymap/command.ts'
import { type CommandId, defaultKeymap, type Keymap } from './keymap/keymap.ts'
import { nothingListed } from './keymap/listing.ts'
import type { KeyPress } from './keys.ts'
import { isTooSmall } from './layout.ts'
import { editKey, editText, emptyEdit, insertText, type LineEdit } from './line-edit.ts'
import type { MouseAct } from './mouse.ts'
import { footerLines } from './present/footer.ts'
import { joinLines } from './present/join-lines.ts'
import { revokedLine } from './present/revoked.ts'
import { sides } from './present/sides.ts'
import { helpScreen } from './screens/help-screen.ts'
import { onlyCard } from './screens/list-and-card.ts'
import type { Screen, Size, TypingScreen } from './state.ts'

export interface JoinAppOptions {
	joining: Joining
	backend: Backend
	size: Size
	now(): number
	/** Default: the table's own keys. */
	keymap?: Keymap
	leave(exitCode: number): void
	suspend(): void
	redraw(): void
}

/** Below so many rows there are no empty lines. */
const roomyRows = 20
const tickMs = 1000

type Words = Extract<Screen, { name: 'words' }>

export class JoinApp implements Disposable {
	readonly #options: JoinAppOptions
	readonly #keymap: Keymap
	readonly #listeners = new Set<() => void>()
	readonly #stop: () => void
	readonly #ticking: NodeJS.Timeout
	#size: Size
	#words: Words | null = null
	#help: number | null = null
	#top = 0
	#frame: DrawnFrame | null = null

	constructor(options: JoinAppOptions) {
		this.#options = options
		this.#keymap = options.keymap ?? defaultKeymap
		this.#size = options.size
		this.#stop = options.joining.state.subscribe(() => this.#advanced())
		this.#ticking = setInterval(() => this.#changed(), tickMs)
		this.#ticking.unref()
	}

	readonly subscribe = (listener: () => void): (() => void) => {
		this.#listeners.add(listener)
		return () => this.#listeners.delete(listener)
	}

	readonly frame = (): DrawnFrame => {
		this.#frame ??= this.#compose()
		return this.#frame
	}

	drawn(): void {}

	back(): void {
		this.#changed()
	}

	resize(size: Size): void {
		this.#size = size
		this.#changed()
	}

	press({ names, alone }: KeyPress): void {
		for (const name of names) {
			if (this.#words && this.#edit(this.#words, name, alone)) continue
			const found = this.#keymap.commandFor(name, this.#context())
			if (found?.enabled === true) this.#run(found.command.id)
		}
		this.#changed()
	}

	paste(text: string): void {
		if (!this.#words) return
		this.#words = { ...this.#words, edit: insertText(this.#words.edit, text) }
		this.#changed()
	}

	mouse(act: MouseAct): void {
		if (act.type === 'wheel') this.#run(act.by > 0 ? 'down' : 'up')
		this.#changed()
	}

	[Symbol.dispose](): void {
		this.#stop()
		clearInterval(this.#ticking)
		this.#listeners.clear()
	}

	#changed(): void {
		this.#frame = null
		for (const listener of [...this.#listeners]) listener()
	}

	get #state(): JoinState {
		return this.#options.joining.state.get()
	}

	#run(command: CommandId): void {
		const { joining, leave, suspend, redraw } = this.#options
		const scroll = (by: number) => {
			if (this.#help === null) this.#top = Math.max(0, this.#top + by)
			else this.#help = Math.max(0, this.#help + by)
		}
		const page = Math.max(1, this.#size.rows - 6)
		const does: Partial<Record<CommandId, () => void>> = {
			'enter-words': () => this.#type(emptyEdit, true),
			'new-code': () => joining.newCode(),
			'send-words': () => this.#send(),
			'hide-words': () => this.#type(this.#words?.edit ?? emptyEdit, !this.#words?.hidden),
			cancel: () => {
				this.#words = null
			},
			help: () => {
				this.#help = 0
			},
			'close-help': () => {
				this.#help = null
			},
			back: () => {
				this.#help = null
			},
			up: () => scroll(-1),
			down: () => scroll(1),
			'page-up': () => scroll(-page),
			'page-down': () => scroll(page),
			top: () => scroll(Number.NEGATIVE_INFINITY),
			quit: () => leave(0),
			leave: () => leave(130),
			suspend,
			redraw,
		}
		does[command]?.()
	}

	#type(edit: LineEdit, hidden: boolean): void {
		this.#words = { name: 'words', edit, problem: null, hidden }
	}

	#send(): void {
		const words = this.#words
		if (!words) return
		const text = editText(words.edit)
		const problem = this.#options.joining.wordsProblem(text)
		if (problem === null) {
			// They are needed no longer, here.
			this.#words = null
			this.#options.joining.recover(text)
		} else this.#words = { ...words, problem: oneLine(problem) }
	}

	#edit(words: Words, name: string, alone: boolean): boolean {
		const typed = Array.from(name).length === 1 || name === 'space'
		const edited =
			editKey(words.edit, name) ??
			(typed
				? insertText(words.edit, name === 'space' ? ' ' : name)
				: alone
					? null
					: insertText(words.edit, ' '))
		if (!edited) return false
		this.#words = { ...words, edit: edited }
		return true
	}

	#advanced(): void {
		if (this.#state.step === 'joined') this.#options.leave(0)
		this.#changed()
	}

	#context(): KeyContext {
		const screen: Screen =
			this.#help === null ? (this.#words ?? { name: 'join' }) : this.#helpAt(this.#help)
		return this.#contextOf(screen)
	}

	#helpAt(line: number): Extract<Screen, { name: 'help' }> {
		const context = this.#contextOf({ name: 'join' })
		return { name: 'help', of: 'join', line, filter: '', context }
	}

	#contextOf(screen: Screen): KeyContext {
		return {
			screen,
			session: false,
			listed: nothingListed,
			waiting: 0,
			focus: null,
			foldable: false,
			selected: false,
			find: false,
			hit: false,
			following: false,
			device: null,
			grant: null,
			act: null,
			route: null,
			joining: this.#state.step,
		}
	}

	#compose(): DrawnFrame {
		const size = this.#size
		const { columns, rows } = size
		const state = this.#state
		const input = this.#input(size)
		const notices = state.step === 'revoked' ? [revokedLine(state.revoked, columns)] : []
		const body = rows - 2 - notices.length - inputRows(input)
		const context = this.#context()
		const screen = isTooSmall(size)
			? emptyScreen
			: this.#help === null
				? this.#card({ columns, rows: body })
				: helpScreen(this.#helpAt(this.#help), context.screen, this.#keymap, {
						columns,
						rows: body,
					})
		return {
			...screen,
			size,
			tooSmall: isTooSmall(size),
			header: this.#header(columns),
			notices,
			input,
			keys: [],
			footer: footerLines(context, this.#keymap, { columns, rows: 1 })[0] ?? [],
			context,
			place: this.#help === null ? 'join' : 'help',
			remark: null,
		}
	}

	#card(size: Size) {
		const state = this.#state
		const lines = joinLines(state, {
			width: size.columns,
			now: this.#options.now(),
			tight: size.rows < roomyRows,
		})
		const title =
			state.step === 'revoked'
				? [span(safeText`revoked`, 'error')]
				: [span(safeText`this is no device of the account yet`, 'strong')]
		return onlyCard({ id: 'join', title, lines, top: this.#top }, size)
	}

	#header(columns: number): StyledLine {
		const { kind } = this.#options.backend
		const left = [span(safeText` styrby `, 'accent'), span(safeText`join`)]
		return padLine(sides(left, [span(safeText`${oneLine(kind)} `, 'dim')], columns), columns)
	}

	#input(size: Size) {
		const words: TypingScreen | null = this.#words
		if (!words) return null
		const count = editText(words.edit)
			.trim()
			.split(/\s+/)
			.filter((word) => word !== '').length
		const question = safeText`The 24 words of the recovery key, ${count} so far:`
		return inputFrame(question, words.edit, size, words)
	}
}
