/** The mouse of a terminal: its reports are taken out of the input before keys are read from it. */
import { replacing } from './replacing.ts'

/** What was done, in cells of the screen from 0. */
export type MouseAct =
	| { type: 'wheel'; by: 1 | -1; column: number; row: number }
	| { type: 'click'; column: number; row: number }

/** Reports of buttons and the wheel, in a form without limits (SGR). */
export const mouseOn = '\u001B[?1000h\u001B[?1006h'
export const mouseOff = '\u001B[?1006l\u001B[?1000l'

// biome-ignore lint/suspicious/noControlCharactersInRegex: a report begins with one
const report = /\u001B\[<(\d{1,4});(\d{1,5});(\d{1,5})([Mm])/g
// biome-ignore lint/suspicious/noControlCharactersInRegex: a report begins with one
const begun = /\u001B\[<[\d;]{0,18}$/
/** Shift, alt and ctrl with it. */
const modifiers = 4 + 8 + 16
const wheel: Readonly<Record<number, 1 | -1>> = { 64: -1, 65: 1 }

/** Finds reports in what is read, whatever the pieces that it comes in. */
export class MouseReports {
	readonly #act: (act: MouseAct) => void
	#held = ''
	/** The piece before ended within the first characters of what may have been a report. */
	#before = ''

	constructor(act: (act: MouseAct) => void) {
		this.#act = act
	}

	/** `data` without the reports in it: no part of one is ever taken for keys. */
	keys(data: string): string {
		const joined = this.#follows(data)
		const text = joined ? this.#before + data : this.#held + data
		const rest = text.replace(report, (_, button: string, x: string, y: string, end: string) => {
			this.#told(Number(button), Number(x) - 1, Number(y) - 1, end === 'M')
			return ''
		})
		const cut = rest.search(begun)
		this.#held = cut < 0 ? '' : rest.slice(cut)
		const keys = cut < 0 ? rest : rest.slice(0, cut)
		const handed = (joined ? '' : this.#before) + keys
		this.#before = ['\u001B[', '\u001B'].find((start) => handed.endsWith(start)) ?? ''
		return keys
	}

	/** A lone escape was handed on at once, as it is a key; when the rest of a report follows, it was none. */
	#follows(data: string): boolean {
		return this.#before !== '' && /^<(?:\d|$)/.test(`${this.#before}${data}`.slice(2))
	}

	#told(button: number, column: number, row: number, pressed: boolean): void {
		if (!pressed) return
		const plain = button & ~modifiers
		const by = wheel[plain]
		if (by !== undefined) this.#act({ type: 'wheel', by, column, row })
		else if (plain === 0) this.#act({ type: 'click', column, row })
	}
}

/** The same input without the reports of the mouse. */
export function withoutMouse(
	stdin: NodeJS.ReadStream,
	act: (act: MouseAct) => void,
): NodeJS.ReadStream {
	const reports = new MouseReports(act)
	const read = (): string | null => {
		for (;;) {
			const chunk: unknown = stdin.read()
			if (chunk === null) return null
			const keys = reports.keys(String(chunk))
			if (keys !== '') return keys
		}
	}
	return replacing(stdin, 'read', read)
}
