import { type Instance, render } from 'ink'
import type { Drawn } from '../components/root.tsx'
import { SpokenRoot } from '../components/spoken-root.tsx'
import type { DrawnFrame } from '../frame.ts'
import type { Keymap } from '../keymap/keymap.ts'
import { replacing } from '../replacing.ts'
import type { Size } from '../state.ts'
import type { Terminal } from '../terminal.ts'
import { Narrator } from './narrator.ts'
import { spokenFrame } from './spoken-frame.ts'

/** Columns left free: words are longer than the signs that they stand for. */
const free = 10

/** Frames are made for one pane at a time, and for so many lines that little has to be scrolled. */
export function spokenSize(columns: number): Size {
	return { columns: Math.max(40, Math.min(columns - free, 99)), rows: 40 }
}

const pasteOn = '\u001B[?2004h'
const pasteOff = '\u001B[?2004l'

export interface Speaking {
	instance: Instance
	/** The next frame is said whole. */
	again(): void
	end(): void
}

/** Shows an app line by line; Ink reads the keys, and what it would draw is left out. */
export function speak<F extends DrawnFrame>(
	app: Drawn<F>,
	{
		stdin,
		stdout,
		terminal,
		keymap,
		dumb,
	}: {
		stdin: NodeJS.ReadStream
		stdout: NodeJS.WriteStream
		terminal: Terminal
		keymap: Keymap
		/** The terminal knows no sequences at all. */
		dumb: boolean
	},
): Speaking {
	const narrator = new Narrator((text) => stdout.write(text))
	if (!dumb) stdout.write(pasteOn)
	const tell = (frame: F) => narrator.tell(spokenFrame(frame, keymap))
	const instance = render(<SpokenRoot app={app} terminal={terminal} tell={tell} />, {
		stdin,
		stdout: undrawn(stdout),
		interactive: true,
		exitOnCtrlC: false,
	})
	return {
		instance,
		again: () => narrator.again(),
		end: () => {
			narrator.end()
			if (!dumb) stdout.write(pasteOff)
		},
	}
}

/** The same terminal, on which nothing is drawn. */
function undrawn(stdout: NodeJS.WriteStream): NodeJS.WriteStream {
	const write = (_: unknown, ...rest: readonly unknown[]): boolean => {
		const done = rest.at(-1)
		if (typeof done === 'function') done()
		return true
	}
	return replacing(stdout, 'write', write)
}
