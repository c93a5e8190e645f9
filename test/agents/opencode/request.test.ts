import { describe, expect, test } from 'vitest'
import { attachArguments, readArguments } from '../../../source/agents/opencode/arguments.ts'
import { askingAgents, offeredAgents } from '../../../source/agents/opencode/modes.ts'
import { changesIn } from '../../../source/agents/opencode/patch.ts'
import {
	type OpenRequest,
	permissionAsk,
	replyTo,
} from '../../../source/agents/opencode/request.ts'
import { withSettings } from '../../../source/agents/opencode/server.ts'

describe('answers', () => {
	const permission: OpenRequest = {
		kind: 'permission',
		rules: [{ tool: 'bash', rule: 'touch *' }],
	}
	const path = '/permission/per_1/reply'

	test('that a call comes again and again is a matter of its own', () => {
		const asked = (permission: string) => ({
			...{ id: 'per_1', sessionID: 'ses_1', permission, patterns: ['bash'], metadata: {} },
			...{ always: ['bash'], tool: { messageID: 'msg_1', callID: 'call_1' } },
		})
		const call = { tool: 'bash', input: { command: 'npm test' } }
		expect(permissionAsk(asked('bash'), call, '/p')).toMatchObject({ tool: 'bash', reason: null })
		expect(permissionAsk(asked('doom_loop'), call, '/p')).toMatchObject({
			tool: 'doom_loop',
			input: call.input,
			reason: 'doom_loop: bash',
		})
	})

	test.each([
		[{ decision: 'allow', scope: 'once' }, { reply: 'once' }],
		[{ decision: 'allow', scope: 'session' }, { reply: 'always' }],
		[
			{ decision: 'deny', reason: 'no' },
			{ reply: 'reject', message: 'no' },
		],
	] as const)('%o', (answer, body) => {
		expect(replyTo('per_1', permission, answer)).toEqual({ reply: { path, body }, taken: true })
	})

	test('without a rule that was shown, nothing is allowed for the session', () => {
		const answer = { decision: 'allow', scope: 'session' } as const
		expect(replyTo('per_1', { kind: 'permission', rules: [] }, answer).reply.body).toEqual({
			reply: 'once',
		})
	})

	test('a changed input is no yes', () => {
		const answer = { decision: 'allow', scope: 'once', input: { command: 'ls' } } as const
		const { reply, taken } = replyTo('per_1', permission, answer)
		expect(taken).toBe(false)
		expect(reply.body).toMatchObject({ reply: 'reject' })
	})

	const question: OpenRequest = { kind: 'question', questions: ['One?', '__proto__', 'Three?'] }

	test('a question is answered part by part, in its order', () => {
		const answers = JSON.parse('{"Three?":["a","b"],"One?":"x"}')
		const answer = { decision: 'allow', scope: 'once', input: { answers } } as const
		expect(replyTo('que_1', question, answer)).toEqual({
			reply: { path: '/question/que_1/reply', body: { answers: [['x'], [], ['a', 'b']] } },
			taken: true,
		})
	})

	test.each([undefined, {}, { answers: 'x' }, { answers: { 'One?': 7 } }])(
		'%o is no answer to a question',
		(input) => {
			const { reply, taken } = replyTo('q', question, { decision: 'allow', scope: 'once', input })
			expect([reply.path, taken]).toEqual(['/question/q/reject', false])
		},
	)

	test('a question is refused', () => {
		expect(replyTo('q', question, { decision: 'deny', reason: 'no' })).toEqual({
			reply: { path: '/question/q/reject', body: {} },
			taken: true,
		})
	})
})

describe('arguments', () => {
	test('what OpenCode is told, and what its interface', () => {
		const args = ['-s', 'ses_1', '--fork', '--model=p/m', '--agent', 'plan', '--mini']
		const given = readArguments(args, false)
		expect(given).toMatchObject({ model: 'p/m', agent: 'plan', auto: false })
		expect(attachArguments('http://x', '/p', given)).toEqual([
			...['attach', 'http://x', '--dir', '/p', '--session', 'ses_1', '--fork', '--mini'],
		])
		expect(readArguments(['--replay-limit', '5', '-c'], false)).toMatchObject({
			rest: ['--replay-limit', '5'],
			last: true,
		})
		expect(readArguments(['--auto', '--variant', 'high'], true)).toMatchObject({
			auto: true,
			variant: 'high',
			rest: [],
		})
	})

	test.each([
		[['--password', 'x'], false],
		[['-p', 'x'], false],
		[['--dir=/x'], false],
		[['--variant', 'high'], false],
		[['--mini'], true],
		[['a prompt'], true],
		[['--session'], true],
	])('%o is refused', (args, headless) => {
		expect(() => readArguments(args, headless)).toThrowError(
			expect.objectContaining({ code: 'agent_arguments', exitCode: 2 }),
		)
	})
})

test('settings of the person stay beside ours', () => {
	const own = '{"model":"p/m","plugin":["theirs"],"theme":"x"}'
	expect(JSON.parse(withSettings(own, { plugin: ['ours'], model: 'p/n' }))).toEqual({
		model: 'p/n',
		plugin: ['theirs', 'ours'],
		theme: 'x',
	})
	expect(JSON.parse(withSettings(undefined, { plugin: ['ours'] }))).toEqual({ plugin: ['ours'] })
	expect(() => withSettings('{', {})).toThrowError(
		expect.objectContaining({ code: 'agent_settings' }),
	)
})

test('who is asked: by the last rule that fits', () => {
	const rule = (permission: string, action: string, pattern = '*') => ({
		permission,
		pattern,
		action,
	})
	const asking = askingAgents([
		{ name: 'none', permission: [rule('*', 'allow'), rule('doom_loop', 'ask')] },
		{ name: 'bash', permission: [rule('*', 'allow'), rule('bash', 'ask')] },
		{ name: 'undone', permission: [rule('bash', 'ask'), rule('*', 'allow')] },
		{ name: 'one', permission: [rule('*', 'allow'), rule('bash', 'ask', 'git *')] },
		{ name: 'empty', permission: [] },
	])
	expect(Object.fromEntries(asking)).toEqual({
		none: false,
		bash: true,
		undone: false,
		one: false,
		empty: true,
	})
})

test('a session can be put in what a person works with and is asked in', () => {
	const agent = (name: string, mode: string | null, hidden = false) => ({ name, mode, hidden })
	const agents = [
		agent('build', 'primary'),
		agent('mine', 'all'),
		agent('free', 'primary'),
		agent('helper', 'subagent'),
		agent('title', 'primary', true),
		agent('odd', null),
	]
	const asking = new Map(agents.map(({ name }) => [name, name !== 'free']))
	expect(offeredAgents(agents, asking)).toEqual(['build', 'mine'])
})

describe('diffs', () => {
	const patch = (name: string) =>
		`Index: ${name}\n===\n--- ${name}\t\n+++ ${name}\t\n@@ -1,2 +1,2 @@\n a\n-b\n+c\n\\ No newline at end of file\n`
	const hunk = {
		old_start: 1,
		old_lines: 2,
		new_start: 1,
		new_lines: 2,
		lines: [' a', '-b', '+c'],
	}

	test('of one file, of its result, of several', () => {
		expect(changesIn({ filepath: '/p/a', diff: patch('/p/a') })).toEqual([
			{ path: '/p/a', hunks: [hunk] },
		])
		expect(changesIn({ diff: 'x', filediff: { file: '/p/a', patch: patch('/p/a') } })).toEqual([
			{ path: '/p/a', hunks: [hunk] },
		])
		const several = changesIn({ filepath: 'a, b', diff: patch('/p/a') + patch('/p/b') })
		expect(several.map(({ path }) => path)).toEqual(['/p/a', '/p/b'])
		const files = [{ filePath: '/p/a', patch: patch('/p/a') }]
		expect(changesIn({ files })).toEqual([{ path: '/p/a', hunks: [hunk] }])
	})

	test.each([null, 7, {}, { diff: 7 }, { diff: 'no diff' }, { diff: '@@ -1,9 +1 @@\n' }])(
		'%o has none',
		(metadata) => {
			expect(changesIn(metadata)).toEqual([])
		},
	)
})
