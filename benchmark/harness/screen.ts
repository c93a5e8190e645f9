/** The program in a real pseudo-terminal, on an emulated screen that says when something was on it. */
import { type IPty, spawn } from '@lydell/node-pty'
import xterm from '@xterm/headless'
import { onExit } from './on-exit.ts'
import { monotonicMs } from './processes.ts'
import { launcher } from './program.ts'

export interface ScreenOptions {
	args?: readonly string[]
	env: NodeJS.ProcessEnv
	columns?: number
	rows?: number
	cwd?: string
}

interface Waiting {
	holds(text: string): boolean
	resolve(at: number): void
}

export const keys = {
	enter: '\r',
	escape: '\u001B',
	up: '\u001B[A',
	down: '\u001B[B',
	pageUp: '\u001B[5~',
	home: '\u001B[H',
	end: '\u001B[F',
}

/** Begins a frame: Ink asks the terminal to show all of it at once. */
const frameStart = '\u001B[?2026h'

export class Screen implements AsyncDisposable {
	/** When the program was started, monotonic ms. */
	readonly startedAt: number
	bytes = 0
	frames = 0
	readonly #pty: IPty
	readonly #term: InstanceType<typeof xterm.Terminal>
	readonly #waiting = new Set<Waiting>()
	readonly #exited: Promise<number>
	readonly #kept: Disposable
	#over = false

	constructor({ args = [], env, columns = 120, rows = 40, cwd }: ScreenOptions) {
		this.#term = new xterm.Terminal({ cols: columns, rows, allowProposedApi: true, scrollback: 0 })
		this.startedAt = monotonicMs()
		this.#pty = spawn(process.execPath, [launcher, ...args], {
			cols: columns,
			rows,
			env,
			cwd: cwd ?? process.cwd(),
		})
		const { promise, resolve } = Promise.withResolvers<number>()
		this.#exited = promise
		this.#pty.onExit(({ exitCode }) => {
			this.#over = true
			resolve(exitCode)
		})
		this.#pty.onData((data) => this.#take(data))
		this.#kept = onExit(() => this.#pty.kill('SIGKILL'))
	}

	get pid(): number {
		return this.#pty.pid
	}

	text(): string {
		const { active } = this.#term.buffer
		return Array.from({ length: this.#term.rows }, (_, row) =>
			(active.getLine(active.viewportY + row)?.translateToString(true) ?? '').trimEnd(),
		).join('\n')
	}

	/** When the bytes came (monotonic ms) after which the screen satisfies the condition. */
	async until(
		what: string | RegExp | ((text: string) => boolean),
		limitMs = 30_000,
	): Promise<number> {
		const holds = (text: string) =>
			typeof what === 'string'
				? text.includes(what)
				: what instanceof RegExp
					? what.test(text)
					: what(text)
		if (holds(this.text())) return monotonicMs()
		const { promise, resolve, reject } = Promise.withResolvers<number>()
		const waiting: Waiting = { holds, resolve }
		this.#waiting.add(waiting)
		const fail = (why: string) =>
			reject(new Error(`${why} before the screen showed ${String(what)}:\n${this.text()}`))
		const timer = setTimeout(() => fail(`${limitMs} ms went by`), limitMs)
		void this.#exited.then(() => fail('the program ended'))
		return promise.finally(() => {
			clearTimeout(timer)
			this.#waiting.delete(waiting)
		})
	}

	/** Whether the screen is another than `before` within so many ms. */
	async changes(before: string, limitMs: number): Promise<boolean> {
		try {
			await this.until((text) => text !== before, limitMs)
			return true
		} catch {
			return this.text() !== before
		}
	}

	/** Types keys; returns when, monotonic ms. */
	press(key: string): number {
		const at = monotonicMs()
		this.#pty.write(key)
		return at
	}

	#take(data: string): void {
		const at = monotonicMs()
		this.bytes += Buffer.byteLength(data)
		this.frames += data.split(frameStart).length - 1
		this.#term.write(data, () => {
			if (this.#waiting.size === 0) return
			const text = this.text()
			for (const waiting of this.#waiting) if (waiting.holds(text)) waiting.resolve(at)
		})
	}

	async [Symbol.asyncDispose](): Promise<void> {
		if (!this.#over) this.#pty.kill('SIGTERM')
		const timer = setTimeout(() => this.#pty.kill('SIGKILL'), 5000)
		await this.#exited
		clearTimeout(timer)
		this.#kept[Symbol.dispose]()
		this.#term.dispose()
	}
}
