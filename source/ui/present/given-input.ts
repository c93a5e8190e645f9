import * as v from 'valibot'
import { revealLines } from '../../text/reveal.ts'
import { safeText } from '../../text/safe-text.ts'
import { type StyledLine, span } from '../../text/styled.ts'
import { commandOf } from '../../text/tool-input.ts'
import { wrapLine } from '../../text/wrap.ts'
import { answerLine } from './answer-line.ts'

const answersSchema = v.object({
	answers: v.record(v.string(), v.union([v.string(), v.array(v.string())])),
})

/** What an answer carried besides yes: the answers to questions, or the input as the person changed it. */
export function givenInput(input: unknown, width: number): StyledLine[] {
	if (input === null || input === undefined) return []
	const answers = v.safeParse(answersSchema, input)
	if (answers.success) {
		return Object.entries(answers.output.answers).flatMap(([question, words]) =>
			answerLine(question, Array.isArray(words) ? words : [words], width),
		)
	}
	const text = commandOf(input) ?? JSON.stringify(input, null, 2) ?? ''
	return [
		[span(safeText`    changed to`, 'warn')],
		...revealLines(text, 'strong').flatMap((line) =>
			wrapLine(line, width, {
				mode: 'columns',
				first: [span(safeText`    │ `, 'dim')],
				rest: [span(safeText`    │ `, 'dim')],
			}),
		),
	]
}
