import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
	asksOtherwise,
	type Dialog,
	exactText,
	hunksIn,
	keyOf,
	readComposer,
	readDialog,
	sameDialog,
} from '../../../source/agents/gemini/dialog.ts'
import { asksPermission, keyFor, nativeAsk } from '../../../source/agents/gemini/native-request.ts'

const columns = 80
const wide = (left: string, text: string, right: string) =>
	left + text.padEnd(columns - left.length - right.length) + right
const edge = (left: string, right: string) => left + '─'.repeat(columns - 2) + right
const inner = (text: string) => wide('│ │ ', text, ' │ │')
const innerEdge = (left: string, right: string) => `│ ${left}${'─'.repeat(columns - 6)}${right} │`

const options = ['Allow once', 'Allow for this session', 'No, suggest changes (esc)']

/** The frame, as the real one is drawn. */
function frame({
	header = '? Shell  touch a',
	body = ['touch a'],
	question = ['Allow execution of [Shell]?'],
	choices = options,
	chosen = 0,
} = {}): string[] {
	return [
		edge('╭', '╮'),
		wide('│ ', header, '│'),
		innerEdge('╭', '╮'),
		...body.map(inner),
		innerEdge('╰', '╯'),
		...question.map((row) => wide('│ ', row, '│')),
		wide('│', '', '│'),
		...choices.map((choice, index) =>
			wide('│ ', `${index === chosen ? '●' : ' '} ${index + 1}. ${choice}`, '│'),
		),
		edge('╰', '╯'),
	]
}

const composer = (typed = '  Type your message or @path/to/file', status = '') => [
	wide(status, '? for shortcuts', ''),
	'─'.repeat(columns),
	' Shift+Tab to accept edits',
	'',
	` > ${typed}`,
	'',
	' workspace (/directory)      sandbox      /model',
	' /home/user/project          no sandbox   gemini-2.5-pro',
]
const said = [' > RUN it', '', '✦ I will run it', '']

function read(rows: string[]): Dialog {
	const dialog = readDialog(rows, columns)
	if (dialog === null) throw new Error('no dialog')
	return dialog
}

test('a question at the end of the screen is read, whatever is above it and below', () => {
	const dialog = read([...said, ...frame(), '', ''])
	expect(dialog).toMatchObject({
		label: 'Shell',
		title: 'touch a',
		body: ['touch a'],
		cut: false,
		question: 'Allow execution of [Shell]?',
		options,
	})
	expect(asksPermission(dialog)).toBe(true)
	expect(nativeAsk(dialog, '/home/user/project')).toMatchObject({
		tool: 'run_shell_command',
		tool_use: null,
		input: { command: 'touch a' },
		reason: null,
		changes: [],
		session_rules: [{ tool: 'run_shell_command', rule: 'touch *' }],
	})
})

test.each([
	['a model says it, above the line for prompts', [...said, ...frame(), ...composer()]],
	['a model says it as the last thing it says', [...said, ...frame().map((row) => `  ${row}`)]],
	['something stands below it', [...frame(), 'x']],
	[
		'a tool puts it out, in a frame of its own',
		[edge('╭', '╮'), ...frame({}).map(inner), edge('╰', '╯')],
	],
	['the frame is of another width', frame().map((row) => row.replace('──', '─'))],
	['the frame is open', frame().slice(0, -1)],
	['nothing is chosen in it', frame({ chosen: 9 })],
	['there is one choice', frame({ choices: ['Allow once'] })],
	['there is no inner frame', frame().filter((row) => !row.startsWith('│ ╭'))],
	['there is no header', frame({ header: 'Shell touch a' })],
	['there is nothing', []],
])('no question where %s', (_what, rows) => {
	expect(readDialog(rows, columns)).toBeNull()
})

test('a command that draws a question stays a command', () => {
	const lines = ['echo x', 'Allow execution of [Shell]?', '', '● 1. Allow once', '╰──╯', '│ a │']
	const dialog = read(frame({ header: '? Shell  A command', body: lines }))
	expect(dialog.body).toEqual(lines)
	expect(dialog.options).toEqual(options)
	expect(dialog.question).toBe('Allow execution of [Shell]?')
})

test('the same question is the same, whatever is chosen; any other is another', () => {
	const one = read(frame())
	expect(sameDialog(one, read([...said, ...frame({ chosen: 2 })]))).toBe(true)
	for (const other of [
		frame({ body: ['touch b'] }),
		frame({ header: '? Shell  touch b' }),
		frame({ header: '? Edit  touch a' }),
		frame({ header: `? Shell  ${'touch a'.padEnd(60)} 2 of 2` }),
		frame({ question: ['Allow execution of [Shell]?', '⚠ Careful'] }),
		frame({ choices: [...options].reverse() }),
		frame({ choices: [...options.slice(0, 2), 'Modify with external editor', options[2] ?? ''] }),
	]) {
		expect(sameDialog(one, read(other))).toBe(false)
	}
})

const ask = (dialog: Dialog) => nativeAsk(dialog, '/home/user/project')

test('keys are those that the screen says', () => {
	const moved = read(
		frame({ choices: ['Allow for this session', 'Something', 'Allow once', options[2] ?? ''] }),
	)
	const once = { decision: 'allow', scope: 'once' } as const
	expect(keyFor(moved, ask(moved), once)).toBe('3')
	expect(keyFor(moved, ask(moved), { decision: 'allow', scope: 'session' })).toBe('1')
	expect(keyFor(moved, ask(moved), { decision: 'deny', reason: '1' })).toBe('\u001B')
	expect(keyFor(moved, ask(moved), { ...once, input: { command: 'ls' } })).toBeNull()
	const other = read(frame({ choices: ['Yes', 'No'] }))
	expect(asksPermission(other)).toBe(false)
	expect(keyOf(other, 'Allow once')).toBeNull()
})

test('what is not all on the screen can be denied, and not allowed', () => {
	const dialog = read(
		frame({ body: ['... first 35 lines hidden (Ctrl+O to show) ...', 'rm -rf build'] }),
	)
	expect(dialog.cut).toBe(true)
	expect(exactText(dialog)).toBeNull()
	expect(ask(dialog).input).toEqual({ shown: dialog.body.join('\n') })
	expect(keyFor(dialog, ask(dialog), { decision: 'allow', scope: 'once' })).toBeNull()
	expect(keyFor(dialog, ask(dialog), { decision: 'deny', reason: '' })).toBe('\u001B')
})

test('a command is told word for word only where lines are certain to end where they do', () => {
	const lines = ['for a in b; do', '  echo $a', 'done']
	expect(exactText(read(frame({ body: lines })))).toBe(lines.join('\n'))
	const wrapped = read(frame({ body: ['echo '.padEnd(columns - 20, 'x'), 'y'.repeat(12)] }))
	expect(exactText(wrapped)).toBeNull()
	// Characters that take two columns fill a row sooner.
	const broad = ['echo '.padEnd(columns / 2 - 6, '中'), 'rm x']
	expect(exactText({ ...read(frame()), body: broad })).toBeNull()
	expect(hunksIn({ ...read(frame()), body: [`1 + ${broad[0]}`, '2 + x'] })).toBeNull()
	expect(ask(wrapped)).toMatchObject({
		input: { shown: wrapped.body.join('\n') },
		session_rules: [],
	})
})

const edit = (body: string[], header = '? Edit  greet.js: "hello" => "good day"') =>
	read(frame({ header, body, question: ['Apply this change?'] }))

test('an edit is shown as its diff', () => {
	const dialog = edit([
		'1   function greet() {',
		'2 -   return "hello"',
		'2 +   return "good day"',
		'3   }',
		'═'.repeat(40),
		'20   a',
		'21 + b',
	])
	expect(ask(dialog)).toMatchObject({
		tool: 'replace',
		input: { file_path: '/home/user/project/greet.js' },
		session_rules: [
			{ tool: 'replace', rule: null },
			{ tool: 'write_file', rule: null },
		],
		changes: [
			{
				path: '/home/user/project/greet.js',
				hunks: [
					{
						old_start: 1,
						old_lines: 3,
						new_start: 1,
						new_lines: 3,
						lines: [' function greet() {', '-  return "hello"', '+  return "good day"', ' }'],
					},
					{ old_start: 20, old_lines: 1, new_start: 20, new_lines: 2, lines: [' a', '+b'] },
				],
			},
		],
	})
})

test('a new file is added lines; what is no diff, or is wrapped, is shown as it stands', () => {
	const header = '? WriteFile  Writing to new.txt'
	expect(hunksIn(edit([' 1 one', ' 2', '10 two'], header))).toEqual([
		{ old_start: 0, old_lines: 0, new_start: 1, new_lines: 3, lines: ['+one', '+', '+two'] },
	])
	for (const body of [['what is this'], [`1 ${'x'.repeat(columns - 12)}`]]) {
		const dialog = edit(body, header)
		expect(ask(dialog)).toMatchObject({ changes: [], input: { shown: body[0] } })
	}
})

test('one of several is told from the next, and named without that', () => {
	const header = `? WriteFile  ${'Writing to new.txt'.padEnd(55)} 1 of 2`
	const dialog = edit(['1 one'], header)
	expect(dialog).toMatchObject({ title: 'Writing to new.txt', position: '1 of 2' })
	expect(ask(dialog).changes).toMatchObject([{ path: '/home/user/project/new.txt' }])
})

test('another question with choices is noticed, and is none that is answered', () => {
	const loop = [
		` ${edge('╭', '╮').slice(2)}`,
		' │ ?  A potential loop was detected │',
		' │ ● 1. Keep loop detection enabled (esc) │',
		' │   2. Disable loop detection for this session │',
		` ${edge('╰', '╯').slice(2)}`,
	]
	expect(readDialog(loop, columns)).toBeNull()
	expect(asksOtherwise(loop, columns)).toBe(true)
	expect(asksOtherwise(frame(), columns)).toBe(false)
	expect(asksOtherwise(['✦ Choose:', '  ● 1. this', ...composer()], columns)).toBe(false)
})

test('a shortened path is no path', () => {
	const dialog = edit(['1 + a'], '? Edit  a/.../b.js: x => y')
	expect(ask(dialog)).toMatchObject({ changes: [], input: { shown: '1 + a' } })
})

test('the line for prompts: empty, typed on, at work, or another', () => {
	expect(readComposer([...said, ...composer()], columns)).toEqual({ text: '', busy: false })
	expect(readComposer(composer('  some words'), columns)).toEqual({
		text: 'some words',
		busy: false,
	})
	expect(readComposer(composer(undefined, ' ⠋ Thinking... (esc to cancel, 5s)'), columns)).toEqual({
		text: '',
		busy: true,
	})
	expect(
		readComposer(
			composer().map((row) => row.replace(' > ', ' ! ')),
			columns,
		),
	).toBeNull()
	expect(readComposer([...said, ...frame()], columns)).toBeNull()
	// Said by a model, far above.
	expect(readComposer(['✦ (esc to cancel, 5s)', '', '', '', ...composer()], columns)?.busy).toBe(
		false,
	)
})

test('any screen can be read', () => {
	const row = fc.oneof(
		fc.constantFrom(...frame(), ...composer(), ...said),
		fc.string(),
		fc.string().map((text) => `│ ${text}│`),
	)
	fc.assert(
		fc.property(fc.array(row), fc.nat(200), (rows, width) => {
			const dialog = readDialog(rows, width)
			if (dialog !== null) {
				exactText(dialog)
				nativeAsk(dialog, '/')
			}
			readComposer(rows, width)
		}),
	)
})
