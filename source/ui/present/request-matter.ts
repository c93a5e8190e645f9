/**
 * All of a permission request that a person must have seen before allowing it, and nothing else: nothing
 * here is cut or left out, every character that would not be seen is written out.
 */
import type { Body } from '../../protocol/events.ts'
import { entryLines, fencedLines, jsonText } from '../../text/entry-lines.ts'
import { isInChanges } from '../../text/in-changes.ts'
import { inspect } from '../../text/inspect.ts'
import { oneLine } from '../../text/one-line.ts'
import { revealLines } from '../../text/reveal.ts'
import { joinText, revealText, type SafeText, safeText } from '../../text/safe-text.ts'
import { padLine, type Style, type StyledLine, spaces, span } from '../../text/styled.ts'
import { shellText } from '../../text/tool-input.ts'
import { within as pathWithin } from '../../text/within.ts'
import { wrapLine } from '../../text/wrap.ts'
import { diffLines } from './diff-lines.ts'

type Request = Body<'permission_request'>

/** What stands before every line that is the agent's: nothing of it can pass for ours. */
const gutter: StyledLine = [span(safeText`│ `, 'dim')]

export function requestMatter(request: Request, width: number): StyledLine[] {
	return [
		...warnings(request, width),
		...inputLines(request, width),
		...labelled(safeText`shell`, shellOf(request)?.with ?? null, width),
		...labelled(safeText`in`, request.cwd, width),
		...labelled(safeText`says`, saysOf(request), width),
		...labelled(safeText`because`, request.reason, width),
		...questionLines(request, width),
		...ruleLines(request, width),
	]
}

function inputLines(request: Request, width: number): StyledLine[] {
	const { input, changes } = request
	const diff = changes.flatMap((change) => diffLines(change, width))
	if (!isRecord(input)) return [...diff, ...fenced(jsonText(input), width, 'strong')]
	const command = typeof input.command === 'string' ? input.command : shellOf(request)?.text
	const shell = command === undefined ? [] : commandLines(command, width)
	const rest = Object.entries(input).filter(
		([key, value]) =>
			!(key === 'command' && shell.length > 0) &&
			!isInChanges(key, value, changes) &&
			// They stand below, with their choices.
			!(key === 'questions' && request.questions !== null) &&
			!(key === 'description' && value === saysOf(request)),
	)
	return [
		...shell,
		...diff,
		...rest.flatMap(([key, value]) => entryLines(key, value, width, gutter)),
	]
}

/**
 * The agent's own words for it. Agents repeat them within the input, and the input within them: each
 * stands once.
 */
function saysOf({ input, description, changes, cwd }: Request): string | null {
	if (!isRecord(input)) return description
	const within = typeof input.description === 'string' ? input.description : null
	const says = description === null || description === '' ? within : description
	if (says === null) return null
	const told = new Set<unknown>(Object.values(input).filter((value) => value !== within))
	for (const { path } of changes) told.add(path).add(pathWithin(path, cwd))
	return told.has(says) ? null : says
}

/** Its text reads as any command, line by line; as a list it would be one word full of escapes. */
function shellOf({ input }: Request) {
	return isRecord(input) ? shellText(input.command) : null
}

function commandLines(command: string, width: number): StyledLine[] {
	return revealLines(command, 'strong').flatMap((line, index) =>
		wrapLine(line, width, {
			mode: 'columns',
			first: [...gutter, span(index === 0 ? safeText`$ ` : safeText`  `, 'dim')],
			rest: [...gutter, span(safeText`  `)],
		}),
	)
}

const fenced = (text: SafeText, width: number, style: Style) =>
	fencedLines(text, width, gutter, style)

/** Columns of a label; what the agent wrote stands right of it, on every line. */
const labelColumns = 10

function labelled(label: SafeText, raw: string | null, width: number): StyledLine[] {
	if (raw === null || raw === '') return []
	return beside(label, revealLines(raw), width)
}

function beside(label: SafeText, lines: readonly StyledLine[], width: number): StyledLine[] {
	const blank = [spaces(labelColumns)]
	const first = padLine([span(safeText`  ${label}`, 'dim')], labelColumns)
	return lines.flatMap((line, index) =>
		wrapLine(line, width, {
			mode: 'columns',
			first: index === 0 ? [...first, spaces(1)] : [...blank, spaces(1)],
			rest: [...blank, spaces(1)],
		}),
	)
}

function questionLines({ questions }: Request, width: number): StyledLine[] {
	return (questions ?? []).flatMap(({ question, header, options, multiple }) => [
		...(header === null || header === '' || header === question
			? []
			: fenced(revealText(header), width, 'dim')),
		...fenced(revealText(question), width, 'strong'),
		...(multiple ? fenced(safeText`(more than one may be chosen)`, width, 'dim') : []),
		...options.flatMap(({ label, description }, index) =>
			fenced(
				safeText`${index + 1}. ${revealText(label)}${description === null ? safeText`` : safeText`: ${revealText(description)}`}`,
				width,
				'plain',
			),
		),
	])
}

function ruleLines({ session_rules }: Request, width: number): StyledLine[] {
	if (session_rules.length === 0) return []
	const rules = session_rules.map(({ tool, rule }) =>
		rule === null ? oneLine(tool) : safeText`${oneLine(tool)}(${oneLine(rule)})`,
	)
	const lines: StyledLine[] = rules.map((rule) => [span(rule)])
	lines.push([span(safeText`until the session ends`, 'dim')])
	return beside(safeText`A allows`, lines, width)
}

function warnings(request: Request, width: number): StyledLine[] {
	const { hidden, mixedScripts, rightToLeft } = inspect(strings(request).join('\n'))
	const warn = (text: SafeText) =>
		wrapLine([span(text, 'warn')], width, { rest: [span(safeText`  `)] })
	return [
		...(hidden.length === 0
			? []
			: warn(safeText`⚠ hidden characters, written out below: ${revealText(hidden.join(', '))}`)),
		...(mixedScripts.length === 0
			? []
			: warn(
					safeText`⚠ letters of several alphabets, or that only look like others, in: ${joinText(mixedScripts, safeText`, `)}`,
				)),
		...(rightToLeft
			? warn(
					safeText`⚠ right-to-left letters: a terminal may show what is beside them in another order`,
				)
			: []),
	]
}

/** Every string in a value, keys too. */
function strings(value: unknown): string[] {
	if (typeof value === 'string') return [value]
	if (Array.isArray(value)) return value.flatMap(strings)
	if (!isRecord(value)) return []
	return Object.entries(value).flatMap(([key, inner]) => [key, ...strings(inner)])
}

function isRecord(value: unknown): value is Record<string, unknown> {
	return typeof value === 'object' && value !== null && !Array.isArray(value)
}
