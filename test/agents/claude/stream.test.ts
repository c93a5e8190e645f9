import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import * as v from 'valibot'
import { describe, expect, test } from 'vitest'
import { StreamReader } from '../../../source/agents/claude/stream.ts'
import { eventSchemas } from '../../../source/protocol/events.ts'
import { events } from '../../tools/outputs.ts'
import { fixtures, play, recording } from './_recording.ts'

const names = readdirSync(fixtures)
	.filter((name) => name.startsWith('stream-') && name.endsWith('.jsonl'))
	.map((name) => name.replace('.jsonl', ''))

describe.each(names)('%s', (name) => {
	test('gives the events that it always gave', async () => {
		const { outputs, refused } = play(recording(name))
		expect(refused).toEqual([])
		await expect(`${JSON.stringify(outputs, null, '\t')}\n`).toMatchFileSnapshot(
			join(fixtures, 'golden', `${name}.json`),
		)
	})

	test('every event is one by its schema', () => {
		for (const { kind, body } of events(play(recording(name)).outputs))
			v.parse(eventSchemas[kind], body)
	})

	test('tokens and cost add up to what the agent says, to the last bit', () => {
		const result = recording(name).findLast(({ line }) => line.total_cost_usd !== undefined)
		const usage = events(play(recording(name)).outputs).flatMap((e) =>
			e.kind === 'usage' ? [e.body] : [],
		)
		let cost = 0
		for (const { cost_usd } of usage) cost += cost_usd ?? 0
		expect(cost).toBe(result?.line.total_cost_usd)
		const models = Object.values(Object(result?.line.modelUsage))
		const total = (field: string) => models.reduce((sum: number, m) => sum + Object(m)[field], 0)
		const sum = (field: 'input' | 'output' | 'cache_read' | 'cache_write') =>
			usage.reduce((all, one) => all + one[field], 0)
		expect(sum('input')).toBe(total('inputTokens'))
		expect(sum('output')).toBe(total('outputTokens'))
		expect(sum('cache_read')).toBe(total('cacheReadInputTokens'))
		expect(sum('cache_write')).toBe(total('cacheCreationInputTokens'))
	})
})

test('text that is being written carries the id of the block that replaces it', () => {
	const { outputs } = play(recording('stream-multi-tool'))
	const written = new Map<string, string>()
	for (const output of outputs) {
		if (output.type !== 'text') continue
		const before = written.get(output.block) ?? ''
		expect(output.offset).toBe(before.length)
		written.set(output.block, before + output.text)
	}
	expect(written.size).toBe(4)
	for (const { kind, body } of events(outputs)) {
		if (kind === 'agent_response' || kind === 'agent_thinking') {
			expect(written.get(body.block ?? '')).toBe(body.text)
		}
	}
})

test('an interrupt withdraws what waits', () => {
	const { outputs } = play(recording('stream-interrupt-while-permission-open'))
	const [request] = outputs.flatMap((output) => (output.type === 'request' ? [output.id] : []))
	expect(request).toBeDefined()
	expect(outputs).toContainEqual({ type: 'withdrawn', id: request, result: 'cancelled' })
})

test('an error of the API is said once, though the agent calls it a success', () => {
	const errors = events(play(recording('stream-api-error-400')).outputs).filter(
		({ kind }) => kind === 'error',
	)
	expect(errors).toEqual([
		{
			kind: 'error',
			body: {
				code: 'agent_api_error',
				text: 'API Error: 400 messages: the fake API refuses this prompt',
			},
		},
	])
})

test('nothing that a vendor keeps for itself is forwarded', () => {
	for (const name of names) {
		const text = JSON.stringify(play(recording(name)).outputs)
		expect(text).not.toContain('slash_commands')
		expect(text).not.toContain('signature')
		expect(text).not.toContain('mcp_servers')
		expect(text).not.toContain('originalFile')
	}
})

const ask = (request: unknown) =>
	JSON.stringify({ type: 'control_request', request_id: 'r1', request })
const now = '2026-01-01T00:00:00.000Z'
const good = { subtype: 'can_use_tool', tool_name: 'Bash', input: { command: 'ls' } }

describe('a request that is not understood is refused and never shown', () => {
	let deep: unknown = {}
	for (let i = 0; i < 500; i++) deep = { deep }
	test.each([
		['of another kind', { ...good, subtype: 'mcp_message' }],
		['without a tool', { ...good, tool_name: undefined }],
		['with an empty tool', { ...good, tool_name: '' }],
		['with a tool of another type', { ...good, tool_name: 7 }],
		['without an input', { ...good, input: undefined }],
		['with a text as input', { ...good, input: 'ls' }],
		['with an input too deep to show', { ...good, input: { deep } }],
		['that is null', null],
	])('%s', (_what, request) => {
		const reader = new StreamReader()
		const step = reader.read(ask(request), now)
		expect(step.refuse.map(({ id }) => id)).toEqual(['r1'])
		expect(step.outputs.map(({ type }) => type)).not.toContain('request')
		expect(reader.request('r1')).toBeNull()
	})

	test('with the id of one that waits', () => {
		const reader = new StreamReader()
		reader.read(ask(good), now)
		const step = reader.read(ask({ ...good, input: { command: 'rm -rf /' } }), now)
		expect(step.refuse).toHaveLength(1)
		expect(reader.request('r1')?.input).toEqual({ command: 'ls' })
	})
})

test('the same answer is not given twice', () => {
	const reader = new StreamReader()
	reader.read(ask(good), now)
	expect(reader.request('r1')).not.toBeNull()
	reader.answered('r1')
	expect(reader.request('r1')).toBeNull()
})

test('what waits when the agent ends is withdrawn', () => {
	const reader = new StreamReader()
	reader.read(ask(good), now)
	expect(reader.end(now)).toEqual([{ type: 'withdrawn', id: 'r1', result: 'cancelled' }])
})

test('a new type of message is named, with nothing of what is in it', () => {
	const reader = new StreamReader()
	const line = { type: 'dream', uuid: 'u', message: { role: 'dreamer', content: 'secret' } }
	expect(reader.read(JSON.stringify(line), now).outputs).toEqual([
		{
			type: 'event',
			at: now,
			event: { kind: 'system', body: { type: 'claude/dream', text: null, data: null } },
		},
	])
	expect(reader.read('{"type":"new_bookkeeping","x":1}', now).outputs).toEqual([])
})

test('no line makes it throw, and none that is damaged asks for anything', () => {
	const lines = names.flatMap((name) =>
		readFileSync(join(fixtures, `${name}.jsonl`), 'utf8')
			.trim()
			.split('\n')
			.slice(1),
	)
	const some = lines.map((line) => JSON.stringify(JSON.parse(line).line))
	fc.assert(
		fc.property(
			fc.array(
				fc.oneof(
					fc.constantFrom(...some),
					fc.tuple(fc.constantFrom(...some), fc.nat()).map(([l, n]) => l.slice(0, n % l.length)),
					fc.string(),
					fc.json(),
					fc
						.tuple(
							fc.constantFrom('user', 'assistant', 'result', 'system', 'stream_event'),
							fc.dictionary(
								fc.constantFrom('message', 'event', 'tasks', 'modelUsage', 'uuid', 'result'),
								fc.jsonValue(),
							),
						)
						.map(([type, rest]) => JSON.stringify({ ...Object(rest), type })),
				),
				{ maxLength: 30 },
			),
			(input) => {
				const reader = new StreamReader()
				for (const line of input) {
					for (const output of reader.read(line, now).outputs) {
						if (output.type === 'event') {
							v.parse(eventSchemas[output.event.kind], output.event.body)
						}
						if (output.type === 'request') expect(some).toContain(line)
					}
				}
				reader.end(now)
			},
		),
		{ numRuns: 300 },
	)
})

test('a session that is killed still owes the price of its last responses', () => {
	const reader = new StreamReader()
	const event = (event: unknown) =>
		reader.read(JSON.stringify({ type: 'stream_event', event }), now)
	event({
		type: 'message_start',
		message: { id: 'm', model: 'claude-sonnet-4-5', usage: { input_tokens: 1_000_000 } },
	})
	event({ type: 'message_delta', usage: { output_tokens: 1000 } })
	event({ type: 'message_stop' })
	const [last] = reader.end(now)
	expect(last).toMatchObject({
		event: { kind: 'usage', body: { input: 0, cost_usd: 3.015, cost_source: 'price-table' } },
	})
})
