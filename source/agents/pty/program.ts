/**
 * An agent in a pseudo-terminal of ours. The person's terminal is passed through as it is, both ways; what
 * the agent draws is followed beside it, so that an answer given elsewhere can be typed, but only while the
 * screen says that it is asked for.
 */
import { spawnSync } from 'node:child_process'
import { constants } from 'node:os'
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises'
import { StyrbyError } from '../../protocol/errors.ts'
import { within } from '../child-process.ts'
import { endProcessWithHost } from '../end-with-host.ts'
import { readsItsTerminal } from './blocked.ts'
import { asPaste, reportsIn } from './keys.ts'
import { loadPty, type RawPty } from './load.ts'
import { Person, type TerminalOf } from './person.ts'
import { Screen, type Size } from './screen.ts'
import { modesOf } from './terminal-modes.ts'

export interface PtyOptions {
	path: string
	args: readonly string[]
	cwd: string
	/** All of its environment. `TERM` is the person's, or `xterm-256color` where nobody sits there. */
	env: NodeJS.ProcessEnv
	/** The person's terminal; absent: nobody's, of a fixed size. */
	terminal?: TerminalOf
	/** Size where nobody sits there. */
	size?: Size
	/** A folder of ours that is removed should this process be killed. */
	leftover?: string
}

export interface PtyEnd {
	code: number | null
	signal: string | null
}

/** Looks at the screen, as it is at the moment of typing, and says whether the keys are still wanted. */
export type Guard = (screen: Screen) => boolean

export interface TypeOptions {
	/**
	 * What to do with keys that the person presses meanwhile. `later`: the agent gets them after ours.
	 * `drop`: they were meant for a question that ours have answered, so that they must not answer the next;
	 * the terminal rings instead.
	 */
	meanwhile?: 'later' | 'drop'
	/** How long nothing may have been written, and no key pressed, before ours are typed, ms. */
	quietMs?: number
	/** How long to wait for that, ms. The keys are not typed then. */
	patienceMs?: number
}

const nobody: Size = { columns: 120, rows: 40 }

/** Without a key of the person's for so long, what they typed has reached the screen, ms. */
const handsOffMs = 250
/** The same where nothing was written since that key: a busy agent may not have read it. */
const unshownMs = 2000
const outputQuietMs = 30
const patience = 3000
/** How often the screen may change before it is given up to type on it. */
const mostTries = 50
/** How long the agent may take to show that it took an answer, ms. */
const reactionMs = 500
/** How long it may take to draw for a size before it gets the next, ms: two at once may look like none. */
const redrawMs = 2000

export class PtyProgram implements AsyncDisposable {
	readonly pid: number
	readonly screen: Screen
	/** How it ended. Never rejects. All that it wrote is on the screen by then. */
	readonly ended: Promise<PtyEnd>
	readonly #pty: RawPty
	readonly #person: Person | null
	#running = true
	#lastOutput = performance.now()
	#lastKey = Number.NEGATIVE_INFINITY
	/** What the person pressed while keys of ours are typed, one character a byte. */
	#held: string | null = null
	#typing: Promise<unknown> = Promise.resolve()
	/** Why nothing is read from the agent for now. */
	readonly #waits = new Set<'terminal' | 'screen'>()

	private constructor(pty: RawPty, screen: Screen, terminal: TerminalOf | undefined) {
		this.#pty = pty
		this.pid = pty.pid
		this.screen = screen
		this.#person =
			terminal === undefined
				? null
				: new Person(terminal, {
						input: (bytes) => this.#pressed(bytes),
						resized: (size) => this.#resize(size),
						suspended: () => this.#signalGroup('SIGSTOP'),
						resumed: (size) => this.#resumed(size),
						alternate: () => screen.alternate,
					})
		pty.onData((data: unknown) => this.#read(data))
		this.ended = new Promise((resolve) => {
			pty.onExit(({ exitCode, signal }) => {
				this.#running = false
				this.#person?.[Symbol.dispose]()
				const end = signal
					? { code: null, signal: signalName(signal) }
					: { code: exitCode, signal: null }
				void screen.parsed().then(() => {
					// One that is killed leaves its line for prompts behind.
					if (!screen.alternate && screen.cursor.column > 0) this.#person?.freshLine()
					resolve(end)
				})
			})
		})
		this.#person?.start()
	}

	/** Throws `pty_missing`, or `agent_failed` when the system can't start the program. */
	static async start(options: PtyOptions): Promise<PtyProgram> {
		const { spawn } = await loadPty()
		const { terminal } = options
		const size =
			terminal === undefined
				? (options.size ?? nobody)
				: { columns: terminal.stdout.columns || 80, rows: terminal.stdout.rows || 24 }
		let pty: RawPty | null = null
		const screen = await Screen.open(
			size,
			terminal === undefined ? (bytes) => pty?.write(bytes) : undefined,
		)
		const env: NodeJS.ProcessEnv = { ...options.env }
		if (terminal === undefined || env.TERM === undefined) env.TERM = 'xterm-256color'
		// Sizes that a shell once exported would be believed more than the terminal's own.
		delete env.COLUMNS
		delete env.LINES
		try {
			pty = spawn(options.path, [...options.args], {
				name: env.TERM,
				cols: size.columns,
				rows: size.rows,
				cwd: options.cwd,
				env,
				encoding: null,
			})
		} catch (cause) {
			const text =
				'The agent could not be started in a pseudo-terminal; check that it runs by itself.'
			throw new StyrbyError('agent_failed', text, { cause })
		}
		const program = new PtyProgram(pty, screen, terminal)
		endProcessWithHost(pty.pid, program.ended, options.leftover)
		return program
	}

	/** Whether the program has not ended yet. */
	get running(): boolean {
		return this.#running
	}

	/**
	 * Whether the program reads key by key, as an editor of lines does, by its terminal's own settings:
	 * nothing that it prints can change them. `null` where they can't be read. Takes some milliseconds.
	 */
	readsKeys(): boolean | null {
		const { fd } = this.#pty
		if (!this.#running || fd === undefined || process.platform === 'win32') return null
		const { stdout, status } = spawnSync('stty', ['-a'], {
			stdio: [fd, 'pipe', 'ignore'],
			encoding: 'utf8',
			timeout: 2000,
		})
		if (status !== 0 || !/\bicanon\b/.test(stdout)) return null
		return /-icanon\b/.test(stdout)
	}

	/** Whether it waits for keys: it reads them one by one, or does nothing else than read its terminal. */
	waitsForKeys(): boolean {
		return this.readsKeys() === true || this.waitsInRead()
	}

	/** Whether it, or what it has started, does nothing else than read its terminal. Known on Linux only. */
	waitsInRead(): boolean {
		return this.#running && readsItsTerminal(this.pid)
	}

	/** Waits until nothing was written for `ms`. `false`: that did not come within `timeoutMs`. */
	async settled(ms: number, timeoutMs: number): Promise<boolean> {
		const end = performance.now() + timeoutMs
		for (;;) {
			const now = performance.now()
			const left = this.#lastOutput + ms - now
			if (left <= 0 || !this.#running) {
				await this.screen.parsed()
				return true
			}
			if (now > end) return false
			await sleep(Math.min(left, end - now + 1))
		}
	}

	/** Waits until the screen satisfies a condition. `false`: not in `timeoutMs`, or the program ended. */
	async until(condition: Guard, timeoutMs: number): Promise<boolean> {
		await this.screen.parsed()
		if (condition(this.screen)) return true
		const met = Promise.withResolvers<boolean>()
		const stop = this.screen.onChange(() => {
			if (condition(this.screen)) met.resolve(true)
		})
		const timer = setTimeout(() => met.resolve(false), timeoutMs)
		void this.ended.then(() => met.resolve(condition(this.screen)))
		try {
			return await met.promise
		} finally {
			stop()
			clearTimeout(timer)
		}
	}

	/**
	 * Types keys if `guard` accepts the screen once everything the agent wrote is on it. Nothing of the
	 * person's comes between them. `false`: nothing was typed, since the guard refused, the person was
	 * typing, the agent kept writing, or the program has ended.
	 */
	type(guard: Guard, keys: string, options: TypeOptions = {}): Promise<boolean> {
		const typed = this.#typing.then(() => this.#type(guard, keys, options))
		this.#typing = typed.catch(() => {})
		return typed
	}

	/** Pastes a text, as `type` does. Without what would act as a key, and without sending it. */
	paste(guard: Guard, text: string, options: TypeOptions = {}): Promise<boolean> {
		return this.type(guard, asPaste(text, this.screen.modes.bracketedPasteMode), options)
	}

	/** Sends a signal to the program itself. */
	kill(signal: NodeJS.Signals): void {
		if (!this.#running) return
		if (process.platform === 'win32') this.#pty.kill()
		else this.#pty.kill(signal)
	}

	/** SIGTERM, then SIGKILL when it has not ended after `graceMs`. */
	async stop(graceMs: number): Promise<void> {
		// One that was put in the background would not hear of it.
		this.#signalGroup('SIGCONT')
		this.kill('SIGTERM')
		if (!(await within(this.ended, graceMs))) this.kill('SIGKILL')
		await this.ended
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.stop(2000)
		this.screen.close()
	}

	async #type(guard: Guard, keys: string, options: TypeOptions): Promise<boolean> {
		const { meanwhile = 'later', quietMs = outputQuietMs, patienceMs = patience } = options
		if (!(await this.#quiet(quietMs, performance.now() + patienceMs))) return false
		// From here on what the person presses waits.
		this.#held = ''
		let typed = false
		try {
			typed = await this.#typeIfStill(guard, keys)
			if (typed && meanwhile === 'drop' && this.#person !== null) {
				const before = this.screen.received
				await this.until(({ received }) => received > before, reactionMs)
			}
		} finally {
			this.#release(typed && meanwhile === 'drop')
		}
		return typed
	}

	/** Waits until nothing was written for a while, and no key pressed. `false`: not until `end`. */
	async #quiet(outputMs: number, end: number): Promise<boolean> {
		for (;;) {
			const now = performance.now()
			const shown = this.#lastOutput > this.#lastKey
			const keyMs = shown ? handsOffMs : unshownMs
			const left = Math.max(this.#lastOutput + outputMs, this.#lastKey + keyMs) - now
			if (left <= 0) return true
			if (now + left > end || !this.#running) return false
			await sleep(left)
		}
	}

	/** Nothing happens between the look at the screen and the keys. */
	async #typeIfStill(guard: Guard, keys: string): Promise<boolean> {
		for (let tries = 0; tries < mostTries; tries++) {
			const { received } = this.screen
			await this.screen.parsed()
			// Two turns of the event loop: what the agent has written by now has been read after them.
			await turn()
			await turn()
			if (!this.#running) return false
			if (this.screen.received !== received || this.#waits.size > 0) continue
			if (!guard(this.screen)) return false
			this.#pty.write(keys)
			return true
		}
		return false
	}

	#release(drop: boolean): void {
		const held = this.#held ?? ''
		this.#held = null
		if (held === '') return
		// What the terminal says by itself is waited for by the agent, whatever was typed.
		const kept = drop ? reportsIn(held) : held
		if (kept !== held) this.#person?.bell()
		this.#send(kept)
	}

	#pressed(bytes: string): void {
		if (reportsIn(bytes) !== bytes) this.#lastKey = performance.now()
		if (this.#held === null) this.#send(bytes)
		else this.#held += bytes
	}

	#send(bytes: string): void {
		if (this.#running && bytes !== '') this.#pty.write(Buffer.from(bytes, 'latin1'))
	}

	#read(data: unknown): void {
		const bytes = typeof data === 'string' ? Buffer.from(data) : data
		if (!(bytes instanceof Uint8Array)) return
		this.#lastOutput = performance.now()
		if (this.#person?.write(bytes) === false) {
			this.#wait('terminal')
			this.#person.drained(() => this.#goOn('terminal'))
		}
		this.screen.write(bytes)
		if (this.screen.behind) {
			this.#wait('screen')
			this.screen.onceCaughtUp(() => this.#goOn('screen'))
		}
	}

	#wait(why: 'terminal' | 'screen'): void {
		this.#waits.add(why)
		this.#pty.pause()
	}

	#goOn(why: 'terminal' | 'screen'): void {
		this.#waits.delete(why)
		if (this.#waits.size === 0 && this.#running) this.#pty.resume()
	}

	#resize(size: Size): void {
		if (!this.#running) return
		this.#pty.resize(size.columns, size.rows)
		this.screen.resize(size)
	}

	/** The agent goes on after its terminal was another's: it draws anew when it sees the size change. */
	#resumed(size: Size): string {
		const modes = modesOf(this.screen)
		const { received } = this.screen
		this.#resize({ columns: size.columns, rows: Math.max(1, size.rows - 1) })
		this.#signalGroup('SIGCONT')
		const drawn = this.until((screen) => screen.received > received, redrawMs)
		void drawn.then(() => this.#resize(this.#person?.size ?? size))
		return modes
	}

	/** To the program and all that runs in its process group. */
	#signalGroup(signal: 'SIGSTOP' | 'SIGCONT'): void {
		if (!this.#running || process.platform === 'win32') return
		try {
			process.kill(-this.pid, signal)
		} catch {
			// It has ended this moment.
		}
	}
}

function signalName(number: number): string {
	const known = Object.entries(constants.signals).find(([, value]) => value === number)
	return known?.[0] ?? `signal ${number}`
}
