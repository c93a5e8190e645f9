import { join } from 'node:path'
import * as v from 'valibot'
import { describe, expect, test } from 'vitest'
import { eventSchemas } from '../../../source/protocol/events.ts'
import { events, requests } from '../../tools/outputs.ts'
import { fixtures, names, newReader, play, recording } from './_recording.ts'

test('there are recordings of every kind of run', () => {
	expect(names).toHaveLength(11)
})

describe.each(names)('%s', (name) => {
	test('gives what it gave', async () => {
		const { outputs } = play(recording(name))
		await expect(`${JSON.stringify(outputs, null, '\t')}\n`).toMatchFileSnapshot(
			join(fixtures, 'golden', `${name}.json`),
		)
	})

	test('every event is one by its schema, and nothing of it is unknown', () => {
		for (const event of events(play(recording(name)).outputs)) {
			v.parse(eventSchemas[event.kind], event.body)
			if (event.kind === 'system') expect(event.body.type).not.toMatch(/^gemini\//)
		}
	})

	test('text in pieces is the text of the event with the same block', () => {
		const { outputs } = play(recording(name))
		for (const event of events(outputs)) {
			if (event.kind !== 'agent_response') continue
			const { text, block } = event.body
			const pieces = outputs.flatMap((one) =>
				one.type === 'text' && one.block === block ? [one] : [],
			)
			expect(pieces.map((piece) => piece.text).join('')).toBe(text)
		}
	})

	test('what was asked has one end, what was called one result', () => {
		const { outputs } = play(recording(name))
		for (const { id } of requests(outputs)) {
			const ends = outputs.filter((one) => 'id' in one && one.id === id && one.type !== 'request')
			expect(ends).toHaveLength(1)
		}
		const results = events(outputs).flatMap((event) =>
			event.kind === 'tool_result' ? [event.body.tool_use] : [],
		)
		expect(new Set(results).size).toBe(results.length)
	})
})

test('a denial chooses none of the options, and hands its reason over', () => {
	expect(play(recording('command-deny')).chosen).toEqual(['Denied by the user: keep the build'])
})

test('"for this session" chooses what holds for this session, where it was shown', () => {
	const { chosen, outputs } = play(recording('command-session'))
	expect(chosen).toEqual(['proceed_always'])
	expect(requests(outputs).map(({ ask }) => ask.session_rules)).toEqual([
		[{ tool: 'run_shell_command', rule: 'touch *' }],
	])
})

test('what was said before a session was loaded is not news', () => {
	const steps = recording('command-allow')
	const reader = newReader()
	reader.replaying = true
	const updates = steps.filter(({ line }) => line?.method === 'session/update')
	reader.skip(steps.flatMap(({ chat }) => chat ?? []))
	expect(play(updates, reader).outputs).toEqual([])
	reader.replaying = false
	const again = play(steps, reader).outputs
	expect(events(again).filter(({ kind }) => kind === 'usage')).toEqual([])
	expect(events(again).some(({ kind }) => kind === 'agent_response')).toBe(true)
})

test('a mode is believed only when it was asked for', () => {
	const line = (text: string) => ({
		line: {
			method: 'session/update',
			params: {
				sessionId: 's',
				update: { sessionUpdate: 'agent_message_chunk', content: { type: 'text', text } },
			},
		},
	})
	const reader = newReader()
	const lied = play([line('[MODE_UPDATE] plan')], reader)
	expect(lied.outputs.some(({ type }) => type === 'about')).toBe(false)
	expect(events(lied.outputs)).toMatchObject([{ kind: 'agent_response' }])
	reader.expectMode('plan')
	expect(play([line('[MODE_UPDATE] plan')], reader).outputs).toEqual([
		{ type: 'about', mode: 'plan', asks: true },
	])
	expect(reader.mode).toBe('plan')
})

test('tokens of a response that is written down again under another id count once', () => {
	const [response] = recording('command-allow').flatMap(({ chat }) => chat ?? [])
	if (response === undefined) throw new Error('no response')
	const count = (...chat: (typeof response)[]) =>
		events(play([{ chat }]).outputs).filter(({ kind }) => kind === 'usage').length
	expect(count(response, { ...response, id: 'other' })).toBe(2)
	expect(count(response, { ...response, id: 'other', again: true })).toBe(1)
})
