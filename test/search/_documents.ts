import type { Document } from '../../source/search/document.ts'
import { fold } from '../../source/search/fold.ts'
import type { Query } from '../../source/search/query.ts'

export function document(change: Partial<Document> = {}): Document {
	return {
		session: 'a',
		seq: 1,
		at: 0,
		kind: 'agent_response',
		text: '',
		facets: ['response'],
		...change,
	}
}

const wordCharacter = /[\p{L}\p{N}_]/u

/** How well a folded term fits a folded text, character by character. */
function slowGrade(text: string, term: string): number {
	let best = 0
	for (let at = 0; at + term.length <= text.length; at++) {
		if (text.slice(at, at + term.length) !== term) continue
		const left = Array.from(text.slice(0, at)).at(-1) ?? ' '
		const right = Array.from(text.slice(at + term.length))[0] ?? ' '
		const [first = ' '] = Array.from(term)
		const last = Array.from(term).at(-1) ?? ' '
		const begins = !(wordCharacter.test(left) && wordCharacter.test(first))
		const ends = !(wordCharacter.test(last) && wordCharacter.test(right))
		best = Math.max(best, begins ? (ends ? 3 : 2) : 1)
	}
	return best
}

/** What a query finds, without an index: session and number, the best first. */
export function slowFind(documents: readonly Document[], query: Query): [string, number][] {
	const graded = documents.flatMap((each) => {
		const text = fold(each.text)
		if ((query.from ?? Number.NEGATIVE_INFINITY) > each.at) return []
		if ((query.to ?? Number.POSITIVE_INFINITY) <= each.at) return []
		const kinds = query.conditions.filter(({ field }) => field === 'kind')
		const fits = kinds.every(
			({ values, not }) => values.some((value) => each.facets.some((one) => one === value)) !== not,
		)
		if (!fits) return []
		let grade = 3
		for (const term of query.terms) {
			const one = slowGrade(text, term.text)
			grade = Math.min(grade, term.not ? (one > 0 ? 0 : 3) : one)
		}
		return grade === 0 ? [] : [{ each, grade }]
	})
	graded.sort((a, b) => b.grade - a.grade || b.each.at - a.each.at || b.each.seq - a.each.seq)
	return graded.map(({ each }) => [each.session, each.seq])
}
