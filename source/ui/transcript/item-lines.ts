/** One item of a transcript as lines. Cached by message and width: an item is laid out once. */

import { errorText } from '../../text/error-text.ts'
import { isHighlighting } from '../../text/highlight.ts'
import { markdownLines, plainLines } from '../../text/markdown.ts'
import { oneLine } from '../../text/one-line.ts'
import { displayText, noText, safeText } from '../../text/safe-text.ts'
import { emptyLine, type StyledLine, span, truncateLine } from '../../text/styled.ts'
import { wrapLine } from '../../text/wrap.ts'
import type { LiveText, Sender, ShownMessage } from '../../viewer/viewer.ts'
import { promptFrom, sentSpans } from '../present/sender.ts'
import { clockTime } from '../present/times.ts'
import { remember } from '../remember.ts'
import { callLines } from './call-lines.ts'
import { type Fold, unfoldedLines } from './folds.ts'
import { bodyOf, type Item } from './items.ts'
import { systemLines } from './system-lines.ts'

export interface ItemOptions {
	width: number
	fold: Fold
	/** Folder of the session: paths in it are shown without it. */
	cwd: string | null
}

const cache = new WeakMap<object, Map<string, readonly StyledLine[]>>()
const cachedVariants = 4

/** Lines of every item but a request, which is drawn anew as its time runs. */
export function itemLines(
	item: Exclude<Item, { type: 'request' }>,
	options: ItemOptions,
): readonly StyledLine[] {
	const { width, fold, cwd } = options
	const variant = `${width} ${fold} ${cwd} ${isHighlighting()}`
	switch (item.type) {
		case 'message': {
			const { message, sender } = item
			const whole = sender ? `${variant} ${sender.verified} ${sender.name}` : variant
			return cached(message, whole, () => messageLines(message, sender, options))
		}
		case 'call': {
			const whole = item.result ? `${variant} ${item.result.seq}` : variant
			return cached(item.call, whole, () => callLines(item, options))
		}
		case 'live':
			return cached(item.live, variant, () => liveLines(item.live, options))
		case 'edge':
			return [truncateLine([span(edgeText(item), 'dim')], width)]
	}
}

/** Whether folding changes anything about it, by default folded. */
export function isFoldable(item: Item): boolean {
	if (item.type === 'call') return true
	if (item.type === 'request') return item.request?.status !== 'pending'
	if (item.type !== 'message') return false
	return item.message.kind === 'agent_thinking' || item.message.kind === 'tool_result'
}

function cached(
	object: object,
	variant: string,
	make: () => readonly StyledLine[],
): readonly StyledLine[] {
	const variants = remember(cache, object, () => new Map<string, readonly StyledLine[]>())
	if (variants.size >= cachedVariants && !variants.has(variant)) variants.clear()
	return remember(variants, variant, make)
}

function edgeText(item: Extract<Item, { type: 'edge' }>) {
	if (item.loading) return safeText`… loading`
	return item.more ? safeText`↑ older messages` : safeText`— start of the session —`
}

function messageLines(
	message: ShownMessage,
	sender: Sender | null,
	options: ItemOptions,
): readonly StyledLine[] {
	const { width } = options
	if (message.problem !== null || message.kind === null) return problemLines(message, width)
	const doubt: readonly StyledLine[] = message.verified
		? []
		: [[span(safeText`? #${message.seq} is not verified yet`, 'warn')]]
	return [...doubt, ...bodyLines(message, sender, options)]
}

function problemLines({ seq, at, problem }: ShownMessage, width: number): readonly StyledLine[] {
	const why = oneLine(problem ?? 'it could not be opened')
	const when = at === '' ? noText : safeText` (${clockTime(at)})`
	return wrapLine([span(safeText`✗ #${seq}${when} ${why}`, 'error')], width, {
		rest: [span(safeText`  `)],
	})
}

function bodyLines(
	message: ShownMessage,
	sender: Sender | null,
	options: ItemOptions,
): readonly StyledLine[] {
	const { width, fold } = options
	const prompt = bodyOf(message, 'user_prompt')
	if (prompt) {
		const from = prompt.source === 'viewer' ? promptFrom(sender, width) : []
		return [emptyLine, ...barred(prompt.text, width), ...from, emptyLine]
	}
	if (sender) return wrapLine(sentSpans(sender), width, { rest: [span(safeText`  `)] })
	const response = bodyOf(message, 'agent_response')
	if (response) return nested(response.parent, markdownLines(response.text, inner(response, width)))
	const thinking = bodyOf(message, 'agent_thinking')
	if (thinking)
		return nested(thinking.parent, thoughtLines(thinking.text, inner(thinking, width), fold))
	const result = bodyOf(message, 'tool_result')
	if (result) return callLines({ call: null, result: message }, options)
	const error = bodyOf(message, 'error')
	if (error) {
		return wrapLine([span(safeText`✗ ${oneLine(errorText(error.text))}`, 'error')], width, {
			rest: [span(safeText`  `)],
		})
	}
	const status = bodyOf(message, 'status')
	if (status) {
		const detail = status.detail === null ? noText : safeText`: ${oneLine(status.detail)}`
		return wrapLine([span(safeText`— ${oneLine(status.status)}${detail} —`, 'dim')], width)
	}
	const system = bodyOf(message, 'system')
	if (system) return systemLines(system, { width, fold })
	const answer = bodyOf(message, 'permission_response')
	const what = answer ? safeText`permission ${oneLine(answer.result)}` : oneLine(message.kind ?? '')
	return [truncateLine([span(safeText`· ${what}`, 'dim')], width)]
}

/** What a person asked, with a bar before it. */
function barred(text: string, width: number): StyledLine[] {
	const bar = span(safeText`▌ `, 'prompt')
	return plainLines(displayText(text), width - 2, 'strong').map((line) => [bar, ...line])
}

function thoughtLines(text: string, width: number, fold: Fold): StyledLine[] {
	const lines = markdownLines(text.trim(), width - 2).map((line) =>
		line.map((each) => (each.style === 'plain' ? span(each.text, 'thinking') : each)),
	)
	const [first = emptyLine] = lines
	if (fold === 'folded') {
		const more = lines.length > 1 ? [span(safeText` ▸`, 'dim')] : []
		return [[span(safeText`✻ `, 'dim'), ...truncateLine(first, width - 4), ...more]]
	}
	return unfoldedLines(lines, fold).map((line, index) => [
		span(index === 0 ? safeText`✻ ` : safeText`  `, 'dim'),
		...line,
	])
}

function liveLines(live: LiveText, { width }: Pick<ItemOptions, 'width'>): readonly StyledLine[] {
	if (live.kind === 'agent_thinking') return thoughtLines(live.text, width, 'folded')
	return [...markdownLines(live.text, width), [span(safeText`▍`, 'accent')]]
}

function inner({ parent }: { parent: string | null }, width: number): number {
	return parent === null ? width : width - 2
}

/** What a sub-agent did stands behind a line of its own. */
function nested(parent: string | null, lines: readonly StyledLine[]): readonly StyledLine[] {
	if (parent === null) return [...lines, emptyLine]
	return lines.map((line) => [span(safeText`┆ `, 'dim'), ...line])
}
