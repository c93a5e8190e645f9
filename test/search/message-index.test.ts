import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Document } from '../../source/search/document.ts'
import { fold, foldWithPlaces } from '../../source/search/fold.ts'
import { type Findings, MessageIndex } from '../../source/search/message-index.ts'
import { snippetLength, snippetOf } from '../../source/search/occurrences.ts'
import { emptyQuery, parseQuery, type Query } from '../../source/search/query.ts'
import { document, slowFind } from './_documents.ts'

const all = (_session: string) => true

async function find(
	index: MessageIndex,
	query: Query,
	limit = 1000,
	fits = all,
): Promise<Findings> {
	let last: Findings | null = null
	for await (const findings of index.find(query, limit, fits)) last = findings
	if (!last?.done) throw new Error('it did not come to an end')
	return last
}

const places = ({ found }: Findings) => found.map(({ session, seq }) => [session, seq])

function query(text: string): Query {
	const { query: parsed, problem } = parseQuery(text, new Date(0))
	if (!parsed) throw new Error(problem?.message)
	return parsed
}

async function indexOf(...texts: string[]): Promise<MessageIndex> {
	const index = new MessageIndex()
	for (const [seq, text] of texts.entries()) index.add(document({ seq, at: seq, text }))
	await index.settle()
	return index
}

// Few letters, so that words meet; with what folds, joins and hides.
const letter = fc.constantFrom(
	...['a', 'b', 'A', 'é', 'e\u0301', 'ß', 's', 'Σ', 'ς', 'ı', '_', '1', ' ', '\n', '-', '.', '/'],
	...['\u200b', '\u00ad', '\u202e', '漢', '字', '👍🏽', '𝐀', 'ﬁ', 'İ', '\ud800', '\u0000'],
)
const text = fc.array(letter, { maxLength: 40 }).map((letters) => letters.join(''))
const long = fc
	.tuple(fc.array(fc.constantFrom('a', 'b', '1'), { minLength: 60, maxLength: 200 }), text)
	.map(([letters, rest]) => `${rest}${letters.join('')}${rest}`)
const term = fc
	.oneof(
		fc.array(letter, { minLength: 1, maxLength: 4 }),
		fc.array(fc.constantFrom('a', 'b', '1'), { minLength: 20, maxLength: 50 }),
	)
	.map((letters) => fold(letters.join('')).trim())
	.filter((each) => each !== '')
const documents: fc.Arbitrary<Document[]> = fc
	.array(fc.tuple(fc.oneof(text, long), fc.integer({ min: 0, max: 5 }), fc.boolean()), {
		maxLength: 30,
	})
	.map((parts) =>
		parts.map(([each, at, response], seq) =>
			document({ seq, at, text: each, facets: response ? ['response'] : ['tool', 'error'] }),
		),
	)
/** Terms that occur in the documents, and such that may. */
const termsFor = (made: readonly Document[]) => {
	const from = made.map((each) => fold(each.text)).filter((each) => each !== '')
	if (from.length === 0) return term
	const inside = fc
		.tuple(fc.constantFrom(...from), fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(70))
		.map(([each, at, length]) => each.slice(Math.floor(at * each.length)).slice(0, length + 1))
		.filter((each) => each.trim() === each && each !== '')
	return fc.oneof(term, inside)
}
const queriesOf = (terms: fc.Arbitrary<string>): fc.Arbitrary<Query> =>
	fc.record({
		terms: fc.array(
			fc.record({
				text: terms,
				not: fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, fc.boolean()),
			}),
			{ maxLength: 3 },
		),
		conditions: fc.array(
			fc.record({
				field: fc.constant('kind' as const),
				values: fc.constantFrom(['response'], ['tool', 'file'], ['error']),
				not: fc.boolean(),
			}),
			{ maxLength: 1 },
		),
		from: fc.constantFrom(null, 0, 2),
		to: fc.constantFrom(null, 3, 5),
	})
const cases = documents.chain((made) => fc.tuple(fc.constant(made), queriesOf(termsFor(made))))

test('finds what looking through every text finds, in the same order, wherever it lies', async () => {
	await fc.assert(
		fc.asyncProperty(cases, fc.nat(30), async ([made, asked], split) => {
			const index = new MessageIndex()
			for (const each of made.slice(0, split)) index.add(each)
			await index.settle()
			for (const each of made.slice(split)) index.add(each)
			const expected = slowFind(made, asked)
			const findings = await find(index, asked)
			expect(places(findings)).toEqual(expected)
			expect(findings.total).toBe(expected.length)
			const few = await find(index, asked, 3)
			expect(places(few)).toEqual(expected.slice(0, 3))
			expect(few.total).toBe(expected.length)
		}),
		{ numRuns: 500 },
	)
})

test('small segments are put together, and lose nothing', async () => {
	const index = new MessageIndex()
	for (let seq = 1; seq <= 40; seq++) {
		index.add(document({ seq, at: seq, text: `number ${seq}` }))
		await index.settle()
	}
	expect(index.segments.length).toBeLessThan(10)
	expect(index.size).toBe(40)
	expect((await find(index, query('number'))).total).toBe(40)
	expect(places(await find(index, query('17')))).toEqual([['a', 17]])
})

test('what is added while a segment is being kept stays', async () => {
	const index = new MessageIndex()
	index.add(document({ seq: 1, text: 'one' }))
	const { promise, resolve } = Promise.withResolvers<void>()
	const { keepInMemory } = await import('../../source/search/message-index.ts')
	const settled = index.settle(async (data, blocks) => {
		await promise
		return keepInMemory(data, blocks)
	})
	index.add(document({ seq: 2, text: 'two' }))
	resolve()
	await settled
	expect(index.pending).toBe(1)
	expect(places(await find(index, query('two')))).toEqual([['a', 2]])
	expect(places(await find(index, query('one')))).toEqual([['a', 1]])
})

describe('what people expect', () => {
	test.each([
		['whole words first, then beginnings, then insides', 'limit', [4, 1, 3, 2, 0]],
		['phrases over line ends', '"rate limit"', [1]],
		['parts of names', 'login.ts', [5]],
		['without accents and case', 'uber', [6]],
		['not', 'limit -rate', [4, 3, 0]],
	])('%s', async (_, text, expected) => {
		const index = await indexOf(
			'unlimited',
			'a rate\n  limit',
			'RateLimiting',
			'limits',
			'the limit',
			'src/routes/login.ts',
			'ÜBER',
		)
		expect(places(await find(index, query(text))).map(([, seq]) => seq)).toEqual(expected)
	})

	test('a long word that stands for itself comes before one that it begins', async () => {
		for (const length of [33, 34, 50, 65, 120]) {
			const word = 'ab1'.repeat(50).slice(0, length)
			const index = await indexOf(word, `${word}x`, `x${word}`)
			expect(places(await find(index, query(word))).map(([, seq]) => seq)).toEqual([0, 1, 2])
		}
	})

	test('only sessions that are meant', async () => {
		const index = new MessageIndex()
		index.add(document({ session: 'a', text: 'same' }))
		index.add(document({ session: 'b', text: 'same' }))
		await index.settle()
		const findings = await find(index, query('same'), 10, (id) => id === 'b')
		expect(places(findings)).toEqual([['b', 1]])
		expect(places(await find(index, emptyQuery))).toHaveLength(2)
	})
})

describe('folding', () => {
	test('with places says the same as without, and where it stood', () => {
		fc.assert(
			fc.property(fc.oneof(text, fc.string({ unit: 'grapheme' })), (raw) => {
				const { text: folded, from } = foldWithPlaces(raw)
				expect(folded).toBe(fold(raw))
				expect(from).toHaveLength(folded.length + 1)
				for (let at = 0; at < folded.length; at++) {
					expect(from[at] ?? 0).toBeLessThanOrEqual(from[at + 1] ?? 0)
				}
			}),
			{ numRuns: 500 },
		)
	})

	test('folds what is folded to itself', () => {
		fc.assert(
			fc.property(fc.oneof(text, fc.string({ unit: 'grapheme' })), (raw) => {
				expect(fold(fold(raw))).toBe(fold(raw))
			}),
		)
	})
})

describe('snippets', () => {
	test('are short, and mark what folds to a term', () => {
		fc.assert(
			fc.property(
				fc.array(fc.oneof(text, long), { maxLength: 40 }),
				fc.array(term, { minLength: 1, maxLength: 3 }),
				(parts, terms) => {
					const raw = parts.join(' ')
					const { snippet, matches } = snippetOf(raw, terms)
					expect(raw).toContain(snippet)
					expect(snippet.length).toBeLessThanOrEqual(snippetLength)
					const occurs = terms.some((each) => fold(raw).includes(each))
					expect(matches.length > 0).toBe(occurs)
					let last = -1
					for (const [from, to] of matches) {
						// Neither overlapping nor side by side.
						expect(from).toBeGreaterThan(last)
						expect(to).toBeGreaterThan(from)
						expect(to).toBeLessThanOrEqual(snippet.length)
						last = to
					}
				},
			),
			{ numRuns: 300 },
		)
	})

	test('are from where the words are in a long text', () => {
		const raw = `${'filler '.repeat(20_000)}needle ${'filler '.repeat(20_000)}`
		const { snippet, matches } = snippetOf(raw, ['needle'])
		expect(matches.map(([from, to]) => snippet.slice(from, to))).toEqual(['needle'])
	})
})
