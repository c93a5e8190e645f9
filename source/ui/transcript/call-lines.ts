/** A tool call with its result: one line while folded, then what was asked and what came of it. */
import type { Body } from '../../protocol/events.ts'
import { capText } from '../../text/caps.ts'
import { changeLines, diffStats } from '../../text/diff.ts'
import { commandOutput } from '../../text/plain.ts'
import {
	displayText,
	joinText,
	revealText,
	type SafeText,
	safeText,
	splitLines,
} from '../../text/safe-text.ts'
import { lineWidth, type StyledLine, span } from '../../text/styled.ts'
import { formatDuration } from '../../text/time.ts'
import { commandOf } from '../../text/tool-input.ts'
import { wrapLine } from '../../text/wrap.ts'
import type { ShownMessage } from '../../viewer/viewer.ts'
import { diffLines } from '../present/diff-lines.ts'
import { oneLine } from '../present/one-line.ts'
import { keepRight } from '../present/sides.ts'
import { within } from '../present/within.ts'
import type { ItemOptions } from './item-lines.ts'
import { bodyOf } from './items.ts'

/** Lines of output that are laid out at most; the rest is a count. */
const longestOutput = 2000
/** A diff up to this many lines is shown without being asked for. */
const shortDiff = 16
/** Lines of a failure that are shown without being asked for. */
const failureLines = 6

type Call = Body<'tool_use'>
type Result = Body<'tool_result'>

export function callLines(
	messages: { call: ShownMessage | null; result: ShownMessage | null },
	{ width, unfolded, cwd }: ItemOptions,
): readonly StyledLine[] {
	const call = messages.call && bodyOf(messages.call, 'tool_use')
	const result = messages.result && bodyOf(messages.result, 'tool_result')
	const parent = call?.parent ?? result?.parent ?? null
	const lines = linesOf(call, result, {
		width: parent === null ? width : width - 2,
		unfolded,
		cwd,
	})
	return parent === null ? lines : lines.map((line) => [span(safeText`┆ `, 'dim'), ...line])
}

function linesOf(
	call: Call | null,
	result: Result | null,
	{ width, unfolded, cwd }: ItemOptions,
): StyledLine[] {
	const changes = result?.changes ?? []
	const [only] = changes
	const diff =
		only && changes.length === 1
			? // Its path is in the title already.
				changeLines(only, width - 2)
			: changes.flatMap((change) => diffLines(change, width - 2))
	const output = result ? trimEnd(result.text) : ''
	const lines = output === '' ? 0 : output.split('\n').length
	const body =
		unfolded || (diff.length > 0 && diff.length <= shortDiff)
			? [
					...(unfolded ? inputLines(call, width) : []),
					...diff.map(indent),
					...(unfolded && diff.length === 0 ? outputLines(output, width, longestOutput) : []),
				]
			: result && !result.ok
				? outputLines(output, width, failureLines)
				: []
	const hidden =
		!unfolded && (diff.length > shortDiff || (diff.length === 0 && lines > body.length))
	return [
		titleLine(call, result, {
			lines: only ? 0 : lines,
			width,
			cwd,
			sign: unfolded ? '▾' : hidden ? '▸' : ' ',
		}),
		...body,
	]
}

function titleLine(
	call: Call | null,
	result: Result | null,
	{
		lines,
		width,
		cwd,
		sign,
	}: { lines: number; width: number; cwd: string | null; sign: '▾' | '▸' | ' ' },
): StyledLine {
	const right = [...outcome(result, lines), span(safeText` ${displayText(sign)}`, 'dim')]
	return keepRight(callTitle(call, result, cwd), right, width)
}

function callTitle(call: Call | null, result: Result | null, cwd: string | null): StyledLine {
	const changes = result?.changes ?? []
	if (changes.length > 0) {
		const { added, removed } = diffStats(changes)
		const paths = joinText(
			changes.map(({ path }) => oneLine(within(path, cwd))),
			safeText`, `,
		)
		return [
			span(safeText`✎ `, 'accent'),
			span(paths, 'code'),
			span(safeText`  +${added}`, 'added'),
			span(safeText` −${removed}`, 'removed'),
		]
	}
	if (!call) return [span(safeText`⎿ result`, 'dim')]
	const command = commandOf(call.input)
	if (command !== null) return [span(safeText`$ `, 'accent'), span(oneLine(command), 'code')]
	return [
		span(safeText`⚙ ${oneLine(call.name)} `, 'accent'),
		span(briefInput(call.input, cwd), 'dim'),
	]
}

/** The first few plain values of an input, which is what tells calls apart. */
function briefInput(input: unknown, cwd: string | null): SafeText {
	if (typeof input !== 'object' || input === null) return oneLine(String(input ?? ''))
	const values = Object.values(input).filter((value) => typeof value === 'string')
	return joinText(
		values.slice(0, 3).map((value) => oneLine(within(value.slice(0, 200), cwd))),
		safeText` · `,
	)
}

function outcome(result: Result | null, lines: number): StyledLine {
	if (!result) return [span(safeText`…`, 'dim')]
	const exit =
		result.exit_code !== null && result.exit_code !== 0
			? safeText` exit ${result.exit_code}`
			: safeText``
	const time =
		result.duration_ms === null ? safeText`` : safeText` ${formatDuration(result.duration_ms)}`
	const count =
		lines === 0 ? safeText`` : lines === 1 ? safeText`  1 line` : safeText`  ${lines} lines`
	return [
		result.ok ? span(safeText`✓`, 'ok') : span(safeText`✗${exit}`, 'error'),
		span(safeText`${time}${count}`, 'dim'),
	]
}

function inputLines(call: Call | null, width: number): StyledLine[] {
	if (!call) return []
	const command = commandOf(call.input)
	if (command !== null && !command.includes('\n') && command.length < width - 30) return []
	const text = command ?? JSON.stringify(call.input, null, 2) ?? ''
	return splitLines(capText(revealText(text), longestOutput).text).flatMap((line) =>
		wrapLine([span(line, 'code')], width, { mode: 'columns', first: bar, rest: bar }),
	)
}

const bar: StyledLine = [span(safeText`  │ `, 'dim')]

function outputLines(output: string, width: number, most: number): StyledLine[] {
	if (output === '') return []
	return commandOutput(output, width - lineWidth(bar), { limit: most, style: 'dim' }).map(
		(line) => [...bar, ...line],
	)
}

function indent(line: StyledLine): StyledLine {
	return [span(safeText`  `), ...line]
}

function trimEnd(text: string): string {
	return text.replace(/\s+$/, '')
}
