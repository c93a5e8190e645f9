/** What the scripted model does in tests with the real Codex, by the first word of the prompt. */
import type { Block, Script } from './scripted-openai.ts'

/** A command that Codex has to ask for: it is to run outside of the sandbox. */
export function command(cmd: string, justification = 'It has to be done'): Block {
	return {
		tool: 'exec_command',
		input: { cmd, sandbox_permissions: 'require_escalated', justification },
	}
}

export const editPatch = [
	'*** Begin Patch',
	'*** Update File: greet.js',
	'@@',
	' function greet() {',
	'-  return "hello"',
	'+  return "good day"',
	' }',
	'*** End Patch',
].join('\n')

/** What a model of the sixth generation sends instead of a call. */
const codeScript = [
	'const result = await tools.exec_command({',
	'	cmd: "echo from a script", sandbox_permissions: "require_escalated", justification: "So be it" })',
	'text(result.output)',
].join('\n')

const question = {
	id: 'database',
	header: 'Database',
	question: 'Which database?',
	options: [
		{ label: 'Postgres', description: 'A server' },
		{ label: 'SQLite', description: 'A file' },
	],
}

export const codexScript: Script = {
	rules: [
		{
			match: '^TEXT',
			turns: [
				{
					blocks: [
						{ reasoning: 'A greeting is due.' },
						{ text: 'Good day to you, and to all who read along.' },
					],
					usage: { input: 1234, cached: 200, output: 56, reasoning: 7 },
				},
			],
		},
		{
			match: '^RUN',
			turns: [
				{
					blocks: [command('touch made.txt; echo done')],
					usage: { input: 900, cached: 100, output: 31, reasoning: 3 },
				},
				{ blocks: [{ text: 'made' }], usage: { input: 950, cached: 850, output: 4 } },
			],
		},
		{ match: '^EXIT', turns: [[command('echo lost >&2; exit 3')], [{ text: 'it failed' }]] },
		{
			match: '^AGAIN',
			turns: [
				[command('touch made.txt')],
				[command('touch made.txt')],
				[command('touch other.txt')],
				[{ text: 'ok' }],
			],
		},
		{ match: '^REMOVE', turns: [[command('rm -rf build')], [{ text: 'left alone' }]] },
		{
			match: '^TWO',
			turns: [[command('touch one.txt')], [command('touch two.txt')], [{ text: 'both' }]],
		},
		{
			match: '^EDIT',
			turns: [[{ custom: 'apply_patch', text: editPatch }], [{ text: 'edited' }]],
		},
		{
			match: '^ASK',
			turns: [
				[{ tool: 'request_user_input', input: { questions: [question] } }],
				[{ text: 'thanks' }],
			],
		},
		{
			match: '^ALLOWANCE',
			turns: [
				[
					{
						tool: 'request_permissions',
						input: {
							permissions: { network: { enabled: true }, file_system: { write: ['/opt/shared'] } },
							reason: 'To fetch it',
						},
					},
				],
				[{ text: 'so be it' }],
			],
		},
		{
			match: '^POKE',
			turns: [
				[{ tool: 'poke', namespace: 'mcp__bench', input: { what: 'it' } }],
				[{ tool: 'poke', namespace: 'mcp__bench', input: { what: 'again' } }],
				[{ text: 'poked' }],
			],
		},
		{
			match: '^FORM',
			turns: [[{ tool: 'form', namespace: 'mcp__bench', input: {} }], [{ text: 'filled in' }]],
		},
		{ match: '^CODE', turns: [[{ custom: 'exec', text: codeScript }], [{ text: 'ran' }]] },
		{
			match: '^SPAWN',
			turns: [
				[
					{
						tool: 'spawn_agent',
						namespace: 'collaboration',
						input: { task_name: 'helper', message: 'Look at it', fork_turns: 'none' },
					},
				],
				[{ tool: 'wait_agent', namespace: 'collaboration', input: { timeout_ms: 20_000 } }],
				[{ text: 'both are done' }],
			],
		},
		{ match: '^SEARCH', turns: [[{ search: 'cats' }, { text: 'found' }]] },
		{ match: '^WAIT', turns: [[{ text: 'thinking about it' }, { hang: true }]] },
		{
			match: '^FAIL',
			turns: [[{ error: { status: 400, code: 'invalid_request', message: 'no such thing' } }]],
		},
		{
			match: '^LIMIT',
			turns: [[{ error: { status: 429, code: 'rate_limit', message: 'slow down' } }]],
		},
		{
			match: '^OVERLOAD',
			turns: [[{ error: { status: 529, code: 'overloaded', message: 'too many' } }]],
		},
	],
	fallback: 'fine',
}
