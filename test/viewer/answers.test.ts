import { describe, expect, test } from 'vitest'
import type { Question } from '../../source/protocol/events.ts'
import {
	answersInput,
	isAnswered,
	nothingPicked,
	parseAnswer,
	pick,
	takesOther,
	unanswerable,
	wordsOf,
	write,
} from '../../source/viewer/answers.ts'

const question = (change: Partial<Question> = {}): Question => ({
	question: 'Which database?',
	header: null,
	multiple: false,
	options: ['Postgres', 'SQLite', 'None, thanks'].map((label) => ({ label, description: null })),
	...change,
})
const single = question()
const several = question({ multiple: true })
const closed = question({ other: false })
const open = question({ options: [] })

describe('chosen', () => {
	test('one of several takes the place of the one before', () => {
		const picked = pick(single, pick(single, nothingPicked, 0), 1)
		expect(wordsOf(single, picked)).toEqual(['SQLite'])
		expect(wordsOf(single, write(single, picked, 'MySQL'))).toEqual(['MySQL'])
		expect(wordsOf(single, pick(single, write(single, picked, 'MySQL'), 0))).toEqual(['Postgres'])
	})

	test('where more than one may be, each is chosen or not, in the order of the options', () => {
		const both = pick(several, pick(several, nothingPicked, 1), 0)
		expect(wordsOf(several, both)).toEqual(['Postgres', 'SQLite'])
		expect(wordsOf(several, write(several, both, 'MySQL'))).toEqual(['Postgres', 'SQLite', 'MySQL'])
		expect(wordsOf(several, pick(several, both, 0))).toEqual(['SQLite'])
	})

	test('an option that there is not is none', () => {
		expect(pick(single, nothingPicked, 7)).toBe(nothingPicked)
	})

	test('what counts as an answer', () => {
		expect(isAnswered(single, nothingPicked)).toBe(false)
		expect(isAnswered(single, write(single, nothingPicked, ''))).toBe(false)
		expect(isAnswered(single, pick(single, nothingPicked, 0))).toBe(true)
		expect(isAnswered(open, nothingPicked)).toBe(false)
		expect(isAnswered(open, write(open, nothingPicked, ''))).toBe(true)
		expect([single, closed, open].map(takesOther)).toEqual([true, false, true])
	})
})

test('the input of a decision names each answer by its question', () => {
	const other = question({ question: 'And which cache?', multiple: true })
	const input = answersInput(
		[single, other],
		[pick(single, nothingPicked, 1), pick(other, nothingPicked, 0)],
	)
	expect(input).toEqual({
		answers: { 'Which database?': 'SQLite', 'And which cache?': ['Postgres'] },
	})
})

test('questions with the same words can not be answered', () => {
	expect(unanswerable([single, several])).toBe('alike')
	expect(unanswerable([])).toBe('empty')
	expect(unanswerable([single])).toBeNull()
})

test.each<[Question, string, string[] | null]>([
	[single, '2', ['SQLite']],
	[single, 'SQLite', ['SQLite']],
	[single, ' sqlite ', ['SQLite']],
	[single, 'none, thanks', ['None, thanks']],
	[single, 'MySQL', ['MySQL']],
	[single, '1,2', null],
	[single, '4', null],
	[single, '0', null],
	[closed, 'MySQL', null],
	[closed, '1', ['Postgres']],
	[several, '2,1', ['Postgres', 'SQLite']],
	[several, 'Postgres, 3', ['Postgres', 'None, thanks']],
	[several, 'None, thanks', ['None, thanks']],
	[several, 'Postgres, MySQL', ['Postgres, MySQL']],
	[several, '1,7', null],
	[open, '7', ['7']],
	[open, '', ['']],
])('%j on the command line', (asked, text, words) => {
	const picked = parseAnswer(asked, text)
	expect(picked && wordsOf(asked, picked)).toEqual(words)
})
