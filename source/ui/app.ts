import { startHighlighting } from '../text/highlight.ts'
import { type SafeText, safeText } from '../text/safe-text.ts'
import type { Archive } from '../viewer/archive.ts'
import type { Devices } from '../viewer/devices.ts'
import type { SessionView, Viewer } from '../viewer/viewer.ts'
import { run } from './actions.ts'
import { selectedSession } from './arranged-sessions.ts'
import { Attention, type MayAnswer } from './attention.ts'
import { Batch } from './batch.ts'
import type { Clipboard } from './clipboard.ts'
import { composeFrame } from './compose.ts'
import { actOutcome } from './device-actions.ts'
import type { Echo } from './echo.ts'
import type { Frame } from './frame.ts'
import { answers, type CommandId, defaultKeymap, type Keymap } from './keymap/keymap.ts'
import type { KeyPress } from './keys.ts'
import { block, editKey, insertText, oneLine } from './line-edit.ts'
import { Loading } from './loading.ts'
import type { MouseAct } from './mouse.ts'
import type { Notifier } from './notifier.ts'
import { OpenSession } from './open-session.ts'
import { point } from './pointing.ts'
import { hurryMs, isOver } from './present/times.ts'
import { Pressing, type Unmeant } from './pressing.ts'
import { Finder } from './reading/finding.ts'
import { Jumps } from './reading/jumping.ts'
import { Player } from './replay/player.ts'
import { searchTyped } from './searching.ts'
import { pendingRequests, type Snapshot, takeSnapshot } from './snapshot.ts'
import {
	baseScreen,
	initialState,
	isTyping,
	type Screen,
	type Size,
	type TypingScreen,
	topScreen,
	type UiState,
	withTranscript,
} from './state.ts'

export interface AppOptions {
	viewer: Viewer
	archive: Archive
	size: Size
	/** ms since the epoch. */
	now: () => number
	banner: SafeText | null
	jumpScroll: boolean
	notifier: Notifier
	/** Hands a text to the clipboard of the terminal. */
	copy: Clipboard
	/** Writes a new file (mode 0600); resolves to where it is. Throws `file_exists` and what it has to throw. */
	save: (path: string, parts: AsyncIterable<string>) => Promise<string>
	/** Says when the terminal has shown what was written; absent: when it was written. */
	echo?: Echo
	/** Code is not highlighted: nothing would come of it. */
	plainCode?: boolean
	/** What to start on; the sessions are under it. */
	initial: Screen | null
	/** Default: the table's own keys. */
	keymap?: Keymap
	/** Leaves the program. */
	leave: (exitCode: number) => void
	/** Gives the terminal to the shell until the person is back. */
	suspend: () => void
	/** Draws everything again. */
	redraw: () => void
}

/** Changes of the viewer reach the screen this often at most; keys and requests at once. */
const flushMs = 100
/** Times on the screen move this often: while a request's last minutes are counted, and else. */
const tickMs = { hurry: 1000, calm: 15_000 }
const toastMs = 4000
/** A remark has been on the screen so long that it was seen, ms. */
const readMs = 800
const unmeantTexts: Readonly<Record<Unmeant, SafeText>> = {
	held: safeText`That key is held, or came twice: wait a second, then press it again.`,
	burst: safeText`Several keys at once are no answer: press it again, alone.`,
}

/**
 * The state of the screens, outside of React: what the viewer knew at the last flush, what the person did
 * since, and the frame that follows from both. Told of keys, and of each frame that was drawn.
 */
export class App {
	readonly options: AppOptions
	readonly keymap: Keymap
	readonly attention: Attention
	readonly loading = new Loading(this)
	readonly finder = new Finder(this)
	readonly jumps = new Jumps(this)
	/** Plays a session again, while that is on the screen. */
	player: Player | null = null
	readonly #listeners = new Set<() => void>()
	readonly #batch: Batch
	readonly #watching: (() => void)[]
	readonly #open: OpenSession
	readonly #pressing: Pressing
	#ui: UiState
	#data: Snapshot
	#frame: Frame | null = null
	/** The frame on the screen: keys mean what it shows, not what is known by now. */
	#drawn: Frame | null = null
	#tick: NodeJS.Timeout | null = null
	/** The terminal has not shown yet what is in focus, as far as it said. */
	#holding = false

	constructor(options: AppOptions) {
		const { viewer, initial, size } = options
		this.options = options
		this.keymap = options.keymap ?? defaultKeymap
		this.attention = new Attention(options.now)
		this.#pressing = new Pressing(options.now)
		this.#batch = new Batch(flushMs, () => this.#flush())
		this.#open = new OpenSession(viewer, this.#batch)
		this.#ui = initialState(size)
		if (initial) this.#ui = { ...this.#ui, screens: [...this.#ui.screens, initial] }
		this.#data = takeSnapshot(viewer, options.archive, null)
		const {
			info,
			connection,
			sessions,
			listing,
			requests,
			decisions,
			sent,
			devices,
			grants,
			cost,
			search,
		} = viewer
		const { state, history, access, act } = devices
		this.#watching = [
			...[
				info,
				connection,
				sessions,
				listing,
				grants,
				state,
				history,
				access,
				cost.state,
				search.state,
			].map((one) => one.subscribe(this.#batch.later)),
			// Somebody waits for these.
			...[requests, decisions, sent, act, options.archive.archived].map((one) =>
				one.subscribe(this.#batch.soon),
			),
			...(options.plainCode ? [] : [startHighlighting(() => this.#changed())]),
		]
		this.#flush()
	}

	get ui(): UiState {
		return this.#ui
	}

	get data(): Snapshot {
		return this.#data
	}

	get devices(): Devices {
		return this.options.viewer.devices
	}

	/** The open transcript's view, for what loads more of it. */
	get view(): SessionView | null {
		return this.#open.view
	}

	readonly subscribe = (listener: () => void): (() => void) => {
		this.#listeners.add(listener)
		return () => this.#listeners.delete(listener)
	}

	/** The newest frame; the same object until something changes. */
	readonly frame = (): Frame => {
		this.#frame ??= composeFrame({
			ui: this.#ui,
			data: this.#data,
			now: this.options.now(),
			banner: this.options.banner,
			jumpScroll: this.options.jumpScroll,
			attention: this.attention,
			keymap: this.keymap,
		})
		return this.#frame
	}

	/** `frame` is on the screen now. */
	drawn(frame: Frame): void {
		if (this.#drawn === frame) return
		this.#drawn = frame
		const before = unreadOf(this.attention, frame)
		const fresh = this.attention.drawn(frame.shown, frame.focus)
		const unread = unreadOf(this.attention, frame)
		if ((fresh || unread < before) && this.options.echo?.ask()) {
			if (fresh) this.attention.hold()
			this.#holding ||= fresh
			this.attention.holdReading(frame.shown)
		}
		this.#keepJump(frame)
		this.loading.beyond(frame)
		if (unread !== before) this.#changed()
	}

	/** The terminal has shown what was written to it last. */
	shown(): void {
		this.attention.linesShown()
		if (this.#holding) this.attention.interrupted()
		this.#holding = false
	}

	/** The frame that the person sees. */
	get seen(): Frame {
		return this.#drawn ?? this.frame()
	}

	update(change: (ui: UiState) => UiState): void {
		const next = change(this.#ui)
		if (next === this.#ui) return
		this.#ui = next
		this.#follow()
		this.#changed()
	}

	resize(size: Size): void {
		this.update((ui) => ({ ...ui, size }))
	}

	/** Keys of one read: each does what the table says for what is on the screen. */
	press(press: KeyPress): void {
		const { names, alone } = press
		const unmeant = this.#pressing.came(press)
		// What still looks for its place gives way to what the person does next.
		this.finder.stay()
		this.jumps.stop()
		const unseen = this.#tooSmall()
		this.#readToast()
		for (const name of names) {
			if (!unseen && isTyping(topScreen(this.#ui)) && this.#edit(name, alone)) continue
			const newest = this.keymap.commandFor(name, this.frame().context)
			if (!newest || (unseen && !withoutScreen.has(newest.command.id))) continue
			const answer = answers.has(newest.command.id)
			// A move goes on from the move before; an answer means what the person saw.
			const found = answer ? this.keymap.commandFor(name, this.seen.context) : newest
			if (!found) continue
			if (found.enabled !== true) this.toast(found.enabled, 'warn')
			else if (answer && unmeant) this.toast(unmeantTexts[unmeant], 'warn')
			else run(this, found.command.id, name)
		}
		// Decisions made by the key are to be seen at once, not at the next flush.
		this.#batch.flush()
	}

	/** Nothing is seen of what a key would do. */
	#tooSmall(): boolean {
		return this.frame().tooSmall || this.seen.tooSmall
	}

	paste(text: string): void {
		this.#pressing.pasted()
		if (this.#tooSmall()) return
		this.#typed((screen) => ({ ...screen, edit: insertText(screen.edit, text, rulesOf(screen)) }))
	}

	/** The mouse scrolls and highlights; it never answers. */
	mouse(act: MouseAct): void {
		this.finder.stay()
		this.jumps.stop()
		point(this, act)
	}

	/** Begins to play a session again, or ends that. */
	replay(session: string | null): void {
		this.player?.[Symbol.dispose]()
		this.player = session === null ? null : new Player(this, session)
	}

	/** Takes over at once what the viewer knows by now. */
	refresh(): void {
		this.#batch.flush()
	}

	/** The terminal was away and is back: what is on it has only just appeared. */
	back(): void {
		this.attention.interrupted()
		this.options.notifier.begin()
		this.#notify()
		this.#changed()
	}

	/** Whether a key pressed now may answer this request, by what was on the screen and for how long. */
	mayAnswer(id: string, decision: 'allow' | 'deny'): MayAnswer {
		const may = this.attention.mayAnswer(id, decision)
		if (!may.ok && may.why === 'too-soon') this.options.echo?.again()
		return may
	}

	toast(text: SafeText, role: 'warn' | 'ok' | 'error'): void {
		const until = this.options.now() + toastMs
		this.update((ui) => ({ ...ui, toast: { text, role, until } }))
	}

	/** A remark gives the line back to the keys with the next key, once there was time to read it. */
	#readToast(): void {
		const { toast } = this.#ui
		const since = toast ? this.options.now() - (toast.until - toastMs) : 0
		if (toast && since >= readMs) this.update((ui) => ({ ...ui, toast: null }))
	}

	async [Symbol.asyncDispose](): Promise<void> {
		for (const stop of this.#watching) stop()
		this.#batch[Symbol.dispose]()
		if (this.#tick) clearTimeout(this.#tick)
		this.player?.[Symbol.dispose]()
		this.#listeners.clear()
		await this.#open[Symbol.asyncDispose]()
	}

	#edit(name: string, alone: boolean): boolean {
		const typed = Array.from(name).length === 1 || name === 'space'
		return this.#typed((screen) => {
			const rules = rulesOf(screen)
			const insert = (text: string) => ({ ...screen, edit: insertText(screen.edit, text, rules) })
			const edited = editKey(screen.edit, name, rules)
			if (edited) return { ...screen, edit: edited }
			if (typed) return insert(name === 'space' ? ' ' : name)
			// A line end within pasted text is part of the text: only the key alone sends it.
			return alone ? null : insert(name === 'tab' ? '\t' : '\n')
		})
	}

	#typed(change: (screen: TypingScreen) => TypingScreen | null): boolean {
		const top = topScreen(this.#ui)
		const next = isTyping(top) ? change(top) : null
		if (!next) return false
		this.update((ui) => ({ ...ui, screens: [...ui.screens.slice(0, -1), next] }))
		searchTyped(this)
		return true
	}

	#notify(): void {
		const waiting = pendingRequests(this.#data).map(({ id }) => id)
		this.options.notifier.update(waiting, this.#data.connection.lastContact !== null)
	}

	#flush(): void {
		const before = this.#data.act
		this.#data = takeSnapshot(this.options.viewer, this.options.archive, this.#open.snapshot())
		if (this.#data.info.revoked) this.#revoked()
		this.#tellOutcome(before)
		this.#follow()
		const shown = this.#drawn?.shown ?? []
		this.attention.keep(new Set([...this.#data.requests, ...shown].map(({ id }) => id)))
		this.finder.grow()
		this.#notify()
		this.#changed()
	}

	/** Nothing else is shown any more, and no transcript stays open. */
	#revoked(): void {
		if (topScreen(this.#ui).name === 'revoked') return
		this.replay(null)
		this.#ui = { ...this.#ui, screens: [{ name: 'revoked' }], toast: null }
		void this.#open[Symbol.asyncDispose]()
	}

	/** An act that ended while the person was on another screen. */
	#tellOutcome(before: Snapshot['act']): void {
		const { act } = this.#data
		if (
			!act ||
			act === before ||
			act.step === before?.step ||
			baseScreen(this.#ui).name === 'act'
		) {
			return
		}
		const outcome = actOutcome(act)
		if (!outcome) return
		const until = this.options.now() + toastMs
		this.#ui = { ...this.#ui, toast: { ...outcome, until } }
	}

	/** Opens the transcript that the screen shows, once the highlight rests on it. */
	#follow(): void {
		const screen = baseScreen(this.#ui)
		if (screen.name === 'session') this.#open.show(screen.session, 'now')
		else if (screen.name === 'sessions') {
			const selected = selectedSession({
				ui: this.#ui,
				data: this.#data,
				now: this.options.now(),
			})
			if (selected) this.#open.show(selected.id, 'at rest')
		}
	}

	#keepJump({ transcript }: Frame): void {
		if (!transcript || !this.options.jumpScroll) return
		const known = this.#ui.transcripts.get(transcript.session)
		if (known?.jump?.key === transcript.jump?.key && known?.jump?.line === transcript.jump?.line) {
			return
		}
		// Not a change that needs a frame: it is where this one stands.
		this.#ui = withTranscript(this.#ui, transcript.session, { jump: transcript.jump })
	}

	#changed(): void {
		this.#frame = null
		this.#schedule()
		for (const listener of [...this.#listeners]) listener()
	}

	/** The next frame that is due although nothing changes: times run, a remark has been read. */
	#schedule(): void {
		if (this.#tick) clearTimeout(this.#tick)
		const now = this.options.now()
		const hurry = pendingRequests(this.#data).some(
			({ expiresAt }) => !isOver(expiresAt, now) && Date.parse(expiresAt) - now < hurryMs,
		)
		const toast = this.#ui.toast ? this.#ui.toast.until - now : 0
		const due = hurry ? tickMs.hurry : tickMs.calm
		this.#tick = setTimeout(() => this.#changed(), toast > 0 ? Math.min(due, toast + 1) : due)
		this.#tick.unref()
	}
}

/** What a person can do without seeing what is on the screen. */
const withoutScreen: ReadonlySet<CommandId> = new Set(['leave', 'quit', 'suspend', 'redraw'])

/** What has as many lines as it takes; all else that is typed has one. */
function rulesOf({ name }: TypingScreen) {
	return name === 'prompt' || name === 'change' ? block : oneLine
}

function unreadOf(attention: Attention, { shown }: Frame): number {
	return shown.reduce((sum, { id, digest, total }) => sum + attention.unread(id, digest, total), 0)
}
