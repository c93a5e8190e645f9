import { revealText, type SafeText } from './safe-text.ts'

/** A name, path or command in one line: nothing left out, a line end shown as `⏎`. */
export function oneLine(raw: string): SafeText {
	return revealText(raw.replaceAll('\n', '⏎'))
}
