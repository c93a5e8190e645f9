import { describe, expect, test } from 'vitest'
import type { AgentAnswer } from '../../../source/agents/agent.ts'
import { answerFor, meaningOf, refusal, refusalOf } from '../../../source/agents/codex/answer.ts'
import { understand } from '../../../source/agents/codex/request.ts'
import type { RawChange } from '../../../source/agents/codex/schema.ts'
import type { Known } from '../../../source/agents/codex/understood.ts'

const place = { threadId: 't', turnId: 'u', itemId: 'i' }
const change: RawChange = {
	path: '/p/a.js',
	kind: { type: 'update', move_path: null },
	diff: '@@ -1 +1 @@\n-a\n+b\n',
}
const known: Known = { cwd: '/p', changesOf: () => [change], toolCall: () => 'call' }
const allow: AgentAnswer = { decision: 'allow', scope: 'once' }
const always: AgentAnswer = { decision: 'allow', scope: 'session' }
const deny: AgentAnswer = { decision: 'deny', reason: 'no' }

const command = 'item/commandExecution/requestApproval'
const files = 'item/fileChange/requestApproval'
const permissions = 'item/permissions/requestApproval'
const questions = 'item/tool/requestUserInput'
const elicitation = 'mcpServer/elicitation/request'
const all = [command, files, permissions, questions, elicitation]

function asked(method: string, params: object) {
	const found = understand(method, { ...place, ...params }, known)
	if (found === null) throw new Error('not understood')
	return found
}

describe('what is not understood is never shown as a request', () => {
	test.each([
		[command, {}],
		[command, { command: '' }],
		[command, { command: ['ls'] }],
		[command, { command: 'ls', threadId: 7 }],
		[command, { command: 'ls', kind: 'somethingNew' }],
		[files, { itemId: '' }],
		[permissions, { permissions: {} }],
		[permissions, { permissions: { network: { enabled: true, more: 'of it' } } }],
		[permissions, { permissions: { newKind: { enabled: true } } }],
		[permissions, { permissions: { fileSystem: { entries: [{ access: 'all', path: '/' }] } } }],
		[questions, { questions: [] }],
		[questions, { questions: [{ id: 'a', question: 'The key?', isSecret: true }] }],
		[
			questions,
			{
				questions: [
					{ id: 'a', question: 'Which?' },
					{ id: 'b', question: 'Which?' },
				],
			},
		],
		[elicitation, { serverName: 's', mode: 'url', message: 'm', requestedSchema: {} }],
		[
			elicitation,
			{ serverName: 's', mode: 'form', message: 'm', requestedSchema: { type: 'array' } },
		],
		['item/newKind/requestApproval', { command: 'ls' }],
		['account/chatgptAuthTokens/refresh', {}],
	])('%s %j', (method, params) => {
		expect(understand(method, { ...place, ...params }, known)).toBeNull()
	})

	test('an edit whose changes were never announced', () => {
		const blind = { ...known, changesOf: () => null }
		expect(understand(files, place, blind)).toBeNull()
		expect(understand(files, place, { ...known, changesOf: () => [] })).toBeNull()
	})

	test.each(all)('%s nested without end', (method) => {
		let deep: unknown = 1
		for (let i = 0; i < 5000; i++) deep = [deep]
		const params = { ...place, command: 'ls', permissions: deep, requestedSchema: deep, new: deep }
		expect(understand(method, params, known)).toBeNull()
	})
})

test('a command: once, for the session, or not', () => {
	const found = asked(command, { command: '/bin/bash -lc \'rm -rf "a b"\'', reason: 'why' })
	expect(found.ask).toMatchObject({
		input: { command: ['/bin/bash', '-lc', 'rm -rf "a b"'] },
		reason: 'why',
		tool_use: 'i',
		cwd: '/p',
	})
	expect(answerFor(found, allow)).toEqual({ decision: 'accept' })
	expect(answerFor(found, always)).toEqual({ decision: 'acceptForSession' })
	expect(answerFor(found, deny)).toEqual({ decision: 'decline' })
	expect(answerFor(found, { ...allow, input: { command: 'ls' } })).toBeNull()
})

test('a rule that was not shown is not sent', () => {
	const typed = asked(command, { command: 'y', kind: 'writeStdin' })
	expect(typed.ask.session_rules).toEqual([])
	expect(answerFor(typed, always)).toEqual({ decision: 'accept' })
	const root = asked(files, { grantRoot: '/' })
	expect(root.ask.input).toMatchObject({ grant_root: '/' })
	expect(answerFor(root, always)).toEqual({ decision: 'accept' })
})

test('a command for the network names the host, and that is what the session keeps', () => {
	const network = { host: 'example.com', protocol: 'https' }
	const found = asked(command, {
		command: 'curl https://example.com',
		networkApprovalContext: network,
	})
	expect(found.ask.input).toMatchObject({ network })
	expect(found.ask.session_rules).toEqual([{ tool: 'network', rule: 'example.com' }])
})

test('an edit shows every file that it touches, and where one is moved to', () => {
	const moved = { ...change, kind: { type: 'update' as const, move_path: '/p/b.js' } }
	const found = understand(files, place, { ...known, changesOf: () => [moved] })
	expect(found?.ask.input).toEqual({ paths: ['/p/a.js', '/p/b.js'] })
	expect(found?.ask.changes).toMatchObject([
		{ path: '/p/a.js → /p/b.js', hunks: [{ lines: ['-a', '+b'] }] },
	])
})

test('permissions are granted as they were asked, and nothing more', () => {
	const wanted = { network: { enabled: true }, fileSystem: { read: null, write: ['/opt'] } }
	const found = asked(permissions, { permissions: wanted })
	expect(answerFor(found, allow)).toEqual({ permissions: wanted, scope: 'turn' })
	expect(answerFor(found, always)).toEqual({ permissions: wanted, scope: 'session' })
	expect(answerFor(found, deny)).toEqual({ permissions: {}, scope: 'turn' })
})

test('questions take all their answers, or none', () => {
	const found = asked(questions, {
		questions: [
			{ id: 'a', question: 'Which?', options: [{ label: 'x' }] },
			{ id: 'b', question: 'How many?' },
		],
	})
	const answered = (answers: object) => answerFor(found, { ...allow, input: { answers } })
	expect(answered({ 'Which?': 'x', 'How many?': ['1'] })).toEqual({
		answers: { a: { answers: ['x'] }, b: { answers: ['1'] } },
	})
	expect(answered({ 'Which?': 'x' })).toBeNull()
	expect(answered({ 'Which?': 'x', 'How many?': 7 })).toBeNull()
	expect(answerFor(found, allow)).toBeNull()
	expect(answerFor(found, deny)).toEqual({ answers: {} })
})

test('a form takes what fits its fields', () => {
	const properties = {
		colour: { type: 'string', title: 'Colour', enum: ['red', 'blue'] },
		count: { type: 'integer' },
	}
	const requestedSchema = { type: 'object', properties, required: ['colour'] }
	const found = asked(elicitation, { serverName: 's', mode: 'form', message: 'm', requestedSchema })
	expect(found.ask.questions).toMatchObject([{ other: false }, { question: 'count' }])
	expect(found.ask.questions?.[1]).not.toHaveProperty('other')
	const filled = (answers: object) => answerFor(found, { ...allow, input: { answers } })
	expect(filled({ Colour: 'blue', count: '3' })).toMatchObject({
		action: 'accept',
		content: { colour: 'blue', count: 3 },
	})
	expect(filled({ Colour: 'green' })).toBeNull()
	expect(filled({ Colour: 'red', count: 'three' })).toBeNull()
	expect(filled({ count: '3' })).toBeNull()
	expect(answerFor(found, deny)).toMatchObject({ action: 'decline' })
})

test('no refusal is an approval', () => {
	const kinds = ['command', 'files', 'tool'] as const
	for (const kind of kinds) expect(meaningOf(refusal({ kind }))).toBe('denied')
	expect(meaningOf(refusal({ kind: 'permissions', permissions: {} }))).toBe('denied')
	expect(meaningOf(refusal({ kind: 'questions', ids: [] }))).toBe('denied')
	expect(meaningOf(refusal({ kind: 'form', fields: [] }))).toBe('denied')
	for (const method of all) expect(meaningOf(refusalOf(method))).toBe('denied')
	expect(refusalOf('execCommandApproval')).toEqual({ decision: 'denied' })
	expect(refusalOf('item/newKind/requestApproval')).toBeNull()
})

test.each([
	[{ decision: 'accept' }, 'approved'],
	[{ decision: 'acceptForSession' }, 'approved'],
	[{ decision: { acceptWithExecpolicyAmendment: { execpolicy_amendment: ['ls'] } } }, 'approved'],
	[{ decision: 'cancel' }, 'denied'],
	[{ decision: 'somethingNew' }, 'cancelled'],
	[{ action: 'accept', content: {} }, 'approved'],
	[{ action: 'cancel' }, 'cancelled'],
	[{ permissions: { network: null }, scope: 'turn' }, 'denied'],
	[{ permissions: { network: { enabled: true } }, scope: 'turn' }, 'approved'],
	[null, 'cancelled'],
	['accept', 'cancelled'],
])('on the screen, %j means %s', (result, meaning) => {
	expect(meaningOf(result)).toBe(meaning)
})
