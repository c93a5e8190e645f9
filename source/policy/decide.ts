/**
 * What a policy answers to a request (docs/policies.md). Deny goes before ask, ask before allow, wherever
 * they stand. A request is allowed when each of its parts is, and nothing stands against it; it is denied
 * or asked when one part is.
 */
import { assessRisk, type Risk } from '../risk/risk.ts'
import { toolKind } from '../risk/tools.ts'
import { commandOf } from '../text/tool-input.ts'
import { matchesLoosely, matchesStrictly } from './command-pattern.ts'
import type { Part, Parts, PathUse, PolicyRequest, Surroundings } from './part.ts'
import { type GlobBase, matchesGlob } from './path-pattern.ts'
import type { PreparedRule } from './policy.ts'
import { isWithin, realPath } from './real-path.ts'
import type { PolicyAnswer } from './rule.ts'
import { partsOf } from './tool-parts.ts'
import { matchesWildcard } from './wildcard.ts'

export interface Verdict {
	answer: PolicyAnswer
	/** Of `ask`: a rule wants it so, or could be about it. Else no rule says anything that holds. */
	insists: boolean
	/** That decided: of `ask`, none where no rule said anything. */
	rules: readonly PreparedRule[]
	/** Each part, with the rule that allows it; or the one part that was denied or is to be asked. */
	parts: readonly { text: string; rule: PreparedRule | null }[]
	/** Why it is not allowed though rules may be there, in short sentences without a subject. */
	obstacles: readonly string[]
	risk: Risk['level']
}

/** `rules`: of one policy, in its order. Never throws. */
export function decide(
	rules: readonly PreparedRule[],
	request: PolicyRequest,
	around: Surroundings,
): Verdict {
	const { ask } = request
	const parts = partsOf(request, around)
	const risk = riskOf(request, around)
	const base = {
		parts: parts.parts.map(({ text }) => ({ text, rule: null })),
		obstacles: parts.obstacles,
		insists: false,
		risk,
	}
	// A question is for a person, whatever a rule says.
	if (ask.questions !== null) return { ...base, answer: 'ask', insists: true, rules: [] }
	const judge = new Judge(request, around, parts)
	for (const answer of ['deny', 'ask'] as const) {
		const hit = judge.first(rules.filter((rule) => rule.answer === answer))
		if (hit) return { ...base, answer, insists: answer === 'ask', rules: [hit.rule], parts: [hit] }
	}
	const covered = parts.parts.map((part) => ({
		text: part.text,
		rule: judge.allowing(rules, part, risk),
	}))
	const unclear = judge.unclear(rules)
	const obstacles = [...parts.obstacles, ...unclear]
	const used = [...new Set(covered.flatMap(({ rule }) => rule ?? []))]
	const all = covered.length > 0 && covered.every(({ rule }) => rule !== null)
	if (all && risk === 'high' && used.some(({ even }) => even !== 'high')) {
		obstacles.push('is of high risk, and a rule that allows it does not say "even": "high"')
	}
	if (all && obstacles.length === 0) {
		return { ...base, answer: 'allow', rules: used, parts: covered, obstacles }
	}
	return {
		...base,
		answer: 'ask',
		insists: unclear.length > 0,
		rules: [],
		parts: covered,
		obstacles,
	}
}

class Judge {
	readonly #request: PolicyRequest
	readonly #around: Surroundings
	readonly #parts: Parts
	readonly #base: GlobBase
	readonly #folder: string | null

	constructor(request: PolicyRequest, around: Surroundings, parts: Parts) {
		this.#request = request
		this.#around = around
		this.#parts = parts
		this.#folder = realPath(around.folder)
		this.#base = {
			folder: around.folder,
			userHome: around.userHome,
			anyCase: around.platform === 'darwin' || around.platform === 'win32',
		}
	}

	/** The first rule that has to do with the request, and the part of it. */
	first(rules: readonly PreparedRule[]): { text: string; rule: PreparedRule } | null {
		for (const rule of rules) {
			if (!this.#applies(rule, true)) continue
			const text = this.#touched(rule)
			if (text !== null) return { text, rule }
		}
		return null
	}

	#touched(rule: PreparedRule): string | null {
		const { calls, paths } = this.#parts
		if (rule.patterns.length > 0) {
			const call = calls.find((one) =>
				rule.patterns.some((pattern) => matchesLoosely(pattern, one)),
			)
			return call ? [call.program, ...call.args.map(({ text }) => text)].join(' ') : null
		}
		if (rule.path) return paths.find((path) => this.#pathFits(rule, path, true))?.written ?? null
		return commandOf(this.#request.ask.input) ?? this.#request.ask.tool
	}

	/** A rule that allows a part; one that goes as far as the risk first. */
	allowing(rules: readonly PreparedRule[], part: Part, risk: Risk['level']): PreparedRule | null {
		const fitting = rules.filter(
			(rule) => rule.answer === 'allow' && this.#applies(rule, false) && this.#allows(rule, part),
		)
		const far = risk === 'high' ? fitting.find(({ even }) => even === 'high') : undefined
		return far ?? fitting[0] ?? null
	}

	#allows(rule: PreparedRule, part: Part): boolean {
		const kind = toolKind(this.#request.ask.tool)
		if (part.kind === 'command') {
			// "Any further words" are not meant to be programs.
			const open = !part.code || rule.even === 'high'
			return rule.patterns.some(
				(pattern) => (open || !pattern.open) && matchesStrictly(pattern, part.call),
			)
		}
		if (rule.patterns.length > 0) return false
		if (part.kind === 'tool') {
			const fits = (one: Part) => one.kind === 'path' && this.#pathFits(rule, one.path, false)
			return rule.tool !== undefined && (!rule.path || this.#parts.parts.some(fits))
		}
		if (rule.path) {
			// What a tool that is not known does with a file is not known either.
			return (kind !== null || rule.tool !== undefined) && this.#pathFits(rule, part.path, false)
		}
		const { real } = part.path
		const inside = real !== null && this.#folder !== null && isWithin(real, this.#folder)
		return rule.tool !== undefined && kind !== 'shell' && inside
	}

	/** Rules that protect files can't be kept to where it is not known which files are meant. */
	unclear(rules: readonly PreparedRule[]): string[] {
		if (!this.#parts.unclear || this.#parts.calls.length === 0) return []
		const rule = rules.find(
			(one) => one.answer !== 'allow' && one.path !== undefined && this.#applies(one, true),
		)
		return rule ? [`could mean a file that the rule of line ${rule.line} is about`] : []
	}

	#pathFits(rule: PreparedRule, path: PathUse, loosely: boolean): boolean {
		const { access } = rule
		if (access !== undefined && path.access !== access && !(loosely && path.access === 'either')) {
			return false
		}
		return (rule.path ?? []).some((glob) => matchesGlob(glob, path, this.#base, loosely))
	}

	#applies(rule: PreparedRule, loosely: boolean): boolean {
		const { agent, ask } = this.#request
		if (rule.agent && !rule.agent.includes(agent)) return false
		if (rule.tool && !rule.tool.some((name) => nameFits(name, ask.tool, loosely))) return false
		if (!rule.folder) return true
		const here = { written: this.#around.folder, real: this.#folder }
		return rule.folder.some((glob) => matchesGlob(glob, here, this.#base, loosely))
	}
}

function nameFits(pattern: string, name: string, loosely: boolean): boolean {
	return loosely
		? matchesWildcard(pattern.toLowerCase().split('*'), name.toLowerCase())
		: matchesWildcard(pattern.split('*'), name)
}

const order = { low: 0, medium: 1, high: 2 } as const

/** Of what the input says, and of the changes that are shown with it. */
function riskOf({ ask }: PolicyRequest, { folder }: Surroundings): Risk['level'] {
	const cwd = ask.cwd ?? folder
	const said = assessRisk({ tool: ask.tool, input: ask.input, cwd }).level
	if (ask.changes.length === 0) return said
	const changed = assessRisk({
		tool: 'write',
		input: { paths: ask.changes.map(({ path }) => path) },
		cwd,
	}).level
	return order[changed] > order[said] ? changed : said
}
