/** `permissions policy test`: what the rules would answer, and which of them, without asking for anything. */
import { resolve } from 'node:path'
import * as v from 'valibot'
import { decide, type Verdict } from '../../policy/decide.ts'
import type { PolicyRequest } from '../../policy/part.ts'
import { type PolicyAnswer, ruleText } from '../../policy/rule.ts'
import { exit, refused, StyrbyError } from '../../protocol/errors.ts'
import { agentNames } from '../../protocol/names.ts'
import { jsonText } from '../../text/json-text.ts'
import { openRequest } from '../../viewer/requests.ts'
import type { Invocation } from '../command.ts'
import { openBase, openContext } from '../context.ts'
import { oneLine } from '../devices/one-line.ts'
import { findRequest } from '../find.ts'
import { policyHere } from '../policy-here.ts'
import { ruleLine } from './rule-lines.ts'

/** The exit codes of what would be answered. */
export const answerCodes: Readonly<Record<PolicyAnswer, number>> = { allow: 0, ask: 10, deny: 11 }

/** Throws `bad_usage`, `policy_refused` (exit 4) where the file counts for nothing. */
export async function testPolicy(invocation: Invocation): Promise<number> {
	const { flags, io } = invocation
	const { request, folder } =
		flags.text('request') === undefined ? given(invocation) : await asked(invocation)
	const { file, around } = policyHere(await openBase(io))
	const state = file.read()
	if (state.kind === 'refused') {
		throw refused('policy_refused', `No rule is in force, everything is asked: ${state.problem}`)
	}
	const rules = state.kind === 'in_force' ? state.policy.rules : []
	const verdict = decide(rules, request, { ...around, folder })
	io.stdout.write(
		flags.has('json')
			? `${jsonText(verdictJson(verdict, request, folder))}\n`
			: verdictText(verdict, state.kind === 'none'),
	)
	return answerCodes[verdict.answer]
}

/** What the options describe. */
function given({ args, rest, flags, io }: Invocation): { request: PolicyRequest; folder: string } {
	const [first, ...others] = [...args, ...rest]
	const command = others.length === 0 ? first : [first, ...others]
	const [path, json] = [flags.text('path'), flags.text('input')]
	if ([command, json].every((one) => one === undefined) && path === undefined) {
		if (flags.text('tool') === undefined) {
			throw usage('Say what to try: a command, or --tool, --path, --input or --request.')
		}
	}
	if (json !== undefined && (command !== undefined || path !== undefined)) {
		throw usage('--input is all of the input: it goes without --path and without a command.')
	}
	const input =
		json !== undefined
			? parseInput(json)
			: {
					...(command === undefined ? {} : { command }),
					...(path === undefined ? {} : { file_path: path }),
				}
	const tool = flags.text('tool') ?? (command === undefined ? 'Write' : 'Bash')
	const agent = agentNames.find((name) => name === flags.text('agent')) ?? 'claude'
	return {
		request: { agent, ask: { tool, input, cwd: null, changes: [], questions: null } },
		folder: resolve(io.cwd, flags.text('cwd') ?? '.'),
	}
}

function parseInput(text: string): Record<string, unknown> {
	try {
		const input: unknown = JSON.parse(text)
		if (Array.isArray(input)) throw new TypeError('a list')
		return v.parse(v.record(v.string(), v.unknown()), input)
	} catch {
		throw usage('--input takes a JSON object, as the agent gives it to its tool.')
	}
}

/** A request that an agent has made. */
async function asked({
	args,
	rest,
	flags,
	io,
}: Invocation): Promise<{ request: PolicyRequest; folder: string }> {
	const named = ['agent', 'tool', 'path', 'input'].find((name) => flags.text(name) !== undefined)
	if (named !== undefined || args.length + rest.length > 0) {
		throw usage('--request says all that was asked: only --cwd goes with it.')
	}
	await using context = await openContext(io)
	const { account, gateway } = context
	const row = await gateway.readRequest(await findRequest(gateway, flags.text('request') ?? ''))
	const session = row && (await gateway.readSession(row.session))
	if (!row || !session) {
		throw new StyrbyError('no_such_request', 'There is no such permission request.')
	}
	const { body, problem } = await openRequest(account, row, { agent: session.agent, project: null })
	const agent = agentNames.find((name) => name === session.agent)
	if (!body || !agent) {
		const why = problem ?? 'its agent is not known here'
		throw refused('request_not_verified', `This request can not be tried: ${why}.`)
	}
	const folder = resolve(io.cwd, flags.text('cwd') ?? body.cwd ?? '.')
	return { request: { agent, ask: body }, folder }
}

function usage(message: string): StyrbyError {
	return new StyrbyError('bad_usage', message, { exitCode: exit.usage })
}

/** What `--json` prints; a shape that scripts depend on. */
function verdictJson(verdict: Verdict, { agent, ask }: PolicyRequest, folder: string) {
	const short = (rule: Verdict['rules'][number]) => ({ line: rule.line, text: ruleText(rule) })
	const [rule] = verdict.rules
	return {
		answer: verdict.answer,
		agent,
		tool: ask.tool,
		folder,
		rules: verdict.rules.map(short),
		parts: verdict.parts.map(({ text, rule: by }) => ({ text, rule: by && short(by) })),
		obstacles: verdict.obstacles,
		risk: verdict.risk,
		reason: verdict.answer === 'deny' ? (rule?.reason ?? null) : null,
	}
}

function verdictText({ answer, rules, parts, obstacles, risk }: Verdict, none: boolean): string {
	const lines: string[] = [answer]
	for (const { text, rule } of parts) {
		lines.push(`  ${oneLine(text)}`, `    ${rule === null ? 'no rule' : ruleLine(rule)}`)
	}
	if (none) lines.push('  there is no policy, so everything is asked')
	// Of what is denied or asked by a rule, nothing else matters.
	if (rules.length === 0) for (const one of obstacles) lines.push(`  ! it ${oneLine(one)}`)
	lines.push(`  risk ${risk}`)
	return `${lines.join('\n')}\n`
}
