import { join } from 'node:path'
import * as v from 'valibot'
import { describe, expect, test } from 'vitest'
import { EventReader } from '../../../source/agents/opencode/reader.ts'
import { eventSchemas } from '../../../source/protocol/events.ts'
import { events, requests, typed } from '../../tools/outputs.ts'
import { fixtures, names, play, type Recorded, recording } from './_recording.ts'

describe.each(names)('%s', (name) => {
	test('gives the events that it always gave', async () => {
		const { outputs, refused } = play(recording(name))
		expect(refused).toEqual([])
		await expect(`${JSON.stringify(outputs, null, '\t')}\n`).toMatchFileSnapshot(
			join(fixtures, 'golden', `${name}.json`),
		)
	})

	test('every event is one by its schema, and nothing of it is unknown', () => {
		for (const event of events(play(recording(name)).outputs)) {
			v.parse(eventSchemas[event.kind], event.body)
			if (event.kind === 'system') expect(event.body.type).not.toMatch(/^opencode\//)
		}
	})

	test('the turn begins and ends once', () => {
		const { outputs, idle, reader } = play(recording(name))
		expect(outputs.flatMap((o) => (o.type === 'status' ? [o.status] : []))).toEqual([
			'running',
			'idle',
		])
		expect(idle).toBe(1)
		expect(reader.busy).toBe(false)
	})

	test('tokens and cost add up to what the agent says of its messages', () => {
		const said = new Map<string, { cost: number; tokens: Record<string, number> }>()
		for (const { event } of recording(name)) {
			const info = Object(event?.properties.info)
			if (event?.type === 'message.updated' && info.role === 'assistant') said.set(info.id, info)
		}
		const usage = events(play(recording(name)).outputs).flatMap((e) =>
			e.kind === 'usage' ? [e.body] : [],
		)
		const paid = [...said].filter(([, { cost }]) => cost > 0).sort()
		expect(usage.map(({ message, cost_usd }) => [message, cost_usd]).sort()).toEqual(
			paid.map(([id, { cost }]) => [id, cost]),
		)
		for (const { message, input, output, cache_read, cache_write } of usage) {
			const tokens = Object(said.get(message ?? '')?.tokens)
			expect([input, output, cache_read, cache_write]).toEqual([
				tokens.input,
				tokens.output + tokens.reasoning,
				tokens.cache.read,
				tokens.cache.write,
			])
		}
	})

	test('text that is being written carries the id of the block that replaces it', () => {
		const { outputs } = play(recording(name))
		const written = new Map<string, string>()
		for (const output of outputs) {
			if (output.type !== 'text') continue
			const before = written.get(output.block) ?? ''
			expect(output.offset).toBe(before.length)
			written.set(output.block, before + output.text)
		}
		for (const { kind, body } of events(outputs)) {
			if (kind !== 'agent_response' && kind !== 'agent_thinking') continue
			expect(written.get(body.block ?? '')).toBe(body.text)
			written.delete(body.block ?? '')
		}
		expect(written.size).toBe(0)
	})

	test('said twice, as after a break, nothing is said twice', () => {
		const steps = recording(name).flatMap((step) => (step.event ? [step, step] : [step]))
		const once = events(play(recording(name)).outputs)
		const twice = events(play(steps).outputs)
		const kept = (all: typeof once) => all.filter(({ kind }) => kind !== 'error')
		expect(kept(twice)).toEqual(kept(once))
	})
})

test('the texts of the script', () => {
	const said = (name: string) =>
		events(play(recording(name)).outputs).flatMap((e) =>
			e.kind === 'agent_response' ? [e.body.text] : [],
		)
	expect(said('bash-allow')).toEqual(['I will run it', 'made'])
	expect(said('subagent')).toEqual(['inner text', 'inner done', 'helper done'])
	expect(said('interrupt')).toEqual(['thinking about it'])
})

test('a text is said before the call that follows it, and what comes after that is not lost', () => {
	const info = { id: 'm1', sessionID: 's1', role: 'assistant' }
	const text = { id: 'p1', sessionID: 's1', messageID: 'm1', type: 'text', text: 'Look' }
	const state = { status: 'running', input: {} }
	const call = { ...text, id: 'p2', type: 'tool', tool: 'bash', callID: 'c1', state }
	const event = (type: string, properties: Record<string, unknown>, n: number) => ({
		event: { id: `e${n}`, type, properties },
	})
	const told = (end: string) =>
		events(
			play([
				event('message.updated', { info }, 1),
				event('message.part.updated', { part: text }, 2),
				event('message.part.updated', { part: call }, 3),
				event('message.part.updated', { part: { ...text, text: end, time: { end: 5 } } }, 4),
				event('message.part.updated', { part: { ...text, text: end, time: { end: 5 } } }, 5),
			]).outputs,
		).map(({ kind, body }) => [kind, 'text' in body ? body.text : null])
	const before = [
		['agent_response', 'Look'],
		['tool_use', null],
	]
	expect(told('Look')).toEqual(before)
	expect(told('Look here')).toEqual([...before, ['agent_response', ' here']])
})

const asked = recording('bash-allow')
const upTo = (type: string): Recorded[] => {
	const at = asked.findIndex(({ event }) => event?.type === type)
	return asked.slice(0, at + 1)
}
const running = asked.find(({ event }) => {
	const part = Object(event?.properties.part)
	return part.type === 'tool' && part.state.status === 'running'
})
const event = (type: string, properties: Record<string, unknown>): Recorded => ({
	event: { id: 'evt_1', type, properties },
})
const permission = {
	id: 'per_1',
	sessionID: 'ses_1',
	permission: 'bash',
	patterns: ['ls'],
	metadata: { command: 'ls' },
	always: ['ls *'],
}

test('a request waits for its call, and is shown with what the call says', () => {
	const reader = new EventReader()
	const before = upTo('permission.asked').filter((step) => step !== running)
	for (const { event } of before) reader.read(JSON.stringify(event ?? null), '')
	expect(reader.holding).toBe(true)
	const { outputs } = reader.read(JSON.stringify(running?.event), '')
	expect(requests(outputs)[0]?.ask.input).toEqual({
		command: 'echo hi && touch made.txt',
		description: 'A command',
	})
	expect(reader.holding).toBe(false)
})

test('a request whose call never comes is shown without it, and answered only then', () => {
	const reader = new EventReader()
	const call = { messageID: 'msg_1', callID: 'call_1' }
	const held = event('permission.asked', { ...permission, tool: call })
	expect(reader.read(JSON.stringify(held.event), '').outputs).toEqual([])
	expect(reader.request('per_1')).toBeNull()
	expect(requests(reader.release())[0]?.ask).toMatchObject({
		tool: 'bash',
		input: { command: 'ls', patterns: ['ls'] },
		session_rules: [{ tool: 'bash', rule: 'ls *' }],
	})
	expect(reader.request('per_1')).not.toBeNull()
})

test('what the request says goes before what its call said', () => {
	const call = { messageID: 'msg_1', callID: 'call_1' }
	const part = {
		id: 'prt_1',
		sessionID: 'ses_1',
		...call,
		type: 'tool',
		tool: 'bash',
		state: { status: 'running', input: { command: 'echo harmless', description: 'x' } },
	}
	const { outputs } = play([
		event('message.part.updated', { part, time: 1 }),
		event('permission.asked', { ...permission, tool: call }),
	])
	expect(requests(outputs)[0]?.ask.input).toEqual({ command: 'ls', description: 'x' })
})

test.each([
	['once', 'approved'],
	['always', 'approved'],
	['reject', 'denied'],
	['maybe', 'cancelled'],
])('answered %s in its own interface: %s', (reply, result) => {
	const { outputs } = play([
		event('permission.asked', permission),
		event('permission.replied', { sessionID: 'ses_1', requestID: 'per_1', reply }),
	])
	expect(typed(outputs, 'withdrawn')).toEqual([{ type: 'withdrawn', id: 'per_1', result }])
})

test('answered on both sides at once: the server says whose answer it was', () => {
	for (const ours of [true, false]) {
		const reader = new EventReader()
		const say = (step: Recorded) => reader.read(JSON.stringify(step.event), '').outputs
		say(event('permission.asked', permission))
		reader.answering('per_1')
		expect(reader.request('per_1')).toBeNull()
		expect(
			say(event('permission.replied', { sessionID: 's', requestID: 'per_1', reply: 'reject' })),
		).toEqual([])
		expect(reader.answered('per_1', ours)).toEqual(
			ours
				? [{ type: 'applied', id: 'per_1' }]
				: [{ type: 'withdrawn', id: 'per_1', result: 'denied' }],
		)
	}
})

test('the agent ends while a request waits: it is cancelled', () => {
	const { outputs } = play([event('permission.asked', permission)])
	expect(typed(outputs, 'withdrawn')).toEqual([
		{ type: 'withdrawn', id: 'per_1', result: 'cancelled' },
	])
})

test('a session comes to rest: what it asked is cancelled, what others asked stays', () => {
	const reader = new EventReader()
	const say = (step: Recorded) => reader.read(JSON.stringify(step.event), '').outputs
	say(event('permission.asked', permission))
	say(event('permission.asked', { ...permission, id: 'per_2', sessionID: 'ses_2' }))
	expect(say(event('session.idle', { sessionID: 'ses_1' }))).toEqual([
		{ type: 'withdrawn', id: 'per_1', result: 'cancelled' },
	])
	expect(reader.request('per_2')).not.toBeNull()
})

test('who is not asked is told, by the agent of OpenCode that works', () => {
	const modes = new Map([['build', false]])
	const { outputs } = play(
		recording('text-only'),
		new EventReader((agent) => modes.get(agent) ?? null),
	)
	expect(outputs).toContainEqual(
		expect.objectContaining({ type: 'about', mode: 'build', asks: false, model: 'big' }),
	)
})

test('a prompt that could not begin ends the wait for it', () => {
	const error = { name: 'UnknownError', data: { message: 'Model not found' } }
	const { outputs, idle, reader } = play([
		{ prompt: 'x' },
		event('session.error', { sessionID: 's', error }),
	])
	expect(events(outputs)).toEqual([
		{ kind: 'error', body: { code: 'agent_unknown', text: 'Model not found' } },
	])
	expect([idle, reader.busy, reader.failed]).toEqual([1, false, true])
})

test('a retry is said once for each try', () => {
	const status = {
		type: 'retry',
		attempt: 1,
		message: 'overloaded',
		next: Date.parse('2026-11-25'),
	}
	const retry = event('session.status', { sessionID: 's', status })
	const { outputs } = play([retry, retry])
	const said = events(outputs).filter(({ kind }) => kind === 'system')
	expect(said).toHaveLength(1)
	expect(said[0]?.body).toMatchObject({
		type: 'api_retry',
		text: expect.stringContaining('overloaded'),
	})
})
