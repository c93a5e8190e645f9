/** What the scripted model does in the tests with OpenCode, by the first word of the prompt. */
import { join } from 'node:path'
import type { Block, Script } from './scripted-openai-chat.ts'

export const question = {
	question: 'Which database?',
	header: 'Database',
	options: [
		{ label: 'Postgres', description: 'A server' },
		{ label: 'SQLite', description: 'A file' },
	],
	multiple: false,
}

function bash(command: string): Block {
	return { tool: 'bash', input: { command, description: 'A command' } }
}

export function opencodeScript(cwd: string): Script {
	const filePath = join(cwd, 'greet.js')
	return {
		fallback: 'fine',
		rules: [
			{
				match: /^RUN/,
				turns: [
					{
						blocks: [
							{ thinking: 'Let me think about this' },
							{ text: 'I will run it' },
							bash('echo hi && touch made.txt'),
						],
						usage: { prompt: 1200, cached: 200, completion: 70, reasoning: 20 },
					},
					{ blocks: [{ text: 'made' }], usage: { prompt: 1300, cached: 1200, completion: 4 } },
				],
			},
			{
				match: /^AGAIN/,
				turns: [[bash('touch made.txt')], [bash('touch made.txt')], [{ text: 'ok' }]],
			},
			{ match: /^REMOVE/, turns: [[bash('rm -rf build')], [{ text: 'left alone' }]] },
			{ match: /^CODE/, turns: [[bash('echo out; exit 3')], [{ text: 'failed' }]] },
			{
				match: /^ENV/,
				turns: [[bash('env | grep -c SERVER_PASSWORD')], [{ text: 'looked' }]],
			},
			{
				match: /^TWO/,
				turns: [[bash('touch one.txt')], [bash('touch two.txt')], [{ text: 'both' }]],
			},
			{
				match: /^BOTH/,
				turns: [[bash('touch one.txt'), bash('touch two.txt')], [{ text: 'both' }]],
			},
			{
				match: /^EDIT/,
				turns: [
					[{ tool: 'read', input: { filePath } }],
					[
						{
							tool: 'edit',
							input: { filePath, oldString: '"hello"', newString: '"good day"' },
						},
					],
					[{ text: 'edited' }],
				],
			},
			{
				match: /^WRITE/,
				turns: [
					[{ tool: 'write', input: { filePath: join(cwd, 'new.txt'), content: 'one\ntwo\n' } }],
					[{ text: 'written' }],
				],
			},
			{
				match: /^TODO/,
				turns: [
					[
						{
							tool: 'todowrite',
							input: { todos: [{ content: 'Tidy up', status: 'pending', priority: 'high' }] },
						},
					],
					[{ text: 'noted' }],
				],
			},
			{
				match: /^ASK/,
				turns: [[{ tool: 'question', input: { questions: [question] } }], [{ text: 'thanks' }]],
			},
			{
				match: /^GAP/,
				turns: [
					[{ text: 'Now the first' }, bash('sleep 1; touch first.txt')],
					[{ text: 'Now the second' }, bash('touch second.txt')],
					[{ text: 'both done' }],
				],
			},
			{ match: /^WAIT/, turns: [[{ text: 'thinking about it' }, { hang: true }]] },
			{ match: /^FAIL/, turns: [[{ error: { status: 400, message: 'no such thing' } }]] },
			{
				match: /^INNER/,
				turns: [[{ text: 'inner text' }, bash('touch inner.txt')], [{ text: 'inner done' }]],
			},
			{
				match: /^HELPER/,
				turns: [
					[
						{
							tool: 'task',
							input: { description: 'Help', prompt: 'INNER please', subagent_type: 'general' },
						},
					],
					[{ text: 'helper done' }],
				],
			},
		],
	}
}
