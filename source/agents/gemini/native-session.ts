/** A running Gemini CLI in its own interface: its screen and its chat file, put together. */
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { AgentAnswer, AgentOutput, RunningAgent, StartOptions } from '../agent.ts'
import { cannot, inItsInterface } from '../cannot.ts'
import type { Ended } from '../child-process.ts'
import { OutputQueue } from '../output-queue.ts'
import type { PtyProgram } from '../pty/program.ts'
import type { Screen } from '../pty/screen.ts'
import { ChatEvents } from './chat-events.ts'
import type { ChatFile } from './chat-file.ts'
import type { ChatMessage } from './chat-lines.ts'
import { asksOtherwise, type Dialog, readComposer, readDialog, sameDialog } from './dialog.ts'
import { asksPermission, keyFor, nativeAsk } from './native-request.ts'
import { denial } from './request.ts'

export interface NativeParts {
	program: PtyProgram
	cwd: string
	chat: ChatFile | null
	session: string | null
	/** What a session that is gone on with has said before. */
	before: readonly ChatMessage[]
	/** It asks nobody. */
	yolo: boolean
	options: StartOptions
}

interface Open {
	id: string
	dialog: Dialog
	ask: Extract<AgentOutput, { type: 'request' }>['ask']
	answered: AgentAnswer | 'interrupt' | null
	/** Turns that had been cancelled by then. */
	cancelled: number
}

const graceMs = 4000
/** What the screen shows counts once nothing was written for so long, ms. */
const settleMs = 60
/** How long it may keep writing before it is looked at all the same, ms. */
const lookMs = 300
/** How long what became of a request that was answered on the screen may take into the chat file, ms. */
const explainMs = 600
/** The line for prompts was empty for so long: the turn is over, ms. */
const quietMs = 400
/** How long a pasted text may take to the screen, ms. */
const pasteMs = 5000
/** How long after a paste the key that sends it waits, ms, how often it is pressed, and how long it takes. */
const enterMs = 150
const mostEnters = 5
const enteredMs = 500

export class NativeSession implements RunningAgent {
	readonly name = 'gemini'
	readonly ended: Promise<Ended>
	readonly #parts: NativeParts
	readonly #program: PtyProgram
	readonly #events = new ChatEvents()
	readonly #queue = new OutputQueue<AgentOutput>()
	readonly #since = Date.now()
	#chat: ChatFile | null
	/** The prompt of this turn was in the chat file. */
	#prompted = false
	/** Prompts from elsewhere that the chat file has yet to tell. */
	readonly #sent: { text: string; as: 'viewer' | 'reason' }[] = []
	#open: Open | null = null
	/** It was told that something is asked that can be answered on the screen alone. */
	#told = false
	#reason: string | null = null
	#status: 'running' | 'idle' | null = null
	#quietSince: number | null = null
	#cancelled = 0
	#model: string | null = null
	#looking: Promise<void> = Promise.resolve()
	#timer: NodeJS.Timeout | null = null
	#firstChange = 0
	#stopping: Promise<void> | undefined

	constructor(parts: NativeParts) {
		this.#parts = parts
		this.#program = parts.program
		this.#chat = parts.chat
		for (const message of parts.before) this.#events.read(message)
		const { session, cwd, yolo, options } = parts
		this.#queue.push({
			type: 'about',
			...(session === null ? {} : { session }),
			cwd,
			...(yolo ? { mode: 'yolo', asks: false } : {}),
			takes: { prompt: true, interrupt: true, modes: [] },
		})
		this.#program.screen.onChange(() => this.#changed())
		const abort = () => void this.stop()
		options.signal?.addEventListener('abort', abort, { once: true })
		this.ended = this.#program.ended.then(async ({ code, signal }) => {
			options.signal?.removeEventListener('abort', abort)
			if (this.#timer !== null) clearTimeout(this.#timer)
			this.#queue.flush()
			await this.#looking
			await this.#news()
			if (this.#open !== null) this.#withdraw(this.#open, 'cancelled')
			this.#queue.close()
			this.#program.screen.close()
			return { code, signal, stderr: '' }
		})
	}

	get output(): AsyncIterable<AgentOutput> {
		return this.#queue
	}

	async answer(id: string, answer: AgentAnswer): Promise<boolean> {
		const open = this.#open
		if (open === null || open.id !== id || open.answered !== null) return false
		const key = keyFor(open.dialog, open.ask, answer)
		if (key === null) {
			throw cannot(
				open.dialog.cut
					? 'Gemini CLI does not show all of this on its screen, so it can only be denied from elsewhere: answer it there (Ctrl-O shows more).'
					: 'Gemini CLI takes no changed input; answer as it is, or deny it.',
			)
		}
		open.answered = answer
		if (answer.decision === 'deny') this.#reason = denial(answer.reason)
		// What the person presses meanwhile was meant for this question, and must not answer the next.
		const typed = await this.#program.type((screen) => isAsked(screen, open.dialog), key, {
			meanwhile: 'drop',
		})
		if (!typed) {
			this.#reason = null
			open.answered = null
		}
		return typed
	}

	async prompt(text: string): Promise<void> {
		if (/^\s*[/!?]/.test(text)) {
			throw cannot(
				'Gemini CLI takes what begins with /, ! or ? for a command of its own: type it where it runs.',
			)
		}
		if (this.#open === null && (await this.#enter(text, 'viewer'))) return
		throw cannot(
			'Gemini CLI is at work, or something is typed on its line already: send the prompt when it waits.',
		)
	}

	async interrupt(): Promise<void> {
		const open = this.#open
		if (open !== null) {
			if (open.answered !== null) return
			open.answered = 'interrupt'
			const guard = (screen: Screen) => isAsked(screen, open.dialog)
			if (await this.#program.type(guard, '\u001B', { meanwhile: 'drop' })) return
			open.answered = null
		} else
			await this.#program.type((screen) => composer(screen)?.busy === true, '\u001B', {
				quietMs: 0,
			})
	}

	async setMode(): Promise<void> {
		throw inItsInterface('change the mode there with Shift-Tab')
	}

	stop(): Promise<void> {
		this.#stopping ??= this.#stop()
		return this.#stopping
	}

	async #stop(): Promise<void> {
		endGroup(this.#program)
		await this.#program.stop(graceMs)
		await this.ended
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.stop()
	}

	/** Types a prompt and sends it, when nothing else is on the line. */
	async #enter(text: string, as: 'viewer' | 'reason'): Promise<boolean> {
		const empty = (screen: Screen) => {
			const line = composer(screen)
			return line !== null && !line.busy && line.text === ''
		}
		if (!(await this.#program.paste(empty, text))) return false
		const there = (screen: Screen) => holds(composer(screen)?.text ?? '', text)
		if (!(await this.#program.until(there, pasteMs))) return false
		this.#sent.push({ text, as })
		this.#setStatus('running')
		for (let tries = 0; tries < mostEnters; tries++) {
			// Right after a paste it takes the key for a part of that.
			await sleep(enterMs)
			if (!(await this.#program.type(there, '\r')) && tries === 0) break
			if (await this.#program.until((screen) => !there(screen), enteredMs)) return true
		}
		this.#sent.pop()
		return false
	}

	#changed(): void {
		const now = performance.now()
		if (this.#timer === null) this.#firstChange = now
		else clearTimeout(this.#timer)
		const ms = Math.max(0, Math.min(settleMs, this.#firstChange + lookMs - now))
		this.#lookIn(ms)
	}

	#lookIn(ms: number): void {
		if (this.#timer !== null) clearTimeout(this.#timer)
		this.#timer = setTimeout(() => {
			this.#timer = null
			const look = () => this.#look()
			this.#looking = this.#looking.then(look, look)
		}, ms)
	}

	async #look(): Promise<void> {
		if (!this.#program.running) return
		await this.#program.screen.parsed()
		await this.#news()
		const { screen } = this.#program
		const dialog = readDialog(screen.rows(), screen.size.columns)
		const open = this.#open
		if (open !== null && (dialog === null || !sameDialog(dialog, open.dialog)))
			await this.#gone(open)
		const permission = dialog !== null && asksPermission(dialog)
		if (permission && this.#open === null) this.#asked(dialog)
		this.#tellOther(screen, dialog !== null && !permission)
		await this.#follow(screen)
	}

	#asked(dialog: Dialog): void {
		this.#setStatus('running')
		const ask = nativeAsk(dialog, this.#parts.cwd)
		this.#open = { id: randomUUID(), dialog, ask, answered: null, cancelled: this.#cancelled }
		this.#queue.push({ type: 'request', id: this.#open.id, ask })
	}

	#tellOther(screen: Screen, dialog: boolean): void {
		const asks = dialog || asksOtherwise(screen.rows(), screen.size.columns)
		if (asks && !this.#told) {
			const text = 'Gemini CLI asks something that can be answered only where it runs'
			const body = { type: 'notice', text, data: null }
			this.#queue.push({ type: 'event', at: now(), event: { kind: 'system', body } })
		}
		this.#told = asks
	}

	/** A question has left the screen. */
	async #gone(open: Open): Promise<void> {
		const { answered } = open
		if (answered === 'interrupt') this.#withdraw(open, 'cancelled')
		else if (answered !== null) {
			this.#open = null
			this.#queue.push({ type: 'applied', id: open.id })
		} else {
			const { cancelled } = open
			const end = performance.now() + explainMs
			while (this.#cancelled === cancelled && performance.now() < end) {
				await sleep(50)
				await this.#news()
			}
			this.#withdraw(open, this.#cancelled > cancelled ? 'denied' : 'approved')
		}
	}

	#withdraw({ id }: Open, result: 'approved' | 'denied' | 'cancelled'): void {
		this.#open = null
		this.#queue.push({ type: 'withdrawn', id, result })
	}

	/** Whether it works, by the line for prompts. */
	async #follow(screen: Screen): Promise<void> {
		const line = composer(screen)
		if (line === null || line.busy || this.#open !== null) {
			this.#quietSince = null
			if (line?.busy) {
				this.#setStatus('running')
				if (!this.#prompted) await this.#change(screen)
			}
			return
		}
		// Its line for prompts is there: the interface stands.
		if (this.#status === null) this.#setStatus('idle')
		if (this.#status !== 'running') return
		const reason = this.#reason
		this.#reason = null
		// A denial ends the turn; its reason goes on with the next one.
		if (reason !== null && (await this.#enter(reason, 'reason'))) return
		this.#quietSince ??= performance.now()
		const left = this.#quietSince + quietMs - performance.now()
		if (left > 0) {
			this.#lookIn(left)
			return
		}
		this.#quietSince = null
		await this.#news()
		if (!this.#prompted) await this.#change(screen)
		this.#prompted = false
		this.#setStatus('idle')
	}

	/** It works on a prompt that its chat file does not have: the person has gone to another session there. */
	async #change(screen: Screen): Promise<void> {
		const rows = new Set(screen.rows())
		const shown = (prompt: string) => rows.has(` > ${prompt.split('\n')[0]}`.trimEnd())
		const next = (await this.#chat?.successor(this.#since, shown)) ?? null
		if (next === null) return
		this.#chat = next.chat
		for (const message of next.before) this.#events.read(message)
		this.#queue.push({ type: 'about', session: next.session })
		this.#tell(next.news)
	}

	#setStatus(status: 'running' | 'idle'): void {
		if (this.#status === status) return
		this.#status = status
		this.#queue.push({ type: 'status', status })
	}

	/** What the chat file says by now. */
	async #news(): Promise<void> {
		if (this.#queue.crowded && this.#program.running) return
		this.#tell((await this.#chat?.read()) ?? [])
	}

	#tell(messages: readonly ChatMessage[]): void {
		for (const message of messages) {
			if (message.model !== null && message.model !== this.#model) {
				this.#model = message.model
				this.#queue.push({ type: 'about', model: message.model })
			}
			for (const { at, event } of this.#events.read(message)) {
				if (event.kind === 'system' && event.body.type === 'interrupted') this.#cancelled++
				if (event.kind === 'user_prompt') {
					this.#prompted = true
					this.#setStatus('running')
					const { text } = event.body
					const sent = this.#sent.findIndex((one) => one.text === text)
					const [typed] = sent < 0 ? [] : this.#sent.splice(sent, 1)
					if (typed?.as === 'reason') {
						const denial = { kind: 'system' as const, body: { type: 'denial', text, data: null } }
						this.#queue.push({ type: 'event', at: at ?? now(), event: denial })
						continue
					}
					if (typed) event.body.source = 'viewer'
				}
				if (event.kind === 'tool_result' && !event.body.ok && this.#reason !== null) {
					event.body.text = this.#reason
				}
				this.#queue.push({ type: 'event', at: at ?? now(), event })
			}
		}
	}
}

/** It runs in a process of its own that another one starts anew when it says so; that one hears no signal. */
function endGroup({ pid, running }: PtyProgram): void {
	if (!running || process.platform === 'win32') return
	try {
		process.kill(-pid, 'SIGTERM')
	} catch {
		// It has ended this moment.
	}
}

function composer(screen: Screen) {
	return readComposer(screen.rows(), screen.size.columns)
}

function isAsked(screen: Screen, dialog: Dialog): boolean {
	const shown = readDialog(screen.rows(), screen.size.columns)
	return shown !== null && sameDialog(shown, dialog)
}

/** Whether the line holds a text; a long one is shown by its size. */
function holds(line: string, text: string): boolean {
	const plain = (value: string) => value.replace(/\s+/g, '')
	return plain(line) === plain(text) || /^\[Pasted Text: \d+ (?:lines|chars)\]$/.test(line)
}

function now(): string {
	return new Date().toISOString()
}
