import fc from 'fast-check'
import * as v from 'valibot'
import { expect, test } from 'vitest'
import { EventReader } from '../../../source/agents/opencode/reader.ts'
import { readEvents } from '../../../source/agents/opencode/sse.ts'
import { cleanEvent } from '../../../source/host/clean-event.ts'
import { eventSchemas } from '../../../source/protocol/events.ts'
import { events, requests } from '../../tools/outputs.ts'
import { names, play, type Recorded, recording } from './_recording.ts'

const all = names.flatMap((name) => recording(name))
const lines = all.flatMap(({ event }) => (event ? [JSON.stringify(event)] : []))

/** None of it may throw, and whatever comes out has the form of an event. */
function survive(reader: EventReader, line: string): void {
	for (const output of reader.read(line, '2026-11-25T00:00:00.000Z').outputs) {
		if (output.type !== 'event') continue
		const { kind, body } = cleanEvent(output.event)
		v.parse(eventSchemas[kind], body)
	}
}

test('half events, and events with anything anywhere', () => {
	const reader = new EventReader()
	fc.assert(
		fc.property(fc.constantFrom(...lines), fc.double({ min: 0, max: 1 }), (line, at) => {
			survive(reader, line.slice(0, Math.floor(line.length * at)))
		}),
	)
	fc.assert(
		fc.property(fc.constantFrom(...lines), fc.jsonValue(), fc.nat(), (line, value, at) => {
			survive(reader, JSON.stringify(replaced(JSON.parse(line), value, at)))
		}),
		{ numRuns: 500 },
	)
	fc.assert(fc.property(fc.string(), (text) => survive(reader, text)))
	fc.assert(fc.property(fc.json(), (text) => survive(reader, text)))
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

test('new fields and types of a newer version change nothing', () => {
	const newer = all.map(({ event, ...rest }): Recorded => {
		if (!event) return rest
		const properties = { ...event.properties, newField: { deep: [1] } }
		return { event: { ...event, properties } }
	})
	expect(play(newer).outputs).toEqual(play(all).outputs)
	const unknown = play([
		{ event: { id: 'e', type: 'session.dream', properties: { text: 'secret' } } },
		{ event: { id: 'e', type: '\u001B[2J', properties: {} } },
	])
	expect(events(unknown.outputs)).toEqual([
		{ kind: 'system', body: { type: 'opencode/session.dream', text: null, data: null } },
		{ kind: 'system', body: { type: 'opencode/??2J', text: null, data: null } },
	])
})

const permission = {
	id: 'per_1',
	sessionID: 's',
	permission: 'bash',
	patterns: ['ls'],
	metadata: {},
	always: [],
}
const asking = (properties: unknown, type = 'permission.asked') =>
	JSON.stringify({ id: 'e', type, properties })

let deep: unknown = 'x'
for (let n = 0; n < 200; n++) deep = [deep]

test.each([
	['no permission', { ...permission, permission: '' }],
	['patterns that are none', { ...permission, patterns: 'ls' }],
	['a metadata nested too deeply', { ...permission, metadata: { deep } }],
	['rules that are none', { ...permission, always: [{}] }],
	['a call that is none', { ...permission, tool: 'bash' }],
])('a request with %s is refused, and never shown as one that can be allowed', (_what, asked) => {
	const reader = new EventReader()
	const step = reader.read(asking(asked), '')
	expect(step.refuse).toEqual([{ id: 'per_1', kind: 'permission' }])
	expect(requests(step.outputs)).toEqual([])
	expect(reader.request('per_1')).toBeNull()
})

test('a request without an id that fits into an address is not shown either', () => {
	for (const id of ['../session/x/abort', '', 7, undefined, 'x'.repeat(300), 'a/b?c']) {
		const step = new EventReader().read(asking({ ...permission, id }), '')
		expect([step.refuse, requests(step.outputs)]).toEqual([[], []])
	}
})

test('a question without questions is refused', () => {
	const step = new EventReader().read(
		asking({ id: 'que_1', sessionID: 's', questions: [] }, 'question.asked'),
		'',
	)
	expect(step.refuse).toEqual([{ id: 'que_1', kind: 'question' }])
})

test('asked again under the same id, what was shown stays', () => {
	const reader = new EventReader()
	const first = reader.read(asking({ ...permission, metadata: { command: 'ls' } }), '')
	const again = reader.read(asking({ ...permission, metadata: { command: 'rm -rf /' } }), '')
	expect(requests(first.outputs)).toHaveLength(1)
	expect([again.outputs, again.refuse]).toEqual([[], []])
})

async function* bytes(...chunks: (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
	for (const chunk of chunks) yield typeof chunk === 'string' ? Buffer.from(chunk) : chunk
}

test('events come whole however they are cut, and what is none is passed over', async () => {
	const read = async (...chunks: string[]) => {
		const found: (string | null)[] = []
		for await (const event of readEvents(bytes(...chunks))) found.push(event)
		return found
	}
	const text = 'event: x\nid: 7\n: comment\ndata: {"a":"ä"}\r\n\r\nretry: 5\n\ndata:{"b":2}\n\n'
	expect(await read(text)).toEqual(['{"a":"ä"}', '{"b":2}'])
	expect(await read(...text)).toEqual(['{"a":"ä"}', '{"b":2}'])
})

test('an event of 100 MB is left out, and the next one is read', async () => {
	const chunk = Buffer.alloc(1024 * 1024, 'x')
	const long = Array.from({ length: 100 }, () => chunk)
	const found: (string | null)[] = []
	for await (const event of readEvents(bytes('data: ', ...long, '\n\ndata: {"next":1}\n\n'))) {
		found.push(event)
	}
	expect(found).toEqual([null, '{"next":1}'])
})
