/** `permissions policy`: the rules of this machine, what they would answer, and whether a file of them is right. */

import type { PolicyState } from '../../policy/policy-file.ts'
import { exit, refused, StyrbyError } from '../../protocol/errors.ts'
import { jsonText } from '../../text/json-text.ts'
import { revealText } from '../../text/safe-text.ts'
import type { Invocation } from '../command.ts'
import { openBase } from '../context.ts'
import { policyHere } from '../policy-here.ts'
import { checkPolicy } from './check-policy.ts'
import { ruleJson, ruleLine } from './rule-lines.ts'
import { testPolicy } from './test-policy.ts'

export async function run(invocation: Invocation): Promise<number> {
	const { args, flags, io } = invocation
	const [action, ...more] = args
	if (action === 'test') return testPolicy({ ...invocation, args: more })
	const wrong = Object.keys(flagsOfTest).find((name) => flags.text(name) !== undefined)
	if (wrong !== undefined) throw usage(`--${wrong} goes with "permissions policy test" only.`)
	if (action === 'check') return checkPolicy({ ...invocation, args: more })
	if (action !== undefined) {
		throw usage(`"styrby-tui permissions policy" takes "test" or "check", not "${action}".`)
	}
	const state = policyHere(await openBase(io)).file.read()
	io.stdout.write(flags.has('json') ? `${jsonText(stateJson(state))}\n` : stateText(state))
	if (state.kind === 'refused') {
		throw refused('policy_refused', `No rule is in force, everything is asked: ${state.problem}`)
	}
	return exit.done
}

/** Options of `test` that say what to try. */
export const flagsOfTest = {
	agent: true,
	tool: true,
	path: true,
	cwd: true,
	input: true,
	request: true,
} as const

function usage(message: string): StyrbyError {
	return new StyrbyError('bad_usage', message, { exitCode: exit.usage })
}

/** What `--json` prints; a shape that scripts depend on. */
function stateJson(state: PolicyState) {
	const inForce = state.kind === 'in_force' ? state.policy : null
	return {
		file: state.file,
		state: state.kind,
		digest: inForce?.digest ?? null,
		rules: (inForce?.rules ?? []).map(ruleJson),
		problem: state.kind === 'refused' ? state.problem : null,
		problems: state.kind === 'refused' ? state.problems : [],
	}
}

function stateText(state: PolicyState): string {
	const file = revealText(state.file)
	if (state.kind === 'none') {
		return `There is no policy, so everything is asked. Its place would be ${file}\n`
	}
	if (state.kind === 'refused') return `${file}\n`
	const { rules, digest } = state.policy
	const lines = rules.map((rule) => `  ${ruleLine(rule)}`)
	return `${[`${file}  ${digest.slice(0, 12)}`, ...lines].join('\n')}\n`
}
