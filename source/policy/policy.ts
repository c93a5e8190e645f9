/** A policy: the rules of one file, checked (docs/policies.md). */
import { createHash } from 'node:crypto'
import jsonc, { type Node, type ParseError } from 'jsonc-parser'
import * as v from 'valibot'
import { type CommandPattern, parseCommandPattern } from './command-pattern.ts'
import { globProblem } from './path-pattern.ts'
import { type Rule, ruleProblem, ruleSchema } from './rule.ts'

export interface PreparedRule extends Rule {
	/** Of `command`; empty where the rule has none. */
	patterns: readonly CommandPattern[]
}

export interface Policy {
	rules: readonly PreparedRule[]
	/** SHA-256 of the file's bytes, hex. */
	digest: string
}

/** What is wrong in a file, and where; lines start at 1. */
export interface PolicyProblem {
	line: number
	problem: string
}

export type ParsedPolicy = { ok: true; policy: Policy } | { ok: false; problems: PolicyProblem[] }

const mostRules = 500

/** JSON with comments and trailing commas: `{"rules": […]}`. */
export function parsePolicy(bytes: Uint8Array): ParsedPolicy {
	const problems: PolicyProblem[] = []
	const rules = readSafely(bytes, problems)
	if (problems.length > 0) {
		return { ok: false, problems: problems.toSorted((a, b) => a.line - b.line) }
	}
	const digest = createHash('sha256').update(bytes).digest('hex')
	return { ok: true, policy: { rules, digest } }
}

function readSafely(bytes: Uint8Array, problems: PolicyProblem[]): PreparedRule[] {
	try {
		return readRules(bytes, problems)
	} catch (error) {
		if (!(error instanceof RangeError)) throw error
		problems.push({ line: 1, problem: 'is nested too deep' })
		return []
	}
}

function readRules(bytes: Uint8Array, problems: PolicyProblem[]): PreparedRule[] {
	const text = textOf(bytes)
	const wrong = (line: number, problem: string) => {
		problems.push({ line, problem })
		return []
	}
	if (text === null) return wrong(1, 'is not UTF-8 text')
	const lineAt = (offset: number) => text.slice(0, offset).split(/\r\n|\r|\n/).length
	const errors: ParseError[] = []
	const body = jsonc.parseTree(text, errors, { allowTrailingComma: true })
	const [error] = errors
	if (error || !body) {
		const what = error ? jsonc.printParseErrorCode(error.error) : 'ValueExpected'
		return wrong(lineAt(error?.offset ?? 0), `is no JSON: ${words(what)}`)
	}
	if (body.type !== 'object') return wrong(lineAt(body.offset), 'has to be an object with "rules"')
	const reader = new RuleReader(lineAt, problems)
	reader.noTwins(body)
	const members = membersOf(body)
	const other = members.find(({ key }) => key !== 'rules')
	if (other)
		return wrong(lineAt(other.offset), `"${other.key}" is not known: there is only "rules"`)
	const list = members[0]?.value
	if (list?.type !== 'array') {
		return wrong(lineAt((list ?? body).offset), '"rules" has to be a list')
	}
	const rules = list.children ?? []
	if (rules.length > mostRules)
		return wrong(lineAt(list.offset), `has more than ${mostRules} rules`)
	return rules.flatMap((rule) => reader.rule(rule))
}

/** `null` where the bytes are no UTF-8. A byte order mark is no part of the text. */
function textOf(bytes: Uint8Array): string | null {
	try {
		return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
	} catch {
		return null
	}
}

const words = (name: string) => name.replace(/(?<=.)[A-Z]/g, (letter) => ` ${letter}`).toLowerCase()

interface Member {
	key: string
	offset: number
	value: Node | undefined
}

function membersOf(node: Node): Member[] {
	return (node.children ?? []).map(({ offset, children = [] }) => ({
		key: String(children[0]?.value),
		offset,
		value: children[1],
	}))
}

class RuleReader {
	readonly #lineAt: (offset: number) => number
	readonly #problems: PolicyProblem[]

	constructor(lineAt: (offset: number) => number, problems: PolicyProblem[]) {
		this.#lineAt = lineAt
		this.#problems = problems
	}

	#wrong(offset: number, problem: string): void {
		this.#problems.push({ line: this.#lineAt(offset), problem })
	}

	/** The last of two equal keys would count silently. */
	noTwins(node: Node): void {
		const seen = new Set<string>()
		for (const { key, offset } of membersOf(node)) {
			if (seen.has(key)) this.#wrong(offset, `"${key}" is there twice`)
			seen.add(key)
		}
	}

	rule(node: Node): PreparedRule[] {
		const before = this.#problems.length
		if (node.type !== 'object') {
			this.#wrong(node.offset, 'a rule has to be an object')
			return []
		}
		this.noTwins(node)
		const offsetOf = (key: unknown) =>
			membersOf(node).find((member) => member.key === key)?.offset ?? node.offset
		const parsed = v.safeParse(ruleSchema, jsonc.getNodeValue(node))
		if (!parsed.success) {
			for (const issue of parsed.issues) {
				const key = issue.path?.[0]?.key
				this.#wrong(offsetOf(key), issueText(key, issue))
			}
			return []
		}
		const fields = parsed.output
		const wrong = ruleProblem(fields)
		if (wrong !== null) this.#wrong(node.offset, wrong)
		const patterns: CommandPattern[] = []
		for (const text of fields.command ?? []) {
			const pattern = parseCommandPattern(text)
			if (typeof pattern !== 'string') patterns.push(pattern)
			else this.#wrong(offsetOf('command'), `"command" ${JSON.stringify(text)} ${pattern}`)
		}
		for (const key of ['path', 'folder'] as const) {
			for (const glob of fields[key] ?? []) {
				const problem = globProblem(glob)
				if (problem !== null) {
					this.#wrong(offsetOf(key), `"${key}" ${JSON.stringify(glob)} ${problem}`)
				}
			}
		}
		const line = this.#lineAt(node.offset)
		return this.#problems.length > before ? [] : [{ ...fields, line, patterns }]
	}
}

function issueText(key: unknown, issue: v.BaseIssue<unknown>): string {
	if (key === undefined) return `a rule is wrong: ${issue.message}`
	if (issue.type === 'strict_object' && issue.expected === 'never')
		return `"${String(key)}" is not known`
	if (issue.received === 'undefined') return `a rule has to have ${JSON.stringify(key)}`
	return `"${String(key)}" is wrong: it takes ${issue.expected ?? 'something else'}, not ${issue.received}`
}
