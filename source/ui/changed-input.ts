/** What is typed when an input is changed: its command where it has one, else all of it as JSON. */
import { isDeepStrictEqual } from 'node:util'
import * as v from 'valibot'

export type Changed =
	| { ok: true; input: Readonly<Record<string, unknown>> }
	| { ok: false; why: 'same' | 'empty' | 'malformed' }

const inputSchema = v.record(v.string(), v.unknown())

function commandIn(input: unknown): string | null {
	const parsed = v.safeParse(v.object({ command: v.string() }), input)
	return parsed.success ? parsed.output.command : null
}

/** Whether an input can be changed here at all. */
export function isChangeable(input: unknown): boolean {
	return v.is(inputSchema, input) && !Array.isArray(input)
}

export function editableText(input: unknown): string {
	return commandIn(input) ?? JSON.stringify(input, null, 2) ?? ''
}

/** The whole input with what was typed in it. */
export function changedInput(input: unknown, text: string): Changed {
	const typed = text.trim()
	if (typed === '') return { ok: false, why: 'empty' }
	const command = commandIn(input)
	const next = command === null ? parsed(typed) : withCommand(input, typed)
	if (next === null) return { ok: false, why: 'malformed' }
	const same = command === null ? isDeepStrictEqual(next, input) : typed === command.trim()
	return same ? { ok: false, why: 'same' } : { ok: true, input: next }
}

function withCommand(input: unknown, command: string): Record<string, unknown> | null {
	const all = v.safeParse(inputSchema, input)
	return all.success ? { ...all.output, command } : null
}

function parsed(text: string): Record<string, unknown> | null {
	try {
		const raw: unknown = JSON.parse(text)
		const value = v.safeParse(inputSchema, raw)
		return value.success && !Array.isArray(raw) ? value.output : null
	} catch (error) {
		if (error instanceof SyntaxError) return null
		throw error
	}
}
