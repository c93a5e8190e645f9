/** A text without its spaces and line ends: lines are broken at other places on a screen. */
export function squeezed(text: string): string {
	return text.replace(/\s+/g, '')
}
