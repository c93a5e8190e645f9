/** Sequences meant for the terminal itself, where a multiplexer stands in between. */

const esc = '\u001B'
const end = '\u001B\\'

/**
 * How to hand a sequence on to the outermost terminal. tmux (3.3 and later) hands it on where
 * `allow-passthrough` is on, and drops it else; GNU screen takes at most 768 bytes at once.
 */
export function passthroughFor(
	env: Readonly<Record<string, string | undefined>>,
): (sequence: string) => string {
	if (env.TMUX || env.TERM?.startsWith('tmux')) {
		return (sequence) => `${esc}Ptmux;${sequence.replaceAll(esc, esc + esc)}${end}`
	}
	if (env.STY) return forScreen
	return (sequence) => sequence
}

const screenPiece = 512

/** In pieces: the end of a string within one would end screen's own, so it is never inside of a piece. */
function forScreen(sequence: string): string {
	const pieces = sequence.match(new RegExp(`${esc}?[^${esc}]{1,${screenPiece}}|${esc}$`, 'g'))
	return (pieces ?? []).map((piece) => `${esc}P${piece}${end}`).join('')
}
