/** The query language: words, "phrases", -not, and fields. Understood, or refused with the place. */

import { nearest } from '../text/nearest.ts'
import { fold } from './fold.ts'
import { facetWords, fields, stateWords, statusWords } from './query-fields.ts'
import { type Span, timeOf } from './time-words.ts'

/** A word or phrase that has to occur in the text, or must not. */
export interface Term {
	/** Folded (`fold`), never empty. */
	text: string
	not: boolean
}

export type FieldName = (typeof fields)[number]['name']

/** One field with its values, one of which must hold, or none of them. */
export interface Condition {
	field: Exclude<FieldName, 'since' | 'until'>
	/** Folded. */
	values: readonly string[]
	not: boolean
}

export interface Query {
	terms: readonly Term[]
	/** All must hold. */
	conditions: readonly Condition[]
	/** ms since the epoch: from is included, to is not. Absent: open. */
	from: number | null
	to: number | null
}

export interface QueryProblem {
	code: 'unknown_field' | 'bad_field_value' | 'unclosed_quote' | 'empty_term'
	/** One sentence: what is wrong and what to write. */
	message: string
	/** Offset in the query, UTF-16 units. */
	at: number
}

/** What a query says: exactly one of the two. */
export type Parsed = { query: Query; problem: null } | { query: null; problem: QueryProblem }

export const emptyQuery: Query = { terms: [], conditions: [], from: null, to: null }

/** Queries longer than this are cut off by whoever takes them; UTF-16 units. */
export const maxQueryLength = 1000

class Refusal extends Error {
	readonly problem: QueryProblem

	constructor(code: QueryProblem['code'], at: number, message: string) {
		super(message)
		this.problem = { code, message, at }
	}
}

/**
 * Understands a query. `typing`: it is being typed, so that a quote or a field at its very end that is not
 * finished is taken as far as it goes.
 */
export function parseQuery(text: string, now: Date, options: { typing?: boolean } = {}): Parsed {
	try {
		return { query: new Reader(text, now, options.typing === true).read(), problem: null }
	} catch (error) {
		if (error instanceof Refusal) return { query: null, problem: error.problem }
		throw error
	}
}

/** Opening quotes with what closes them: people paste them in all shapes. */
const quotes: Readonly<Record<string, string>> = { '"': '"', '“': '”', '„': '“', '«': '»' }

interface Value {
	text: string
	quoted: boolean
	at: number
}

class Reader {
	readonly #text: string
	readonly #now: Date
	readonly #typing: boolean
	readonly #terms: Term[] = []
	readonly #conditions: Condition[] = []
	#from: number | null = null
	#to: number | null = null
	#at = 0

	constructor(text: string, now: Date, typing: boolean) {
		this.#text = text
		this.#now = now
		this.#typing = typing
	}

	read(): Query {
		for (;;) {
			while (/\s/.test(this.#text[this.#at] ?? '')) this.#at++
			if (this.#at >= this.#text.length) break
			this.#item()
		}
		return {
			terms: this.#terms,
			conditions: this.#conditions,
			from: this.#from,
			to: this.#to,
		}
	}

	#item(): void {
		const start = this.#at
		// `--force` is looked for as it stands.
		const not = /^-[^\s-]/.test(this.#text.slice(start, start + 2))
		if (not) this.#at++
		const name = this.#fieldName()
		if (name === null) this.#term(start, not)
		else this.#field(name, start, not)
	}

	/** The name of the field that stands here, which is passed over; `null`: what stands here is none. */
	#fieldName(): string | null {
		const match = /^(\p{L}[\p{L}_-]*):/u.exec(this.#text.slice(this.#at, this.#at + 40))
		if (!match) return null
		const name = (match[1] ?? '').toLowerCase()
		const next = this.#text[this.#at + match[0].length] ?? ' '
		// `https://…`, `std::vector`, `localhost:3000`, `C:\`, and a colon at the end of a word, name no field.
		const known = findField(name) !== null
		if (!known && (/[\s/\\:\d]/.test(next) || name.length === 1)) return null
		this.#at += match[0].length
		return name
	}

	#term(start: number, not: boolean): void {
		const value = this.#value(false)
		const text = fold(value.text).trim()
		if (text === '') {
			if (this.#typing && this.#at >= this.#text.length) return
			throw new Refusal('empty_term', start, 'There is nothing to look for between the quotes.')
		}
		this.#terms.push({ text, not })
	}

	#field(name: string, start: number, not: boolean): void {
		const field = findField(name)
		if (!field) throw unknownField(name, this.#text, start)
		const values = [this.#value(true)]
		while (this.#text[this.#at] === ',') {
			this.#at++
			values.push(this.#value(true))
		}
		const filled = values.filter(({ text }) => text.trim() !== '')
		if (filled.length === 0) {
			if (this.#typing && this.#at >= this.#text.length) return
			throw new Refusal(
				'bad_field_value',
				start,
				`${name}: needs a value, such as ${field.example}.`,
			)
		}
		if (field.name === 'since' || field.name === 'until') this.#time(name, filled, not)
		else this.#condition(field.name, filled, not)
	}

	#condition(field: Condition['field'], values: readonly Value[], not: boolean): void {
		const checked = values.map((value) => {
			const text = fold(value.text).trim()
			const words = closedWords(field)
			if (!words) return text
			const found = words.get(text)
			if (found !== undefined) return found
			// It may become one with the next letters.
			const begun = this.#typing && this.#at >= this.#text.length
			if (begun && [...words.keys()].some((word) => word.startsWith(text))) return null
			throw badWord(field, value, [...new Set(words.keys())])
		})
		const whole = checked.filter((value) => value !== null)
		if (whole.length > 0) this.#conditions.push({ field, values: whole, not })
	}

	#time(name: string, values: readonly Value[], not: boolean): void {
		const [value] = values
		if (!value) return
		const wrong = (why: string) => new Refusal('bad_field_value', value.at, why)
		if (not)
			throw wrong(
				`-${name}: can't be turned round: write until: for since:, and since: for until:.`,
			)
		if (values.length > 1) throw wrong(`${name}: takes one time, not several.`)
		const span = timeOf(value.text, this.#now)
		if (!span) {
			if (this.#typing && this.#at >= this.#text.length) return
			throw wrong(
				`"${value.text}" is no time: write one such as 7d, 2h, today, yesterday, monday or 2026-11-01.`,
			)
		}
		this.#narrow(name, span)
	}

	#narrow(name: string, span: Span): void {
		const begins = name === 'since' || name === 'after' || name === 'on'
		const ends = name === 'until' || name === 'before' || name === 'on'
		const from = name === 'after' ? span.to : span.from
		const to = name === 'before' ? span.from : span.to
		if (begins) this.#from = Math.max(from, this.#from ?? from)
		if (ends) this.#to = Math.min(to, this.#to ?? to)
	}

	/** A word up to the next space (of a field: or comma), or what stands between quotes. */
	#value(inField: boolean): Value {
		const at = this.#at
		const closing = quotes[this.#text[at] ?? '']
		if (closing !== undefined) return this.#quoted(at, closing)
		const end = inField ? /[\s,]/ : /\s/
		while (this.#at < this.#text.length && !end.test(this.#text[this.#at] ?? '')) this.#at++
		return { text: this.#text.slice(at, this.#at), quoted: false, at }
	}

	#quoted(at: number, closing: string): Value {
		let end = this.#text.indexOf(closing, at + 1)
		// „…” is as common as „…“.
		if (end < 0 && closing === '“') end = this.#text.indexOf('”', at + 1)
		if (end < 0 && !this.#typing) {
			throw new Refusal(
				'unclosed_quote',
				at,
				'The quote that begins here has no end: add a " there.',
			)
		}
		this.#at = end < 0 ? this.#text.length : end + 1
		return { text: this.#text.slice(at + 1, end < 0 ? undefined : end), quoted: true, at }
	}
}

function findField(name: string): (typeof fields)[number] | null {
	return (
		fields.find((field) => field.name === name || field.aliases.some((alias) => alias === name)) ??
		null
	)
}

/** The words that a field takes, with what they stand for; `null`: it takes any text. */
function closedWords(field: Condition['field']): ReadonlyMap<string, string> | null {
	if (field === 'kind') return facetWords
	if (field === 'is') return stateWords
	return field === 'status' ? statusWords : null
}

function unknownField(name: string, query: string, at: number): Refusal {
	const names = fields.flatMap((field) => [field.name, ...field.aliases])
	const near = nearest(name, names)
	const word = /^-?\S*/.exec(query.slice(at))?.[0].replace(/^-/, '') ?? `${name}:`
	const meant =
		near === null
			? `they are ${fields.map((each) => each.name).join(', ')}`
			: `did you mean ${near}:`
	return new Refusal(
		'unknown_field',
		at,
		`There is no field "${name}" (${meant}); to look for these words themselves, write "${word}" with its quotes.`,
	)
}

function badWord(field: string, value: Value, words: readonly string[]): Refusal {
	const near = nearest(value.text.toLowerCase(), words)
	const meant = near === null ? '' : `, did you mean ${near}`
	return new Refusal(
		'bad_field_value',
		value.at,
		`${field}: does not know "${value.text}"${meant}: it takes ${words.join(', ')}.`,
	)
}
