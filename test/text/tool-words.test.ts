import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { checklistLines, progressText, stepsIn, stepsOf } from '../../source/text/checklist.ts'
import { errorText } from '../../source/text/error-text.ts'
import { joinText } from '../../source/text/safe-text.ts'
import { lineText } from '../../source/text/styled.ts'
import { asInput, textOf } from '../../source/text/tool-input.ts'
import { callSpans, wantsText } from '../../source/text/tool-words.ts'

const cwd = '/home/dev/project'
const words = (name: string, input: unknown) =>
	joinText(callSpans({ name, input }, cwd).map(({ text }) => text)).trim()

describe('a call in words', () => {
	test.each([
		['Bash', { command: 'npm test' }, '$ npm test'],
		['exec_command', { command: ['bash', '-lc', 'npm test'] }, '$ npm test'],
		['run_shell_command', { command: 'a\nb' }, '$ a⏎b'],
		['whatever', { command: 'rm -rf /' }, '$ rm -rf /'],
		['BashOutput', { bash_id: 'b1' }, '$ running command b1'],
		['Read', { file_path: `${cwd}/a.ts`, offset: 40, limit: 60 }, '≡ read a.ts  lines 40–99'],
		['read', { filePath: '/etc/hosts', offset: 5 }, '≡ read /etc/hosts  lines from 5'],
		['Grep', { pattern: 'log.in', path: 'src', glob: '*.ts' }, '⌕ search log.in  *.ts  in src'],
		['grep_search', { pattern: 'x', path: cwd }, '⌕ search x'],
		['Glob', { pattern: '**/*.ts' }, '⌕ find files **/*.ts'],
		['list_directory', { path: 'src' }, '≡ list src'],
		['apply_patch', { paths: [`${cwd}/a`, '/b'] }, '✎ edit a, /b'],
		['write', { filePath: `${cwd}/new.txt`, content: 'one\ntwo' }, '✎ edit new.txt'],
		['WebFetch', { url: 'https://a.example/b', prompt: 'why' }, '↗ fetch https://a.example/b  why'],
		['google_web_search', { query: 'cats' }, '↗ search the web cats'],
		['mcp__bench__poke', { what: 'it' }, '⚙ poke it  server bench'],
		['mcp_bench_poke', { what: 'it' }, '⚙ poke it  server bench'],
		['Agent', { description: 'Count', prompt: 'x', subagent_type: 'go' }, '↳ sub-agent Count  go'],
		['task', { description: 'Help', command: '/review' }, '↳ sub-agent Help'],
		['TaskUpdate', { taskId: '3', status: 'completed' }, '☑ to-do 3 · completed'],
		['Skill', { skill: 'pdf', args: 'a.pdf' }, '⚙ skill pdf  a.pdf'],
		['add-file', { path: 'a.py' }, '+ add a file to the chat a.py'],
		['odd', { a: 'one', b: 2, c: `${cwd}/x` }, '⚙ odd one · x'],
		['odd', 'text', '⚙ odd text'],
		['odd', null, '⚙ odd'],
	])('%s %j', (name, input, shown) => {
		expect(words(name, input)).toBe(shown)
	})

	test('nothing of it breaks the line or acts', () => {
		for (const text of ['a\nb', '\u001B[2J', '\u202etxt.exe']) {
			for (const name of [
				'Bash',
				'Read',
				'Grep',
				'Task',
				'WebFetch',
				'Skill',
				text,
				`mcp__${text}__x`,
			]) {
				const input = { command: text, file_path: text, pattern: text, url: text, [text]: text }
				for (const given of [input, { ...input, command: undefined }]) {
					expect(words(name, given)).not.toMatch(/[\p{Cc}\u202e]/u)
				}
			}
		}
	})
})

describe('a request in words', () => {
	const wants = (tool: string, input: unknown = {}) =>
		wantsText({ tool, input, changes: [], questions: null })
	test.each([
		['Bash', { command: 'ls' }, 'wants to run a command (Bash)'],
		['odd', { command: 'ls' }, 'wants to run a command (odd)'],
		['add-output', {}, 'wants to add the command’s output to its chat (add-output)'],
		['fix-errors', {}, 'wants to try to fix lint or test errors (fix-errors)'],
		['ExitPlanMode', { plan: 'x' }, 'wants to go on with its plan (ExitPlanMode)'],
		['WebFetch', { url: 'x' }, 'wants to fetch a page (WebFetch)'],
		['mcp__bench__poke', {}, 'wants to use poke of the server bench (mcp__bench__poke)'],
		['odd', {}, 'wants to use odd'],
	])('%s %j', (tool, input, shown) => {
		expect(wants(tool, input)).toBe(shown)
	})

	test('a change and a question, whatever the tool', () => {
		const change = { path: 'a', hunks: [] }
		const body = { tool: 'Bash', input: {}, changes: [change], questions: null }
		expect(wantsText(body)).toBe('wants to change a file (Bash)')
		expect(wantsText({ ...body, changes: [change, change] })).toBe('wants to change 2 files (Bash)')
		expect(wantsText({ ...body, questions: [] })).toBe('asks a question (Bash)')
	})
})

/** Every call in what was recorded of the agents. */
function recordedCalls(): { agent: string; name: string; input: unknown }[] {
	const root = new URL('../fixtures/agents/', import.meta.url)
	const calls: { agent: string; name: string; input: unknown }[] = []
	const collect = (agent: string, value: unknown): void => {
		if (Array.isArray(value)) for (const each of value) collect(agent, each)
		else if (typeof value === 'object' && value !== null) {
			const { kind, body } = asInput(value)
			const name = kind === 'tool_use' ? textOf(asInput(body), 'name') : null
			if (name !== null) calls.push({ agent, name, input: asInput(body).input })
			for (const each of Object.values(value)) collect(agent, each)
		}
	}
	for (const agent of ['claude', 'codex', 'gemini', 'opencode']) {
		const folder = new URL(`${agent}/golden/`, root)
		for (const file of readdirSync(folder)) {
			collect(agent, JSON.parse(readFileSync(new URL(file, folder), 'utf8')))
		}
	}
	return calls
}

test('every tool of the recordings has words of its own', () => {
	const calls = recordedCalls()
	expect(new Set(calls.map(({ agent }) => agent)).size).toBe(4)
	const unnamed = calls.filter(
		({ name, input }) => words(name, input).startsWith('⚙') && !name.startsWith('mcp__'),
	)
	expect(unnamed).toEqual([])
})

describe('plans and to-do lists', () => {
	const lines = (list: Parameters<typeof checklistLines>[0], width = 40) =>
		checklistLines(list, width).map(lineText)

	test('of every agent become one checklist', () => {
		const steps = [
			{ state: 'done', text: 'Read' },
			{ state: 'now', text: 'Change' },
			{ state: 'open', text: 'Test' },
			{ state: 'dropped', text: 'Rest' },
		] as const
		const of = (key: string, status: readonly string[]) =>
			steps.map(({ text }, index) => ({ [key]: text, status: status[index] }))
		const claude = ['completed', 'in_progress', 'pending', 'deleted']
		expect(stepsOf({ todos: of('content', claude) })).toEqual(steps)
		expect(
			stepsOf({ plan: of('step', ['completed', 'inProgress', 'pending', 'cancelled']) }),
		).toEqual(steps)
		expect(stepsOf({ todos: of('description', claude) })).toEqual(steps)
		expect(stepsIn('Why\n[x] Read\n[~] Change\n[ ] Test\n[cancelled] Rest')).toEqual({
			before: ['Why'],
			steps,
		})
		expect(stepsIn('The list:\n1. [completed] Read\n2. [in_progress] Change')?.steps).toEqual(
			steps.slice(0, 2),
		)
		expect(lines(steps)).toEqual(['☑ Read', '▸ Change', '☐ Test', '☒ Rest'])
		expect(progressText(steps)).toBe('1 of 3 done')
	})

	test('what is no list is left alone', () => {
		for (const odd of [null, 'x', {}, { todos: 'x' }, { todos: [5] }, { plan: [{ a: 1 }] }]) {
			expect(stepsOf(odd)).toBeNull()
		}
		for (const odd of ['', 'text', '[x](https://a.example)', '[x] a\nand more']) {
			expect(stepsIn(odd)).toBeNull()
		}
	})

	test('a long step is broken below its sign, and stays one step', () => {
		const text = 'one two three\nfour'
		expect(lines([{ state: 'open', text }], 10)).toEqual(['☐ one two', '  three', '  four'])
		expect(lines([{ state: 'open', text: 'a\u001B[2J\nb' }])).toEqual(['☐ a b'])
	})
})

test('an error of a service in its own words', () => {
	const json = '{"error":{"code":400,"message":"no such thing","status":"INVALID_ARGUMENT"}}'
	expect(errorText(json)).toBe('no such thing (400 INVALID_ARGUMENT)')
	expect(errorText('{"type":"error","error":{"type":"overloaded_error","message":"Busy"}}')).toBe(
		'Busy (overloaded_error)',
	)
	for (const text of ['plain', '{', '{"a":1}', '{"error":{}} and more']) {
		expect(errorText(text)).toBe(text)
	}
})
