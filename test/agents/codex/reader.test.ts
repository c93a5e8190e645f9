import { join } from 'node:path'
import * as v from 'valibot'
import { describe, expect, test } from 'vitest'
import { parseMessage } from '../../../source/agents/codex/schema.ts'
import { ThreadReader } from '../../../source/agents/codex/thread-reader.ts'
import { eventSchemas } from '../../../source/protocol/events.ts'
import { events, requests } from '../../tools/outputs.ts'
import { fixtures, names, play, recording } from './_recording.ts'

describe.each(names)('%s', (name) => {
	test('the events are those that were looked at', async () => {
		const { outputs, replies } = play(recording(name))
		// Each answer has a form for the agent.
		expect(replies.every((reply) => typeof reply === 'object' && reply !== null)).toBe(true)
		await expect(`${JSON.stringify(outputs, null, '\t')}\n`).toMatchFileSnapshot(
			join(fixtures, 'golden', `${name}.json`),
		)
	})

	test('every event is one by its schema, and nothing of it is unknown', () => {
		for (const event of events(play(recording(name)).outputs)) {
			v.parse(eventSchemas[event.kind], event.body)
			if (event.kind === 'system') expect(event.body.type).not.toMatch(/^codex\//)
		}
	})

	test('each call has one result, each request one end, and the turn ends once', () => {
		const { outputs, reader } = play(recording(name))
		const all = events(outputs)
		const calls = all.flatMap((e) => (e.kind === 'tool_use' ? [e.body.tool_use] : []))
		const results = all.flatMap((e) => (e.kind === 'tool_result' ? [e.body.tool_use] : []))
		expect(results).toEqual(calls)
		const asked = requests(outputs).map(({ id }) => id)
		const ended = outputs.flatMap((o) => ('id' in o && o.type !== 'request' ? [o.id] : []))
		expect(ended).toEqual(asked)
		const states = outputs.flatMap((o) => (o.type === 'status' ? [o.status] : []))
		expect(states).toEqual(['running', 'idle'])
		expect(reader.turn).toBeNull()
	})

	test('text as it was written is the text in the end', () => {
		const { outputs } = play(recording(name))
		for (const event of events(outputs)) {
			if (event.kind !== 'agent_response' && event.kind !== 'agent_thinking') continue
			const frames = outputs.filter((o) => o.type === 'text' && o.block === event.body.block)
			const text = frames.map((o) => (o.type === 'text' ? o.text : '')).join('')
			expect(text).toBe(event.body.text)
		}
	})
})

/** Plays messages after a thread `main` was opened. */
function after(...messages: { method: string; params: object; id?: number }[]) {
	const reader = new ThreadReader()
	const opened = { thread: thread('main'), model: 'gpt-5.5', cwd: null, approvalsReviewer: null }
	reader.opened({ ...opened, approvalPolicy: 'on-request', sandbox: { type: 'readOnly' } })
	return {
		reader,
		outputs: messages.flatMap((message) => {
			const read = parseMessage(JSON.stringify(message))
			return read === null ? [] : reader.read(read, '2026-11-25T00:00:00.000Z')
		}),
	}
}

function thread(id: string, more: object = {}) {
	const rest = { parentThreadId: null, ephemeral: false, model: null, cliVersion: null }
	return { id, ...rest, ...more }
}

const turn = (threadId: string, id: string) => ({
	method: 'turn/started',
	params: { threadId, turn: { id } },
})
const said = (threadId: string, id: string, text: string) => ({
	method: 'item/completed',
	params: { threadId, item: { type: 'agentMessage', id, text } },
})
const tokens = (threadId: string, turnId: string, inputTokens: number, outputTokens: number) => {
	const last = { inputTokens, outputTokens, cachedInputTokens: 0, cacheWriteInputTokens: 0 }
	const params = { threadId, turnId, tokenUsage: { total: last, last } }
	return { method: 'thread/tokenUsage/updated', params }
}

test('a thread on the side is no part of the session: neither its words, nor its tokens, nor its end', () => {
	const aside = { thread: thread('title', { ephemeral: true }) }
	const { outputs, reader } = after(
		turn('main', 'a'),
		{ method: 'thread/started', params: aside },
		turn('title', 'b'),
		said('title', 'm', 'Mend the greeting'),
		tokens('title', 'b', 50, 5),
		{
			method: 'turn/completed',
			params: { threadId: 'title', turn: { id: 'b', status: 'completed' } },
		},
	)
	expect(outputs).toEqual([{ type: 'status', status: 'running' }])
	expect(reader.turn).toBe('a')
	expect(
		reader.opened({ ...openedAs('title'), thread: thread('title', { ephemeral: true }) }),
	).toEqual([])
	expect(reader.thread).toBe('main')
})

test('what a thread on the side asks is asked, and withdrawn with its turn', () => {
	const aside = { thread: thread('side', { ephemeral: true }) }
	const { outputs } = after(
		{ method: 'thread/started', params: aside },
		turn('side', 'b'),
		{
			method: 'item/commandExecution/requestApproval',
			id: 1,
			params: { threadId: 'side', turnId: 'b', itemId: 'c', command: 'ls' },
		},
		{
			method: 'turn/completed',
			params: { threadId: 'side', turn: { id: 'b', status: 'completed' } },
		},
	)
	expect(outputs).toMatchObject([
		{ type: 'request', ask: { tool: 'exec_command', input: { command: ['ls'] } } },
		{ type: 'withdrawn', result: 'cancelled' },
	])
})

function openedAs(id: string) {
	const rest = { model: null, cwd: null, approvalsReviewer: null, sandbox: null }
	return { thread: thread(id), approvalPolicy: null, ...rest }
}

test('another thread is opened while a turn runs: the session is about that one, and idle', () => {
	const { reader } = after(turn('main', 'a'))
	expect(reader.opened(openedAs('next'))).toEqual([
		{ type: 'about', session: 'next' },
		{ type: 'status', status: 'idle' },
	])
})

test('a sub-agent speaks under the call that started it, with a model of its own', () => {
	const { outputs } = after(
		turn('main', 'a'),
		{
			method: 'item/started',
			params: {
				threadId: 'main',
				item: {
					type: 'collabAgentToolCall',
					id: 'call',
					tool: 'spawn',
					receiverThreadIds: ['sub'],
				},
			},
		},
		{
			method: 'thread/started',
			params: { thread: thread('sub', { parentThreadId: 'main', model: 'gpt-6-luna' }) },
		},
		turn('sub', 'b'),
		said('sub', 'm', 'Looked at it'),
		tokens('sub', 'b', 1_000_000, 0),
	)
	expect(events(outputs)).toMatchObject([
		{ kind: 'tool_use', body: { tool_use: 'call', parent: null } },
		{ kind: 'agent_response', body: { parent: 'call', model: 'gpt-6-luna' } },
		{ kind: 'usage', body: { model: 'gpt-6-luna', input: 1_000_000, cost_usd: 0.2 } },
	])
})

test('a sub-agent that starts by an activity is a call with its result', () => {
	const activity = (kind: string, id: string) => ({
		method: 'item/completed',
		params: {
			threadId: 'main',
			item: { type: 'subAgentActivity', id, kind, agentThreadId: 'sub', agentPath: '/root/helper' },
		},
	})
	const { outputs } = after(
		activity('started', 'call'),
		said('sub', 'm', 'Hm'),
		activity('completed', 'x'),
	)
	expect(events(outputs)).toMatchObject([
		{ kind: 'tool_use', body: { name: 'spawn_agent', input: { agent: '/root/helper' } } },
		{ kind: 'tool_result', body: { tool_use: 'call', ok: true } },
		{ kind: 'agent_response', body: { parent: 'call' } },
		{ kind: 'system', body: { type: 'subagent', text: '/root/helper: completed' } },
	])
})

test('running totals are told as differences; the same total again is nothing; a turn before is nothing', () => {
	const { outputs } = after(
		tokens('main', 'old', 500, 50),
		turn('main', 'a'),
		tokens('main', 'a', 700, 60),
		tokens('main', 'a', 700, 60),
		tokens('main', 'a', 800, 65),
	)
	expect(events(outputs)).toMatchObject([
		{ kind: 'usage', body: { input: 200, output: 10 } },
		{ kind: 'usage', body: { input: 100, output: 5 } },
	])
})

test('a plan is told as a list, with what is done', () => {
	const plan = [
		{ step: 'Look', status: 'completed' },
		{ step: 'Mend', status: 'inProgress' },
		{ step: 'Test', status: 'pending' },
	]
	const params = { threadId: 'main', explanation: 'Three steps', plan }
	const { outputs } = after({ method: 'turn/plan/updated', params })
	expect(events(outputs)[0]?.body).toMatchObject({
		type: 'plan',
		text: 'Three steps\n[x] Look\n[~] Mend\n[ ] Test',
	})
})

test('a message of an unknown kind is told once, by its name', () => {
	const odd = { method: 'thread/odd\u001B[2J/thing', params: {} }
	const { outputs } = after(odd, odd)
	expect(events(outputs)).toEqual([
		{ kind: 'system', body: { type: 'codex/thread.odd??2J.thing', text: null, data: null } },
	])
})
