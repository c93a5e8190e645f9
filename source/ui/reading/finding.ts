/** Finding words in all of a session: nearest first, page by page, and going from one place to the next. */
import { StyrbyError } from '../../protocol/errors.ts'
import { matchesIn, type Wanted, wantedOf } from '../../text/match.ts'
import { oneLine } from '../../text/one-line.ts'
import { displayText, type SafeText, safeText } from '../../text/safe-text.ts'
import type { App } from '../app.ts'
import { editText, emptyEdit } from '../line-edit.ts'
import { type FindState, topScreen, transcriptOf, withTranscript } from '../state.ts'
import { isFoldable } from '../transcript/item-lines.ts'
import { Hits } from './hits.ts'
import { bringIn, seqOf, sessionOnScreen, showLine } from './place.ts'

/** Rows looked through at once: few enough that keys do not wait for them. */
const pageRows = 100
/** ms between two reports of how far it is. */
const reportMs = 150

export function typeFind(app: App): void {
	const session = sessionOnScreen(app)
	if (session === null) return
	app.update((ui) => ({
		...ui,
		screens: [...ui.screens, { name: 'find', session, edit: emptyEdit }],
	}))
}

export function startFind(app: App): void {
	const top = topScreen(app.ui)
	if (top.name !== 'find') return
	const typed = editText(top.edit).trim()
	const text = typed === '' ? app.ui.lastFind : displayText(typed)
	const wanted = text === null ? null : wantedOf(text)
	app.update((ui) => ({ ...ui, screens: ui.screens.slice(0, -1) }))
	if (text !== null && wanted) app.finder.begin(top.session, text, wanted)
}

/** One find at a time, in the session on the screen. */
export class Finder {
	readonly #app: App
	/** Counts finds: what a former one still reads is dropped. */
	#run = 0
	#hits = new Hits()
	/** Going on to the next place as soon as one is found that way. */
	#wish: { by: 1 | -1; from: number } | null = null
	/** Rows up to here were looked through. */
	#end = 0

	constructor(app: App) {
		this.#app = app
	}

	/**
	 * Looks for `wanted` in all of a session and goes to the nearest place that has it: `near` (the number of a
	 * message), or what is on the screen.
	 */
	begin(session: string, text: SafeText, wanted: Wanted, near?: number): void {
		const app = this.#app
		const run = ++this.#run
		this.#hits = new Hits()
		this.#end = 0
		const find: FindState = {
			text,
			wanted,
			hits: [],
			at: null,
			looked: 0,
			through: 0,
			done: false,
			problem: null,
		}
		app.update((ui) => ({ ...withTranscript(ui, session, { find }), lastFind: text }))
		const from = near ?? firstOnScreen(app)
		this.#wish = { by: 1, from: from - 0.5 }
		void this.#look(session, wanted, run)
	}

	leave(session: string): void {
		this.#run++
		this.#wish = null
		this.#app.update((ui) => withTranscript(ui, session, { find: null }))
	}

	/** A key that is not about it was pressed: the window stays where it is. */
	stay(): void {
		this.#wish = null
	}

	/** To the next line that has it, or the one before. */
	next(by: 1 | -1): void {
		const app = this.#app
		const session = sessionOnScreen(app)
		const find = session === null ? null : transcriptOf(app.ui, session).find
		if (session === null || !find) return
		if (find.at && this.#withinItem(session, find, by)) return
		const from = find.at?.seq ?? firstOnScreen(app) - 0.5
		this.#wish = { by, from }
		this.#grant(session)
	}

	/** What has come at the end of the open session since all was looked through. */
	grow(): void {
		const app = this.#app
		const { open } = app.data
		const find = open && transcriptOf(app.ui, open.session).find
		if (!open || !find?.done || open.state.hasNewer) return
		const fresh = open.state.messages.filter(({ seq }) => seq > this.#end)
		const last = fresh.at(-1)
		if (!last) return
		this.#end = last.seq + last.rows - 1
		this.#hits.take(fresh, find.wanted)
		const hits = this.#hits.all()
		app.update((ui) =>
			withTranscript(ui, open.session, {
				find: { ...find, hits, looked: this.#end, through: this.#end },
			}),
		)
	}

	async #look(session: string, wanted: Wanted, run: number): Promise<void> {
		const app = this.#app
		try {
			await this.#lookThrough(session, wanted, run)
		} catch (error) {
			if (run !== this.#run) return
			if (!(error instanceof StyrbyError)) throw error
			this.#report(session, { problem: oneLine(error.message) })
			app.options.notifier.log(error)
		}
	}

	/** What is loaded, then what is older (it is often opened at its end), then what is newer. */
	async #lookThrough(session: string, wanted: Wanted, run: number): Promise<void> {
		const app = this.#app
		const { open } = app.data
		const state = open?.session === session ? open.state : null
		const loaded = state?.messages ?? []
		const first = loaded[0]?.seq ?? 1
		const end = loaded.at(-1)
		const last = end ? end.seq + end.rows - 1 : 0
		this.#hits.take(loaded, wanted)
		const pages = app.options.viewer.pages(session)
		const through = state && !state.hasNewer ? last : Math.max(last, await pages.last())
		if (run !== this.#run) return
		let looked = last - first + 1
		this.#report(session, { looked, through })
		let reported = app.options.now()
		const report = () => {
			if (app.options.now() - reported < reportMs && !this.#wish) return
			reported = app.options.now()
			this.#report(session, { looked, through })
		}
		for (let place = first, more = first > 1; more; ) {
			const page = await pages.before(place, pageRows)
			if (run !== this.#run) return
			this.#hits.take(page.messages, wanted)
			looked += place - page.place
			place = page.place
			more = page.more
			report()
		}
		this.#end = last
		for (let more = last < through; more; ) {
			const page = await pages.after(this.#end, pageRows)
			if (run !== this.#run) return
			this.#hits.take(page.messages, wanted)
			looked += page.place - this.#end
			this.#end = page.place
			more = page.more
			report()
		}
		this.#hits.finish()
		this.#report(session, { looked: through, through, done: true })
	}

	#report(session: string, change: Partial<FindState>): void {
		const app = this.#app
		const { find } = transcriptOf(app.ui, session)
		if (!find) return
		const next = { ...find, ...change, hits: this.#hits.all() }
		app.update((ui) => withTranscript(ui, session, { find: next }))
		this.#grant(session)
	}

	/** Goes on to where the person wants to be, once that is found. */
	#grant(session: string): void {
		const app = this.#app
		const wish = this.#wish
		const { find } = transcriptOf(app.ui, session)
		if (!wish || !find) return
		const { hits, done } = find
		const ahead =
			wish.by > 0 ? hits.find((seq) => seq > wish.from) : hits.findLast((seq) => seq < wish.from)
		// At the last one it goes on from the other end, as soon as that is known to be the next.
		const around = done || !find.at ? (wish.by > 0 && find.at ? hits[0] : hits.at(-1)) : undefined
		const seq = ahead ?? around
		if (seq === undefined) return
		this.#wish = null
		if (ahead === undefined && find.at) {
			app.toast(
				wish.by > 0
					? safeText`That was the last one: on from the first.`
					: safeText`That was the first one: on from the last.`,
				'ok',
			)
		}
		app.loading.run(this.#goTo(session, seq, wish.by))
	}

	async #goTo(session: string, seq: number, by: 1 | -1): Promise<void> {
		const app = this.#app
		const run = this.#run
		const found = await bringIn(app, session, seq)
		const { find } = transcriptOf(app.ui, session)
		if (!found || !find || run !== this.#run) return
		const { index } = found
		const key = found.transcript.items.key(index)
		let lines = markedLines(found.transcript.items.lines(index), find.wanted)
		let { transcript } = found
		const item = transcript.entries[index]
		// What is folded away is shown when it is gone to.
		if (lines.length === 0 && item && isFoldable(item)) {
			app.update((ui) => {
				const folds = new Map(transcriptOf(ui, session).folds)
				return withTranscript(ui, session, { folds: folds.set(key, 'all') })
			})
			transcript = app.frame().transcript ?? transcript
			lines = markedLines(transcript.items.lines(index), find.wanted)
		}
		const line = lines.at(by > 0 ? 0 : -1) ?? 0
		this.#show(session, { transcript, index }, seq, line)
	}

	/** Another line of the same item. `false`: it has none that way. */
	#withinItem(session: string, find: FindState, by: 1 | -1): boolean {
		const { transcript } = this.#app.frame()
		const { at } = find
		if (!transcript || !at) return false
		const index = transcript.entries.findIndex((item) => seqOf(item) === at.seq)
		if (index < 0) return false
		const lines = markedLines(transcript.items.lines(index), find.wanted)
		const line =
			by > 0 ? lines.find((each) => each > at.line) : lines.findLast((each) => each < at.line)
		if (line === undefined) return false
		this.#show(session, { transcript, index }, at.seq, line)
		return true
	}

	#show(session: string, found: Parameters<typeof showLine>[1], seq: number, line: number): void {
		const app = this.#app
		app.update((ui) => {
			const { find } = transcriptOf(ui, session)
			return find ? withTranscript(ui, session, { find: { ...find, at: { seq, line } } }) : ui
		})
		showLine(app, found, line, found.transcript.height >> 1)
	}
}

function markedLines(lines: Parameters<typeof matchesIn>[0], wanted: Wanted): number[] {
	return matchesIn(lines, wanted).flatMap((ranges, line) => (ranges.length > 0 ? [line] : []))
}

/** Number of the first message in the window. */
function firstOnScreen(app: App): number {
	const { transcript } = app.frame()
	for (const { index } of transcript?.window.slices ?? []) {
		const seq = seqOf(transcript?.entries[index])
		if (seq !== null) return seq
	}
	return Number.POSITIVE_INFINITY
}
