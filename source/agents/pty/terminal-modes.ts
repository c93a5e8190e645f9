/** What an agent has set in the person's terminal, to be taken back while something else has it. */
import type { Screen } from './screen.ts'

const esc = '\u001B'

/**
 * Puts a terminal back in order after a program that had it: no mouse, no marked pastes, no reports, the
 * ordinary screen and keys, a cursor that is shown, no colours. Harmless where nothing was set.
 */
export const ordinary = [
	`${esc}[?1000l${esc}[?1002l${esc}[?1003l${esc}[?1006l${esc}[?1004l${esc}[?2004l${esc}[?2026l`,
	`${esc}[?1l${esc}>${esc}[<u${esc}[>4;0m`,
	`${esc}[?25h${esc}[0m`,
].join('')

/** Leaves the alternate screen. On its own: on the ordinary screen it would move the cursor. */
export const leaveAlternate = `${esc}[?1049l`

/** A line of its own below the cursor's, with nothing under it of what a program drew there. */
export const freshLine = `\r\n${esc}[J`

const mouse = { none: '', x10: '9', vt200: '1000', drag: '1002', any: '1003' }

/** Sets again what the agent has set, as the emulated screen knows it. */
export function modesOf(screen: Screen): string {
	const { modes } = screen
	const set = (number: string) => `${esc}[?${number}h`
	return [
		screen.alternate ? set('1049') : '',
		modes.applicationCursorKeysMode ? set('1') : '',
		modes.applicationKeypadMode ? `${esc}=` : '',
		modes.bracketedPasteMode ? set('2004') : '',
		modes.sendFocusMode ? set('1004') : '',
		// Every program in use today that asks for the mouse asks for its positions in this form.
		modes.mouseTrackingMode === 'none' ? '' : set(mouse[modes.mouseTrackingMode]) + set('1006'),
	].join('')
}
