import { readFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { parseQuery } from '../../source/search/query.ts'
import { facets, fields, stateWords } from '../../source/search/query-fields.ts'

const now = new Date(2026, 10, 25, 12, 30)
const parse = (text: string, typing = false) => parseQuery(text, now, { typing })
const terms = (text: string) =>
	parse(text).query?.terms.map(({ text: term, not }) => (not ? `-${term}` : term))
const local = (...parts: [number, number, number, number?, number?]) =>
	new Date(parts[0], parts[1] - 1, parts[2], parts[3] ?? 0, parts[4] ?? 0).getTime()

describe('words', () => {
	test.each([
		['rate limit', ['rate', 'limit']],
		['"rate  Limit"', ['rate limit']],
		['“rate limit” x', ['rate limit', 'x']],
		['«rate limit»', ['rate limit']],
		['login -test -"unit test"', ['login', '-test', '-unit test']],
		['--force -', ['--force', '-']],
		['https://example.com/a:b', ['https://example.com/a:b']],
		['std::vector C:\\dir localhost:3000', ['std::vector', 'c:\\dir', 'localhost:3000']],
		['TypeError: x', ['typeerror:', 'x']],
		['12:30', ['12:30']],
		['Füße İ ＦＵＬＬ', ['fusse', 'i', 'full']],
		['', []],
	])('%s', (text, expected) => expect(terms(text)).toEqual(expected))
})

describe('fields', () => {
	test('several values of one field, by comma, quoted, turned round', () => {
		expect(parse('agent:codex,claude -project:"my app" repo:x').query?.conditions).toEqual([
			{ field: 'agent', values: ['codex', 'claude'], not: false },
			{ field: 'project', values: ['my app'], not: true },
			{ field: 'project', values: ['x'], not: false },
		])
	})

	test('plurals and other words for the same', () => {
		expect(parse('kind:edits type:Shell is:ended').query?.conditions).toEqual([
			{ field: 'kind', values: ['file'], not: false },
			{ field: 'kind', values: ['command'], not: false },
			{ field: 'is', values: ['over'], not: false },
		])
	})
})

describe('times', () => {
	test.each([
		['since:7d', now.getTime() - 7 * 86_400_000, null],
		['since:2h until:30m', now.getTime() - 7_200_000, now.getTime() - 1_800_000],
		['since:2mo', local(2026, 9, 25, 12, 30), null],
		['since:today', local(2026, 11, 25), null],
		['until:yesterday', null, local(2026, 11, 25)],
		['before:yesterday', null, local(2026, 11, 24)],
		['after:2026-11-01', local(2026, 11, 2), null],
		['on:2026-11-01', local(2026, 11, 1), local(2026, 11, 2)],
		['since:2026-11', local(2026, 11, 1), null],
		['until:2026-11', null, local(2026, 12, 1)],
		['since:monday', local(2026, 11, 23), null],
		['since:wed', local(2026, 11, 25), null],
		['since:2026-11-01T10:30', local(2026, 11, 1, 10, 30), null],
		['since:2026-11-01T10:30Z', Date.UTC(2026, 10, 1, 10, 30), null],
		['since:7d since:2d', now.getTime() - 2 * 86_400_000, null],
	])('%s', (text, from, to) => {
		expect(parse(text).query).toMatchObject({ from, to })
	})
})

describe('what is wrong says where, and what to write', () => {
	test.each([
		['x agnt:codex', 'unknown_field', 2, 'did you mean agent:'],
		['node:fs', 'unknown_field', 0, 'write "node:fs" with its quotes'],
		['x -foo:bar', 'unknown_field', 2, 'write "foo:bar"'],
		['kind:promt', 'bad_field_value', 5, 'did you mean prompt'],
		['is:zzz', 'bad_field_value', 3, 'it takes waiting,'],
		['since:soon', 'bad_field_value', 6, '"soon" is no time'],
		['since:2026-02-31', 'bad_field_value', 6, 'is no time'],
		['-since:7d', 'bad_field_value', 7, "can't be turned round"],
		['since:1d,2d', 'bad_field_value', 6, 'takes one time'],
		['agent: x', 'bad_field_value', 0, 'agent: needs a value, such as agent:codex'],
		['a "b c', 'unclosed_quote', 2, 'has no end'],
		['a "" b', 'empty_term', 2, 'nothing to look for'],
	])('%s', (text, code, at, message) => {
		const { problem } = parse(text)
		expect(problem).toMatchObject({ code, at })
		expect(problem?.message).toContain(message)
	})

	test('while it is being typed, its unfinished end is no mistake', () => {
		for (const text of ['agent:', 'kind:pro', 'a "b c', 'a "', 'since:2026-1', 'status:']) {
			expect(parse(text, true).problem, text).toBeNull()
		}
		expect(parse('kind:pro x', true).problem).toMatchObject({ code: 'bad_field_value' })
		expect(parse('kind:xyz', true).problem).toMatchObject({ code: 'bad_field_value' })
	})
})

test('the documentation has every field and every word that they take', async () => {
	const docs = await readFile(new URL('../../docs/viewer.md', import.meta.url), 'utf8')
	for (const { name, example } of fields) {
		expect(docs, name).toContain(`\`${name}:`)
		expect(parse(example).problem, example).toBeNull()
	}
	// `is:archived` is of the list of sessions.
	for (const word of [...facets, ...stateWords.values()]) expect(docs).toContain(`${word}\``)
})
