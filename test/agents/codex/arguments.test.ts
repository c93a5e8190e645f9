import { expect, test } from 'vitest'
import {
	headlessArguments,
	nativeArguments,
	serverArguments,
} from '../../../source/agents/codex/arguments.ts'

const own = ['--remote', 'ws://127.0.0.1:1']

test.each([
	[[], own, {}],
	[['say hello'], [...own, 'say hello'], {}],
	[['--sandbox', 'read-only'], [...own, '--sandbox', 'read-only'], {}],
	[['resume', 'ID'], [...own, 'resume', 'ID'], {}],
	[['--sandbox', 'read-only', 'resume', 'ID'], [...own, 'resume', 'ID'], { sandbox: 'read-only' }],
	[['fork', 'ID', '-a=never'], [...own, 'fork', 'ID'], { approvalPolicy: 'never' }],
	[
		['-m', 'resume', 'fork', '--last', '--ask-for-approval=never'],
		[...own, '-m', 'resume', 'fork', '--last'],
		{ approvalPolicy: 'never' },
	],
	// The name of a command as the value of a flag is none, nor is one behind `--`.
	[['-c', 'exec', '--', 'exec'], [...own, '-c', 'exec', '--', 'exec'], {}],
])('in its interface, %j', (args, expected, overrides) => {
	expect(nativeArguments(args, own)).toEqual({ args: expected, overrides })
})

test.each([
	[['exec', 'x']],
	[['--sandbox', 'read-only', 'mcp']],
	[['--remote', 'ws://127.0.0.1:2']],
	[['resume', '--remote=ws://127.0.0.1:2']],
	[['resume', '--sandbox']],
])('not hosted in its interface: %j', (args) => {
	expect(() => nativeArguments(args, own)).toThrow(
		expect.objectContaining({ code: 'agent_argument' }),
	)
})

test('without its interface', () => {
	const args = ['-c', 'a=1', '--enable=b', '-m', 'gpt-5.5', '--sandbox=read-only', 'resume', 'ID']
	expect(headlessArguments([...args, '-C', 'sub'], '/p')).toEqual({
		server: ['-c', 'a=1', '--enable', 'b'],
		resume: 'ID',
		params: { cwd: '/p/sub', model: 'gpt-5.5', sandbox: 'read-only' },
	})
	expect(headlessArguments(['--yolo'], '/p').params).toMatchObject({
		approvalPolicy: 'never',
		sandbox: 'danger-full-access',
	})
	for (const bad of [['--search'], ['resume'], ['resume', '--last'], ['-m'], ['a prompt']]) {
		expect(() => headlessArguments(bad, '/p')).toThrow(
			expect.objectContaining({ code: 'agent_argument' }),
		)
	}
})

test('settings reach the app-server behind the interface', () => {
	const args = ['--config', 'a=1', '-m', 'x', '--disable=b', '--', '-c', 'no=1']
	expect(serverArguments(args)).toEqual(['-c', 'a=1', '--disable', 'b'])
})
