import { revealText } from '../../text/safe-text.ts'

/** A name or a reason, which another device wrote: nothing hidden in it, and never more than one line. */
export function oneLine(text: string): string {
	return revealText(text).replaceAll('\n', '\\n')
}
