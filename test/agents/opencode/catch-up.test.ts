import * as v from 'valibot'
import { expect, test } from 'vitest'
import { readMissed } from '../../../source/agents/opencode/catch-up.ts'

const text = (id: string, end?: number) => ({
	id,
	type: 'text',
	text: id,
	time: end === undefined ? { start: 1 } : { start: 1, end },
})
const message = (id: string, created: number, ...parts: object[]) => ({
	info: { id, role: 'assistant', time: { created } },
	parts,
})

function missed(answers: Record<string, unknown>, working: string[] = ['s1']) {
	const given: Record<string, unknown> = {
		'/session/s1/children': [],
		'/session/s1/message': [],
		'/permission': [],
		'/question': [],
		'/session/status': {},
		...answers,
	}
	const server = {
		async read<T extends v.GenericSchema>(path: string, schema: T) {
			return v.parse(schema, given[path])
		},
	}
	const knows = (id: string) => id === 'known'
	return readMissed(server, { sessions: ['s1'], working, knows, since: 1000 })
}

const told = async (...given: Parameters<typeof missed>) =>
	(await missed(...given)).lines.map((line) => {
		const { type, properties } = JSON.parse(line)
		const { info, part, sessionID, id } = properties
		return [type, info?.id ?? part?.id ?? sessionID ?? id]
	})

test('messages of this run are told, an older one of a resumed session is not', async () => {
	const messages = [
		message('old', 1, text('a', 2)),
		message('known', 1, text('b', 2), { id: 'c', type: 'tool' }),
		message('new', 2000, text('d', 2)),
	]
	expect(await told({ '/session/s1/message': messages }, [])).toEqual([
		['message.updated', 'known'],
		['message.part.updated', 'b'],
		['message.part.updated', 'c'],
		['message.updated', 'new'],
		['message.part.updated', 'd'],
	])
})

test('a text that is being written is left to its own end', async () => {
	const messages = [message('known', 1, text('begun'), text('done', 2))]
	expect(await told({ '/session/s1/message': messages }, [])).toEqual([
		['message.updated', 'known'],
		['message.part.updated', 'done'],
	])
})

test('sub-agents that began meanwhile are followed, before what they said', async () => {
	const answers = {
		'/session/s1/children': [{ id: 's2' }],
		'/session/s2/children': [],
		'/session/s2/message': [message('inner', 2000)],
	}
	expect(await told(answers, [])).toEqual([
		['session.created', 's2'],
		['message.updated', 'inner'],
	])
})

test('what waits is asked again, and named as open', async () => {
	const answers = { '/permission': [{ id: 'p1' }], '/question': [{ id: 'q1' }] }
	expect(await told(answers, [])).toEqual([
		['permission.asked', 'p1'],
		['question.asked', 'q1'],
	])
	expect((await missed(answers)).open).toEqual(new Set(['p1', 'q1']))
})

test('a session that came to rest meanwhile has ended its turn; one that works works on', async () => {
	expect(await told({})).toEqual([['session.idle', 's1']])
	expect(await told({}, [])).toEqual([])
	expect(await told({ '/session/status': { s1: { type: 'busy' } } })).toEqual([
		['session.status', 's1'],
	])
})

test('an answer in a form that is not known is no answer', async () => {
	await expect(missed({ '/permission': { odd: 1 } })).rejects.toThrow()
})
