/** What the scripted model does in the recordings of Claude Code, by the first word of the prompt. */
import type { Block, Script } from './scripted-anthropic.mjs'

const greet = ['$', '{cwd}/src/greet.js'].join('')
const project = (name: string) => ['$', `{cwd}/${name}`].join('')

export const claudeQuestion = {
	questions: [
		{
			question: 'Which database should I use?',
			header: 'Database',
			multiSelect: false,
			options: [
				{ label: 'Postgres', description: 'A server' },
				{ label: 'SQLite', description: 'A file' },
			],
		},
	],
}

function bash(command: string, description: string): Block {
	return { tool: 'Bash', input: { command, description } }
}

export const claudeRecordingScript: Script = {
	rules: [
		{
			match: '^TEXTONLY',
			turns: [
				[
					{
						text: 'Hello from the fake model. This answer is streamed in several small pieces, so a client can show it live.',
					},
				],
			],
		},
		{
			match: '^BASHALLOW',
			turns: [
				[
					{ text: "I'll run the test script." },
					bash('touch made-by-bash.txt && wc -l notes.txt', 'Create a marker file and count lines'),
				],
				[{ text: 'The command worked: notes.txt has 3 lines.' }],
			],
		},
		{
			match: '^BASHDENY',
			turns: [
				[{ text: "I'll remove the build folder." }, bash('rm -rf build', 'Remove build folder')],
				[{ text: 'Understood, I will leave the build folder alone.' }],
			],
		},
		{
			match: '^EDITAPPROVE',
			turns: [
				[{ text: 'Reading the file first.' }, { tool: 'Read', input: { file_path: greet } }],
				[
					{ text: "Now I'll change the greeting." },
					{
						tool: 'Edit',
						input: {
							file_path: greet,
							old_string: "return 'Hello ' + name",
							new_string: ['return `Hello, $', '{name}!`'].join(''),
						},
					},
				],
				[{ text: 'The greeting now uses a template literal.' }],
			],
		},
		{
			match: '^MULTITOOL',
			turns: [
				[
					{ thinking: 'I need two reads and a search; they are independent.' },
					{ text: 'Looking at the project.' },
					{ tool: 'Read', input: { file_path: project('notes.txt') } },
					{ tool: 'Read', input: { file_path: greet } },
					bash('touch multi.txt', 'Make a file'),
				],
				[
					{ text: 'Now write and fail.' },
					{
						tool: 'Write',
						input: { file_path: project('out/result.txt'), content: 'one\ntwo\n' },
					},
					bash('cat does-not-exist.txt', 'Show a missing file'),
				],
				[{ text: 'Done: two files read, one written, one command failed as expected.' }],
			],
		},
		{
			match: '^ASKUSER',
			turns: [
				[{ tool: 'AskUserQuestion', input: claudeQuestion }],
				[{ text: 'Thank you, going on with your choice.' }],
			],
		},
		{
			match: '^APIERR400',
			turns: [
				[
					{
						error: {
							status: 400,
							type: 'invalid_request_error',
							message: 'messages: the fake API refuses this prompt',
						},
					},
				],
			],
		},
		{
			match: '^MULTIINNER',
			turns: [[bash('touch inner.txt', 'Inner command')], [{ text: 'There are 3 files.' }]],
		},
		{
			match: '^SUBAGENT',
			turns: [
				[
					{
						tool: 'Agent',
						input: {
							description: 'Count files',
							prompt: 'MULTIINNER count the files',
							subagent_type: 'general-purpose',
						},
					},
				],
				[{ text: 'The helper counted the files.' }],
			],
		},
	],
	fallback: 'ok',
}
