import { layOutBars } from '../../text/bars.ts'
import { oneLine } from '../../text/one-line.ts'
import { joinText, type SafeText, safeText } from '../../text/safe-text.ts'
import { lineWidth, type StyledLine, span, truncateLine } from '../../text/styled.ts'
import { wrapLine } from '../../text/wrap.ts'
import type { CostState, Spent } from '../../viewer/cost.ts'
import { costRanges, rangeStart } from '../../viewer/cost-since.ts'
import { dayOf, dimensions, type Group, grouped, total } from '../../viewer/cost-table.ts'
import { emptyScreen, type Model, type Pane, type ScreenFrame } from '../frame.ts'
import {
	costCard,
	costTable,
	dimensionNames,
	measureOf,
	rangeNames,
	totalText,
	valueText,
} from '../present/cost-lines.ts'
import { joined } from '../present/sides.ts'
import { clockTime } from '../present/times.ts'
import type { CostView, Size } from '../state.ts'
import { lazyListPane } from './lazy-list-pane.ts'
import { listAndCard } from './list-and-card.ts'
import { listMargin } from './list-pane.ts'

/** What was spent, as bars; the highlighted one in full below. */
export function costScreen(model: Model, size: Size): ScreenFrame {
	const { data, ui, now } = model
	const { columns } = size
	const view = ui.cost
	const spent = inRange(data.cost.spent, view, now)
	const groups = groupsOf(spent, view)
	const head = headLines(data.cost, view, { columns: columns - listMargin, rows: size.rows })
	const sum = total(groups)
	const title = [
		span(safeText`cost`, 'strong'),
		span(safeText`  ${totalText(sum)}`, groups.length === 0 ? 'dim' : 'plain'),
	]
	if (groups.length === 0) return nothing(model, title, head, size)
	const ids = groups.map(groupId)
	const at = Math.max(0, ids.indexOf(ui.selectedCost ?? ''))
	const value = groups[at]?.values[0] ?? null
	const measure = measureOf(groups, view.measure)
	const table = costTable(groups, view.by, { measure, now })
	const bars = layOutBars(table, columns - listMargin)
	const lines = costCard(spent, { by: view.by, value }, { all: sum, measure, width: columns, now })
	const heights = heightsOf(size, groups.length + head.length + 1, lines.length)
	const list = lazyListPane({ ids, row: (index) => bars.row(index) }, ids[at] ?? null, {
		title,
		width: columns,
		height: heights.list,
		head: [...head, bars.head],
	})
	const id = `cost:${view.by}:${ids[at]}`
	return listAndCard(list, {
		id,
		title: [span(valueText(view.by, value, now), 'strong')],
		lines,
		top: ui.cardTops.get(id) ?? 0,
		height: heights.card,
	})
}

/** Content rows below which what is said of the reading has one line each. */
const lowRows = 12
/** Content rows from which on the highlighted row is shown in full below. */
const cardRows = 14

/** The bars go first: the card gets what they leave, or two fifths. */
function heightsOf({ rows }: Size, list: number, card: number): { list: number; card: number } {
	if (rows < cardRows) return { list: rows - 1, card: 0 }
	const content = rows - 2
	const least = Math.min(card, Math.floor(content * 0.4))
	const above = Math.max(1, Math.min(list, content - least))
	return { list: above, card: content - above }
}

export function groupId({ values }: Group): string {
	return JSON.stringify(values)
}

/** The days of the range that is shown: more may have been read. */
export function inRange(spent: readonly Spent[], { range }: CostView, now: number): Spent[] {
	const start = rangeStart(range, now)
	const first = start === null ? '' : dayOf(start)
	return spent.filter(({ day }) => day >= first)
}

export function groupsOf(spent: readonly Spent[], { by }: CostView): Group[] {
	return grouped(spent, [by])
}

/** What is chosen, in brackets among what there is to choose from; and how far it was read. */
function headLines(state: CostState, view: CostView, { columns, rows }: Size): StyledLine[] {
	// On a low terminal the bars go first.
	const room = Math.max(1, (rows - 2) >> 1)
	const status = statusLines(state, columns, rows < lowRows ? 1 : 2)
	return [...status, ...choiceLines(view, columns)].slice(0, room)
}

function choiceLines(view: CostView, width: number): StyledLine[] {
	const ranges = costRanges.map((range) => choice(rangeNames[range], range === view.range))
	const by = dimensions.map((each) => choice(dimensionNames[each], each === view.by))
	const line = (gap: SafeText): StyledLine[] => {
		const separator: StyledLine = [span(gap)]
		return [joined(ranges, separator), [span(safeText`by `, 'dim'), ...joined(by, separator)]]
	}
	const both = joined(line(safeText`  `), [span(safeText`   `)])
	if (lineWidth(both) <= width) return [both]
	return line(safeText` `).flatMap((one) => wrapLine(one, width))
}

function choice(name: SafeText, chosen: boolean): StyledLine {
	return [chosen ? span(safeText`[${name}]`, 'strong') : span(name, 'dim')]
}

/** `most`: lines that each of them takes at most. */
function statusLines(state: CostState, width: number, most: number): StyledLine[] {
	const { reading, reached, rows, problems, problem, error } = state
	const lines: StyledLine[] = []
	if (error !== null) lines.push([span(safeText`✗ ${oneLine(error)}`, 'error')])
	if (problems > 0) {
		const count = problems === 1 ? safeText`1 reply is` : safeText`${problems} replies are`
		const why = oneLine(problem ?? '')
		lines.push([span(safeText`✗ ${count} not counted: ${why}`, 'error')])
	}
	if (reading) lines.push([span(readingText(rows, reached), 'dim')])
	return lines.flatMap((line) => {
		const wrapped = wrapLine(line, width)
		if (wrapped.length <= most) return wrapped
		return [...wrapped.slice(0, most - 1), truncateLine(wrapped.slice(most - 1).flat(), width)]
	})
}

function readingText(rows: number, reached: string | null): SafeText {
	if (reached === null) return safeText`… reading`
	const back = joinText([oneLine(dayOf(Date.parse(reached))), clockTime(reached)], safeText` `)
	return safeText`… reading: ${rows} replies, back to ${back}`
}

function nothing(
	{ data }: Model,
	title: StyledLine,
	head: readonly StyledLine[],
	{ columns, rows }: Size,
): ScreenFrame {
	const text =
		data.cost.reading || data.cost.error !== null
			? []
			: wrapLine(
					[span(safeText`Nothing was spent in this time, as far as the agents say.`, 'dim')],
					columns - listMargin,
				)
	const pane: Pane = {
		title,
		rows: [...head, [], ...text]
			.slice(0, rows - 1)
			.map((line) => ({ line: [span(safeText` `), ...line] })),
		width: columns,
		height: rows - 1,
		active: true,
	}
	return { ...emptyScreen, panes: [pane] }
}
