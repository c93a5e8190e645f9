/** A real tmux, as somebody with two SSH terminals has it: panes, what is on them, keys, copy and paste. */
import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { promisify } from 'node:util'
import { until } from './lab.ts'

/** What the shell says when it waits. */
const prompt = 'shell> '
const run = promisify(execFile)

export interface PaneOptions {
	cwd: string
	/** Added to an environment that says nothing of ours. */
	env: Readonly<Record<string, string>>
}

export class Tmux implements AsyncDisposable {
	readonly #program: string
	/** A server of its own: others may run. */
	readonly #socket = `styrby-test-${randomUUID().slice(0, 8)}`
	readonly #size: readonly [columns: number, rows: number]
	#begun = false

	/** `columns` and `rows`: of each pane. */
	constructor(program: string, columns = 110, rows = 50) {
		this.#program = program
		this.#size = [columns, rows]
	}

	/** A pane with a shell in it, in a window of its own. */
	async pane({ cwd, env }: PaneOptions): Promise<Pane> {
		const [columns, rows] = this.#size
		const set = Object.entries(env).flatMap(([name, value]) => ['-e', `${name}=${value}`])
		const start = this.#begun
			? ['new-window', '-t', 'main:']
			: ['new-session', '-d', '-s', 'main', '-x', `${columns}`, '-y', `${rows}`]
		this.#begun = true
		const made = await this.command(...start, '-P', '-F', '#{pane_id}', '-c', cwd, ...set, 'sh')
		const pane = new Pane(this, made.trim())
		await pane.line(`PS1='${prompt}'`)
		await pane.clear()
		return pane
	}

	/** What `tmux` prints. */
	async command(...args: readonly string[]): Promise<string> {
		const { PATH = '', HOME = '' } = process.env
		const environment = { PATH, HOME, LANG: 'C.UTF-8', TERM: 'xterm-256color' }
		const options = { env: environment }
		const all = ['-L', this.#socket, '-f', '/dev/null', '-u', ...args]
		return (await run(this.#program, all, options)).stdout
	}

	async [Symbol.asyncDispose](): Promise<void> {
		// Only the server of this very socket.
		if (this.#begun) await this.command('kill-server').catch(() => undefined)
	}
}

export class Pane {
	readonly #tmux: Tmux
	readonly id: string

	constructor(tmux: Tmux, id: string) {
		this.#tmux = tmux
		this.id = id
	}

	/** What is on the screen; lines that the terminal wrapped are whole. */
	screen(): Promise<string> {
		return this.#tmux.command('capture-pane', '-p', '-J', '-t', this.id)
	}

	/** With what was scrolled away. */
	history(): Promise<string> {
		return this.#tmux.command('capture-pane', '-p', '-J', '-S', '-', '-t', this.id)
	}

	/** Keys by tmux's names for them: `Enter`, `C-c`. */
	async press(...keys: readonly string[]): Promise<void> {
		await this.#tmux.command('send-keys', '-t', this.id, ...keys)
	}

	/** Types a line and presses return. */
	async line(text: string): Promise<void> {
		await this.#tmux.command('send-keys', '-t', this.id, '-l', text)
		await this.press('Enter')
	}

	/** Puts a text in through the paste buffer, as after copying it in another pane. */
	async paste(text: string): Promise<void> {
		const buffer = `copied-${this.id.slice(1)}`
		await this.#tmux.command('set-buffer', '-b', buffer, text)
		await this.#tmux.command('paste-buffer', '-d', '-p', '-b', buffer, '-t', this.id)
	}

	/** Waits until the screen satisfies it, and gives what was found. */
	async until(what: RegExp, ms = 60_000): Promise<readonly string[]> {
		let found: readonly string[] | null = null
		let screen = ''
		await until(
			async () => {
				screen = await this.screen()
				found = screen.match(what)
				return found
			},
			() => `${what} in\n${screen}`,
			ms,
		)
		return found ?? []
	}

	/** An empty screen, so that what is looked for is new. */
	async clear(): Promise<void> {
		await this.line('clear')
		await this.until(new RegExp(`^${prompt.trim()} *\n*$`))
	}
}
