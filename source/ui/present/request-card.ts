import type { Risk } from '../../risk/risk.ts'
import { oneLine } from '../../text/one-line.ts'
import { displayText, joinText, type SafeText, safeText } from '../../text/safe-text.ts'
import {
	lineText,
	lineWidth,
	type Span,
	type Style,
	type StyledLine,
	spaces,
	span,
	truncateLine,
} from '../../text/styled.ts'
import { commandOf } from '../../text/tool-input.ts'
import { callSpans, wantsText } from '../../text/tool-words.ts'
import { wrapLine } from '../../text/wrap.ts'
import type { DecisionState, RequestView } from '../../viewer/viewer.ts'
import type { CommandId, Keymap } from '../keymap/keymap.ts'
import { remember } from '../remember.ts'
import { givenInput } from './given-input.ts'
import { decidedLine, ladderLine, mayRepeat } from './ladder.ts'
import { requestMatter } from './request-matter.ts'
import { keepRight } from './sides.ts'
import { leftText } from './times.ts'
import { within } from './within.ts'

export interface Card {
	lines: readonly StyledLine[]
	/** The lines that must have been seen before it may be allowed: from, up to but not including to. */
	matter: { from: number; to: number }
}

export interface CardOptions {
	decision: DecisionState | null
	width: number
	/** ms since the epoch. */
	now: number
	/** An answer would go to this one. */
	focused: boolean
	/** Lines that matter and were not seen yet. */
	unread: number
	/** Nothing was heard lately from the host that would take the answer. */
	silent: boolean
	keymap: Keymap
}

const riskStyles: Readonly<Record<Risk['level'], Style>> = {
	low: 'ok',
	medium: 'warn',
	high: 'error',
}
const riskNames: Readonly<Record<Risk['level'], SafeText>> = {
	low: safeText`low`,
	medium: safeText`medium`,
	high: safeText`HIGH`,
}

/** A request in full: what is asked, the risk and why, the time left, how to answer or what became of it. */
export function requestCard(request: RequestView, options: CardOptions): Card {
	const { width } = options
	const before = [headLine(request, options), ...riskLines(request.risk, width)]
	if (request.status === 'pending') before.push(...silentLines(options))
	const matter = matterLines(request, width)
	return {
		lines: [...before, ...matter, ...answerLines(request, options)],
		matter: { from: before.length, to: before.length + matter.length },
	}
}

function headLine(request: RequestView, { focused, width, now }: CardOptions): StyledLine {
	const asks = span(wants(request), 'strong')
	if (request.status !== 'pending') return truncateLine([span(safeText`  · `, 'dim'), asks], width)
	const mark = span(focused ? safeText`▶ ⚠ ` : safeText`  ⚠ `, 'warn')
	return keepRight([mark, asks], [span(leftText(request.expiresAt, now), 'warn')], width)
}

/** What a request asks for, in a few words of ours. */
export function wants({ body }: Pick<RequestView, 'body'>): SafeText {
	return body ? wantsText(body) : safeText`asks for something that cannot be shown`
}

/** The request in one line, for a list: the command or the path, else what the tool would do. */
export function requestSummary({ body }: Pick<RequestView, 'body'>): SafeText {
	if (!body) return safeText`cannot be shown`
	const { tool, input, changes, cwd } = body
	if (commandOf(input) === null && changes.length > 0) {
		const paths = changes.map(({ path }) => oneLine(within(path, cwd)))
		return safeText`✎ ${joinText(paths, safeText`, `)}`
	}
	const question = body.questions?.[0]?.question
	if (question !== undefined) return safeText`? ${oneLine(question)}`
	return lineText(callSpans({ name: tool, input }, cwd))
}

export function riskSpan(risk: Risk | null) {
	if (!risk) return span(safeText`risk unknown`, 'warn')
	return span(riskNames[risk.level], riskStyles[risk.level])
}

function riskLines(risk: Risk | null, width: number): StyledLine[] {
	if (!risk) return []
	const reasons = risk.reasons.map(oneLine)
	const why = reasons.length === 0 ? safeText`` : safeText`: ${joinText(reasons, safeText`; `)}`
	return indented([span(safeText`risk `, 'dim'), riskSpan(risk), span(why)], width)
}

function silentLines({ silent, width }: CardOptions): StyledLine[] {
	if (!silent) return []
	const text = safeText`? its host is silent: an answer reaches it when it is back`
	return indented([span(text, 'warn')], width)
}

/** Under the head of the card, right of its signs. */
function indented(line: StyledLine, width: number): StyledLine[] {
	return wrapLine(line, width, { first: [spaces(4)], rest: [spaces(4)] })
}

const matterCache = new WeakMap<object, Map<number, StyledLine[]>>()

function matterLines({ body, problem }: RequestView, width: number): StyledLine[] {
	if (!body || problem !== null) {
		const why = oneLine(problem ?? 'it could not be opened')
		return [
			...indented([span(safeText`✗ ${why}`, 'error')], width),
			...indented([span(safeText`It can be denied, not allowed.`, 'strong')], width),
		]
	}
	const widths = remember(matterCache, body, () => new Map<number, StyledLine[]>())
	return remember(widths, width, () =>
		requestMatter(body, width - 2).map((line) => [spaces(2), ...line]),
	)
}

function answerLines(request: RequestView, options: CardOptions): StyledLine[] {
	const { decision, width, focused, unread, keymap } = options
	const lines: StyledLine[] = []
	if (request.decided) {
		lines.push(...indented(decidedLine(request.decided), width))
		lines.push(...givenInput(request.decided.input, width))
	}
	if (decision) lines.push(...indented(ladderLine(decision), width))
	if (request.status !== 'pending' || (decision && !mayRepeat(decision))) return lines
	if (!focused) return lines
	const hint = (command: CommandId, does: string, style: 'ok' | 'warn') =>
		span(safeText`[${keymap.key(command)}] ${displayText(does)}`, style)
	const allow =
		!request.body || request.problem !== null
			? []
			: unread > 0
				? [span(safeText`${unread} lines of it not read yet`, 'warn')]
				: allowHints(request.body).map(([command, does]) => hint(command, does, 'ok'))
	const deny = [hint('deny', 'deny', 'warn'), hint('deny-with-reason', 'deny, say why', 'warn')]
	lines.push(...hintLines([...allow, ...deny], width))
	return lines
}

function allowHints(body: NonNullable<RequestView['body']>): [CommandId, string][] {
	if (body.questions) return [['answer', 'answer']]
	return [
		['allow', 'allow'],
		...(body.editable === true ? [['change', 'change'] satisfies [CommandId, string]] : []),
		...(body.session_rules.length > 0
			? [['allow-session', 'for the session'] satisfies [CommandId, string]]
			: []),
	]
}

/** As many whole hints a line as fit. */
function hintLines(hints: readonly Span[], width: number): StyledLine[] {
	const lines: Span[][] = []
	for (const hint of hints) {
		const line = lines.at(-1)
		const wider = line && [...line, spaces(2), hint]
		if (wider && lineWidth(wider) <= width - 4) lines[lines.length - 1] = wider
		else lines.push([hint])
	}
	return lines.flatMap((line) => indented(line, width))
}
