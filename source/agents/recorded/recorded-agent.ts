/**
 * A recording that behaves like the agent it was made of: same lines, same reader, same pauses; it stops
 * at each request until it is answered and goes on as the real agent did after that answer.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { StyrbyError } from '../../protocol/errors.ts'
import type { SessionRule } from '../../protocol/events.ts'
import type { AgentAnswer, AgentOutput, RunningAgent } from '../agent.ts'
import { StreamReader } from '../claude/stream.ts'
import { OutputQueue } from '../output-queue.ts'
import type { RecordedAnswer } from './manifest.ts'
import { promptId, retold } from './recorded-line.ts'
import { nextWay, type RecordedLine, type Recording, type Segment } from './recording.ts'

export interface PlayOptions {
	/** 1: as recorded; 2: twice as fast; Infinity: at once, without the pieces of text. */
	speed: number
	now: () => Date
	/** The session began then, and its times run as recorded from there. Absent: it runs now. */
	shiftTo?: Date
	/**
	 * The answers that the agent got in its own terminal (from the manifest). Absent: `answer` has to be
	 * called for each request.
	 */
	answers?: readonly RecordedAnswer[]
	signal?: AbortSignal
}

export interface RecordedAgent extends RunningAgent {
	/** The session's own time: `now`, or a time of the past with `shiftTo`. */
	clock(): Date
}

interface Open {
	id: string
	rules: readonly SessionRule[]
	/** Decided without asking, by a rule that was allowed for the session. */
	silent: boolean
	answer: PromiseWithResolvers<AgentAnswer>
}

/** Starts to play at once. Output is kept until it is read. */
export function recordedAgent(recording: Recording, options: PlayOptions): RecordedAgent {
	return new Player(recording, options)
}

class Player implements RecordedAgent {
	readonly name = 'claude'
	readonly ended: RunningAgent['ended']
	readonly #recording: Recording
	readonly #options: PlayOptions
	readonly #reader = new StreamReader()
	readonly #queue = new OutputQueue<AgentOutput>()
	readonly #stop = new AbortController()
	readonly #signal: AbortSignal
	readonly #stderr: string[] = []
	/** Rules that were allowed for the rest of the session. */
	readonly #allowed: SessionRule[] = []
	/** Requests that such a rule settled: a real agent would not have asked. */
	readonly #silent = new Set<string>()
	#segment: Segment
	#way = ''
	#open: Open | null = null
	#cwd: string | null = null
	/** Of the recording's own time, ms. */
	#elapsed = 0

	constructor(recording: Recording, options: PlayOptions) {
		this.#recording = recording
		this.#options = options
		this.#segment = this.#at('')
		this.#signal = options.signal
			? AbortSignal.any([options.signal, this.#stop.signal])
			: this.#stop.signal
		this.ended = this.#run()
	}

	get output(): AsyncIterable<AgentOutput> {
		return this.#queue
	}

	clock(): Date {
		const { shiftTo, now } = this.#options
		return shiftTo === undefined ? now() : new Date(shiftTo.getTime() + this.#elapsed)
	}

	async answer(id: string, answer: AgentAnswer): Promise<boolean> {
		const open = this.#open
		if (open?.id !== id || open.silent || this.#reader.request(id) === null) return false
		if (answer.decision === 'allow' && answer.input !== undefined) {
			throw cannot('goes on with the input it was recorded with; allow it unchanged or deny it')
		}
		if (!this.#recording.has(nextWay(this.#way, answer.decision))) {
			throw cannot('goes on here only as it was answered when it was made')
		}
		this.#reader.answered(id)
		open.answer.resolve(answer)
		return true
	}

	async prompt(): Promise<void> {
		throw cannot('takes no prompts; start one of your own with `styrby-tui run claude`')
	}

	async interrupt(): Promise<void> {
		await this.stop()
	}

	async setMode(): Promise<void> {
		throw cannot('has no modes; start one of your own with `styrby-tui run claude`')
	}

	async stop(): Promise<void> {
		this.#stop.abort()
		await this.ended
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.stop()
	}

	async #run(): Promise<Awaited<RunningAgent['ended']>> {
		let end: { code: number | null; signal: string | null } = { code: null, signal: 'SIGTERM' }
		try {
			end = await this.#play()
		} catch (error) {
			if (!this.#signal.aborted) {
				end = { code: 1, signal: null }
				this.#stderr.push(error instanceof Error ? error.message : 'The recording stopped.')
			}
		}
		this.#queue.push(...this.#reader.end(this.clock().toISOString()))
		this.#queue.close()
		return { ...end, stderr: this.#stderr.join('\n') }
	}

	async #play(): Promise<{ code: number | null; signal: string | null }> {
		for (let reason: string | null = null; ; ) {
			let last = 0
			for (const line of this.#segment.lines) {
				await this.#pass(line.t - last)
				last = line.t
				this.#line(line, reason)
			}
			if (this.#segment.exit !== null) return this.#segment.exit
			const answer = await this.#answered()
			if (answer.decision === 'allow' && answer.scope === 'session') {
				this.#allowed.push(...(this.#open?.rules ?? []))
			}
			this.#open = null
			this.#way = nextWay(this.#way, answer.decision)
			this.#segment = this.#at(this.#way)
			reason = answer.decision === 'deny' ? answer.reason : null
		}
	}

	#at(way: string): Segment {
		const segment = this.#recording.get(way)
		if (segment === undefined) throw cannot('has no such continuation')
		return segment
	}

	/** Lets `ms` of the recording's time pass. */
	async #pass(ms: number): Promise<void> {
		this.#signal.throwIfAborted()
		if (ms <= 0) return
		this.#elapsed += ms
		const real = ms / this.#options.speed
		if (real > 0) await sleep(real, undefined, { signal: this.#signal })
	}

	async #answered(): Promise<AgentAnswer> {
		const open = this.#open
		if (open === null) throw cannot('waits for an answer to nothing')
		if (open.silent) return { decision: 'allow', scope: 'session' }
		const given = this.#options.answers?.find((each) => each.way === this.#way)
		if (given !== undefined) {
			await this.#pass(given.waited_ms)
			return given.decision === 'allow'
				? { decision: 'allow', scope: given.scope }
				: { decision: 'deny', reason: given.reason ?? '' }
		}
		const since = this.#options.now().getTime()
		const answer = await abortable(open.answer.promise, this.#signal)
		this.#elapsed += Math.max(0, this.#options.now().getTime() - since)
		return answer
	}

	#line({ dir, line, changes }: RecordedLine, reason: string | null): void {
		if (dir === 'stderr') this.#stderr.push(String(line))
		if (dir === 'in') {
			const id = promptId(line)
			if (id !== null) this.#reader.prompted(id, 'agent')
		}
		if (dir !== 'out') return
		const told = retold(line, { from: this.#segment.reason, to: reason })
		const { outputs } = this.#reader.read(JSON.stringify(told), this.clock().toISOString())
		for (const output of outputs) {
			const kept = this.#kept(output, changes)
			if (kept !== null) this.#queue.push(kept)
		}
	}

	/** Completes a request, and leaves out what a real agent would not have said in this place. */
	#kept(output: AgentOutput, changes: RecordedLine['changes']): AgentOutput | null {
		switch (output.type) {
			case 'text':
				return this.#options.speed === Number.POSITIVE_INFINITY ? null : output
			case 'about':
				this.#cwd = output.cwd ?? this.#cwd
				return output
			case 'applied':
			case 'withdrawn':
				return this.#silent.has(output.id) ? null : output
			case 'request': {
				const rules = output.ask.session_rules
				const silent =
					rules.length > 0 &&
					rules.every(({ tool, rule }) =>
						this.#allowed.some((each) => each.tool === tool && each.rule === rule),
					)
				if (silent) this.#silent.add(output.id)
				this.#open = { id: output.id, rules, silent, answer: Promise.withResolvers() }
				if (silent) return null
				return { ...output, ask: { ...output.ask, cwd: this.#cwd, changes } }
			}
			default:
				return output
		}
	}
}

function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
	const { promise: aborted, reject } = Promise.withResolvers<never>()
	const abort = () => reject(signal.reason)
	if (signal.aborted) abort()
	else signal.addEventListener('abort', abort, { once: true })
	return Promise.race([promise, aborted]).finally(() => signal.removeEventListener('abort', abort))
}

function cannot(what: string): StyrbyError {
	return new StyrbyError('agent_cannot', `This session is a recording, which ${what}.`)
}
