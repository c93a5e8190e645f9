/** Calls of tools as a model made them, and their results as it was told: for what has no item. */
import { resolve } from 'node:path'
import * as v from 'valibot'
import type { Body } from '../../protocol/events.ts'
import { tooDeep } from '../foreign.ts'
import { parseJson, type RolloutPayload } from './rollout-schema.ts'
import { partsText } from './schema.ts'

const commandSchema = v.object({
	cmd: v.optional(v.string()),
	command: v.optional(v.union([v.string(), v.array(v.string())])),
	workdir: v.optional(v.string()),
})

/** `null` for what is no call, and for the script that holds calls which are told by themselves. */
export function calledBy(payload: RolloutPayload, cwd: string | null): Body<'tool_use'> | null {
	const { type, call_id, id, namespace } = payload
	const call = call_id ?? id
	if (call === null) return null
	const name = `${namespace === null ? '' : `${namespace}__`}${payload.name ?? 'unknown'}`
	const body = (input: unknown) => ({
		tool_use: call,
		name,
		input: tooDeep(input) ? '[input nested too deeply to show]' : input,
		parent: null,
	})
	switch (type) {
		case 'function_call':
			return body(argumentsOf(name, parseJson(payload.arguments ?? '') ?? payload.arguments, cwd))
		case 'custom_tool_call':
			if (name === 'exec') return null
			return body(
				name === 'apply_patch' ? { paths: pathsIn(payload.input ?? '', cwd) } : payload.input,
			)
		case 'local_shell_call':
			return { ...body(argumentsOf('shell', payload.action, cwd)), name: 'shell' }
		default:
			return null
	}
}

/** Commands look alike, whichever tool runs them. */
function argumentsOf(name: string, given: unknown, cwd: string | null): unknown {
	if (name !== 'exec_command' && name !== 'shell' && name !== 'shell_command') return given
	const parsed = v.safeParse(commandSchema, given)
	const command = parsed.success ? (parsed.output.cmd ?? parsed.output.command) : undefined
	if (!parsed.success || command === undefined) return given
	return { command, cwd: parsed.output.workdir ?? cwd }
}

export function pathsIn(patch: string, cwd: string | null): string[] {
	const lines = patch.matchAll(/^\*\*\* (?:(?:Add|Update|Delete) File|Move to): (.+)$/gm)
	return [...lines].flatMap(([, path]) =>
		path === undefined ? [] : [cwd === null ? path : resolve(cwd, path)],
	)
}

/** What Codex writes above an output, for the model. */
const heading =
	/^(?:Chunk ID: .*\n)?(?:Exit code: .*\n)?Wall time: .*\n(?:Process .*\n)?(?:Original token count: .*\n)?(?:Total output lines: .*\n)?Output:\n?/

const wrappedSchema = v.object({
	output: v.string(),
	metadata: v.optional(v.object({ exit_code: v.optional(v.number()) })),
})

/** The result of a call that has no item: what the model was told of it. */
export function resultOfCall(call: string, output: unknown): Body<'tool_result'> {
	const told = partsText(output)
	const wrapped = v.safeParse(wrappedSchema, parseJson(told))
	const text = wrapped.success ? wrapped.output.output : told
	const code = wrapped.success
		? (wrapped.output.metadata?.exit_code ?? null)
		: numberIn(/^(?:Process exited with code|Exit code:) (-?\d+)$/m, told)
	const seconds = numberIn(/^Wall time: ([\d.]+) seconds$/m, told)
	const shown = text.replace(heading, '')
	return {
		tool_use: call,
		ok:
			code === null
				? !/^(?:exec_command|apply_patch|patch)\b[^:\n]* (?:failed|rejected)/.test(told)
				: code === 0,
		text: shown,
		exit_code: code,
		duration_ms: seconds === null ? null : Math.round(seconds * 1000),
		changes: [],
		parent: null,
	}
}

function numberIn(pattern: RegExp, text: string): number | null {
	const found = pattern.exec(text)?.[1]
	const number = found === undefined ? Number.NaN : Number(found)
	return Number.isFinite(number) ? number : null
}
