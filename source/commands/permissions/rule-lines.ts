import type { PreparedRule } from '../../policy/policy.ts'
import { ruleText } from '../../policy/rule.ts'
import { oneLine } from '../devices/one-line.ts'

/** A rule, as scripts get it. */
export function ruleJson(rule: PreparedRule) {
	return {
		line: rule.line,
		text: ruleText(rule),
		answer: rule.answer,
		agent: rule.agent ?? null,
		tool: rule.tool ?? null,
		command: rule.command ?? null,
		path: rule.path ?? null,
		access: rule.access ?? null,
		folder: rule.folder ?? null,
		even: rule.even ?? null,
		reason: rule.reason ?? null,
	}
}

export function ruleLine(rule: PreparedRule): string {
	const reason = rule.reason === undefined ? '' : `: ${rule.reason}`
	return oneLine(`${ruleText(rule)}${reason}`)
}
