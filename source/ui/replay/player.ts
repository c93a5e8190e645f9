/**
 * Plays a session again with the timing it had. It holds a window of what has happened and some of what comes
 * next: memory does not grow with the session, and any place of it is one read away.
 */
import { StyrbyError } from '../../protocol/errors.ts'
import { oneLine } from '../../text/one-line.ts'
import type { SessionPages, ShownMessage } from '../../viewer/viewer.ts'
import type { App } from '../app.ts'
import { isLandmark } from '../reading/jumping.ts'
import { withTranscript } from '../state.ts'
import { bodyOf, isSilent } from '../transcript/items.ts'
import { type ReplayState, replayKey, speeds } from './replay-state.ts'
import { gapBetween, liveAt, longPause } from './timing.ts'

/** Rows read at once, and messages of the past that are kept at most. */
const pageRows = 200
const kept = 500
/** Fewer that come next than this: more are read. */
const low = 120
/** ms between two frames, and what a frame that came late counts for at most. */
const frameMs = { near: 80, far: 160 }
const latest = 1000
/** Messages in one frame at most: the keys are heard in between. */
const mostAtOnce = 100
/** Part of the session that one press of a key moves by. */
const seekPart = 0.05

const endOf = (message: ShownMessage) => message.seq + message.rows - 1

export class Player implements Disposable {
	readonly #app: App
	readonly #session: string
	readonly #pages: SessionPages
	/** It is known how long the session is. */
	readonly #opened: Promise<void>
	#shown: ShownMessage[] = []
	#next: ShownMessage[] = []
	/** Rows read so far, and whether there are more. */
	#read = 0
	#more = true
	#reading = false
	/** Rows that have happened, of how many. */
	#seq = 0
	#through = 0
	/** Played ms since the last message. */
	#elapsed = 0
	#speed = 1
	#playing = true
	/** Where a seek goes that is still being read. */
	#target: number | null = null
	#problem: ReplayState['problem'] = null
	/** Counts seeks: what a former one still reads is dropped. */
	#run = 0
	#ticked: number
	#timer: NodeJS.Timeout | null = null
	#closed = false

	constructor(app: App, session: string) {
		this.#app = app
		this.#session = session
		this.#pages = app.options.viewer.pages(session)
		this.#ticked = app.options.now()
		this.#publish()
		this.#opened = this.#pages.last().then((last) => {
			this.#through = last
		})
		this.seek(0)
	}

	[Symbol.dispose](): void {
		this.#closed = true
		this.#run++
		if (this.#timer) clearTimeout(this.#timer)
	}

	/** Pauses, goes on, or begins again at the end. */
	toggle(): void {
		if (this.#ended) {
			this.#playing = true
			this.seek(0)
			return
		}
		this.#playing = !this.#playing
		this.#ticked = this.#app.options.now()
		this.#publish()
		this.#schedule()
	}

	faster(by: 1 | -1): void {
		const at = speeds.findIndex((speed) => this.#speed <= speed)
		this.#speed = speeds[Math.max(0, Math.min(speeds.length - 1, at + by))] ?? 1
		this.#publish()
	}

	/** One thing more, and stands still. */
	step(): void {
		this.#playing = false
		while (this.#next.length > 0) if (!isSilent(this.#take())) break
		this.#publish()
		this.#schedule()
	}

	/** One thing less, and stands still. */
	stepBack(): void {
		this.#playing = false
		this.seek(this.#before())
	}

	/** Some part of the session on or back, and past one thing at least. */
	skip(by: 1 | -1): void {
		const rows = Math.max(1, Math.round(this.#through * seekPart))
		const from = this.#target ?? this.#seq
		if (by < 0) this.seek(Math.min(from - rows, this.#target ?? this.#before()))
		else {
			const next = this.#next.find((message) => !isSilent(message))
			this.seek(Math.max(from + rows, this.#target ?? (next ? endOf(next) : 0)))
		}
	}

	/** To the next prompt, or the one before: it is the last thing that has happened then. */
	toPrompt(by: 1 | -1): void {
		const run = ++this.#run
		void this.#safely(async () => {
			const found = await this.#prompt(by, run)
			if (run === this.#run) await this.#seek(found ?? (by > 0 ? this.#through : 0))
		})
	}

	/** To where row `seq` has happened and nothing after it. */
	seek(seq: number): void {
		void this.#safely(() => this.#seek(seq))
	}

	get #ended(): boolean {
		return this.#next.length === 0 && !this.#more && !this.#reading
	}

	/** Number before that of the last thing on the screen. */
	#before(): number {
		const last = this.#shown.findLast((message) => !isSilent(message))
		return last ? last.seq - 1 : 0
	}

	async #seek(wanted: number): Promise<void> {
		const run = ++this.#run
		await this.#opened
		if (run !== this.#run) return
		const seq = Math.max(0, Math.min(this.#through, wanted))
		this.#target = seq
		this.#reading = true
		this.#publish()
		const page = seq > 0 ? await this.#pages.before(seq + 1, pageRows) : null
		if (run !== this.#run) return
		const messages = page ? [...page.messages] : []
		const last = messages.at(-1)
		const place = last ? endOf(last) : seq
		const after = await this.#pages.after(place, pageRows)
		if (run !== this.#run) return
		this.#shown = messages
		this.#next = [...after.messages]
		this.#read = after.place
		this.#more = after.more
		this.#seq = place
		this.#target = null
		this.#elapsed = 0
		this.#reading = false
		this.#problem = null
		// At the beginning nothing is waited for.
		if (seq === 0) while (this.#next.length > 0) if (!isSilent(this.#take())) break
		this.#ticked = this.#app.options.now()
		this.#app.update((ui) =>
			withTranscript(ui, replayKey(this.#session), { anchor: null, jump: null }),
		)
		this.#publish()
		this.#schedule()
	}

	async #prompt(by: 1 | -1, run: number): Promise<number | null> {
		// The one that has just happened is not looked for again.
		const from = by > 0 ? this.#seq : (this.#shown.findLast((each) => !isSilent(each))?.seq ?? 0)
		for (let place = from; ; ) {
			const page =
				by > 0
					? await this.#pages.after(place, pageRows)
					: await this.#pages.before(place, pageRows)
			if (run !== this.#run) return null
			const is = (message: ShownMessage) => isLandmark(message, 'prompt')
			const found = by > 0 ? page.messages.find(is) : page.messages.findLast(is)
			if (found) return endOf(found)
			place = page.place
			if (!page.more) return null
		}
	}

	#schedule(): void {
		if (this.#timer) clearTimeout(this.#timer)
		this.#timer = null
		if (this.#closed) return
		void this.#readOn()
		if (!this.#playing || this.#ended) return
		const ms = this.#app.options.jumpScroll ? frameMs.far : frameMs.near
		this.#timer = setTimeout(() => this.#tick(), ms)
	}

	#tick(): void {
		const now = this.#app.options.now()
		const passed = Math.min(latest, Math.max(0, now - this.#ticked))
		this.#ticked = now
		if (this.#playing && !this.#reading) this.#advance(passed * this.#speed)
		this.#publish()
		this.#schedule()
	}

	#advance(ms: number): void {
		this.#elapsed += ms
		for (let taken = 0; taken < mostAtOnce; taken++) {
			const [next] = this.#next
			if (!next) {
				this.#elapsed = 0
				return
			}
			const { played } = gapBetween(this.#shown.at(-1) ?? null, next)
			if (this.#elapsed < played) return
			this.#take()
			this.#elapsed = Math.max(0, this.#elapsed - played)
		}
		this.#elapsed = 0
	}

	/** The next message happens. */
	#take(): ShownMessage {
		const [message] = this.#next
		if (!message) throw new Error('Nothing comes next.')
		this.#next.shift()
		this.#shown.push(message)
		if (this.#shown.length > kept) this.#shown = this.#shown.slice(-(kept - pageRows))
		this.#seq = endOf(message)
		this.#elapsed = Math.max(0, this.#elapsed)
		return message
	}

	async #readOn(): Promise<void> {
		if (!this.#more || this.#reading || this.#next.length >= low) return
		const run = this.#run
		this.#reading = this.#next.length === 0
		await this.#safely(async () => {
			const page = await this.#pages.after(this.#read, pageRows)
			if (run !== this.#run || page.place < this.#read) return
			if (page.place === this.#read && page.messages.length === 0) this.#more = false
			else {
				this.#next.push(...page.messages)
				this.#read = page.place
				this.#more = page.more
			}
			this.#reading = false
			this.#publish()
			if (this.#next.length < low && this.#more) this.#schedule()
		})
	}

	async #safely(work: () => Promise<void>): Promise<void> {
		try {
			await work()
		} catch (error) {
			if (this.#closed) return
			this.#app.options.notifier.log(error)
			this.#playing = false
			this.#reading = false
			this.#target = null
			if (!(error instanceof StyrbyError)) throw error
			this.#problem = oneLine(error.message)
			this.#publish()
		}
	}

	#publish(): void {
		if (this.#closed) return
		const before = this.#shown.at(-1) ?? null
		const [next] = this.#next
		const gap = next ? gapBetween(before, next) : { real: 0, played: 0 }
		const part = gap.played > 0 ? this.#elapsed / gap.played : 0
		const at = before && Date.parse(before.at) + gap.real * Math.min(1, part)
		const shortened = gap.real > longPause && gap.real > gap.played
		const replay: ReplayState = {
			session: this.#session,
			messages: [...this.#shown],
			hasOlder: (this.#shown[0]?.seq ?? 1) > 1,
			live: next && part > 0 ? liveAt(next, part) : [],
			seq: this.#target ?? this.#seq,
			through: Math.max(this.#through, this.#seq),
			at: at === null || Number.isNaN(at) ? null : new Date(at).toISOString(),
			speed: this.#speed,
			playing: this.#playing,
			ended: this.#ended,
			loading: this.#reading,
			pause: shortened && next ? { ms: gap.real, until: endOfPause(next) } : null,
			problem: this.#problem,
		}
		this.#app.update((ui) => ({ ...ui, replay }))
	}
}

function endOfPause(message: ShownMessage): NonNullable<ReplayState['pause']>['until'] {
	if (bodyOf(message, 'user_prompt')) return 'prompt'
	if (bodyOf(message, 'permission_response')) return 'answer'
	return bodyOf(message, 'tool_result') ? 'result' : 'other'
}
