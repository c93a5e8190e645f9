/** The result as text for people, and as a table for the readme. */
import type { Row, Unit } from './benchmark.ts'

export interface Result {
	benchmark: string
	rows: readonly Row[]
	/** Why there are no rows. */
	skipped: string | null
}

const digits = (value: number) => (value >= 100 ? 0 : value >= 10 ? 1 : 2)

export function formatValue(value: number, unit: Unit): string {
	switch (unit) {
		case 'ms':
			return value >= 10_000
				? `${(value / 1000).toFixed(1)} s`
				: `${value.toFixed(digits(value))} ms`
		case 'per s':
			return `${Math.round(value).toLocaleString('en')}/s`
		case 'packages':
			return `${value} packages`
		case 'B':
			return `${Math.round(value)} B`
		default:
			return `${value.toFixed(digits(value))} ${unit}`
	}
}

export const formatRatio = (ratio: number): string => `${ratio.toFixed(digits(ratio))} ×`

const headings = ['', 'measured', 'floor', 'ratio', 'goal', '', 'n', 'spread']

function cells(row: Row): string[] {
	const { floor, goal, unit } = row
	return [
		row.what,
		formatValue(row.value, unit),
		floor ? `${formatValue(floor.value, unit)} ${floor.what}` : '',
		floor ? formatRatio(floor.ratio) : '',
		goal?.text ?? '',
		goal ? (goal.met ? '✓' : '✗') : '',
		String(row.samples),
		row.spread === null ? '' : `±${Math.round(row.spread * 50)} %`,
	]
}

/** Columns of spaces; a line of its own for each benchmark that could not run. */
export function textTable(results: readonly Result[]): string {
	const lines = results.flatMap(({ rows }) => rows.map(cells))
	const all = [headings, ...lines]
	const widths = headings.map((_, column) =>
		Math.max(...all.map((line) => (line[column] ?? '').length)),
	)
	const text = all.map((line) =>
		line
			.map((cell, column) => cell.padEnd(widths[column] ?? 0))
			.join('  ')
			.trimEnd(),
	)
	const skipped = results.flatMap(({ benchmark, skipped: why }) =>
		why === null ? [] : [`${benchmark}: not run, ${why}`],
	)
	return [...text, ...skipped].join('\n')
}

/** The same as a Markdown table: only what holds on another machine too. */
export function markdownTable(results: readonly Result[]): string {
	const rows = results.flatMap((result) => result.rows)
	const lines = rows.map((row) => {
		const [what, measured, floor, ratio, goal, met] = cells(row)
		return `| ${what} | ${measured} | ${floor} | ${ratio} | ${[goal, met].join(' ').trim()} |`
	})
	return [
		'| | measured | floor | ratio | goal |',
		'| --- | --- | --- | --- | --- |',
		...lines,
	].join('\n')
}
