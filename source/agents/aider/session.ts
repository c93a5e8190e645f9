/** A running Aider, in a pseudo-terminal of ours: in front of the person, or where nobody sits. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { AgentAnswer, AgentOutput, RunningAgent } from '../agent.ts'
import { cannot } from '../cannot.ts'
import type { Ended } from '../child-process.ts'
import type { OutputQueue } from '../output-queue.ts'
import { asPaste } from '../pty/keys.ts'
import type { PtyEnd, PtyProgram } from '../pty/program.ts'
import type { Screen } from '../pty/screen.ts'
import { LiveReader, type LiveReaderParts } from './live-reader.ts'
import { Requests, writtenDownMs } from './requests.ts'
import { confirmAt, inputAt, linesAbove } from './screen-prompts.ts'

export interface SessionParts extends Omit<LiveReaderParts, 'onOutput' | 'onAnswered'> {
	queue: OutputQueue<AgentOutput>
	/** A person sits in front of it. */
	native: boolean
	/** Prompts can be typed: it was started without one of its own. */
	interactive: boolean
	/** Its answer to its own questions is yes. */
	alwaysYes: boolean
	cleanup: AsyncDisposableStack
	signal: AbortSignal | undefined
}

/** Modes that Aider can be put in while it runs; in none of them it asks less. */
const modes = ['code', 'ask', 'architect'] as const
const usualMode = 'code'

const graceMs = 3000
/** What the screen shows counts once nothing was written for so long, ms. */
const settleMs = 60
/** How long it may keep writing before it is looked at all the same, ms. */
const lookMs = 400
/** A second ctrl-c within two seconds ends Aider. */
const betweenInterruptsMs = 2500
/** Where nobody sits, what is asked in a way that is not known is answered with no after this, ms. */
const stuckMs = 3000
/** How often what looks like a question is looked at, each time after twice as long. */
const mostLooks = 7

export class AiderSession implements RunningAgent {
	readonly name = 'aider'
	readonly output: AsyncIterable<AgentOutput>
	readonly ended: Promise<Ended>
	readonly #parts: SessionParts
	readonly #program: PtyProgram
	readonly #queue: OutputQueue<AgentOutput>
	readonly #reader: LiveReader
	readonly #requests: Requests
	#looking: Promise<void> = Promise.resolve()
	#timer: NodeJS.Timeout | null = null
	#firstChange = 0
	#looks = 0
	#idle = false
	#mode: string | null = null
	#interruptedAt = Number.NEGATIVE_INFINITY
	#stuck: { text: string; since: number; tries: number } | null = null
	#stopping: Promise<void> | undefined

	constructor(parts: SessionParts) {
		this.#parts = parts
		this.#program = parts.program
		this.#queue = parts.queue
		this.output = parts.queue
		this.#reader = new LiveReader({
			...parts,
			onOutput: (output) => {
				if (output.type === 'status') this.#idle = false
				this.#queue.push(output)
			},
			onAnswered: (line, key) => this.#requests.answered(line, key),
		})
		this.#requests = new Requests(
			this.#program,
			this.#reader.turns,
			parts.root,
			(output) => this.#queue.push(output),
			(call) => this.#reader.allowed(call),
		)
		this.#program.screen.onChange(() => this.#changed())
		const abort = () => void this.stop()
		parts.signal?.addEventListener('abort', abort, { once: true })
		this.ended = this.#program.ended.then(async (end) => {
			parts.signal?.removeEventListener('abort', abort)
			return this.#end(end)
		})
		const taken = parts.interactive ? [...modes] : []
		const takes = { prompt: parts.interactive, interrupt: true, modes: taken }
		this.#queue.push({ type: 'about', cwd: parts.root, takes })
		if (parts.alwaysYes) this.#queue.push({ type: 'about', mode: 'yes-always', asks: false })
	}

	answer(id: string, answer: AgentAnswer): Promise<boolean> {
		return this.#requests.answer(id, answer)
	}

	async prompt(text: string): Promise<void> {
		this.#mustTakePrompts()
		this.#reader.prompted(text)
		if (await this.#enter(text)) return
		this.#reader.unprompted(text)
		throw cannot(
			'Aider is at work, or something is typed on its input line already: send the prompt when it waits.',
		)
	}

	async interrupt(): Promise<void> {
		if (this.#idle || !this.#program.running) return
		if (performance.now() - this.#interruptedAt < betweenInterruptsMs) {
			throw cannot(
				'Aider was interrupted a moment ago, and a second time would end it: wait some seconds.',
			)
		}
		const typed = await this.#program.type((screen) => inputAt(screen) === null, '\u0003', {
			quietMs: 0,
		})
		if (typed) this.#interruptedAt = performance.now()
	}

	async setMode(mode: string): Promise<void> {
		this.#mustTakePrompts()
		if (!modes.some((known) => known === mode)) {
			throw cannot(`Aider can be put in ${modes.join(', ')} from elsewhere.`)
		}
		if (this.#mode === mode) return
		if (await this.#enter(`/chat-mode ${mode}`)) return
		throw cannot(
			'Aider is at work, or something is typed on its input line already: change its mode when it waits.',
		)
	}

	stop(): Promise<void> {
		this.#queue.flush()
		this.#stopping ??= this.#program.stop(graceMs)
		return this.#stopping.then(async () => void (await this.ended))
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.stop()
	}

	/** Types the first prompt once Aider waits for it. */
	async begin(text: string): Promise<void> {
		for (;;) {
			await this.#program.until((screen) => inputAt(screen) !== null, 60_000)
			if (!this.#program.running || (await this.#enter(text))) return
			await sleep(settleMs)
		}
	}

	#mustTakePrompts(): void {
		if (this.#parts.interactive && this.#program.running) return
		throw cannot(
			'This session works on its one prompt: start one with `--stay`, or in its own interface.',
		)
	}

	/** Types a text on the empty input line, and sends it. */
	#enter(text: string): Promise<boolean> {
		const { screen } = this.#program
		const send = inputAt(screen)?.multiline === true ? '\u001B\r' : '\r'
		const keys = asPaste(text, screen.modes.bracketedPasteMode) + send
		return this.#program.type((now) => this.#awaitsPrompt(now), keys)
	}

	#awaitsPrompt(screen: Screen): boolean {
		return inputAt(screen) !== null && !this.#requests.waiting && this.#program.waitsForKeys()
	}

	#changed(): void {
		this.#looks = 0
		const now = performance.now()
		if (this.#timer === null) this.#firstChange = now
		else clearTimeout(this.#timer)
		const late = now - this.#firstChange > lookMs
		this.#timer = setTimeout(() => this.#lookSoon(), late ? 0 : settleMs)
		if (!this.#idle) this.#reader.stream()
	}

	#lookSoon(): void {
		this.#timer = null
		this.#looking = this.#looking.then(() => this.#look()).catch((error) => this.#trouble(error))
	}

	async #look(): Promise<void> {
		await this.#reader.read()
		this.#reader.stream()
		if (this.#requests.waiting && !(await this.#settle())) return
		const { screen } = this.#program
		const confirm = confirmAt(screen)
		if (confirm !== null) {
			this.#idle = false
			await this.#reader.pause(confirm.row, linesAbove(screen, confirm.row).join('\n'))
			await this.#requests.open(confirm, this.#reader.recorded)
			if (!this.#requests.waiting) this.#lookAgain()
			return
		}
		const input = inputAt(screen)
		if (input !== null && !this.#program.waitsForKeys()) this.#lookAgain()
		else if (input !== null) {
			await this.#reader.read()
			await this.#reader.pause(screen.cursor.row)
			this.#reader.turnOver()
			this.#rest(input.mode ?? usualMode)
		} else if (input === null && this.#reader.turns.awaiting) this.#idle = false
		if (!this.#parts.native && !this.#idle) this.#lookIfStuck()
	}

	/** It was drawn already, and is waited at a moment later; or it is a text that looks so. */
	#lookAgain(): void {
		if (this.#looks >= mostLooks) return
		setTimeout(() => this.#lookSoon(), 100 * 2 ** this.#looks).unref()
		this.#looks++
	}

	/** Whether the open question is over. */
	async #settle(): Promise<boolean> {
		const end = performance.now() + writtenDownMs
		for (;;) {
			const state = this.#requests.settle(this.#reader.recorded, performance.now() > end)
			if (state !== 'unknown') return state === 'settled'
			await sleep(20)
			await this.#reader.read()
		}
	}

	#rest(mode: string): void {
		this.#stuck = null
		if (mode !== this.#mode) {
			this.#mode = mode
			if (!this.#parts.alwaysYes) this.#queue.push({ type: 'about', mode, asks: true })
		}
		if (this.#idle) return
		this.#idle = true
		this.#queue.push({ type: 'status', status: 'idle' })
	}

	/** Nobody sits there to see what it waits for: it is told no, and then interrupted. */
	#lookIfStuck(): void {
		const { screen } = this.#program
		if (this.#requests.waiting || confirmAt(screen) !== null || inputAt(screen) !== null) return
		if (!this.#program.waitsForKeys()) return
		const text = screen.text()
		const now = performance.now()
		if (this.#stuck?.text !== text) {
			this.#stuck = { text, since: now, tries: this.#stuck?.tries ?? 0 }
		}
		const stuck = this.#stuck
		if (now - stuck.since >= stuckMs) {
			const keys = stuck.tries === 0 ? 'n\r' : '\u0003'
			stuck.tries++
			stuck.since = now
			void this.#program.type(
				(screen) => screen.text() === text && this.#program.waitsForKeys(),
				keys,
			)
		}
		setTimeout(() => this.#lookSoon(), stuckMs).unref()
	}

	async #end(end: PtyEnd): Promise<Ended> {
		if (this.#timer !== null) clearTimeout(this.#timer)
		this.#queue.flush()
		await this.#looking
		try {
			await this.#reader.read()
			if (this.#requests.waiting) await this.#settle()
			await this.#reader.end()
		} catch (error) {
			this.#trouble(error)
		}
		this.#requests.end()
		this.#queue.close()
		const { code, signal } = end
		const failed = !this.#parts.interactive && this.#reader.failed && code === 0
		const bad = (failed || code !== 0) && this.#stopping === undefined
		const stderr = bad && !this.#parts.native ? this.#program.screen.text().slice(-2000) : ''
		this.#program.screen.close()
		await this.#parts.cleanup.disposeAsync()
		return { code: failed ? 1 : code, signal, stderr }
	}

	/** What can't be read is said, and the agent goes on: nothing is approved by it. */
	#trouble(error: unknown): void {
		const why = error instanceof Error && 'code' in error ? String(error.code) : 'unknown cause'
		const body = { type: 'notice', text: `Reading from the agent failed: ${why}`, data: null }
		const at = new Date().toISOString()
		this.#queue.push({ type: 'event', at, event: { kind: 'system', body } })
	}
}
