import { repeatText, type SafeText, safeText } from '../../text/safe-text.ts'
import { lineWidth, type StyledLine, span, truncateLine } from '../../text/styled.ts'
import { formatDuration } from '../../text/time.ts'
import type { ReplayState } from '../replay/replay-state.ts'
import { clockTime } from './times.ts'

/** Columns of the bar: fewer are none. */
const shortest = 8

/** Two rows: how it is played and what is passed over; where it is. */
export function replayLines(replay: ReplayState, width: number): [StyledLine, StyledLine] {
	return [truncateLine(stateLine(replay), width), placeLine(replay, width)]
}

const pauses: Readonly<Record<NonNullable<ReplayState['pause']>['until'], SafeText>> = {
	prompt: safeText`waited for a prompt`,
	answer: safeText`waited for the answer`,
	result: safeText`it ran`,
	other: safeText`nothing happened`,
}

function stateLine({ playing, ended, speed, loading, pause, problem }: ReplayState): StyledLine {
	const state: StyledLine =
		problem !== null
			? [span(safeText` ✗ ${problem}`, 'error')]
			: loading
				? [span(safeText` … reading`, 'warn')]
				: ended
					? [span(safeText` ■ the end`, 'strong'), span(safeText`  space plays it again`, 'dim')]
					: playing
						? [span(safeText` ▶ playing`, 'ok')]
						: [span(safeText` ‖ paused`, 'warn')]
	const at = span(safeText`  ×${speed}`, 'accent')
	if (problem !== null || ended || !pause) return [...state, at]
	return [
		...state,
		at,
		span(safeText`  ${pauses[pause.until]} for ${formatDuration(pause.ms)}: shortened`, 'dim'),
	]
}

function placeLine({ seq, through, at, ended }: ReplayState, width: number): StyledLine {
	const part = through === 0 ? 0 : ended ? 1 : Math.min(1, seq / through)
	const percent = part < 1 ? Math.min(99, Math.floor(part * 100)) : 100
	const when: SafeText = at === null ? safeText`` : safeText`  ${clockWithSeconds(at)}`
	const facts: readonly SafeText[] = [
		safeText`  #${seq} of ${through}${when}  ${percent} %`,
		safeText`  #${seq}/${through}  ${percent} %`,
		safeText`  ${percent} %`,
	]
	for (const fact of facts) {
		const text = span(fact)
		const room = width - 2 - lineWidth([text])
		if (room < shortest) continue
		const done = Math.round(part * (room - 1))
		return [
			span(safeText` ${repeatText(safeText`━`, done)}●`, 'accent'),
			span(repeatText(safeText`─`, room - 1 - done), 'dim'),
			text,
		]
	}
	return truncateLine([span(facts[2] ?? safeText``)], width)
}

function clockWithSeconds(at: string): SafeText {
	const seconds = new Date(at).getSeconds()
	return seconds < 10
		? safeText`${clockTime(at)}:0${seconds}`
		: safeText`${clockTime(at)}:${seconds}`
}
