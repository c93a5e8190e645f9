/** `permissions policy check`: each thing that is wrong in a file, with its line. */
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { systemCode } from '../../config/home-error.ts'
import { parsePolicy } from '../../policy/policy.ts'
import type { PolicyState } from '../../policy/policy-file.ts'
import { exit, StyrbyError } from '../../protocol/errors.ts'
import { jsonText } from '../../text/json-text.ts'
import type { Invocation } from '../command.ts'
import { openBase } from '../context.ts'
import { oneLine } from '../devices/one-line.ts'
import { policyHere } from '../policy-here.ts'

/** Exit code 1 where something is wrong. Throws `no_such_file`. */
export async function checkPolicy({ args, flags, io }: Invocation): Promise<number> {
	const [given] = args
	const state =
		given === undefined
			? policyHere(await openBase(io)).file.read()
			: await parsed(resolve(io.cwd, given))
	const problems = state.kind === 'refused' ? state.problems : []
	// One of who may change the file stands in no line of it.
	const problem = state.kind === 'refused' && problems.length === 0 ? state.problem : null
	const ok = state.kind !== 'refused'
	const rules = state.kind === 'in_force' ? state.policy.rules.length : 0
	if (flags.has('json')) {
		const result = { file: state.file, ok, there: state.kind !== 'none', rules, problem, problems }
		io.stdout.write(`${jsonText(result)}\n`)
	} else {
		const lines = [
			...(problem === null ? [] : [problem]),
			...problems.map((one) => `${state.file}:${one.line}: ${one.problem}`),
			...(state.kind === 'none' ? [`${state.file} is not there.`] : []),
			...(state.kind === 'in_force' ? [`${state.file} is right: ${rules} rules.`] : []),
		]
		io.stdout.write(lines.map((line) => `${oneLine(line)}\n`).join(''))
	}
	return ok ? exit.done : exit.failed
}

/** Any file, whoever it belongs to: it is only looked at. */
async function parsed(file: string): Promise<PolicyState> {
	let bytes: Uint8Array
	try {
		bytes = await readFile(file)
	} catch (cause) {
		throw new StyrbyError(
			'no_such_file',
			`${file} can not be read (${systemCode(cause) || 'unknown error'}): give the path of a policy.`,
			{ cause },
		)
	}
	const result = parsePolicy(bytes)
	if (result.ok) return { kind: 'in_force', file, policy: result.policy }
	return { kind: 'refused', file, problem: '', problems: result.problems }
}
