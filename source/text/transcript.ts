/** One rendering of a session event as lines, for the transcript, `show` and `demo`. */
import type { Body, FileChange, Question, SessionEvent } from '../protocol/events.ts'
import { moreLines } from './caps.ts'
import { changeLines, diffStats, statsText } from './diff.ts'
import { markdownLines, plainLines } from './markdown.ts'
import { commandOutput, fold, jsonLines } from './plain.ts'
import { subjectText } from './request-summary.ts'
import { revealLines, revealSpans } from './reveal.ts'
import { displayText, noText, revealText, type SafeText, safeText } from './safe-text.ts'
import { lineText, lineWidth, type Style, type StyledLine, spaces, span } from './styled.ts'
import { formatCount, formatDuration, formatUsd } from './time.ts'
import { commandOf, pathOf, restOf } from './tool-input.ts'
import { wantsText } from './tool-words.ts'
import { wrapLine } from './wrap.ts'

export interface TranscriptOptions {
	/** Output and diffs are folded to about so many lines. Default: 20. */
	limit?: number
	/** A name for a device's id. */
	deviceName?: (id: string) => string | null
}

type Options = Required<TranscriptOptions>

const defaults: Options = { limit: 20, deviceName: () => null }

/** The event in lines of at most `width` columns. */
export function eventToLines(
	event: SessionEvent,
	width: number,
	options: TranscriptOptions = {},
): StyledLine[] {
	const all = { ...defaults, ...options }
	switch (event.kind) {
		case 'user_prompt':
			return promptLines(event.body.text, width)
		case 'agent_response':
			return markdownLines(event.body.text, width)
		case 'agent_thinking':
			return thinkingLines(event.body.text, width, all)
		case 'tool_use':
			return callLines({ tool: event.body.name, input: event.body.input }, width, all)
		case 'tool_result':
			return resultLines(event.body, width, all)
		case 'permission_request':
			return requestLines(event.body, width, all)
		case 'permission_response':
			return responseLines(event.body, width, all)
		case 'usage':
			return wrapLine([span(usageText(event.body), 'dim')], width)
		case 'status':
			return statusLines(event.body, width)
		case 'error':
			return prefixed(
				revealLines(event.body.text === '' ? event.body.code : event.body.text, 'error'),
				width,
				safeText`✗ `,
				'error',
			)
		case 'system':
			return systemLines(event.body, width, all)
	}
}

/** `eventToLines` without styles, for output that is not a terminal. */
export function eventToPlainLines(
	event: SessionEvent,
	width: number,
	options: TranscriptOptions = {},
): SafeText[] {
	return eventToLines(event, width, options).map(lineText)
}

function promptLines(text: string, width: number): StyledLine[] {
	const bar = [span(safeText`▌ `, 'prompt')]
	return revealLines(text, 'prompt').flatMap((line) =>
		wrapLine(line, width, { first: bar, rest: bar }),
	)
}

/** Wraps lines behind a mark; further lines are indented. */
function prefixed(
	lines: readonly StyledLine[],
	width: number,
	mark: SafeText,
	style: Style,
	mode: 'words' | 'columns' = 'words',
): StyledLine[] {
	const first = [span(mark, style)]
	const rest = [spaces(lineWidth(first))]
	return lines.flatMap((line, index) =>
		wrapLine(line, width, { mode, first: index === 0 ? first : rest, rest }),
	)
}

function folded(lines: readonly StyledLine[], limit: number): StyledLine[] {
	const { head, hidden, tail } = fold(lines, limit)
	return hidden === 0 ? [...head] : [...head, [span(moreLines(hidden), 'dim')], ...tail]
}

function thinkingLines(text: string, width: number, { limit }: Options): StyledLine[] {
	const lines = plainLines(displayText(text), width - 2, 'thinking')
	return folded(lines, limit).map((line) => [span(safeText`∴ `, 'dim'), ...line])
}

/** What an agent calls: a command as it would be typed, a file's path, or its input. */
function callLines(
	call: { tool: string; input: unknown },
	width: number,
	{ limit }: Options,
): StyledLine[] {
	const command = commandOf(call.input)
	if (command !== null) {
		const lines = prefixed(revealLines(command, 'code'), width, safeText`$ `, 'accent', 'columns')
		return folded(lines, limit)
	}
	const tool = span(revealText(call.tool.replaceAll('\n', ' ')), 'accent')
	const subject = subjectText(call.input)
	const head = subject === noText ? [tool] : [tool, span(safeText` ${subject}`, 'code')]
	const lines = wrapLine(head, width, { mode: 'columns', rest: [spaces(2)] })
	if (lines.length === 1 || !subject.startsWith('{')) return lines
	const name = wrapLine([tool], width, { mode: 'columns', rest: [spaces(2)] })
	return [...name, ...jsonLines(call.input, width - 2, limit).map((line) => [spaces(2), ...line])]
}

function resultLines(body: Body<'tool_result'>, width: number, options: Options): StyledLine[] {
	const style = body.ok ? 'ok' : 'error'
	const facts = [
		body.exit_code === null ? null : safeText`exit ${body.exit_code}`,
		body.duration_ms === null ? null : formatDuration(body.duration_ms),
	].filter((fact) => fact !== null)
	const head = facts.reduce(
		(text, fact) => safeText`${text} ${fact}`,
		body.ok ? safeText`✓` : safeText`✗`,
	)
	const output = commandOutput(body.text, width - 2, { limit: options.limit })
	return [
		[span(head, style)],
		...changesLines(body.changes, width, options),
		...output.map((line) => [spaces(2), ...line]),
	]
}

function changesLines(
	changes: readonly FileChange[],
	width: number,
	{ limit }: Options,
): StyledLine[] {
	return changes.flatMap((change) => [
		...wrapLine(
			[
				span(safeText`✎ `, 'accent'),
				...revealSpans(change.path),
				span(safeText`  ${statsText(diffStats([change]))}`, 'dim'),
			],
			width,
			{ mode: 'columns', rest: [spaces(2)] },
		),
		...folded(changeLines(change, width), limit),
	])
}

/** Whether the agent's own words for it are shown with the input already. */
function isInInput({ input, description }: Body<'permission_request'>): boolean {
	return typeof input === 'object' && input !== null && Object.values(input).includes(description)
}

/** Nothing of a request is folded away: this is what a person decides on. */
function requestLines(
	body: Body<'permission_request'>,
	width: number,
	options: Options,
): StyledLine[] {
	const all = { ...options, limit: Number.POSITIVE_INFINITY }
	const facts: [SafeText, string | null][] = [
		[safeText`in `, body.cwd],
		[safeText`says: `, isInInput(body) ? null : body.description],
		[safeText`why: `, body.reason],
	]
	return [
		...wrapLine([span(safeText`⚠ ${wantsText(body)}`, 'warn')], width, { mode: 'columns' }),
		...(body.questions
			? body.questions.flatMap((question) => questionLines(question, width))
			: indented(wholeCall(body, width - 2))),
		...indented(changesLines(body.changes, width - 2, all)),
		...facts.flatMap(([label, text]) =>
			text === null || text === ''
				? []
				: indented(prefixed(revealLines(text, 'dim'), width - 2, label, 'dim')),
		),
		...body.session_rules.flatMap(({ tool: ruled, rule }) =>
			indented(
				prefixed(
					revealLines(rule === null ? ruled : `${ruled}(${rule})`, 'dim'),
					width - 2,
					safeText`for the session: `,
					'dim',
				),
			),
		),
	]
}

/** All of a call's input: the command, or the tool and its file, then whatever else is in it. */
function wholeCall(body: Body<'permission_request'>, width: number): StyledLine[] {
	const command = commandOf(body.input)
	const head =
		command === null
			? prefixed(revealLines(pathOf(body.input) ?? '', 'code'), width, noText, 'code', 'columns')
			: prefixed(revealLines(command, 'code'), width, safeText`$ `, 'accent', 'columns')
	const shown = { command: command !== null, changes: body.changes }
	const rest = restOf(body.input, shown)
	if (rest === null) return shown.changes.length > 0 ? [] : head
	return [...(command === null ? [] : head), ...jsonLines(rest, width)]
}

const indented = (lines: readonly StyledLine[]): StyledLine[] =>
	lines.map((line) => [spaces(2), ...line])

function questionLines(question: Question, width: number): StyledLine[] {
	const options = question.options.flatMap(({ label, description }, index) =>
		prefixed(
			revealLines(description === null ? label : `${label}: ${description}`),
			width - 2,
			safeText`${index + 1}. `,
			'accent',
		),
	)
	return indented([
		...prefixed(revealLines(question.question, 'strong'), width - 2, noText, 'strong'),
		...options,
	])
}

function responseLines(
	body: Body<'permission_response'>,
	width: number,
	{ deviceName }: Options,
): StyledLine[] {
	const name = body.device === null ? null : (deviceName(body.device) ?? body.device)
	const who = {
		device: name === null ? 'a device' : name,
		agent: 'the agent’s own prompt',
		host: 'the host',
		policy: 'a policy of the host',
	}[body.by]
	const approved = body.result === 'approved'
	const scope = approved && body.scope === 'session' ? ' for this session' : ''
	const reason = body.reason === null || body.reason === '' ? '' : `: ${body.reason}`
	return prefixed(
		revealLines(`${body.result}${scope} by ${who}${reason}`, approved ? 'ok' : 'error'),
		width,
		approved ? safeText`✓ ` : safeText`✗ `,
		approved ? 'ok' : 'error',
	)
}

/** `12.4k in · 300 out · 1.2M cached · $0.42`; of a cost that comes without tokens: `$0.42`. */
export function usageText(body: Body<'usage'>): SafeText {
	const cached = body.cache_read + body.cache_write
	const costOnly = body.input + body.output + cached === 0 && body.cost_usd !== null
	const parts = [
		...(costOnly
			? []
			: [safeText`${formatCount(body.input)} in`, safeText`${formatCount(body.output)} out`]),
		...(cached === 0 ? [] : [safeText`${formatCount(cached)} cached`]),
		...(body.cost_usd === null ? [] : [formatUsd(body.cost_usd)]),
	]
	return parts.reduce((text, part) => safeText`${text} · ${part}`)
}

function statusLines(body: Body<'status'>, width: number): StyledLine[] {
	const detail = body.detail === null || body.detail === '' ? '' : `: ${body.detail}`
	const text = body.applied === null ? `${body.status}${detail}` : 'the agent went on'
	const style = body.status === 'error' ? 'error' : 'dim'
	return prefixed(revealLines(text, style), width, safeText`· `, style)
}

/** The host has rules to answer by, and could not believe them. */
export function policyIsRefused({ type, data }: Body<'system'>): boolean {
	if (type !== 'policy' || typeof data !== 'object' || data === null) return false
	return 'state' in data && data.state === 'refused'
}

function systemLines(body: Body<'system'>, width: number, { limit }: Options): StyledLine[] {
	const warns = body.type === 'notice' || policyIsRefused(body)
	const style = warns ? 'warn' : 'dim'
	const mark = warns ? safeText`! ` : safeText`· `
	const text =
		body.text === null
			? body.type
			: body.type === 'notice' || body.type === 'policy'
				? body.text
				: `${body.type}: ${body.text}`
	return folded(prefixed(revealLines(text, style), width, mark, style), limit)
}
