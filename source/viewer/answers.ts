/** Answers to the questions that an agent asks a person: chosen step by step, or read from a command line. */
import type { Question } from '../protocol/events.ts'

/** What was chosen for one question. */
export interface Picked {
	/** Places of the options chosen, in no order. */
	options: ReadonlySet<number>
	/** An answer in the person's own words; `null`: none. */
	other: string | null
}

export const nothingPicked: Picked = { options: new Set(), other: null }

/** Whether an answer in the person's own words is taken. */
export function takesOther({ options, other }: Question): boolean {
	return options.length === 0 || other !== false
}

/** Why the questions can't be answered from here, or `null`. */
export function unanswerable(questions: readonly Question[]): 'alike' | 'empty' | null {
	if (questions.length === 0) return 'empty'
	// Answers are named by the words of their question.
	return new Set(questions.map(({ question }) => question)).size < questions.length ? 'alike' : null
}

/** Whether enough was chosen to go on: where there is nothing to choose from, no words are an answer too. */
export function isAnswered(question: Question, { options, other }: Picked): boolean {
	if (question.options.length === 0) return other !== null
	return options.size > 0 || (other !== null && other !== '')
}

/** With one option chosen, or no longer, where more than one may be. */
export function pick(question: Question, picked: Picked, option: number): Picked {
	if (!question.options[option]) return picked
	if (!question.multiple) return { options: new Set([option]), other: null }
	const options = new Set(picked.options)
	if (!options.delete(option)) options.add(option)
	return { ...picked, options }
}

/** With an answer in the person's own words: the only one, where only one may be given. */
export function write(question: Question, picked: Picked, text: string): Picked {
	const none = text === '' && question.options.length > 0
	const other = none ? null : text
	return { options: question.multiple || none ? picked.options : new Set(), other }
}

/** The words that one question is answered with, in the order of its options. */
export function wordsOf({ options }: Question, picked: Picked): string[] {
	const labels = options.filter((_, index) => picked.options.has(index)).map(({ label }) => label)
	return picked.other === null ? labels : [...labels, picked.other]
}

/** What a decision carries as its input. */
export function answersInput(
	questions: readonly Question[],
	picked: readonly Picked[],
): { answers: Record<string, string | string[]> } {
	const answers = questions.map((question, index): [string, string | string[]] => {
		const words = wordsOf(question, picked[index] ?? nothingPicked)
		return [question.question, question.multiple ? words : (words[0] ?? '')]
	})
	return { answers: Object.fromEntries(answers) }
}

/**
 * An answer as it is written on a command line: the number or the label of an option, several of them with
 * commas where more than one may be chosen, else the person's own words. `null`: it is none that is taken.
 */
export function parseAnswer(question: Question, text: string): Picked | null {
	const whole = optionNamed(question, text)
	if (whole !== null) return { options: new Set([whole]), other: null }
	const parts = question.multiple ? text.split(',').map((part) => optionNamed(question, part)) : []
	const found = parts.filter((part) => part !== null)
	if (found.length > 0 && found.length === parts.length) {
		return { options: new Set(found), other: null }
	}
	// A number that is none of the options is a slip rather than an answer.
	const slip = question.options.length > 0 && /^[\d\s,]+$/.test(text)
	return takesOther(question) && !slip ? { options: new Set(), other: text.trim() } : null
}

function optionNamed({ options }: Question, text: string): number | null {
	const word = text.trim()
	const label = options.findIndex((option) => option.label === word)
	if (label >= 0) return label
	const alike = options.findIndex((option) => option.label.toLowerCase() === word.toLowerCase())
	if (alike >= 0) return alike
	const number = /^\d{1,3}$/.test(word) ? Number(word) - 1 : -1
	return options[number] ? number : null
}
