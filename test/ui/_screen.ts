/** The real app on an emulated terminal: keys in, cells out. */
import { Console } from 'node:console'
import { EventEmitter } from 'node:events'
import { Readable, Writable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import xterm from '@xterm/headless'
import type { RunAppOptions } from '../../source/ui/run-app.tsx'
import type { Joining } from '../../source/viewer/joining.ts'
import type { Viewer } from '../../source/viewer/viewer.ts'
import { now } from './_viewer.ts'

// Before Ink loads: its colours look at the process's own output otherwise.
process.env.FORCE_COLOR = '1'
// Each screen listens for the signals that end it, and tests show several at once.
process.setMaxListeners(100)
// Ink makes a console of its own; the test runner's has no way to.
console.Console = Console

/** Output that is a terminal, as far as Ink looks. */
class FakeOutput extends Writable {
	readonly isTTY = true
	columns: number
	rows: number
	readonly chunks: string[] = []
	readonly #take: (data: string) => void

	constructor(columns: number, rows: number, take: (data: string) => void) {
		super({ decodeStrings: false })
		this.columns = columns
		this.rows = rows
		this.#take = take
	}

	override _write(chunk: string | Buffer, _: string, done: () => void): void {
		const data = String(chunk)
		this.chunks.push(data)
		this.#take(data)
		done()
	}
}

class FakeInput extends Readable {
	readonly isTTY = true
	override _read(): void {}
	setRawMode(): this {
		return this
	}
	ref(): this {
		return this
	}
	unref(): this {
		return this
	}
}

export const keys = {
	enter: '\r',
	escape: '\u001B',
	up: '\u001B[A',
	down: '\u001B[B',
	pageUp: '\u001B[5~',
	pageDown: '\u001B[6~',
	home: '\u001B[H',
	end: '\u001B[F',
	tab: '\t',
	ctrlC: '\u0003',
	backspace: '\u007F',
}

/** Between two keys of a person who types fast, by the app's clock, ms. */
const keyMs = 50

export interface ScreenOptions {
	columns?: number
	rows?: number
	env?: Record<string, string>
	banner?: string
	/** Takes what the terminal answers to questions about itself; without, it answers none. */
	answers?: (data: string) => void
	initial?: import('../../source/ui/state.ts').Screen
	mouse?: boolean
	screenReader?: boolean
	keys?: import('../../source/ui/keymap/bindings.ts').KeySettings
	save?: RunAppOptions['save']
	notifications?: Partial<import('../../source/ui/notifier.ts').Notifications>
}

export class Screen implements AsyncDisposable {
	readonly term: InstanceType<typeof xterm.Terminal>
	readonly output: FakeOutput
	readonly input = new FakeInput()
	/** ms since the epoch; the app's clock. The guard needs it moved on before an answer counts. */
	clock = now
	readonly bells: number[] = []
	readonly titles: string[] = []
	readonly log: unknown[] = []
	exited: Promise<{ exitCode: number }> = Promise.resolve({ exitCode: -1 })
	stderr = ''

	constructor({ columns = 80, rows = 24, answers }: ScreenOptions) {
		this.term = new xterm.Terminal({
			cols: columns,
			rows,
			allowProposedApi: true,
			convertEol: true,
			scrollback: 200,
		})
		this.output = new FakeOutput(columns, rows, (data) => this.term.write(data))
		if (answers) this.term.onData(answers)
		this.term.onTitleChange((title) => this.titles.push(title))
		this.term.onBell(() => this.bells.push(this.clock))
	}

	/** Rows as they stand, spaces at the end cut. */
	lines(): string[] {
		const { active } = this.term.buffer
		return Array.from({ length: this.term.rows }, (_, row) =>
			(active.getLine(active.viewportY + row)?.translateToString(true) ?? '').trimEnd(),
		)
	}

	text(): string {
		return this.lines().join('\n')
	}

	/** Waits until the screen satisfies a condition. */
	async until(what: string | RegExp | ((text: string) => boolean), ms = 5000): Promise<string> {
		const holds = (text: string) =>
			typeof what === 'string'
				? text.includes(what)
				: what instanceof RegExp
					? what.test(text)
					: what(text)
		const end = performance.now() + ms
		for (;;) {
			await this.flush()
			if (holds(this.text())) return this.text()
			if (performance.now() > end) {
				throw new Error(
					`The screen never showed ${String(what)}:\n${this.text()}\n${this.stderr}${this.log.join('\n')}`,
				)
			}
			await sleep(10)
		}
	}

	/** Waits until nothing has been written for a while. */
	async settled(ms = 130): Promise<string> {
		let before = -1
		while (before !== this.output.chunks.length) {
			before = this.output.chunks.length
			// Longer than what changes is collected for before it is drawn.
			await sleep(ms)
		}
		await this.flush()
		return this.text()
	}

	/** Sends keys one read at a time, as a person would type them, and waits for what they do at once. */
	async press(...sequence: string[]): Promise<void> {
		for (const key of sequence) {
			this.clock += keyMs
			this.input.push(key)
			// A lone escape is one only when nothing follows for a while.
			await sleep(key === keys.escape ? 60 : 15)
		}
		await this.settled(40)
	}

	/** Lets so much time pass for the app, in ms. */
	async wait(ms: number): Promise<void> {
		this.clock += ms
	}

	/** Reads what is on the screen for long enough that an answer is taken. */
	async look(): Promise<void> {
		await this.settled()
		await this.wait(800)
	}

	async resize(columns: number, rows: number): Promise<void> {
		this.term.resize(columns, rows)
		this.output.columns = columns
		this.output.rows = rows
		this.output.emit('resize')
		await this.settled()
	}

	get written(): string {
		return this.output.chunks.join('')
	}

	async [Symbol.asyncDispose](): Promise<void> {
		this.input.push(keys.ctrlC)
		await this.exited
		this.term.dispose()
	}

	private flush(): Promise<void> {
		return new Promise((resolve) => this.term.write('', resolve))
	}
}

/** Shows a viewer on a new screen and waits for its first frame. */
export async function show(viewer: Viewer, options: ScreenOptions = {}): Promise<Screen> {
	const { runApp } = await import('../../source/ui/run-app.tsx')
	return await onScreen(options, (given) => runApp(viewer, given))
}

/** Shows how a home becomes a device, on a new screen. */
export async function showJoin(joining: Joining, options: ScreenOptions = {}): Promise<Screen> {
	const { runJoin } = await import('../../source/ui/run-app.tsx')
	const backend = { kind: 'embedded', url: 'http://127.0.0.1:4321' } as const
	return await onScreen(options, (given) => runJoin(joining, backend, given))
}

async function onScreen(
	options: ScreenOptions,
	run: (options: RunAppOptions) => Promise<{ exitCode: number }>,
): Promise<Screen> {
	const screen = new Screen(options)
	const {
		env = { TERM: 'xterm-256color' },
		banner,
		initial,
		notifications,
		keys: chosen,
		mouse,
		screenReader,
	} = options
	const stderr = new EventEmitter() as unknown as NodeJS.WritableStream
	stderr.write = (data: string | Uint8Array) => {
		screen.stderr += String(data)
		return true
	}
	screen.exited = run({
		stdin: screen.input as unknown as NodeJS.ReadStream,
		stdout: screen.output as unknown as NodeJS.WriteStream,
		stderr,
		env,
		now: () => screen.clock,
		log: (error) => screen.log.push(error),
		...(banner === undefined ? {} : { banner }),
		...(initial === undefined ? {} : { initial }),
		...(mouse === undefined ? {} : { mouse }),
		...(screenReader === undefined ? {} : { screenReader }),
		...(chosen === undefined ? {} : { keys: chosen }),
		...(options.save === undefined ? {} : { save: options.save }),
		...(notifications === undefined ? {} : { notifications }),
	})
	await screen.until('styrby')
	await screen.settled()
	return screen
}
