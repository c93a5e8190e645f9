import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import * as v from 'valibot'
import { describe, expect, test } from 'vitest'
import { parseLine } from '../../../source/agents/claude/schema.ts'
import { canonical, TranscriptReader } from '../../../source/agents/claude/transcript.ts'
import { eventSchemas, type SessionEvent } from '../../../source/protocol/events.ts'
import { fixtures } from './_recording.ts'

const now = '2026-01-01T00:00:00.000Z'
const path = join(fixtures, 'interactive-transcript.jsonl')
const recorded = readFileSync(path, 'utf8').trim().split('\n')

function read(lines: readonly unknown[], reader = new TranscriptReader({ parent: null })) {
	const items = lines.flatMap((value, index) => {
		const line = parseLine(typeof value === 'string' ? value : JSON.stringify(value))
		return line === null ? [] : reader.read(line, line.uuid ?? `line${index}`, now).items
	})
	return [...items, ...reader.flush()]
}

const events = (lines: readonly unknown[]): SessionEvent[] =>
	read(lines).flatMap(({ output }) => (output.type === 'event' ? [output.event] : []))

const user = (content: unknown, rest: object = {}) => ({
	type: 'user',
	uuid: crypto.randomUUID(),
	message: { role: 'user', content },
	...rest,
})
const assistant = (content: unknown, rest: object = {}) => ({
	type: 'assistant',
	uuid: crypto.randomUUID(),
	message: { role: 'assistant', id: 'm1', model: 'claude-opus-5-5', content },
	...rest,
})

test('a recorded transcript gives the events that it always gave', async () => {
	await expect(`${JSON.stringify(read(recorded), null, '\t')}\n`).toMatchFileSnapshot(
		join(fixtures, 'golden', 'interactive-transcript.json'),
	)
})

test('every event is one by its schema, and every source is there once', () => {
	const items = read(recorded)
	for (const { kind, body } of events(recorded)) v.parse(eventSchemas[kind], body)
	expect(new Set(items.map(({ source }) => source)).size).toBe(items.length)
})

test('usage is counted once a response, and adds up to what the agent says at its end', () => {
	const stated = JSON.parse(recorded.findLast((line) => line.includes('"cost-state"')) ?? '')
	const used = stated.modelUsage['claude-opus-5-5']
	const usage = events(recorded).flatMap((event) => (event.kind === 'usage' ? [event.body] : []))
	// The sub-agent's two responses are in a file of their own.
	expect(usage.reduce((sum, { input }) => sum + input, 0)).toBe(used.inputTokens - 2 * 1200)
	expect(usage.every(({ cost_source }) => cost_source === 'price-table')).toBe(true)
})

describe('what a person wrote', () => {
	test('in a list, with a picture', () => {
		const image = {
			type: 'image',
			source: { type: 'base64', media_type: 'image/png', data: 'A'.repeat(4096) },
		}
		expect(events([user([{ type: 'text', text: 'look' }, image])]).map(({ body }) => body)).toEqual(
			[
				{ text: 'look', source: 'agent' },
				{ text: '[image image/png 3 KiB]', source: 'agent' },
			],
		)
	})

	test('while the agent was busy', () => {
		const attachment = { type: 'queued_command', prompt: 'and the docs', commandMode: 'prompt' }
		const line = { type: 'attachment', uuid: 'u1', timestamp: now, attachment }
		expect(events([line])).toEqual([
			{ kind: 'user_prompt', body: { text: 'and the docs', source: 'agent' } },
		])
	})

	test.each([
		['meta', { isMeta: true }, 'Caveat: …'],
		['compact_summary', { isCompactSummary: true }, 'This session is continued …'],
		['task_notification', { origin: { kind: 'task-notification' } }, 'done'],
		['task_notification', {}, '<task-notification>x</task-notification>'],
		['interrupted', {}, '[Request interrupted by user for tool use]'],
		['local_command', {}, '<local-command-stdout>ok</local-command-stdout>'],
	])('is told from %s', (type, rest, text) => {
		expect(events([user(text, rest)])).toEqual([
			{ kind: 'system', body: { type, text, data: null } },
		])
	})
})

describe('a tool result', () => {
	const result = (content: unknown, structure: unknown = null, rest: object = {}) => {
		const block = { type: 'tool_result', tool_use_id: 't1', content, ...rest }
		const [event] = events([user([block], { toolUseResult: structure })])
		return event?.kind === 'tool_result' ? event.body : null
	}

	test('as a text and as a list', () => {
		const picture = { type: 'image', source: { type: 'base64', media_type: 'image/png' } }
		expect(result('one')?.text).toBe('one')
		expect(result([{ type: 'text', text: 'a' }, { type: 'text', text: 'b' }, picture])?.text).toBe(
			'a\nb\n[image image/png]',
		)
		expect(result(null)?.text).toBe('')
	})

	test('has an exit code where there was one', () => {
		const shell = { stdout: 'ok', stderr: '', interrupted: false }
		expect(result('ok', shell)?.exit_code).toBe(0)
		expect(result('ok', { ...shell, interrupted: true })?.exit_code).toBeNull()
		expect(result('Exit code 127\nnot found', null, { is_error: true })).toMatchObject({
			ok: false,
			exit_code: 127,
		})
		expect(result('Exit code 1', shell)?.exit_code).toBe(0)
		expect(result('denied', null, { is_error: true })?.exit_code).toBeNull()
	})

	test('has a duration where the agent says one', () => {
		expect(result('x', { durationMs: 12 })?.duration_ms).toBe(12)
		expect(result('x', { totalDurationMs: 13 })?.duration_ms).toBe(13)
		expect(result('x', { durationMs: 'long' })?.duration_ms).toBeNull()
	})

	test('has the changes of a file, and nothing of the rest of it', () => {
		const lines = [' a', '-b', '+c']
		const hunk = { oldStart: 3, oldLines: 2, newStart: 3, newLines: 2, lines }
		const structure = { filePath: '/f', structuredPatch: [hunk], originalFile: 'all of it' }
		expect(result('ok', structure)?.changes).toEqual([
			{
				path: '/f',
				hunks: [{ old_start: 3, old_lines: 2, new_start: 3, new_lines: 2, lines }],
			},
		])
		const created = { type: 'create', filePath: '/f', content: 'x\n', structuredPatch: [] }
		expect(result('ok', created)?.changes[0]?.hunks[0]?.lines).toEqual(['+x'])
	})
})

describe('what the agent said', () => {
	test('when it does not show its thinking', () => {
		const hidden = [
			{ type: 'redacted_thinking', data: 'x' },
			{ type: 'thinking', thinking: '' },
		]
		expect(events([assistant(hidden)]).map(({ kind }) => kind)).toEqual([
			'agent_thinking',
			'agent_thinking',
		])
	})

	test('in a block of a type that is new, or of none', () => {
		expect(events([assistant([{ type: 'hologram', text: 'secret' }, 7, 'plain'])])).toEqual([
			{ kind: 'system', body: { type: 'claude/hologram', text: null, data: null } },
			{ kind: 'system', body: { type: 'claude/unknown', text: null, data: null } },
			{
				kind: 'agent_response',
				body: { text: 'plain', block: null, model: 'claude-opus-5-5', parent: null },
			},
		])
	})

	test('about a tool whose input is too deep to keep', () => {
		const line = JSON.stringify(assistant([{ type: 'tool_use', id: 't', name: 'X', input: 'X!' }]))
		const [event] = events([line.replace('"X!"', `${'['.repeat(50_000)}${']'.repeat(50_000)}`)])
		expect(event?.body).toMatchObject({ input: '[input nested too deeply to show]' })
	})
})

test('a sub-agent in the same file belongs to the call that started it', () => {
	const call = { type: 'tool_use', id: 't9', name: 'Task', input: { prompt: 'count files' } }
	const prompt = user('count files', { isSidechain: true, uuid: 's1', parentUuid: null })
	const answer = assistant([{ type: 'text', text: 'three' }], {
		isSidechain: true,
		uuid: 's2',
		parentUuid: 's1',
	})
	expect(events([assistant([call]), prompt, answer]).slice(1)).toEqual([
		{
			kind: 'system',
			body: { type: 'subagent_prompt', text: 'count files', data: { parent: 't9' } },
		},
		{
			kind: 'agent_response',
			body: { text: 'three', block: null, model: 'claude-opus-5-5', parent: 't9' },
		},
	])
})

test('the newest open call with a name and an input is found, whatever the order of keys', () => {
	const reader = new TranscriptReader({ parent: null })
	const call = (id: string, input: object) =>
		assistant([{ type: 'tool_use', id, name: 'Bash', input }])
	read([call('t1', { a: 1, b: 2 }), call('t2', { b: 2, a: 1 }), call('t3', { a: 1 })], reader)
	expect(reader.openTool('Bash', { a: 1, b: 2 })).toBe('t2')
	expect(reader.openTool('Read', { a: 1 })).toBeNull()
	read([user([{ type: 'tool_result', tool_use_id: 't2', content: '' }])], reader)
	expect(reader.openTool('Bash', { b: 2, a: 1 })).toBe('t1')
})

test('no damaged line makes it throw', () => {
	const line = fc
		.tuple(fc.constantFrom(...recorded), fc.nat(), fc.jsonValue())
		.map(([text, n, value]) => {
			const parsed = JSON.parse(text)
			const keys = Object.keys(parsed)
			return JSON.stringify({ ...parsed, [keys[n % keys.length] ?? 'type']: value })
		})
	fc.assert(
		fc.property(fc.array(fc.oneof(line, fc.string(), fc.json()), { maxLength: 20 }), (lines) => {
			for (const { kind, body } of events(lines)) v.parse(eventSchemas[kind], body)
		}),
		{ numRuns: 300 },
	)
})

test('equal JSON is equal', () => {
	fc.assert(
		fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
			const turned = Object.fromEntries(Object.entries(value).reverse())
			expect(canonical(turned)).toBe(canonical(value))
			expect(JSON.parse(canonical(value))).toEqual(JSON.parse(JSON.stringify(value)))
		}),
	)
})
