/** A tool call with its result: one line while folded, then what was asked and what came of it. */
import type { Body, FileChange } from '../../protocol/events.ts'
import { checklistLines, progressText, type Step, stepsIn, stepsOf } from '../../text/checklist.ts'
import { changeLines, changeWords, diffStats } from '../../text/diff.ts'
import { changesOf } from '../../text/edit-input.ts'
import { entryLines, fencedLines } from '../../text/entry-lines.ts'
import { codeLines } from '../../text/file-lines.ts'
import { markdownLines } from '../../text/markdown.ts'
import { oneLine } from '../../text/one-line.ts'
import { commandOutput, type OutputOptions } from '../../text/plain.ts'
import { joinText, revealText, safeText } from '../../text/safe-text.ts'
import { lineText, lineWidth, type StyledLine, span } from '../../text/styled.ts'
import { formatDuration } from '../../text/time.ts'
import { asInput, commandOf, pathOf, restOf, textOf } from '../../text/tool-input.ts'
import { toolKind } from '../../text/tool-kinds.ts'
import { callSpans } from '../../text/tool-words.ts'
import { within } from '../../text/within.ts'
import type { ShownMessage } from '../../viewer/viewer.ts'
import { diffLines } from '../present/diff-lines.ts'
import { keepRight } from '../present/sides.ts'
import { type Fold, leftOut, linesShown, unfoldedLines } from './folds.ts'
import type { ItemOptions } from './item-lines.ts'
import { bodyOf } from './items.ts'

/** A diff up to this many lines is shown without being asked for. */
const shortDiff = 16
/** Lines of a failure that are shown without being asked for. */
const failureLines = 6
/** A to-do list and a plan up to so many lines are shown without being asked for. */
const longestList = 12
const longestPlan = 40

type Call = Body<'tool_use'>
type Result = Body<'tool_result'>

export function callLines(
	messages: { call: ShownMessage | null; result: ShownMessage | null },
	{ width, fold, cwd }: ItemOptions,
): readonly StyledLine[] {
	const call = messages.call && bodyOf(messages.call, 'tool_use')
	const result = messages.result && bodyOf(messages.result, 'tool_result')
	const parent = call?.parent ?? result?.parent ?? null
	const lines = linesOf(call, result, {
		width: parent === null ? width : width - 2,
		fold,
		cwd,
	})
	return parent === null ? lines : lines.map((line) => [span(safeText`┆ `, 'dim'), ...line])
}

function linesOf(
	call: Call | null,
	result: Result | null,
	{ width, fold, cwd }: ItemOptions,
): StyledLine[] {
	const changes = changesOf(call, result)
	const [only] = changes
	const diff =
		only && changes.length === 1
			? // Its path is in the title already.
				changeLines(only, width - 2)
			: changes.flatMap((change) => diffLines(change, width - 2))
	const told = result ? toldLines(result) : ''
	const lines = told === '' ? 0 : told.split('\n').length
	const own = diff.length > 0 ? null : ownLines(call, result, width - 2)
	const shown = own ? own.lines : diff
	const most = own ? own.most : shortDiff
	const unfolded = fold !== 'folded'
	const open = unfolded || (shown.length > 0 && shown.length <= most)
	const options: Title = {
		steps: own?.steps ?? null,
		changes,
		lines: shown.length > 0 ? 0 : lines,
		width,
		cwd,
	}
	const title = titleLine(call, result, options)
	const body = open
		? [
				...(unfolded && !own ? unfoldedLines(inputLines(call, title, options), fold) : []),
				...(unfolded ? unfoldedLines(shown, fold) : shown).map(indent),
				...(unfolded && shown.length === 0 ? toldOutput(call, result, told, fold, width) : []),
			]
		: result && !result.ok
			? outputLines(told, width, { limit: failureLines })
			: []
	const hidden = !unfolded && (shown.length > most || (shown.length === 0 && lines > body.length))
	const sign = unfolded ? safeText` ▾` : hidden ? safeText` ▸` : safeText`  `
	return [[...title, span(sign, 'dim')], ...body]
}

/** What a plan or a to-do list shows in the place of its input and of what the tool answers. */
function ownLines(
	call: Call | null,
	result: Result | null,
	width: number,
): { lines: StyledLine[]; steps: readonly Step[] | null; most: number } | null {
	if (!call || (result && !result.ok)) return null
	const kind = toolKind(call.name, call.input)
	if (kind === 'plan') {
		const plan = textOf(asInput(call.input), 'plan', 'text')
		if (plan === null) return null
		return { lines: markdownLines(plan, width), steps: null, most: longestPlan }
	}
	if (kind !== 'todo') return null
	const steps = stepsOf(call.input) ?? (result ? stepsIn(result.text)?.steps : null) ?? null
	return steps && { lines: checklistLines(steps, width), steps, most: longestList }
}

interface Title {
	steps: readonly Step[] | null
	/** Those that are shown. */
	changes: readonly FileChange[]
	lines: number
	width: number
	cwd: string | null
}

function titleLine(call: Call | null, result: Result | null, title: Title): StyledLine {
	return keepRight(callTitle(call, title), outcome(result, title.lines), title.width - 2)
}

function callTitle(call: Call | null, { steps, cwd, changes }: Title): StyledLine {
	if (changes.length > 0) {
		const { added, removed } = diffStats(changes)
		const paths = joinText(
			changes.map(({ path }) => oneLine(within(path, cwd))),
			safeText`, `,
		)
		return [
			span(safeText`✎ `, 'accent'),
			span(paths, 'code'),
			...changes.slice(0, 1).flatMap((change) => changeWords(change)),
			span(safeText`  +${added}`, 'added'),
			span(safeText` −${removed}`, 'removed'),
		]
	}
	if (!call) return [span(safeText`⎿ result`, 'dim')]
	const spans = callSpans(call, cwd)
	// The list itself stands below.
	return steps ? [...spans.slice(0, 1), span(progressText(steps), 'dim')] : spans
}

/** What the tool answered, without what the title says and without words that say nothing. */
function toldLines({ text, exit_code }: Result): string {
	const told = trimEnd(text)
	if (saysNothing.test(told)) return ''
	const said = exit_code === null ? '' : `Exit code ${exit_code}`
	return said !== '' && told.startsWith(`${said}\n`) ? told.slice(said.length + 1) : told
}

/** What agents write where a command printed nothing. */
const saysNothing = /^(?:\(Bash completed with no output\)|\(no output\)|\(empty\))$/

function outcome(result: Result | null, lines: number): StyledLine {
	if (!result) return [span(safeText`…`, 'dim')]
	const exit =
		result.exit_code !== null && result.exit_code !== 0
			? safeText` exit ${result.exit_code}`
			: safeText``
	const time =
		result.duration_ms === null || result.duration_ms < 1
			? safeText``
			: safeText` ${formatDuration(result.duration_ms)}`
	const count =
		lines === 0 ? safeText`` : lines === 1 ? safeText`  1 line` : safeText`  ${lines} lines`
	return [
		result.ok ? span(safeText`✓`, 'ok') : span(safeText`✗${exit}`, 'error'),
		span(safeText`${time}${count}`, 'dim'),
	]
}

/** What a call was given and its title does not show. */
function inputLines(call: Call | null, title: StyledLine, options: Title): StyledLine[] {
	if (!call) return []
	const { width, cwd } = options
	const command = commandOf(call.input)
	const shown = lineText(title)
	if (typeof call.input !== 'object' || call.input === null) return []
	const whole = command !== null && !command.includes('\n') && shown.includes(oneLine(command))
	const rest = Object.entries(
		restOf(call.input, { command: command !== null, changes: options.changes }) ?? {},
	)
	const lines = [
		...(command === null || whole ? [] : fencedLines(revealText(command), width, bar, 'code')),
		...rest
			.filter(
				([, value]) => typeof value !== 'string' || !shown.includes(oneLine(within(value, cwd))),
			)
			.flatMap(([key, value]) => entryLines(key, value, width, bar)),
	]
	return lines
}

const bar: StyledLine = [span(safeText`  │ `, 'dim')]

function outputLines(output: string, width: number, options: OutputOptions): StyledLine[] {
	if (output === '') return []
	return commandOutput(output, width - lineWidth(bar), { style: 'dim', ...options }).map((line) => [
		...bar,
		...line,
	])
}

/** What a tool answered, unfolded; of a file that was read, as code. */
function toldOutput(
	call: Call | null,
	result: Result | null,
	told: string,
	open: Exclude<Fold, 'folded'>,
	width: number,
): StyledLine[] {
	const options = { limit: linesShown(open), more: leftOut(open) }
	const path =
		result?.ok && call && toolKind(call.name, call.input) === 'read' && pathOf(call.input)
	const code = path ? codeLines(told, path, width - lineWidth(bar), options) : null
	return code ? code.map((line) => [...bar, ...line]) : outputLines(told, width, options)
}

function indent(line: StyledLine): StyledLine {
	return [span(safeText`  `), ...line]
}

function trimEnd(text: string): string {
	return text.replace(/\s+$/, '')
}
