import { joinText, type SafeText, safeText } from '../../text/safe-text.ts'
import { type Style, type StyledLine, span } from '../../text/styled.ts'
import { wrapLine } from '../../text/wrap.ts'
import type { Risk } from '../../viewer/risk.ts'
import type { DecisionState, RequestView } from '../../viewer/viewer.ts'
import { remember } from '../remember.ts'
import { decidedLine, ladderLine } from './ladder.ts'
import { oneLine } from './one-line.ts'
import { requestMatter } from './request-matter.ts'
import { keepRight } from './sides.ts'
import { leftText } from './times.ts'

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

/** A request that waits, in full: what is asked, the risk and why, the time left, how to answer. */
export function requestCard(request: RequestView, options: CardOptions): Card {
	const { width, now } = options
	const mark = span(options.focused ? safeText`▶ ⚠ ` : safeText`  ⚠ `, 'warn')
	const head = keepRight(
		[mark, span(wants(request), 'strong')],
		[span(leftText(request.expiresAt, now), 'warn')],
		width,
	)
	const before = [head, ...riskLines(request.risk, width)]
	const matter = matterLines(request, width)
	return {
		lines: [...before, ...matter, ...answerLines(request, options)],
		matter: { from: before.length, to: before.length + matter.length },
	}
}

/** What a request asks for, in a few words of ours. */
export function wants({ body }: Pick<RequestView, 'body'>): SafeText {
	if (!body) return safeText`asks for something that cannot be shown`
	const tool = oneLine(body.tool)
	if (body.questions) return safeText`asks a question (${tool})`
	if (body.changes.length === 1) return safeText`wants to change a file (${tool})`
	if (body.changes.length > 1)
		return safeText`wants to change ${body.changes.length} files (${tool})`
	if (commandOf(body.input) !== null) return safeText`wants to run a command (${tool})`
	return safeText`wants to use ${tool}`
}

/** The request in one line, for a list: the command or the path, else the tool. */
export function requestSummary({ body }: Pick<RequestView, 'body'>): SafeText {
	if (!body) return safeText`cannot be shown`
	const command = commandOf(body.input)
	if (command !== null) return safeText`$ ${oneLine(command)}`
	const paths = body.changes.map(({ path }) => oneLine(path))
	if (paths.length > 0) return safeText`✎ ${joinText(paths, safeText`, `)}`
	const question = body.questions?.[0]?.question
	if (question !== undefined) return safeText`? ${oneLine(question)}`
	return oneLine(body.tool)
}

export function riskSpan(risk: Risk | null) {
	if (!risk) return span(safeText`risk unknown`, 'warn')
	return span(riskNames[risk.level], riskStyles[risk.level])
}

function riskLines(risk: Risk | null, width: number): StyledLine[] {
	if (!risk) return []
	const reasons = risk.reasons.map(oneLine)
	const why = reasons.length === 0 ? safeText`` : safeText`: ${joinText(reasons, safeText`; `)}`
	return wrapLine([span(safeText`risk `, 'dim'), riskSpan(risk), span(why)], width, {
		first: [span(safeText`    `)],
		rest: [span(safeText`    `)],
	})
}

const matterCache = new WeakMap<object, Map<number, StyledLine[]>>()

function matterLines({ body, problem }: RequestView, width: number): StyledLine[] {
	if (!body || problem !== null) {
		const why = oneLine(problem ?? 'it could not be opened')
		return [
			...wrapLine([span(safeText`✗ ${why}`, 'error')], width, { rest: [span(safeText`  `)] }),
			...wrapLine([span(safeText`It can be denied, not allowed.`, 'strong')], width),
		]
	}
	const widths = remember(matterCache, body, () => new Map<number, StyledLine[]>())
	return remember(widths, width, () => requestMatter(body, width))
}

function answerLines(request: RequestView, options: CardOptions): StyledLine[] {
	const { decision, width, focused, unread } = options
	const lines: StyledLine[] = []
	if (decision) lines.push(...wrapLine(ladderLine(decision), width))
	else if (request.decided) lines.push(...wrapLine(decidedLine(request.decided), width))
	if (request.status !== 'pending' || (decision && decision.stage !== 'failed')) return lines
	if (!focused) return lines
	const readFirst = span(safeText`${unread} lines not seen yet: ⏎ or page down  `, 'warn')
	const allow: StyledLine =
		!request.body || request.problem !== null || request.body.questions
			? []
			: unread > 0
				? [readFirst]
				: [span(safeText`[a] allow  `, 'ok'), ...sessionHint(request)]
	lines.push(...wrapLine([...allow, span(safeText`[d] deny  [r] deny, say why`, 'warn')], width))
	return lines
}

function sessionHint({ body }: RequestView): StyledLine {
	return body && body.session_rules.length > 0 ? [span(safeText`[A] for session  `, 'ok')] : []
}

export function commandOf(input: unknown): string | null {
	if (typeof input !== 'object' || input === null || !('command' in input)) return null
	return typeof input.command === 'string' ? input.command : null
}
