import { expect, test } from 'vitest'
import { headlessArguments } from '../../../source/agents/gemini/arguments.ts'
import { commandPrograms } from '../../../source/agents/gemini/programs.ts'
import { toolInput, toolName } from '../../../source/agents/gemini/request.ts'
import { toolResult } from '../../../source/agents/gemini/tool-results.ts'
import { usageOf } from '../../../source/agents/gemini/usage.ts'

test.each([
	['touch a', ['touch']],
	['touch a && ls -l | wc; touch b', ['touch', 'ls', 'wc']],
	['npm run "a b"', ['npm']],
	['bash -c "rm x"', []],
	['/bin/rm x', []],
	['echo $(rm x)', []],
	['echo `rm x`', []],
	['echo hi > file', []],
	['X=1 make', []],
	['for a in b; do rm $a; done', []],
	['(cd x; rm y)', []],
	['"unclosed', []],
	['$PROGRAM x', []],
	['', []],
])('programs of %s', (command, programs) => {
	expect(commandPrograms(command)).toEqual(programs)
})

test.each([
	['run_shell_command__run_shell_command_1795625897221_0', 'run_shell_command'],
	['mcp_my__server_tool__mcp_my__server_tool_12_0', 'mcp_my__server_tool'],
	['replace__call_7', 'replace'],
	['no-prefix', 'execute'],
	['\u001B[2J__x', 'execute'],
])('the tool of %s', (toolCallId, tool) => {
	const kind = tool === 'execute' ? 'execute' : null
	expect(toolName({ toolCallId, kind })).toBe(tool === 'execute' ? 'run_shell_command' : tool)
})

test('a call is shown by its command, or by its file and title', () => {
	const call = { title: 'ls', kind: null, content: [], locations: [{ path: '/a' }] }
	expect(toolInput({ ...call, toolCallId: 'run_shell_command__1' })).toEqual({ command: 'ls' })
	expect(toolInput({ ...call, toolCallId: 'read_file__1' })).toEqual({
		file_path: '/a',
		title: 'ls',
	})
})

const tokens = { input: 1000, output: 50, cached: 400, thoughts: 20, tool: 3 }

test('cached tokens are part of the prompt, thoughts are output', () => {
	expect(usageOf('m', 'gemini-2.5-pro', tokens)).toEqual({
		message: 'm',
		model: 'gemini-2.5-pro',
		input: 603,
		output: 70,
		cache_read: 400,
		cache_write: 0,
		cost_usd: (603 * 1.25 + 70 * 10 + 400 * 0.125) / 1e6,
		cost_source: 'price-table',
	})
})

test('a long prompt has its own price, an unknown model none', () => {
	const long = { ...tokens, input: 200_001, cached: 0, tool: 0 }
	expect(usageOf('m', 'gemini-3.1-pro-preview', long).cost_usd).toBe((200_001 * 4 + 70 * 18) / 1e6)
	expect(usageOf('m', 'gemini-3.1-pro-preview-customtools', tokens).cost_usd).not.toBeNull()
	expect(usageOf('m', 'gemini-9-pro', tokens)).toMatchObject({
		cost_usd: null,
		cost_source: 'none',
	})
	expect(usageOf('m', null, tokens).cost_usd).toBeNull()
})

const shell = (said: string, status = 'success') =>
	toolResult({
		id: 'x',
		name: 'run_shell_command',
		args: {},
		status,
		timestamp: null,
		resultDisplay: null,
		result: [{ functionResponse: { response: { output: said } } }],
	})

test.each([
	['Output: hi\nProcess Group PGID: 7', 'hi', 0, true],
	['Output: (empty)\nExit Code: 3\nProcess Group PGID: 7', '', 3, false],
	['Output: a\nExit Code: 9\nb', 'a\nExit Code: 9\nb', 0, true],
	['Output: x\nSignal: SIGKILL\nProcess Group PGID: 7', 'x', null, true],
	['moved to the background', 'moved to the background', null, true],
])('a command that said %j', (said, text, exit_code, ok) => {
	const wrapped = `<untrusted_context>\n${said}\n</untrusted_context>`
	expect(shell(wrapped)).toMatchObject({ text, exit_code, ok })
})

test('arguments: what makes another kind of run is refused, the rest goes through', () => {
	const rest = ['-m', 'gemini-2.5-pro', '--approval-mode=plan', '--include-directories', '/a']
	expect(headlessArguments(['--resume', 'latest', ...rest])).toEqual({ resume: 'latest', rest })
	expect(headlessArguments(['-r', '3346ee0d-fcec-4631-90e8-29048b7e9da9']).resume).toMatch(/^3346/)
	expect(headlessArguments(['--resume=latest'])).toEqual({ resume: 'latest', rest: [] })
	for (const bad of [
		['--acp'],
		['-p', 'x'],
		['--prompt=x'],
		['-i', 'x'],
		['--session-id', 'x'],
		['some words'],
		['--resume', '5'],
		['--resume'],
	]) {
		expect(() => headlessArguments(bad)).toThrow(/Gemini CLI/)
	}
})
