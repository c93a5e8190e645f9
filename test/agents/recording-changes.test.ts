import { expect, test } from 'vitest'
import type { AgentOutput } from '../../source/agents/agent.ts'
import { changedFields, changedOutputs } from '../tools/recording-changes.ts'

test('types and fields that came or went are named, values and what the agent was told are not', () => {
	const before = [
		{ prompt: 'HELLO' },
		{ event: { type: 'part', id: 'a', list: [{ n: 1 }] } },
		{ event: { type: 'old', id: 'b' } },
	]
	const after = [
		{ prompt: 'ELSE', more: 1 },
		{ event: { type: 'part', id: 'z', list: [{ n: '1' }, { m: null }] } },
		{ line: { type: 'new', subtype: 'kind' } },
		{ dir: 'in', line: { type: 'ours' } },
		{ message: { method: 'call', params: {} } },
	]
	expect(changedFields(before, before)).toEqual([])
	expect(changedFields(before, after)).toEqual([
		'+ call (new)',
		'+ new/kind (new)',
		'- old (gone)',
		'+ part  list[].m: null',
		'- part  list[].n: number',
		'+ part  list[].n: string',
	])
})

let second = 0
function session(id: string, ...pieces: string[]): AgentOutput[] {
	const at = `2026-01-01T00:00:0${second++}.000Z`
	const text = pieces.join('')
	let offset = 0
	return [
		...pieces.map((piece): AgentOutput => {
			offset += piece.length
			const kind = 'agent_response' as const
			return { type: 'text', block: id, kind, offset: offset - piece.length, text: piece }
		}),
		{
			type: 'event',
			at,
			event: { kind: 'agent_response', body: { text, block: id, model: null, parent: null } },
		},
	]
}

test('a session is the same with other ids and times, and text in other pieces', () => {
	expect(changedOutputs(session('block-1', 'Hel', 'lo'), session('another', 'Hello'))).toEqual([])
})

test('what a session says otherwise is shown', () => {
	const changed = changedOutputs(session('block-1', 'Hello'), session('block-1', 'Hello you'))
	expect(changed).toHaveLength(4)
	expect(changed.filter((line) => line.startsWith('+ ')).join()).toContain('Hello you')
})
