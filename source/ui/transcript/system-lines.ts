/** What a session says of itself besides prompts, answers and calls. */
import type { Body } from '../../protocol/events.ts'
import { checklistLines, progressText, stepsIn } from '../../text/checklist.ts'
import { plainLines } from '../../text/markdown.ts'
import { oneLine } from '../../text/one-line.ts'
import { displayText, noText, safeText } from '../../text/safe-text.ts'
import { type StyledLine, span, truncateLine } from '../../text/styled.ts'
import { policyIsRefused } from '../../text/transcript.ts'
import { wrapLine } from '../../text/wrap.ts'
import { type Fold, unfoldedLines } from './folds.ts'

/** Types whose text says all. */
const speaking = new Set(['mode', 'policy', 'compact', 'api_retry', 'summary', 'subagent'])

/** What agents write where a person interrupted them. */
const interruption = /^(?:\[Request interrupted by user(?: for tool use)?\]|Aborted)?$/

const indent = { rest: [span(safeText`  `)] }

/** In one line while it is folded, but for what must not be missed. */
export function systemLines(
	system: Body<'system'>,
	{ width, fold }: { width: number; fold: Fold },
): readonly StyledLine[] {
	const text = system.text ?? ''
	if (isWarning(system))
		return wrapLine([span(safeText`! ${oneLine(text)}`, 'warn')], width, indent)
	if (system.type === 'plan') return planLines(text, width)
	if (system.type === 'subagent_prompt') return askedLines(text, width, fold)
	const line = [span(safeText`· ${saying(system.type, text)}`, 'dim')]
	return fold === 'folded'
		? [truncateLine(line, width)]
		: unfoldedLines(wrapLine(line, width, indent), fold)
}

function saying(type: string, text: string) {
	if (type === 'interrupted' && interruption.test(text)) return safeText`interrupted`
	if (type === 'task_notification') return notified(text)
	if (speaking.has(type)) return oneLine(text)
	return safeText`${oneLine(type.replaceAll('_', ' '))}: ${oneLine(text)}`
}

/** A sub-agent or a command in the background is done: its own summary, where there is one. */
function notified(text: string) {
	const summary = /<summary>([^<]+)<\/summary>/.exec(text)?.[1]
	const status = /<status>([^<]+)<\/status>/.exec(text)?.[1]
	const said = [summary, status].filter((each) => each !== undefined).join(', ')
	return safeText`background task: ${oneLine(said === '' ? text.replace(/<[^>]*>/g, ' ').trim() : said)}`
}

function planLines(text: string, width: number): StyledLine[] {
	const plan = stepsIn(text)
	const title = span(safeText`☑ plan`, 'accent')
	if (!plan) {
		return wrapLine([title, span(safeText`  ${oneLine(text)}`, 'dim')], width, indent)
	}
	const said = plan.before.join('\n').trim()
	return [
		[title, span(safeText`  ${progressText(plan.steps)}`, 'dim')],
		...(said === '' ? [] : plainLines(displayText(said), width - 2)),
		...checklistLines(plan.steps, width - 2),
	].map((line, index) => (index === 0 ? line : [span(safeText`  `), ...line]))
}

/** What a sub-agent was asked; its call says it in short. */
function askedLines(text: string, width: number, fold: Fold): StyledLine[] {
	const nest = [span(safeText`┆ `, 'dim'), span(safeText`▌ `, 'prompt')]
	const lines = plainLines(displayText(text.trim()), width - 4)
	const [first = []] = lines
	if (fold !== 'folded') return unfoldedLines(lines, fold).map((line) => [...nest, ...line])
	const more = lines.length > 1 ? span(safeText` ▸`, 'dim') : span(noText)
	return [[...nest, ...truncateLine(first, width - 6), more]]
}

/** What the host or the agent warns of, and a mode in which nobody is asked. */
function isWarning(system: Body<'system'>): boolean {
	const { type, data } = system
	if (type === 'notice' || type === 'warning' || policyIsRefused(system)) return true
	if (type !== 'mode' || typeof data !== 'object' || data === null) return false
	return 'asks' in data && data.asks === false
}
