import type { Question } from '../../protocol/events.ts'
import { safeText } from '../../text/safe-text.ts'
import { type StyledLine, span } from '../../text/styled.ts'
import { nothingPicked, type Picked, wordsOf } from '../../viewer/answers.ts'
import type { Size } from '../state.ts'
import { answerLine } from './answer-line.ts'

/** All answers before they are sent, as far as there is room. */
export interface Review {
	rows: readonly StyledLine[]
	/** Lines of it that are among the rows: from, up to but not including to; and of all of it. */
	from: number
	to: number
	total: number
	/** The last line that it can begin with. */
	lastTop: number
}

const mostRows = (rows: number) => Math.max(2, Math.floor(rows / 3), rows - 12)

/** From line `top` on. Where it is longer than there is room, the last row says how much there is below. */
export function reviewOf(
	questions: readonly Question[],
	picked: readonly Picked[],
	top: number,
	{ columns, rows }: Size,
): Review {
	const lines = questions.flatMap((question, index) =>
		answerLine(question.question, wordsOf(question, picked[index] ?? nothingPicked), columns),
	)
	const total = lines.length
	const most = mostRows(rows)
	if (total <= most) return { rows: lines, from: 0, to: total, total, lastTop: 0 }
	const room = most - 1
	const lastTop = total - room
	const from = Math.min(Math.max(0, top), lastTop)
	const below = total - from - room
	const more =
		below === 0
			? [span(safeText`   that is all of it`, 'dim')]
			: [span(safeText`   ↓ ${below} more: read on`, 'warn')]
	return { rows: [...lines.slice(from, from + room), more], from, to: from + room, total, lastTop }
}
