import type { Question } from '../../protocol/events.ts'
import { oneLine } from '../../text/one-line.ts'
import { type SafeText, safeText } from '../../text/safe-text.ts'
import { type StyledLine, span, truncateLine } from '../../text/styled.ts'
import { nothingPicked, takesOther } from '../../viewer/answers.ts'
import type { Keymap } from '../keymap/keymap.ts'
import { listTop } from '../layout.ts'
import type { QuestionScreen, Size } from '../state.ts'
import { reviewOf } from './review-lines.ts'

const rowsFor = (rows: number) => Math.max(2, Math.floor(rows / 3))

/** `Question 1 of 2: Which database?` */
export function questionLabel(questions: readonly Question[], at: number): SafeText {
	const question = questions[at]
	if (!question) return safeText`Send this?`
	const place =
		questions.length === 1 ? safeText`` : safeText`Question ${at + 1} of ${questions.length}: `
	const many = question.multiple ? safeText` (more than one may be chosen)` : safeText``
	return safeText`${place}${oneLine(question.question)}${many}`
}

/** The options of the question on the screen, or all answers before they are sent. */
export function questionLines(
	questions: readonly Question[],
	asking: QuestionScreen,
	size: Size,
	keymap: Keymap,
): StyledLine[] {
	const question = questions[asking.at]
	if (!question) return [...reviewOf(questions, asking.picked, asking.highlighted, size).rows]
	const picked = asking.picked[asking.at] ?? nothingPicked
	const lines = question.options.map(({ label, description }, index) =>
		optionLine(
			safeText`${index + 1} ${oneLine(label)}`,
			description === null ? safeText`` : safeText`  ${oneLine(description)}`,
			{ chosen: picked.options.has(index), highlighted: index === asking.highlighted, question },
		),
	)
	if (takesOther(question)) {
		const own = picked.other === null ? safeText`` : safeText`  ${oneLine(picked.other)}`
		const highlighted = asking.highlighted === question.options.length
		const chosen = picked.other !== null
		lines.push(
			optionLine(safeText`${keymap.key('write-answer')} in your own words`, own, {
				chosen,
				highlighted,
				question,
			}),
		)
	}
	const height = rowsFor(size.rows)
	const top = listTop(asking.highlighted, height, lines.length)
	return lines.slice(top, top + height).map((line) => truncateLine(line, size.columns))
}

function optionLine(
	label: SafeText,
	more: SafeText,
	state: { chosen: boolean; highlighted: boolean; question: Question },
): StyledLine {
	const { chosen, highlighted, question } = state
	const box = question.multiple
		? chosen
			? safeText`[x] `
			: safeText`[ ] `
		: chosen
			? safeText`(•) `
			: safeText`( ) `
	return [
		span(highlighted ? safeText` ▸ ` : safeText`   `, 'accent'),
		span(box, chosen ? 'ok' : 'dim'),
		span(label, highlighted ? 'strong' : 'plain'),
		span(more, 'dim'),
	]
}
