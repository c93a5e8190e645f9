/**
 * All of a permission request that a person must have seen before allowing it, and nothing else: nothing
 * here is cut or left out, every character that would not be seen is written out.
 */
import type { Body } from '../../protocol/events.ts'
import { inspect } from '../../text/inspect.ts'
import { revealLines } from '../../text/reveal.ts'
import { joinText, revealText, type SafeText, safeText, splitLines } from '../../text/safe-text.ts'
import { padLine, type Style, type StyledLine, spaces, span } from '../../text/styled.ts'
import { shellText } from '../../text/tool-input.ts'
import { wrapLine } from '../../text/wrap.ts'
import { diffLines } from './diff-lines.ts'
import { oneLine } from './one-line.ts'

type Request = Body<'permission_request'>

/** What stands before every line that is the agent's: nothing of it can pass for ours. */
const gutter: StyledLine = [span(safeText`│ `, 'dim')]

/** Parts of an input that the changes show already, line by line. */
const shownAsChange = new Set(['file_path', 'old_string', 'new_string', 'content', 'edits'])

export function requestMatter(request: Request, width: number): StyledLine[] {
	return [
		...warnings(request, width),
		...inputLines(request, width),
		...labelled(safeText`shell`, shellOf(request)?.with ?? null, width),
		...labelled(safeText`in`, request.cwd, width),
		...labelled(safeText`says`, request.description, width),
		...labelled(safeText`because`, request.reason, width),
		...questionLines(request, width),
		...ruleLines(request, width),
	]
}

function inputLines(request: Request, width: number): StyledLine[] {
	const { input, changes } = request
	const diff = changes.flatMap((change) => diffLines(change, width))
	if (!isRecord(input)) return [...diff, ...fenced(json(input), width, 'strong')]
	const command = typeof input.command === 'string' ? input.command : shellOf(request)?.text
	const shell = command === undefined ? [] : commandLines(command, width)
	const rest = Object.entries(input).filter(
		([key]) =>
			!(key === 'command' && shell.length > 0) &&
			!(diff.length > 0 && shownAsChange.has(key)) &&
			// They stand below, with their choices.
			!(key === 'questions' && request.questions !== null),
	)
	// Agents repeat what they say of a call within its input: it stands once, under its label.
	const repeated = ([key, value]: [string, unknown]) =>
		key === 'description' && value === request.description
	return [
		...shell,
		...diff,
		...rest
			.filter((entry) => !repeated(entry))
			.flatMap(([key, value]) => entryLines(key, value, width)),
	]
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

function entryLines(key: string, value: unknown, width: number): StyledLine[] {
	const name = span(safeText`${oneLine(key)}: `, 'dim')
	const lines = splitLines(typeof value === 'string' ? revealText(value) : json(value))
	const [first = safeText``] = lines
	if (lines.length === 1) {
		return wrapLine([name, span(first)], width, { mode: 'columns', first: gutter, rest: gutter })
	}
	return [[...gutter, name], ...fenced(joinText(lines, safeText`\n`), width, 'plain')]
}

function fenced(text: SafeText, width: number, style: Style): StyledLine[] {
	return splitLines(text).flatMap((line) =>
		wrapLine([span(line, style)], width, { mode: 'columns', first: gutter, rest: gutter }),
	)
}

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
		...(header === null || header === '' ? [] : fenced(revealText(header), width, 'dim')),
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
	const { hidden, mixedScripts } = inspect(strings(request).join('\n'))
	const warn = (text: SafeText) =>
		wrapLine([span(text, 'warn')], width, { rest: [span(safeText`  `)] })
	return [
		...(hidden.length === 0
			? []
			: warn(safeText`⚠ hidden characters, written out below: ${revealText(hidden.join(', '))}`)),
		...(mixedScripts.length === 0
			? []
			: warn(safeText`⚠ letters of several alphabets in: ${joinText(mixedScripts, safeText`, `)}`)),
	]
}

/** Every string in a value, keys too. */
function strings(value: unknown): string[] {
	if (typeof value === 'string') return [value]
	if (Array.isArray(value)) return value.flatMap(strings)
	if (!isRecord(value)) return []
	return Object.entries(value).flatMap(([key, inner]) => [key, ...strings(inner)])
}

function json(value: unknown): SafeText {
	return revealText(JSON.stringify(value, null, 2) ?? '')
}

function isRecord(value: unknown): value is Record<string, unknown> {
	return typeof value === 'object' && value !== null && !Array.isArray(value)
}
