/** A call and the request about it say what is asked once between them. */
import { expect, test } from 'vitest'
import { requestMatter } from '../../../source/ui/present/request-matter.ts'
import type { Fold } from '../../../source/ui/transcript/folds.ts'
import { itemLines } from '../../../source/ui/transcript/item-lines.ts'
import { type Item, transcriptItems } from '../../../source/ui/transcript/items.ts'
import type { ShownMessage } from '../../../source/viewer/viewer.ts'
import { textOf } from '../_lines.ts'
import { call, message, request, requestBody, result, transcript, uuid } from '../_viewer.ts'

const id = uuid(11)
const body = requestBody(id, { tool_use: 'c1' })
const asked = message(2, 'permission_request', body)

function types(messages: readonly ShownMessage[], status: 'pending' | 'approved'): string[] {
	const requests = new Map([[id, request(id, { body, status })]])
	return transcriptItems(transcript(messages), requests)
		.slice(1)
		.map((item) => (item.type === 'request' && item.called ? 'outcome' : item.type))
}

test('a call stands with its outcome, or its card, never with both', () => {
	const called = call(1, 'c1', 'npm install')
	expect(types([called, asked], 'pending')).toEqual(['request'])
	expect(types([called, asked], 'approved')).toEqual(['call', 'outcome'])
	expect(types([called, asked, result(3, 'c1', 'ok')], 'approved')).toEqual(['call', 'outcome'])
	// What stands above is another call: the request says itself what it was about.
	const other = call(1, 'c2', 'ls')
	expect(types([other, asked], 'pending')).toEqual(['call', 'request'])
	expect(types([called, call(5, 'c2', 'ls'), asked], 'approved')).toEqual([
		'call',
		'call',
		'request',
	])
})

test('a question stands once, with its answers', () => {
	const questions = [
		{ question: 'Which?', header: 'Which?', options: [], multiple: false },
	] satisfies (typeof body)['questions']
	const question = requestBody(id, { tool: 'AskUserQuestion', tool_use: 'c1', questions })
	const called = message(1, 'tool_use', {
		tool_use: 'c1',
		name: 'AskUserQuestion',
		input: { questions },
		parent: null,
	})
	const told = result(3, 'c1', 'SQLite')
	const items = transcriptItems(
		transcript([called, message(2, 'permission_request', question), told]),
		new Map(),
	)
	expect(items.map(({ type }) => type)).toEqual(['edge', 'request'])
	expect(items.find((item) => item.type === 'request')?.result).toBe(told)
	// Its heading says the same as the question.
	expect(textOf(requestMatter(question, 60)).split('Which?')).toHaveLength(2)
})

test('a card says each thing once, and whatever the change does not show', () => {
	const change = {
		path: '/home/sam/api-server/a.js',
		hunks: [{ old_start: 1, old_lines: 1, new_start: 1, new_lines: 1, lines: ['-one', '+two'] }],
	}
	const matter = (input: unknown, description: string | null = null) =>
		textOf(
			requestMatter(requestBody(id, { tool: 'Edit', input, description, changes: [change] }), 70),
		)
	expect(matter({ file_path: change.path, old_string: 'one', new_string: 'two' }, 'a.js')).toBe(
		[
			'✎ /home/sam/api-server/a.js  +1 −1',
			' 1 - one',
			' 1 + two',
			'  in       /home/sam/api-server',
			'  A allows Bash(npm install:*)',
			'           until the session ends',
		].join('\n'),
	)
	expect(matter({ paths: [change.path] })).not.toContain('paths')
	expect(matter({ file_path: '/etc/passwd', new_string: 'evil' })).toMatch(
		/file_path: \/etc\/passwd\n.*new_string: evil/,
	)
	expect(matter({ description: 'Says so' })).toMatch(/says {5}Says so/)
	expect(matter({ description: 'Says so' }, 'Says more')).toMatch(
		/description: Says so[\s\S]*says {5}Says more/,
	)
})

const lines = (item: Item | undefined, fold: Fold = 'folded'): string =>
	item && item.type !== 'request' ? textOf(itemLines(item, { width: 60, fold, cwd: null })) : ''

function shown(name: string, input: unknown, text: string, fold: Fold = 'folded'): string {
	const called = message(1, 'tool_use', { tool_use: 'c1', name, input, parent: null })
	return lines(transcriptItems(transcript([called, result(2, 'c1', text)]), new Map())[1], fold)
}

test('a plan, a to-do list and a command that printed nothing', () => {
	const todos = [
		{ content: 'Read', status: 'completed' },
		{ content: 'Change', status: 'in_progress' },
	]
	expect(shown('TodoWrite', { todos }, 'Todos have been modified')).toMatch(
		/^☑ to-do 1 of 2 done +✓ 0\.2 s\n {2}☑ Read\n {2}▸ Change$/,
	)
	const list = 'The current list is now:\n1. [completed] Read it\n2. [in_progress] Change it'
	expect(shown('write_todos', { title: 'Set 2 todo(s)' }, list)).toContain('▸ Change it')
	expect(shown('ExitPlanMode', { plan: '# Plan\n\n- one' }, 'User has approved')).toMatch(
		/^☑ plan +✓ 0\.2 s\n {2}# Plan\n\n {2}• one$/,
	)
	expect(shown('Bash', { command: 'true' }, '(Bash completed with no output)')).toMatch(
		/^\$ true +✓ 0\.2 s$/,
	)
})

test('unfolded, a call shows what its title does not', () => {
	expect(shown('Read', { file_path: '/a/b.ts' }, 'one', 'some')).toMatch(
		/^≡ read \/a\/b\.ts[^\n]*\n {2}│ one$/,
	)
	expect(shown('odd', { deep: { more: true } }, 'one', 'some')).toContain('│   "more": true')
	const long = `echo ${'x'.repeat(100)}`
	expect(shown('Bash', { command: long }, '', 'some').replaceAll(/\n {2}│ /g, '')).toContain(long)
})

test('what a session says of itself', () => {
	const say = (type: string, text: string | null, fold: Fold = 'folded') =>
		lines(
			transcriptItems(transcript([message(1, 'system', { type, text, data: null })]), new Map())[1],
			fold,
		)
	expect(say('interrupted', null)).toBe('· interrupted')
	expect(say('interrupted', '[Request interrupted by user]')).toBe('· interrupted')
	expect(say('interrupted', 'Too long')).toBe('· interrupted: Too long')
	expect(say('compact', 'Conversation compacted')).toBe('· Conversation compacted')
	expect(say('plan', 'Why\n[x] one\n[ ] two')).toBe('☑ plan  1 of 2 done\n  Why\n  ☑ one\n  ☐ two')
	expect(say('subagent_prompt', 'Count')).toBe('┆ ▌ Count')
	const task =
		'<task-notification>\n<status>completed</status>\n<summary>Done</summary></task-notification>'
	expect(say('task_notification', task)).toBe('· background task: Done, completed')
	expect(say('odd_type', 'x'.repeat(70))).toMatch(/^· odd type: x+…$/)
	expect(say('odd_type', 'x'.repeat(70), 'some').replaceAll(/\s/g, '')).toBe(
		`·oddtype:${'x'.repeat(70)}`,
	)
})

test('unfolded once, the start and the end of a long output; again, all of it', () => {
	const output = Array.from({ length: 3000 }, (_, line) => `line ${line}`).join('\n')
	const some = shown('Bash', { command: 'ls' }, output, 'some').split('\n')
	expect(some.slice(13, 17)).toEqual([
		'  │ line 12',
		'  │ line 13',
		'  │ … +2980 lines, unfold again for all',
		'  │ line 2994',
	])
	expect(some.at(-1)).toBe('  │ line 2999')
	const all = shown('Bash', { command: 'ls' }, output, 'all').split('\n')
	expect(all).toHaveLength(3001)
	expect(all).toContain('  │ line 1500')
})

test('an edit of which no diff was recorded is shown as one', () => {
	const edit = { file_path: '/a/b.ts', old_string: 'one\ntwo\n', new_string: 'one\nthree\n' }
	expect(shown('Edit', edit, 'The file was updated.')).toMatch(
		/^✎ \/a\/b\.ts {2}\+1 −1 +✓ 0\.2 s\n {4}one\n {2}- two\n {2}\+ three$/,
	)
	const many = {
		file_path: 'b.ts',
		edits: [
			{ old_string: 'a', new_string: 'b' },
			{ old_string: '', new_string: 'c' },
		],
	}
	expect(shown('MultiEdit', many, 'ok')).toMatch(/\+2 −1[\s\S]*- a\n[\s\S]*\+ b\n[\s\S]*\+ c$/)
	expect(shown('Write', { file_path: 'b.ts', content: 'x\n' }, 'ok')).toMatch(/\+1 −0[\s\S]*\+ x$/)
	// Of another shape it is what it is.
	expect(shown('Edit', { file_path: 'b.ts', old_string: 5 }, 'ok')).toMatch(/^✎ edit b\.ts/)
})
