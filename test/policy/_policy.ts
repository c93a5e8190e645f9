import { mkdirSync, mkdtempSync, realpathSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decide, type Verdict } from '../../source/policy/decide.ts'
import type { PolicyRequest, Surroundings } from '../../source/policy/part.ts'
import { type PreparedRule, parsePolicy } from '../../source/policy/policy.ts'
import type { RuleFields } from '../../source/policy/rule.ts'

/** Rules as they come out of a file that holds these. */
export function rulesOf(
	...rules: (RuleFields | Record<string, unknown>)[]
): readonly PreparedRule[] {
	const text = `{"rules":[\n${rules.map((rule) => JSON.stringify(rule)).join(',\n')}\n]}`
	const parsed = parsePolicy(new TextEncoder().encode(text))
	if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems))
	return parsed.policy.rules
}

/** A folder of a session with some files, and what lies around it. */
export function makeSurroundings(): Surroundings & { root: string } {
	const root = realpathSync(mkdtempSync(join(tmpdir(), 'policy-')))
	const folder = join(root, 'home', 'dev', 'project')
	for (const name of ['src', 'out', 'secret', 'a/b/c', '.git/hooks']) {
		mkdirSync(join(folder, name), { recursive: true })
	}
	for (const name of ['outside', 'own/config']) mkdirSync(join(root, name), { recursive: true })
	for (const name of ['package.json', 'src/main.ts', 'secret/plan.txt', 'server.key']) {
		writeFileSync(join(folder, name), '')
	}
	return {
		root,
		folder,
		userHome: join(root, 'home', 'dev'),
		own: [join(root, 'own')],
		shell: '/bin/bash',
		platform: 'linux',
	}
}

export function asking(
	ask: Partial<PolicyRequest['ask']>,
	agent: PolicyRequest['agent'] = 'claude',
): PolicyRequest {
	return {
		agent,
		ask: { tool: 'Bash', input: {}, cwd: null, changes: [], questions: null, ...ask },
	}
}

export const running = (command: string, more: Record<string, unknown> = {}) =>
	asking({ input: { command, ...more } })

export function answerTo(
	rules: readonly PreparedRule[],
	request: PolicyRequest,
	around: Surroundings,
): Verdict['answer'] {
	return decide(rules, request, around).answer
}
