import { commandOutput } from '../../text/plain.ts'
import { safeText } from '../../text/safe-text.ts'
import { emptyLine, type StyledLine, spaces, span, truncateLine } from '../../text/styled.ts'
import { wrapLine } from '../../text/wrap.ts'
import type { RequestView, SessionState } from '../../viewer/viewer.ts'
import type { ShownRequest } from '../attention.ts'
import type { Model } from '../frame.ts'
import { givenInput } from '../present/given-input.ts'
import { decidedLine, ladderLine } from '../present/ladder.ts'
import { type Card, requestSummary, wants } from '../present/request-card.ts'
import { requestMatter } from '../present/request-matter.ts'
import { remember } from '../remember.ts'
import { cardOf, shownOf } from '../screens/card-pane.ts'
import { foldOf, type TranscriptState, transcriptOf } from '../state.ts'
import type { Items, Window } from '../viewport.ts'
import { type Fold, unfoldedLines } from './folds.ts'
import { itemLines } from './item-lines.ts'
import { bodyOf, type Item, transcriptItems } from './items.ts'

export interface LaidOut {
	entries: readonly Item[]
	items: Items<StyledLine>
	/** The pending request that would be answered, were it on the screen. */
	focus: RequestView | null
	/** What a window shows of the pending requests in it. */
	shown(window: Window): ShownRequest[]
}

/** The items of an open session, laid out to `width` columns as they are looked at. */
export function layOut(model: Model, session: string, state: SessionState, width: number): LaidOut {
	const ui = transcriptOf(model.ui, session)
	const entries = itemsOf(state, model.data.requests)
	const focus = model.still ? null : focusOf(entries, ui)
	const places = placesOf(entries)
	const summary = model.data.sessions.find(({ id }) => id === session) ?? state.summary
	const cwd = summary?.cwd ?? null
	const cards = new Map<number, Card>()
	const cardAt = (index: number, request: RequestView): Card =>
		remember(cards, index, () => cardOf(model, request, width, request.id === focus?.id))
	const linesAt = (index: number): readonly StyledLine[] => {
		const item = entries[index]
		if (!item) return []
		const fold = foldOf(ui, item.key)
		if (item.type !== 'request') return itemLines(item, { width, fold, cwd })
		const request = item.request
		if (request?.status === 'pending')
			return [emptyLine, ...cardAt(index, request).lines, emptyLine]
		return answeredLines(model, item, width, fold)
	}
	const laidOut = new Map<number, readonly StyledLine[]>()
	return {
		entries,
		focus,
		items: {
			count: entries.length,
			key: (index) => entries[index]?.key ?? '',
			indexOf: (key) => places.get(key) ?? -1,
			lines: (index) => remember(laidOut, index, () => linesAt(index)),
		},
		shown: ({ slices }) =>
			slices.flatMap(({ index, from, to }) => {
				const item = entries[index]
				if (item?.type !== 'request' || item.request?.status !== 'pending') return []
				// The card starts below one empty line.
				return [shownOf(item.request, cardAt(index, item.request), width, from - 1, to - 1)]
			}),
	}
}

const itemCache = new WeakMap<SessionState, { requests: unknown; items: readonly Item[] }>()

function itemsOf(state: SessionState, requests: readonly RequestView[]): readonly Item[] {
	const known = itemCache.get(state)
	if (known?.requests === requests) return known.items
	const byId = new Map(requests.map((request) => [request.id, request]))
	const items = transcriptItems(state, byId)
	itemCache.set(state, { requests, items })
	return items
}

const placeCache = new WeakMap<readonly Item[], Map<string, number>>()

function placesOf(entries: readonly Item[]): Map<string, number> {
	return remember(placeCache, entries, () => new Map(entries.map(({ key }, index) => [key, index])))
}

/** The selected request if it waits, else the oldest one that does. */
function focusOf(entries: readonly Item[], { selected }: TranscriptState): RequestView | null {
	const pending = entries.filter(
		(item) => item.type === 'request' && item.request?.status === 'pending',
	)
	const chosen = pending.find(({ key }) => key === selected) ?? pending[0]
	return chosen?.type === 'request' ? chosen.request : null
}

/** Lines of what a tool makes of the answers to its questions. */
const answerLines = 6

/** A request that is over: one line of what was asked, one of what became of it. */
function answeredLines(
	model: Model,
	item: Extract<Item, { type: 'request' }>,
	width: number,
	fold: Fold,
): readonly StyledLine[] {
	const body = item.request?.body ?? bodyOf(item.message, 'permission_request')
	const view = { body } as const
	if (item.called && fold === 'folded') return outcomeLines(model, item, width)
	const title = truncateLine(
		[
			span(safeText`⚠ `, 'dim'),
			span(wants(view), 'dim'),
			span(safeText`  ${requestSummary(view)}`, 'code'),
		],
		width,
	)
	const matter =
		fold === 'folded' || !body ? [] : unfoldedLines(requestMatter(body, width - 2), fold)
	return [
		title,
		...matter.map((line) => [spaces(2), ...line]),
		...outcomeLines(model, item, width),
		emptyLine,
	]
}

function outcomeLines(
	model: Model,
	{ request, answer, result }: Extract<Item, { type: 'request' }>,
	width: number,
): readonly StyledLine[] {
	const indent = { first: [span(safeText`  `)], rest: [span(safeText`    `)] }
	const decision = request && model.data.decisions.get(request.id)
	const decided = request?.decided
	const lines: StyledLine[] = []
	if (decided) {
		lines.push(...wrapLine(decidedLine(decided), width, indent))
		lines.push(...givenInput(decided.input, width))
	} else if (answer) {
		const { result, by, device, scope, reason } = answer.body
		const line = decidedLine({
			result,
			by,
			device,
			name: null,
			scope,
			reason,
			input: null,
			verified: by !== 'device',
		})
		lines.push(...wrapLine(line, width, indent))
	} else
		lines.push(...wrapLine([span(safeText`no answer in what is loaded`, 'dim')], width, indent))
	const told = decided?.input == null && result ? bodyOf(result, 'tool_result') : null
	if (told) {
		const answers = commandOutput(told.text, width - 4, { limit: answerLines, style: 'dim' })
		lines.push(...answers.map((line) => [spaces(4), ...line]))
	}
	if (decision) lines.push(...wrapLine(ladderLine(decision), width, indent))
	return lines
}
