/** A policy: the rules of one file, checked (docs/policies.md). */
import { createHash } from 'node:crypto'
import { type AnyNode, parse } from '@humanwhocodes/momoa'
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
	let body: AnyNode
	try {
		const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
		body = parse(text, { mode: 'jsonc', allowTrailingCommas: true }).body
	} catch (error) {
		if (error instanceof RangeError) throw error
		problems.push(syntaxProblem(error))
		return []
	}
	const wrong = (node: AnyNode, problem: string) => {
		problems.push({ line: node.loc.start.line, problem })
		return []
	}
	if (body.type !== 'Object') return wrong(body, 'has to be an object with "rules"')
	noTwins(body, problems)
	const other = body.members.find((member) => keyOf(member.name) !== 'rules')
	if (other) return wrong(other, `"${keyOf(other.name)}" is not known: there is only "rules"`)
	const list = body.members[0]?.value
	if (list?.type !== 'Array') return wrong(list ?? body, '"rules" has to be a list')
	if (list.elements.length > mostRules) return wrong(list, `has more than ${mostRules} rules`)
	return list.elements.flatMap(({ value }) => readRule(value, problems))
}

function readRule(node: AnyNode, problems: PolicyProblem[]): PreparedRule[] {
	const before = problems.length
	const { line } = node.loc.start
	if (node.type !== 'Object') {
		problems.push({ line, problem: 'a rule has to be an object' })
		return []
	}
	noTwins(node, problems)
	const lineOf = (key: unknown) =>
		node.members.find((member) => keyOf(member.name) === key)?.loc.start.line ?? line
	const parsed = v.safeParse(ruleSchema, plain(node))
	if (!parsed.success) {
		for (const issue of parsed.issues) {
			const key = issue.path?.[0]?.key
			problems.push({ line: lineOf(key), problem: issueText(key, issue) })
		}
		return []
	}
	const fields = parsed.output
	const wrong = ruleProblem(fields)
	if (wrong !== null) problems.push({ line, problem: wrong })
	const patterns: CommandPattern[] = []
	for (const text of fields.command ?? []) {
		const pattern = parseCommandPattern(text)
		if (typeof pattern !== 'string') patterns.push(pattern)
		else
			problems.push({
				line: lineOf('command'),
				problem: `"command" ${JSON.stringify(text)} ${pattern}`,
			})
	}
	for (const key of ['path', 'folder'] as const) {
		for (const glob of fields[key] ?? []) {
			const problem = globProblem(glob)
			if (problem !== null) {
				problems.push({ line: lineOf(key), problem: `"${key}" ${JSON.stringify(glob)} ${problem}` })
			}
		}
	}
	return problems.length > before ? [] : [{ ...fields, line, patterns }]
}

function issueText(key: unknown, issue: v.BaseIssue<unknown>): string {
	if (key === undefined) return `a rule is wrong: ${issue.message}`
	if (issue.type === 'strict_object' && issue.expected === 'never')
		return `"${String(key)}" is not known`
	if (issue.received === 'undefined') return `a rule has to have ${JSON.stringify(key)}`
	return `"${String(key)}" is wrong: it takes ${issue.expected ?? 'something else'}, not ${issue.received}`
}

type ObjectNode = Extract<AnyNode, { type: 'Object' }>

/** The last of two equal keys would count silently. */
function noTwins(node: ObjectNode, problems: PolicyProblem[]): void {
	const seen = new Set<string>()
	for (const { name, loc } of node.members) {
		const key = keyOf(name)
		if (seen.has(key)) problems.push({ line: loc.start.line, problem: `"${key}" is there twice` })
		seen.add(key)
	}
}

function keyOf(node: AnyNode): string {
	return node.type === 'String' ? node.value : node.type === 'Identifier' ? node.name : ''
}

function plain(node: AnyNode): unknown {
	switch (node.type) {
		case 'Object':
			return Object.fromEntries(node.members.map(({ name, value }) => [keyOf(name), plain(value)]))
		case 'Array':
			return node.elements.map(({ value }) => plain(value))
		case 'String':
		case 'Number':
		case 'Boolean':
			return node.value
		default:
			return null
	}
}

const syntaxError = v.object({ message: v.string(), line: v.number() })

function syntaxProblem(error: unknown): PolicyProblem {
	const parsed = v.safeParse(syntaxError, error)
	if (!parsed.success) return { line: 1, problem: 'is not UTF-8 text' }
	return {
		line: parsed.output.line,
		problem: parsed.output.message.replace(/ \(\d+:\d+\)$/, '').replace(/\.?$/, ''),
	}
}
