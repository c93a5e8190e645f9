import { expect, it } from 'vitest'
import {
	confirmAt,
	inputAt,
	linesAbove,
	typedAnswer,
} from '../../../source/agents/aider/screen-prompts.ts'
import { Screen } from '../../../source/agents/pty/screen.ts'

async function shown(text: string, columns = 80): Promise<Screen> {
	const screen = await Screen.open({ columns, rows: 24 })
	screen.write(Buffer.from(text))
	await screen.parsed()
	return screen
}

const run = "Run shell command? (Y)es/(N)o/(D)on't ask again [Yes]: "

it.each([
	[run, { question: 'Run shell command?', all: false, skip: false, byDefault: 'Yes' }],
	[
		"Add file to the chat? (Y)es/(N)o/(A)ll/(S)kip all/(D)on't ask again [Yes]: ",
		{ question: 'Add file to the chat?', all: true, skip: true, byDefault: 'Yes' },
	],
	['Really? (Y)es/(N)o [No]: ', { question: 'Really?', all: false, skip: false, byDefault: 'No' }],
])('%j is a question', async (text, expected) => {
	const screen = await shown(`some text\r\n\r\nsubject\r\n\u001B[1m${text}\u001B[0m`)
	expect(confirmAt(screen)).toMatchObject({ ...expected, line: text.trim(), row: 3 })
	expect(linesAbove(screen, 3)).toEqual(['subject'])
})

it('a question that takes several rows is one, however its rows were made', async () => {
	const text = 'Allow edits to file that has not been added to the chat? (Y)es/(N)o [Yes]: '
	for (const columns of [20, 33, 38, 70, 76, 77]) {
		const rows = text.match(new RegExp(`.{1,${columns}}`, 'g')) ?? []
		const placed = await shown(`before\r\n${rows.join('\r\n')}`, columns)
		const wrapped = await shown(`before\r\n${text}`, columns)
		for (const screen of [placed, wrapped]) {
			expect(confirmAt(screen)).toMatchObject({ line: text.trim(), row: 1 })
		}
	}
})

it.each([
	['text behind the cursor', `${run}y`],
	['an answer', `${run}y\u001B[D`],
	['a cursor that is elsewhere', `\r\n${run}\u001B[A`],
	['a cursor that is before its end', `${run}\u001B[2D`],
	['something below it', `\r\nbelow\u001B[A\r${run}`],
	['a line that has ended', `${run}\r\n`],
	['words before it on the row', `\u001B[1;5H${run}`],
	['half a question', "Run shell command? (Y)es/(N)o/(D)on't ask again"],
	['two in one line', `${run}${run}`],
	['choices that are not known', 'Run shell command? (Y)es/(N)o/(M)aybe [Yes]: '],
	['another wording', 'Run shell command? [y/N] '],
	['a row that was not full', `Run shell\r\ncommand? (Y)es/(N)o [Yes]: `],
])('%s makes it none', async (_, text) => {
	const found = confirmAt(await shown(text))
	if (found !== null) expect(found.question).not.toBe('Run shell command?')
})

it('an unknown question that takes several rows is one', async () => {
	const text = 'Shall every file of this project be sent to somebody? (Y)es/(N)o [Yes]: '
	const rows = text.match(/.{1,20}/g) ?? []
	const screen = await shown(`before\r\n${rows.join('\r\n')}`, 20)
	expect(confirmAt(screen)).toMatchObject({ line: text.trim(), row: 1 })
})

it('the input line is one where it is empty', async () => {
	const found = async (text: string) => inputAt(await shown(text))
	expect(await found('\r\na.txt  b.txt\r\n> ')).toEqual({ mode: null, multiline: false })
	expect(await found('ask> ')).toEqual({ mode: 'ask', multiline: false })
	expect(await found('multi> ')).toEqual({ mode: null, multiline: true })
	expect(await found('ask multi> ')).toEqual({ mode: 'ask', multiline: true })
	for (const text of ['> x', '> \r\n', '> hello\u001B[5D', '. ', '>', 'say > ', '> \u001B[B']) {
		expect(await found(text)).toBeNull()
	}
})

it('a typed answer is read off its row', async () => {
	const screen = await shown(`${run}no\r\nmore`)
	const confirm = confirmAt(await shown(run))
	if (confirm === null) throw new Error('no question')
	expect(typedAnswer(screen, confirm, 0)).toBe('no')
	expect(typedAnswer(screen, confirm, 1)).toBeNull()
})

it('garbage is nothing', async () => {
	for (let seed = 1; seed < 40; seed++) {
		const bytes = Buffer.from(Array.from({ length: 4000 }, (_, i) => (i * seed * 7919) % 251))
		const screen = await Screen.open({ columns: 80, rows: 24 })
		screen.write(bytes)
		await screen.parsed()
		expect([confirmAt(screen), inputAt(screen)]).toEqual([null, null])
	}
})
