import { describe, expect, test } from 'vitest'
import {
	type OpenRequest,
	permissionResult,
	questionsOf,
	sessionRules,
} from '../../../source/agents/claude/request.ts'

const suggestions = [
	{
		type: 'addRules',
		rules: [{ toolName: 'Bash', ruleContent: 'npm test' }, { toolName: 'Read' }],
		behavior: 'allow',
		destination: 'localSettings',
	},
	{ type: 'addRules', rules: [{ toolName: 'Bash' }], behavior: 'deny', destination: 'session' },
	{ type: 'addDirectories', directories: ['/'], destination: 'session' },
	{ type: 'setMode', mode: 'acceptEdits', destination: 'session' },
	'garbage',
	null,
]
const bash: OpenRequest = {
	tool: 'Bash',
	toolUse: 't1',
	input: { command: 'npm test' },
	rules: sessionRules(suggestions),
	question: false,
}

test('of all suggestions only rules that allow are offered', () => {
	expect(bash.rules).toEqual([
		{ tool: 'Bash', rule: 'npm test' },
		{ tool: 'Read', rule: null },
	])
	expect(sessionRules(undefined)).toEqual([])
	expect(sessionRules({ type: 'addRules' })).toEqual([])
})

describe('an answer in the form of the agent', () => {
	test('allow once changes nothing', () => {
		expect(permissionResult(bash, { decision: 'allow', scope: 'once' })).toEqual({
			behavior: 'allow',
		})
	})

	test('allow for the session adds what was shown, for the session only', () => {
		expect(permissionResult(bash, { decision: 'allow', scope: 'session' })).toEqual({
			behavior: 'allow',
			updatedPermissions: [
				{
					type: 'addRules',
					behavior: 'allow',
					destination: 'session',
					rules: [{ toolName: 'Bash', ruleContent: 'npm test' }, { toolName: 'Read' }],
				},
			],
		})
	})

	test('allow for the session without rules is allow once', () => {
		const request = { ...bash, rules: [] }
		expect(permissionResult(request, { decision: 'allow', scope: 'session' })).toEqual({
			behavior: 'allow',
		})
	})

	test('a denial says why', () => {
		expect(permissionResult(bash, { decision: 'deny', reason: 'keep it' })).toEqual({
			behavior: 'deny',
			message: 'keep it',
		})
	})

	test('an edited input must be an object', () => {
		const edited = { command: 'npm test -- --quiet' }
		expect(
			permissionResult(bash, { decision: 'allow', scope: 'once', input: edited }),
		).toMatchObject({ updatedInput: edited })
		for (const input of ['ls', 7, null, ['ls']]) {
			expect(permissionResult(bash, { decision: 'allow', scope: 'once', input })).toBeNull()
		}
	})
})

describe('a question', () => {
	const input = {
		questions: [
			{
				question: 'Which database?',
				header: 'Database',
				multiSelect: true,
				options: [{ label: 'Postgres', description: 'A server' }, { label: 'SQLite' }],
			},
		],
	}
	const request = { ...bash, tool: 'AskUserQuestion', input, rules: [], question: true }

	test('is read', () => {
		expect(questionsOf('AskUserQuestion', input)).toEqual([
			{
				question: 'Which database?',
				header: 'Database',
				multiple: true,
				options: [
					{ label: 'Postgres', description: 'A server' },
					{ label: 'SQLite', description: null },
				],
			},
		])
		expect(questionsOf('Bash', input)).toBeNull()
		expect(questionsOf('AskUserQuestion', { questions: [] })).toBeNull()
	})

	test('is answered with the questions and the answers', () => {
		const answers = { 'Which database?': ['Postgres', 'SQLite'] }
		expect(
			permissionResult(request, { decision: 'allow', scope: 'once', input: { answers } }),
		).toEqual({
			behavior: 'allow',
			updatedInput: { ...input, answers: { 'Which database?': 'Postgres, SQLite' } },
		})
	})

	test('is not allowed without an answer', () => {
		expect(permissionResult(request, { decision: 'allow', scope: 'once' })).toBeNull()
	})
})
