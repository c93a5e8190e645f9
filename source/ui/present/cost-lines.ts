/** What was spent, as rows with bars and as a card of one of them. */
import { type BarTable, layOutBars } from '../../text/bars.ts'
import { costText } from '../../text/cost.ts'
import { oneLine } from '../../text/one-line.ts'
import { joinText, type SafeText, safeText } from '../../text/safe-text.ts'
import { emptyLine, padLine, type StyledLine, span } from '../../text/styled.ts'
import { dayText, formatCount } from '../../text/time.ts'
import { wrapLine } from '../../text/wrap.ts'
import type { Spent, Sum } from '../../viewer/cost.ts'
import type { CostRange } from '../../viewer/cost-since.ts'
import {
	allTokens,
	type Dimension,
	dimensions,
	type Group,
	grouped,
	total,
} from '../../viewer/cost-table.ts'

export type Measure = 'cost' | 'tokens'

export const rangeNames: Readonly<Record<CostRange, SafeText>> = {
	today: safeText`today`,
	week: safeText`7 days`,
	month: safeText`30 days`,
	year: safeText`12 months`,
	all: safeText`all`,
}

export const dimensionNames: Readonly<Record<Dimension, SafeText>> = {
	day: safeText`day`,
	agent: safeText`agent`,
	project: safeText`project`,
	model: safeText`model`,
}

/** What stands for a value in a list; what is not known says so. */
export function valueText(dimension: Dimension, value: string | null, now: number): SafeText {
	if (dimension === 'day') return dayText(value ?? '', new Date(now).getFullYear())
	if (value === null) return dimension === 'model' ? safeText`(no model)` : safeText`(no project)`
	return oneLine(value)
}

/** Bars go by cost; by tokens where the person wants that, or where nothing has a price. */
export function measureOf(sums: readonly Sum[], wanted: Measure): Measure {
	return wanted === 'cost' && sums.some(({ costUsd }) => costUsd > 0) ? 'cost' : 'tokens'
}

function amount(sum: Sum, measure: Measure): number {
	return measure === 'cost' ? sum.costUsd : allTokens(sum)
}

type Column = readonly [SafeText, (group: Group) => SafeText]

export function costTable(
	groups: readonly Group[],
	by: Dimension,
	{ measure, now }: { measure: Measure; now: number },
): BarTable {
	const most = Math.max(...groups.map((group) => amount(group, measure)), 0)
	// What the bars show stands beside them.
	const tokens: Column = [safeText`tokens`, (group) => formatCount(allTokens(group))]
	const columns: Column[] = [
		...(measure === 'tokens' ? [tokens] : []),
		[safeText`cost`, costText],
		[safeText`in`, ({ tokens }) => formatCount(tokens.input)],
		[safeText`out`, ({ tokens }) => formatCount(tokens.output)],
		[safeText`cache`, ({ tokens }) => formatCount(tokens.cache_read)],
		[safeText`written`, ({ tokens }) => formatCount(tokens.cache_write)],
		[safeText`replies`, ({ responses }) => formatCount(responses)],
	]
	return {
		head: { label: dimensionNames[by], cells: columns.map(([name]) => name) },
		rows: groups.map((group) => ({
			label: [span(valueText(by, group.values[0] ?? null, now))],
			share: most === 0 ? 0 : amount(group, measure) / most,
			cells: columns.map(([, figure]) => figure(group)),
		})),
	}
}

/** `$4.20 · 1.2M tokens` */
export function totalText(sum: Sum): SafeText {
	return safeText`${costText(sum)} · ${formatCount(allTokens(sum))} tokens`
}

/** All of one row: its figures, and what it is made of. */
export function costCard(
	spent: readonly Spent[],
	{ by, value }: { by: Dimension; value: string | null },
	{ all, measure, width, now }: { all: Sum; measure: Measure; width: number; now: number },
): StyledLine[] {
	const own = spent.filter((one) => one[by] === value)
	const sum = total(own)
	const { tokens } = sum
	const whole = amount(all, measure)
	const percent = whole === 0 ? 0 : Math.round((100 * amount(sum, measure)) / whole)
	const figures = joinText(
		[
			safeText`${costText(sum)}, ${percent} % of all shown`,
			safeText`${formatCount(tokens.input)} in`,
			safeText`${formatCount(tokens.output)} out`,
			safeText`${formatCount(tokens.cache_read)} read from the cache`,
			safeText`${formatCount(tokens.cache_write)} written to it`,
			safeText`${sum.responses} ${sum.responses === 1 ? safeText`reply` : safeText`replies`}`,
		],
		safeText` · `,
	)
	const indent = [span(safeText`  `)]
	const paragraph = (text: SafeText, style: 'plain' | 'warn') =>
		wrapLine([span(text, style)], width, { first: indent, rest: indent })
	const unpriced =
		sum.unpriced === 0
			? []
			: paragraph(
					safeText`⚠ ${sum.unpriced} of them have no price, or none yet: their tokens are counted, their cost is not.`,
					'warn',
				)
	return [
		...paragraph(figures, 'plain'),
		...unpriced,
		...partLines(own, by, { measure, width, now }),
	]
}

/** Wider bars are no easier to compare. */
const widestParts = 90

/** What it is made of, by each of the other dimensions. */
function partLines(
	own: readonly Spent[],
	by: Dimension,
	{ measure, width, now }: { measure: Measure; width: number; now: number },
): StyledLine[] {
	const sections = dimensions
		.filter((dimension) => dimension !== by)
		.map((dimension) => ({ dimension, groups: grouped(own, [dimension]) }))
	const rows = sections.flatMap(({ dimension, groups }) => {
		const most = Math.max(...groups.map((group) => amount(group, measure)), 0)
		return groups.map((group, index) => ({
			label: [
				...padLine([span(index === 0 ? dimensionNames[dimension] : safeText``, 'dim')], 9),
				span(valueText(dimension, group.values[0] ?? null, now)),
			],
			share: most === 0 ? 0 : amount(group, measure) / most,
			cells: [
				measure === 'cost' ? costText(group) : safeText`${formatCount(allTokens(group))} tokens`,
			],
		}))
	})
	const head = { label: safeText``, cells: [safeText``] }
	const bars = layOutBars({ head, rows }, Math.min(width - 2, widestParts))
	let before = 0
	return sections.flatMap(({ groups }) => {
		const from = before
		before += groups.length
		const lines = groups.map((_, index) => [span(safeText`  `), ...bars.row(from + index)])
		return groups.length === 0 ? [] : [emptyLine, ...lines]
	})
}
