/** Jumping to the next prompt, request or failure, through all of a session. */
import { type SafeText, safeText } from '../../text/safe-text.ts'
import type { ShownMessage } from '../../viewer/viewer.ts'
import type { App } from '../app.ts'
import { bodyOf } from '../transcript/items.ts'
import { bringIn, seqOf, sessionOnScreen, showLine } from './place.ts'

/** Rows looked through at once: few enough that keys do not wait for them. */
const pageRows = 100
/** ms between two reports of how far it is. */
const reportMs = 150

export type Landmark = 'prompt' | 'request' | 'error'

const names: Readonly<Record<Landmark, SafeText>> = {
	prompt: safeText`prompt`,
	request: safeText`request`,
	error: safeText`failure`,
}

/** Lines of what was before that stay in view. */
const context = 2

export function isLandmark(message: ShownMessage, what: Landmark): boolean {
	if (what === 'prompt') return bodyOf(message, 'user_prompt') !== null
	if (what === 'request') return bodyOf(message, 'permission_request') !== null
	if (message.problem !== null) return true
	return (
		bodyOf(message, 'error') !== null ||
		bodyOf(message, 'tool_result')?.ok === false ||
		bodyOf(message, 'status')?.status === 'error'
	)
}

/** One jump at a time; the next key ends one that is still looking. */
export class Jumps {
	readonly #app: App
	#run = 0

	constructor(app: App) {
		this.#app = app
	}

	stop(): void {
		this.#run++
		if (this.#app.ui.seeking) this.#app.update((ui) => ({ ...ui, seeking: null }))
	}

	/** To the next one, or the one before. */
	go(what: Landmark, by: 1 | -1): void {
		const app = this.#app
		const session = sessionOnScreen(app)
		const from = session === null ? null : placeNow(app)
		if (session === null || from === null) return
		this.stop()
		const run = this.#run
		app.loading.run(
			this.#look(session, what, by, from, run).finally(() => {
				if (run === this.#run) this.stop()
			}),
		)
	}

	async #look(session: string, what: Landmark, by: 1 | -1, from: number, run: number) {
		const app = this.#app
		const near = nearest(app.data.open?.state.messages ?? [], what, by, from)
		const seq = near ?? (await this.#beyond(session, what, by, run))
		if (run !== this.#run) return
		const found = seq === null ? null : await bringIn(app, session, seq)
		if (run !== this.#run) return
		if (found) showLine(app, found, 0, context)
		else if (seq === null) {
			const where = by > 0 ? safeText`after this` : safeText`before this`
			app.toast(safeText`There is no ${names[what]} ${where}.`, 'warn')
		}
	}

	/** Its number in what is not loaded, read page by page; `null`: there is none, or one stopped it. */
	async #beyond(session: string, what: Landmark, by: 1 | -1, run: number): Promise<number | null> {
		const app = this.#app
		const state = app.data.open?.state
		const [first] = state?.messages ?? []
		const last = state?.messages.at(-1)
		if (!state || !first || !last || !(by > 0 ? state.hasNewer : state.hasOlder)) return null
		const pages = app.options.viewer.pages(session)
		const start = by > 0 ? last.seq + last.rows - 1 : first.seq
		const through = by > 0 ? Math.max(0, (await pages.last()) - start) : start - 1
		let place = start
		let reported = app.options.now()
		for (;;) {
			const page = await (by > 0 ? pages.after(place, pageRows) : pages.before(place, pageRows))
			if (run !== this.#run) return null
			const found = nearest(page.messages, what, by, place)
			if (found !== null) return found
			place = page.place
			if (!page.more) return null
			if (app.options.now() - reported < reportMs) continue
			reported = app.options.now()
			const looked = Math.abs(place - start)
			const seeking = { session, what: names[what], looked, through }
			app.update((ui) => ({ ...ui, seeking }))
		}
	}
}

/** Where a jump starts: at what was jumped to, else at the end that is followed, or the window's first line. */
function placeNow(app: App): number | null {
	const { transcript } = app.frame()
	if (!transcript) return null
	const { cursor, items, entries, window, following } = transcript
	const item = cursor === null ? undefined : entries[items.indexOf(cursor)]
	// It is the result that failed, and other messages may be between it and its call.
	const jumped = item?.type === 'call' && item.result ? item.result.seq : seqOf(item)
	if (jumped !== null) return jumped
	if (following) return Number.POSITIVE_INFINITY
	for (const { index, from } of window.slices) {
		const seq = seqOf(entries[index])
		// What begins above the window is before its first line.
		if (seq !== null) return from > 0 ? seq + 0.5 : seq
	}
	return null
}

function nearest(
	messages: readonly ShownMessage[],
	what: Landmark,
	by: 1 | -1,
	from: number,
): number | null {
	const fits = (message: ShownMessage) =>
		(by > 0 ? message.seq > from : message.seq < from) && isLandmark(message, what)
	return (by > 0 ? messages.find(fits) : messages.findLast(fits))?.seq ?? null
}
