/** The person's terminal while an agent has it: keys and bytes go through as they are. */
import { spawnSync } from 'node:child_process'
import { writeSync } from 'node:fs'
import type { ReadStream, WriteStream } from 'node:tty'
import { isSuspendKey } from './keys.ts'
import type { Size } from './screen.ts'
import { freshLine, leaveAlternate, ordinary } from './terminal-modes.ts'

/** Where the person sits. */
export interface TerminalOf {
	stdin: ReadStream & { fd: number }
	stdout: WriteStream & { fd: number }
}

export interface PersonEvents {
	/** Keys, one character a byte. */
	input(bytes: string): void
	resized(size: Size): void
	/** ctrl-z: the agent is to stop until `resumed`. */
	suspended(): void
	/** The terminal is ours again. Returns what sets the agent's modes. */
	resumed(size: Size): string
	/** Whether the agent has the alternate screen. */
	alternate(): boolean
}

export class Person implements Disposable {
	readonly #stdin: TerminalOf['stdin']
	readonly #stdout: TerminalOf['stdout']
	readonly #events: PersonEvents
	#raw = false
	#ours = false

	readonly #onData = (bytes: Buffer | string) => {
		const input = typeof bytes === 'string' ? bytes : bytes.toString('latin1')
		if (isSuspendKey(input) && process.platform !== 'win32') this.#suspend()
		else this.#events.input(input)
	}
	readonly #onResize = () => this.#events.resized(this.size)
	readonly #onStop = () => this.#suspend()
	readonly #onContinue = () => this.#take()
	readonly #onExit = () => this.#giveBack()

	constructor({ stdin, stdout }: TerminalOf, events: PersonEvents) {
		this.#stdin = stdin
		this.#stdout = stdout
		this.#events = events
	}

	get size(): Size {
		return { columns: this.#stdout.columns || 80, rows: this.#stdout.rows || 24 }
	}

	/** Takes the terminal: raw, so that every key is the agent's. */
	start(): void {
		this.#ours = true
		this.#raw = this.#stdin.isRaw === true
		this.#makeRaw()
		this.#stdin.on('data', this.#onData)
		// A terminal that hung up: the signal that says so ends the session.
		this.#stdin.on('error', ignore)
		this.#stdout.on('error', ignore)
		this.#stdin.resume()
		this.#stdout.on('resize', this.#onResize)
		process.on('exit', this.#onExit)
		this.#signals(true)
	}

	/** Bytes of the agent. `false`: the terminal is slower than the agent; `drained` says when to go on. */
	write(bytes: Uint8Array): boolean {
		return this.#stdout.write(bytes)
	}

	drained(then: () => void): void {
		this.#stdout.once('drain', then)
	}

	bell(): void {
		this.#stdout.write('\u0007')
	}

	/** Gives the terminal back as it was. */
	[Symbol.dispose](): void {
		if (!this.#ours) return
		this.#giveBack()
		this.#ours = false
		this.#stdin.off('data', this.#onData)
		this.#stdin.pause()
		this.#stdout.off('resize', this.#onResize)
		process.off('exit', this.#onExit)
		this.#signals(false)
	}

	/** Where the agent ended in the middle of a line: what is written next does not go on with it. */
	freshLine(): void {
		this.#write(freshLine)
	}

	/**
	 * The person's shell gets the terminal, and this process and all of its group stop, as after ctrl-z at a
	 * program without a terminal of its own. Goes on here when the shell lets us.
	 */
	#suspend(): void {
		this.#events.suspended()
		this.#giveBack()
		process.off('SIGTSTP', this.#onStop)
		process.kill(0, 'SIGTSTP')
		process.on('SIGTSTP', this.#onStop)
		this.#take()
	}

	#take(): void {
		if (!this.#ours) return
		this.#stdin.setRawMode(false)
		this.#makeRaw()
		this.#write(this.#events.resumed(this.size))
	}

	/** Node's raw mode still makes a line feed a carriage return too; that is taken back with the rest. */
	#makeRaw(): void {
		this.#stdin.setRawMode(true)
		if (process.platform === 'win32') return
		spawnSync('stty', ['-opost'], { stdio: [this.#stdin.fd, 'ignore', 'ignore'], timeout: 2000 })
	}

	#giveBack(): void {
		if (!this.#ours) return
		this.#write(ordinary + (this.#events.alternate() ? leaveAlternate : ''))
		this.#stdin.setRawMode(this.#raw)
	}

	#signals(on: boolean): void {
		if (process.platform === 'win32') return
		const set = on ? process.on.bind(process) : process.off.bind(process)
		set('SIGTSTP', this.#onStop)
		set('SIGCONT', this.#onContinue)
	}

	/** At once: the process may be about to stop or to end. A terminal that hung up has nothing to lose. */
	#write(text: string): void {
		try {
			writeSync(this.#stdout.fd, text)
		} catch {
			this.#stdout.write(text)
		}
	}
}

function ignore(): void {}
