/** What the scripted model does for the recordings of Gemini CLI. */
import { join } from 'node:path'
import type { Block, Script } from './scripted-gemini.ts'

export function geminiScript(cwd: string): Script {
	const run = (command: string): Block => ({
		tool: 'run_shell_command',
		input: { command, description: 'A command' },
	})
	const edit: Block = {
		tool: 'replace',
		input: {
			file_path: join(cwd, 'greet.js'),
			instruction: 'Change the greeting',
			old_string: '"hello"',
			new_string: '"good day"',
		},
	}
	const write: Block = {
		tool: 'write_file',
		input: { file_path: join(cwd, 'new.txt'), content: 'one\ntwo\n' },
	}
	const read: Block = { tool: 'read_file', input: { file_path: join(cwd, 'greet.js') } }
	return {
		rules: [
			{ match: /^HELLO/, turns: [[{ text: 'Good day, in a few pieces.' }]] },
			{
				match: /^RUN/,
				turns: [
					{
						blocks: [
							{ thinking: '**Looking**\nIt is one command.' },
							{ text: 'I will run it' },
							run('touch made.txt && echo hi'),
						],
						usage: { prompt: 1234, cached: 200, candidates: 33, thoughts: 7 },
					},
					{ blocks: [{ text: 'made' }], usage: { prompt: 1300, cached: 1200, candidates: 3 } },
				],
			},
			{ match: /^CODE/, turns: [[run('echo no; exit 3')], [{ text: 'it failed' }]] },
			{
				match: /^AGAIN/,
				turns: [[run('touch one.txt')], [run('touch two.txt')], [{ text: 'ok' }]],
			},
			{ match: /^REMOVE/, turns: [[run('rm -rf build')], [{ text: 'left alone' }]] },
			{ match: /^EDIT/, turns: [[read, edit], [{ text: 'edited' }]] },
			{ match: /^WRITE/, turns: [[edit, write], [{ text: 'written' }]] },
			{ match: /^TODO/, turns: [[{ tool: 'write_todos', input: todos }], [{ text: 'planned' }]] },
			{ match: /^WAIT/, turns: [[{ text: 'thinking about it' }, { hang: true }]] },
			{ match: /^FAIL/, turns: [[{ error: { status: 400, message: 'no such thing' } }]] },
		],
	}
}

const todos = {
	todos: [
		{ description: 'Read it', status: 'completed' },
		{ description: 'Change it', status: 'in_progress' },
	],
}
