/** What of a message is looked through, and what kinds of thing it is. */
import type { Body, FileChange, SessionEvent } from '../protocol/events.ts'
import { commandOf, pathsOf } from '../text/tool-input.ts'
import type { Facet } from './query-fields.ts'

export interface Searchable {
	/** Raw, as the agent or the person wrote it; UTF-16 units: at most `maxText` and a mark. */
	text: string
	facets: readonly Facet[]
}

/** Of longer texts the first and last parts are looked through; UTF-16 units. */
export const maxText = 262_144
/** Of an input or a change that nests deeper the rest is left out. */
const maxDepth = 20

/** `null` where nothing in it is for people to find. */
export function searchable(event: SessionEvent): Searchable | null {
	const found = whole(event)
	if (!found || found.text.trim() === '') return null
	const { text, facets } = found
	if (text.length <= maxText) return found
	return { text: `${text.slice(0, maxText / 2)}\n…\n${text.slice(-maxText / 2)}`, facets }
}

function whole(event: SessionEvent): Searchable | null {
	switch (event.kind) {
		case 'user_prompt':
			return { text: event.body.text, facets: ['prompt'] }
		case 'agent_response':
			return { text: event.body.text, facets: ['response'] }
		case 'agent_thinking':
			return { text: event.body.text, facets: ['thinking'] }
		case 'tool_use': {
			const { name, input } = event.body
			return { text: joined([name, inputText(input)]), facets: ['tool', ...touched(input)] }
		}
		case 'tool_result': {
			const { text, changes, ok } = event.body
			const facets: Facet[] = ['tool']
			if (changes.length > 0) facets.push('file')
			if (!ok) facets.push('error')
			return { text: joined([text, changesText(changes)]), facets }
		}
		case 'permission_request':
			return { text: requestText(event.body), facets: ['permission', ...touched(event.body.input)] }
		case 'permission_response':
			return { text: event.body.reason ?? '', facets: ['permission'] }
		case 'error':
			return { text: joined([event.body.code, event.body.text]), facets: ['error'] }
		case 'system':
			return { text: event.body.text ?? '', facets: [] }
		case 'usage':
		case 'status':
			return null
	}
}

const joined = (parts: readonly string[]) => parts.filter((part) => part !== '').join('\n')

function touched(input: unknown): Facet[] {
	if (commandOf(input) !== null) return ['command']
	return pathsOf(input).length > 0 ? ['file'] : []
}

function requestText(body: Body<'permission_request'>): string {
	const questions = (body.questions ?? []).flatMap(({ question, options }) => [
		question,
		...options.map(({ label }) => label),
	])
	const { tool, input, description, reason, changes } = body
	const asked = questions.length > 0 ? questions : [inputText(input)]
	return joined([tool, description ?? '', ...asked, reason ?? '', changesText(changes)])
}

function changesText(changes: readonly FileChange[]): string {
	return joined(
		changes.flatMap(({ path, hunks }) => [path, ...hunks.flatMap(({ lines }) => lines)]),
	)
}

/** The command as it would be typed, or all text that the input holds. */
function inputText(input: unknown): string {
	const command = commandOf(input)
	const parts: string[] = command === null ? [] : [command]
	gather(input, parts, 0, command !== null)
	return joined(parts)
}

function gather(value: unknown, into: string[], depth: number, skipCommand = false): void {
	if (typeof value === 'string') into.push(value)
	else if (typeof value === 'number') into.push(String(value))
	if (typeof value !== 'object' || value === null || depth > maxDepth) return
	for (const [key, each] of Object.entries(value)) {
		if (skipCommand && (key === 'command' || key === 'cmd')) continue
		gather(each, into, depth + 1)
	}
}
