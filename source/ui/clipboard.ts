/** Copying by way of the terminal (OSC 52), so that it works through ssh, tmux and GNU screen. */
import { passthroughFor } from './passthrough.ts'

/** Bytes that are copied at most: terminals drop a sequence that is longer in base64 than 74,994. */
export const mostCopied = 56_244

export interface Copied {
	/** Bytes that were copied, and that there are. */
	bytes: number
	of: number
}

/** Hands a text to the clipboard of the terminal; what is too long is cut, at a whole character. */
export type Clipboard = (text: string) => Copied

export function clipboardBy(
	write: (data: string) => void,
	env: Readonly<Record<string, string | undefined>>,
): Clipboard {
	const outermost = passthroughFor(env)
	return (text) => {
		const all = Buffer.from(text)
		let end = Math.min(all.length, mostCopied)
		// Not within a character.
		while (end < all.length && end > 0 && ((all[end] ?? 0) & 0xc0) === 0x80) end--
		const sequence = `\u001B]52;c;${all.subarray(0, end).toString('base64')}\u0007`
		write(sequence)
		// tmux takes it itself where `set-clipboard` is on, and hands it on where `allow-passthrough` is.
		const handed = outermost(sequence)
		if (handed !== sequence) write(handed)
		return { bytes: end, of: all.length }
	}
}
