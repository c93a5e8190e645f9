/** A real program on an emulated terminal: started in a pty, seen as cells, driven with keys. */
import { setTimeout as sleep } from 'node:timers/promises'
import { type IPty, spawn } from '@lydell/node-pty'
import xterm from '@xterm/headless'

export interface TerminalOptions {
	command: string
	args?: readonly string[]
	/** All of the environment but `TERM`, which is `xterm-256color` unless set here. */
	env: Readonly<Record<string, string | undefined>>
	columns?: number
	rows?: number
	cwd?: string
}

export class Terminal implements AsyncDisposable {
	readonly screen: InstanceType<typeof xterm.Terminal>
	/** Everything that was written to the terminal, byte for byte. */
	written = ''
	readonly titles: string[] = []
	bells = 0
	readonly exited: Promise<number>
	#pty: IPty
	#running = true

	constructor({ command, args = [], env, columns = 80, rows = 24, cwd }: TerminalOptions) {
		this.screen = new xterm.Terminal({
			cols: columns,
			rows,
			allowProposedApi: true,
			scrollback: 1000,
		})
		this.screen.onTitleChange((title) => this.titles.push(title))
		this.screen.onBell(() => this.bells++)
		// A variable set to undefined would arrive as that word.
		const set = Object.entries({ TERM: 'xterm-256color', ...env }).filter(
			(entry): entry is [string, string] => entry[1] !== undefined,
		)
		this.#pty = spawn(command, [...args], {
			cols: columns,
			rows,
			env: Object.fromEntries(set),
			...(cwd === undefined ? {} : { cwd }),
		})
		this.#pty.onData((data) => {
			this.written += data
			this.screen.write(data)
		})
		// What the emulator answers to questions about itself, as a terminal does.
		this.screen.onData((data) => {
			if (this.#running) this.#pty.write(data)
		})
		const exited = Promise.withResolvers<number>()
		this.#pty.onExit(({ exitCode, signal }) => {
			this.#running = false
			exited.resolve(signal ? 128 + signal : exitCode)
		})
		this.exited = exited.promise
	}

	/** Id of the process that was started. */
	get pid(): number {
		return this.#pty.pid
	}

	/** Whether the alternate screen is shown, and the cursor. */
	get modes(): { alternate: boolean; cursor: boolean; paste: boolean } {
		return {
			alternate: this.screen.buffer.active.type === 'alternate',
			cursor: this.written.lastIndexOf('\u001B[?25h') >= this.written.lastIndexOf('\u001B[?25l'),
			paste: this.screen.modes.bracketedPasteMode,
		}
	}

	/** Rows as they stand, spaces at the end cut. */
	lines(): string[] {
		const { active } = this.screen.buffer
		return Array.from({ length: this.screen.rows }, (_, row) =>
			(active.getLine(active.baseY + row)?.translateToString(true) ?? '').trimEnd(),
		)
	}

	text(): string {
		return this.lines().join('\n')
	}

	/** Waits until the screen satisfies a condition; throws with the screen when it does not in `ms`. */
	async until(what: string | RegExp | ((text: string) => boolean), ms = 60_000): Promise<string> {
		const end = performance.now() + ms
		for (;;) {
			await this.flush()
			const text = this.text()
			if (
				typeof what === 'function'
					? what(text)
					: typeof what === 'string'
						? text.includes(what)
						: what.test(text)
			)
				return text
			if (performance.now() > end || !this.#running) {
				await this.flush()
				throw new Error(`The screen never showed ${what}:\n${this.text()}`)
			}
			await sleep(20)
		}
	}

	/** Waits until nothing was written for `ms`. */
	async settled(ms = 400): Promise<string> {
		for (let before = -1; before !== this.written.length; ) {
			before = this.written.length
			await sleep(ms)
		}
		await this.flush()
		return this.text()
	}

	/** Waits until nothing was written, and for longer than a key that is pressed again passes for one held down. */
	async looked(): Promise<string> {
		await this.settled()
		await sleep(800)
		return this.text()
	}

	/** Types keys, one read at a time. */
	async press(...keys: readonly string[]): Promise<void> {
		for (const key of keys) {
			this.#pty.write(key)
			await sleep(60)
		}
	}

	/** Types a text in one go, and waits for as long as a program takes to tell it from a paste. */
	async type(text: string): Promise<void> {
		await this.press(text)
		await sleep(200)
	}

	kill(signal: NodeJS.Signals): void {
		if (this.#running) this.#pty.kill(signal)
	}

	resize(columns: number, rows: number): void {
		this.screen.resize(columns, rows)
		this.#pty.resize(columns, rows)
	}

	/** Ends the program, in order if it does that within 10 s. */
	async [Symbol.asyncDispose](): Promise<void> {
		if (this.#running) this.#pty.kill('SIGTERM')
		const late = sleep(10_000, 'late', { ref: false })
		if ((await Promise.race([this.exited, late])) === 'late') {
			if (this.#running) this.#pty.kill('SIGKILL')
			await this.exited
		}
		this.screen.dispose()
	}

	private flush(): Promise<void> {
		return new Promise((resolve) => this.screen.write('', resolve))
	}
}
