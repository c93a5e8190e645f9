/** What `cost` prints: for people, as JSON, as CSV. */
import { type BarTable, layOutBars } from '../../text/bars.ts'
import { costText } from '../../text/cost.ts'
import { oneLine } from '../../text/one-line.ts'
import { joinText, revealText, type SafeText, safeText } from '../../text/safe-text.ts'
import { lineText, span } from '../../text/styled.ts'
import { dayText, formatCount } from '../../text/time.ts'
import type { Sum } from '../../viewer/cost.ts'
import { roundUsd } from '../../viewer/cost-csv.ts'
import { allTokens, type Dimension, dayOf, type Group } from '../../viewer/cost-table.ts'

export interface CostReport {
	/** ISO 8601 UTC; `null`: from the first message on. */
	since: string | null
	/** Whose days these are. */
	timezone: string
	by: readonly Dimension[]
	groups: readonly Group[]
	total: Sum
	problems: number
}

const figures = ({ responses, tokens, costUsd, unpriced }: Sum) => ({
	responses,
	tokens,
	cost_usd: roundUsd(costUsd),
	unpriced,
})

function namesOf({ values }: Group, by: readonly Dimension[]): Record<string, string | null> {
	return Object.fromEntries(by.map((dimension, index) => [dimension, values[index] ?? null]))
}

/** A shape that scripts depend on. */
export function costJson({ since, timezone, by, groups, total, problems }: CostReport) {
	return {
		since,
		timezone,
		by,
		groups: groups.map((group) => ({ ...namesOf(group, by), ...figures(group) })),
		total: figures(total),
		problems,
	}
}

function cellsOf(sum: Sum): SafeText[] {
	const { input, output, cache_read, cache_write } = sum.tokens
	const counts = [input, output, cache_read, cache_write, sum.responses]
	return [costText(sum), ...counts.map(formatCount)]
}

const noName: Readonly<Record<Dimension, SafeText>> = {
	day: safeText`?`,
	agent: safeText`?`,
	project: safeText`(no project)`,
	model: safeText`(no model)`,
}

/** Bars as wide as the terminal, and the total. */
export function costReport(
	{ since, by, groups, total }: CostReport,
	{ width, now }: { width: number; now: Date },
): string {
	const thisYear = now.getFullYear()
	const start =
		since === null
			? ''
			: ` since ${dayText(dayOf(Date.parse(since)), thisYear)}; --since all looks further back`
	if (groups.length === 0) return `Nothing was spent${start}.\n`
	const priced = groups.some(({ costUsd }) => costUsd > 0)
	const amount = (sum: Sum) => (priced ? sum.costUsd : allTokens(sum))
	const most = Math.max(...groups.map(amount))
	const name = ({ values }: Group) =>
		joinText(
			by.map((dimension, index) => {
				const value = values[index] ?? null
				if (value === null) return noName[dimension]
				return dimension === 'day' ? dayText(value, thisYear) : oneLine(value)
			}),
			safeText`  `,
		)
	const table: BarTable = {
		head: {
			label: joinText(by.map(revealText), safeText`, `),
			cells: ['cost', 'in', 'out', 'cache', 'written', 'replies'].map(revealText),
		},
		rows: [
			...groups.map((group) => ({
				label: [span(name(group))],
				share: most === 0 ? 0 : amount(group) / most,
				cells: cellsOf(group),
			})),
			{ label: [span(safeText`in all`)], share: 0, cells: cellsOf(total) },
		],
	}
	const bars = layOutBars(table, width)
	const lines = [bars.head, ...table.rows.map((_, index) => bars.row(index))]
	const unpriced =
		total.unpriced === 0
			? ''
			: `\n${total.unpriced} of ${total.responses} replies have no price, or none yet: their tokens are counted, their cost is not.\n`
	return `${lines.map((line) => `${lineText(line).trimEnd()}\n`).join('')}${unpriced}`
}
