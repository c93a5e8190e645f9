/** What differs between two recordings of the same run: the agent's own lines, and the events they become. */
import { diffLines } from 'diff'
import type { AgentOutput } from '../../source/agents/agent.ts'

type Json = Record<string, unknown>

/** The lines of the agent in a step of a recording; what it was told is none. */
function agentLines(step: unknown): Json[] {
	if (!isObject(step) || step.dir === 'in' || step.dir === 'spawn' || step.dir === 'exit') return []
	return [step.event, step.message, step.line, step.chat].flat().filter(isObject)
}

/** By what tells the lines of an agent apart, the paths of all fields that such a line has, with their types. */
export function fieldsOf(steps: readonly unknown[]): Map<string, Set<string>> {
	const types = new Map<string, Set<string>>()
	for (const line of steps.flatMap(agentLines)) {
		const name = [line.type, line.subtype, line.method, line.hook_event_name]
			.filter((part) => typeof part === 'string')
			.join('/')
		const type = name === '' ? 'reply' : name
		const fields = types.get(type) ?? new Set()
		types.set(type, fields)
		addFields(line, '', fields)
	}
	return types
}

function addFields(value: unknown, path: string, fields: Set<string>): void {
	if (Array.isArray(value)) for (const one of value) addFields(one, `${path}[]`, fields)
	else if (isObject(value)) {
		for (const [key, one] of Object.entries(value)) {
			addFields(one, path === '' ? key : `${path}.${key}`, fields)
		}
	} else fields.add(`${path}: ${value === null ? 'null' : typeof value}`)
}

/** Types and fields that came (`+`) or went (`-`), one a line. */
export function changedFields(before: readonly unknown[], after: readonly unknown[]): string[] {
	const [old, now] = [fieldsOf(before), fieldsOf(after)]
	return [...new Set([...old.keys(), ...now.keys()])].sort().flatMap((type) => {
		const [was, is] = [old.get(type), now.get(type)]
		if (was === undefined) return [`+ ${type} (new)`]
		if (is === undefined) return [`- ${type} (gone)`]
		const came = [...is].filter((field) => !was.has(field)).map((field) => `+ ${type}  ${field}`)
		const went = [...was].filter((field) => !is.has(field)).map((field) => `- ${type}  ${field}`)
		return [...went, ...came].sort((a, b) => a.slice(2).localeCompare(b.slice(2)))
	})
}

/** Lines of the session that came or went. What differs from run to run is left out. */
export function changedOutputs(
	before: readonly AgentOutput[],
	after: readonly AgentOutput[],
): string[] {
	const parts = diffLines(comparable(before), comparable(after))
	return parts.flatMap(({ added, removed, value }) => {
		if (!added && !removed) return []
		const sign = added ? '+' : '-'
		return value
			.trimEnd()
			.split('\n')
			.map((line) => `${sign} ${line}`)
	})
}

/** Fields that name something by an id made for each run. */
const naming: ReadonlySet<string> = new Set([
	'id',
	'session',
	'message',
	'block',
	'tool_use',
	'parent',
	'request',
])

/** What is shorter is no id that is made for a run. */
const shortestId = 6

/** Ids in the middle of a text. */
const madeUp = /\b(?:[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}|[a-z]+_[A-Za-z\d]{16,})\b/g

/** One output a line: no times, ids by the order in which they come, text frames as one. */
function comparable(outputs: readonly AgentOutput[]): string {
	const ids = new Map<string, string>()
	const add = (id: string) => {
		if (id.length >= shortestId && !ids.has(id)) ids.set(id, `#${ids.size + 1}`)
	}
	const name = (value: unknown): void => {
		if (typeof value === 'string') for (const id of value.match(madeUp) ?? []) add(id)
		else if (Array.isArray(value)) value.forEach(name)
		else if (isObject(value)) {
			for (const [key, one] of Object.entries(value)) {
				if (typeof one === 'string' && naming.has(key)) add(one)
				else name(one)
			}
		}
	}
	// Longer ids first: one may begin with another.
	const rename = (line: string): string =>
		[...ids]
			.sort(([a], [b]) => b.length - a.length)
			.reduce((text, [id, short]) => text.replaceAll(id, short), line)
	const whole = joined(outputs)
	for (const output of whole) name(output)
	return whole.map((output) => `${rename(JSON.stringify(output, still))}\n`).join('')
}

/** How a text was cut into pieces is chance. */
function joined(outputs: readonly AgentOutput[]): AgentOutput[] {
	const texts = new Map<string, Extract<AgentOutput, { type: 'text' }>>()
	return outputs.flatMap((output): AgentOutput[] => {
		if (output.type !== 'text') return [output]
		const first = texts.get(output.block)
		if (first !== undefined) {
			first.text += output.text
			return []
		}
		const copy = { ...output }
		texts.set(output.block, copy)
		return [copy]
	})
}

function still(key: string, value: unknown): unknown {
	if (key === 'at') return undefined
	return key === 'duration_ms' && typeof value === 'number' ? 0 : value
}

function isObject(value: unknown): value is Json {
	return typeof value === 'object' && value !== null && !Array.isArray(value)
}
