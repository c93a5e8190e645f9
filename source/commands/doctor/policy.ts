/** Whether the rules of this machine, if there are any, are in force. */
import type { Home } from '../../config/paths.ts'
import { PolicyFile, policyFile } from '../../policy/policy-file.ts'
import { revealText } from '../../text/safe-text.ts'
import { type Check, ok, warn } from './check.ts'

export function checkPolicy(home: Home): Check {
	const state = new PolicyFile(policyFile(home)).read()
	if (state.kind === 'none') return ok('policy', 'no rules here: everything is asked')
	if (state.kind === 'refused') {
		return warn(
			'policy',
			revealText(`no rule is in force, everything is asked: ${state.problem}`),
			'Mend it, and see styrby-tui permissions policy check',
		)
	}
	const { rules } = state.policy
	return ok('policy', revealText(`${rules.length} rules of ${state.file} are in force`))
}
