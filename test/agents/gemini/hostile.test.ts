import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import fc from 'fast-check'
import * as v from 'valibot'
import { expect, test } from 'vitest'
import type { AgentOutput } from '../../../source/agents/agent.ts'
import {
	ChatMessages,
	parseChatDocument,
	parseChatLine,
} from '../../../source/agents/gemini/chat-lines.ts'
import { gemini } from '../../../source/agents/gemini/index.ts'
import type { AcpReader } from '../../../source/agents/gemini/reader.ts'
import { Rpc } from '../../../source/agents/gemini/rpc.ts'
import { cleanEvent } from '../../../source/host/clean-event.ts'
import { eventSchemas } from '../../../source/protocol/events.ts'
import { events, requests } from '../../tools/outputs.ts'
import { names, newReader, play, type Recorded, recording } from './_recording.ts'

const all = names.flatMap((name) => recording(name))
const lines = all.flatMap(({ line }) => (line ? [JSON.stringify(line)] : []))
const chats = all.flatMap(({ chat }) => (chat ?? []).map((message) => JSON.stringify(message)))

/** None of it may throw, and whatever comes out has the form of an event. */
function survive(reader: AcpReader, rpc: Rpc, text: string): void {
	const at = '2026-11-25T00:00:00.000Z'
	const message = rpc.receive(text)
	const outputs =
		message.type === 'notification'
			? reader.update(message.params, at)
			: message.type === 'request'
				? (reader.asked(message.id, message.params, at) ?? [])
				: []
	const line = parseChatLine(text)
	if (line !== null) outputs.push(...reader.chat(new ChatMessages().push(line), at))
	outputs.push(...reader.turnOver({ ok: true, result: message }, at))
	for (const output of outputs) {
		if (output.type !== 'event') continue
		const { kind, body } = cleanEvent(output.event)
		v.parse(eventSchemas[kind], body)
	}
}

test('half lines, and lines with anything anywhere', () => {
	const reader = newReader()
	const rpc = new Rpc(async () => true)
	const any = fc.constantFrom(...lines, ...chats)
	fc.assert(
		fc.property(any, fc.double({ min: 0, max: 1, noNaN: true }), (line, at) => {
			survive(reader, rpc, line.slice(0, Math.floor(line.length * at)))
		}),
	)
	fc.assert(
		fc.property(any, fc.jsonValue(), fc.nat(), (line, value, at) => {
			survive(reader, rpc, JSON.stringify(replaced(JSON.parse(line), value, at)))
		}),
		{ numRuns: 500 },
	)
	fc.assert(fc.property(fc.string(), (text) => survive(reader, rpc, text)))
	fc.assert(fc.property(fc.json(), (text) => survive(reader, rpc, text)))
	fc.assert(
		fc.property(fc.json(), (text) => {
			parseChatDocument(text)
		}),
	)
})

/** The same with one of its values replaced. */
function replaced(value: unknown, by: unknown, at: number): unknown {
	let count = -1
	const places = JSON.stringify(value, (_key, item) => {
		count++
		return item
	})
	const place = at % (count + 1)
	count = -1
	return JSON.parse(places, (_key, item) => {
		count++
		return count === place ? by : item
	})
}

test('new fields of a newer version change nothing', () => {
	const newer = all.map((step): Recorded => {
		if (step.line?.params === undefined) return step
		const params = { ...step.line.params, newField: { deep: [1] } }
		return { ...step, line: { ...step.line, params } }
	})
	expect(play(newer).outputs).toEqual(play(all).outputs)
})

test('an update of an unknown type is kept by its name alone', () => {
	const update = (sessionUpdate: string) => ({
		line: {
			method: 'session/update',
			params: { sessionId: 's', update: { sessionUpdate, token: 'secret' } },
		},
	})
	expect(play([update('dream'), update('\u001B[2J')]).outputs).toMatchObject([
		{ event: { kind: 'system', body: { type: 'gemini/dream', text: null, data: null } } },
		{ event: { kind: 'system', body: { type: 'gemini/??2J', text: null, data: null } } },
	])
})

const once = { optionId: 'proceed_once', name: 'Allow', kind: 'allow_once' }
const always = { optionId: 'proceed_always', name: 'For this session', kind: 'allow_always' }
const forever = { optionId: 'proceed_always_and_save', name: 'For ever', kind: 'allow_always' }
const reject = { optionId: 'cancel', name: 'Reject', kind: 'reject_once' }
const call = {
	toolCallId: 'run_shell_command__run_shell_command_1_0',
	title: 'ls',
	kind: 'execute',
}
const asked = { sessionId: 's', options: [once, always, reject], toolCall: call }

let deep: unknown = 'x'
for (let n = 0; n < 200; n++) deep = [deep]

test.each([
	['no options', { ...asked, options: [] }],
	['options that are none', { ...asked, options: ['proceed_once'] }],
	['no way to deny it', { ...asked, options: [once, always] }],
	['no title', { ...asked, toolCall: { ...call, title: '' } }],
	['a title that is none', { ...asked, toolCall: { ...call, title: { text: 'ls' } } }],
	['content of an unknown type', { ...asked, toolCall: { ...call, content: [{ type: 'movie' }] } }],
	['a diff without its new text', { ...asked, toolCall: { ...call, content: [{ type: 'diff' }] } }],
	['no call', { ...asked, toolCall: null }],
	['text nested too deeply', deep],
])('a request with %s is refused, and never shown as one that can be allowed', (_what, params) => {
	expect(newReader().asked(0, params, '')).toBeNull()
})

test('an option of another name, or for longer than this session, is never chosen', () => {
	const answers = (options: unknown[]) =>
		(['once', 'session'] as const).map((scope) => {
			const reader = newReader()
			const [request] = requests(reader.asked(0, { ...asked, options }, '') ?? [])
			const given = reader.answer(request?.id ?? '', { decision: 'allow', scope })
			return given?.taken ? given.optionId : null
		})
	expect(answers([once, always, reject])).toEqual(['proceed_once', 'proceed_always'])
	expect(answers([once, forever, reject])).toEqual(['proceed_once', 'proceed_once'])
	expect(answers([{ ...once, kind: 'reject_once' }, reject])).toEqual([null, null])
	expect(answers([{ ...once, optionId: 'proceed_more' }, forever, reject])).toEqual([null, null])
})

test('the id 0 is answered like any other, an answer is taken once', () => {
	const reader = newReader()
	const [request] = requests(reader.asked(0, asked, '') ?? [])
	const allow = { decision: 'allow', scope: 'once' } as const
	expect(reader.answer('id-7', allow)).toBeNull()
	expect(reader.answer(request?.id ?? '', allow)?.rpc).toBe(0)
	expect(reader.answer(request?.id ?? '', allow)).toBeNull()
})

test('a changed input is a denial: there is no way to hand it over', () => {
	const reader = newReader()
	const [request] = requests(reader.asked(0, asked, '') ?? [])
	const given = reader.answer(request?.id ?? '', {
		decision: 'allow',
		scope: 'once',
		input: { command: 'ls /' },
	})
	expect(given).toMatchObject({ taken: false })
	expect(given?.optionId).not.toMatch(/proceed/)
})

test('no reason of a denial is an option', () => {
	for (const reason of ['proceed_once', '', '\n', 'x'.repeat(1e5)]) {
		const reader = newReader()
		const [request] = requests(reader.asked(0, asked, '') ?? [])
		const given = reader.answer(request?.id ?? '', { decision: 'deny', reason })
		expect(given?.optionId).toBe(`Denied by the user: ${reason}`)
	}
})

test.skipIf(process.platform === 'win32')(
	'a whole session of it: garbage, lines over any cap, and requests that are none, none of them approved',
	async () => {
		const folder = await mkdtemp(join(tmpdir(), 'styrby-test-'))
		try {
			const fake = join(import.meta.dirname, '_fake-gemini.cjs')
			const program = join(folder, 'gemini')
			await writeFile(program, `#!/bin/sh\nexec "${process.execPath}" "${fake}" "$@"\n`, {
				mode: 0o755,
			})
			const request = (id: unknown, params: unknown) =>
				JSON.stringify({ id, method: 'session/request_permission', params })
			const bad = [
				'garbage',
				'[]',
				'null',
				'{"id":null,"method":"session/request_permission"}',
				'{"id":1,"result":{"stopReason":"end_turn"}}',
				'{"id":99,"result":{}}',
				request(0, { ...asked, options: [] }),
				request('one', { ...asked, toolCall: null }),
				request(2, asked),
				JSON.stringify({
					id: 3,
					method: 'fs/write_text_file',
					params: { path: '/x', content: '' },
				}),
				JSON.stringify({ id: 4, method: 'terminal/create', params: { command: 'rm' } }),
				JSON.stringify({ method: 'session/update', params: deep }),
				`{"half": "a li`,
			]
			await writeFile(join(folder, 'lines'), bad.join('\n'))
			await writeFile(join(folder, 'answers'), '')
			const agent = await gemini.start({
				cwd: folder,
				args: [],
				headless: 'HI',
				requestTimeoutMs: 60_000,
				env: {
					PATH: `${folder}${delimiter}${process.env.PATH}`,
					HOME: folder,
					HOSTILE_LINES: join(folder, 'lines'),
					HOSTILE_ANSWERS: join(folder, 'answers'),
				},
			})
			const outputs: AgentOutput[] = []
			for await (const output of agent.output) outputs.push(output)
			expect((await agent.ended).code).toBe(0)
			expect(requests(outputs)).toHaveLength(1)
			// The one that could be answered was not: the turn was over.
			expect(outputs.filter(({ type }) => type === 'withdrawn')).toMatchObject([
				{ result: 'cancelled' },
			])
			const notices = events(outputs).flatMap((event) =>
				event.kind === 'system' && event.body.type === 'notice' ? [event.body.text] : [],
			)
			expect(notices).toEqual([
				'The agent asked something that the host does not understand; refused',
				'The agent asked something that the host does not understand; refused',
				'A line of the agent over 32 MiB was left out',
			])
			const answers = (await readFile(join(folder, 'answers'), 'utf8')).trim().split('\n')
			expect(
				answers.map((line) => JSON.parse(line)).map(({ id, error }) => [id, error?.code]),
			).toEqual([
				[0, -32602],
				['one', -32602],
				[3, -32601],
				[4, -32601],
			])
			expect(answers.join()).not.toMatch(/proceed/)
		} finally {
			await rm(folder, { recursive: true, force: true })
		}
	},
	120_000,
)
