/** What was spent, for spreadsheets. */
import { revealText } from '../text/safe-text.ts'
import type { Dimension, Group } from './cost-table.ts'

const columns = [
	'responses',
	'input',
	'output',
	'cache_read',
	'cache_write',
	'cost_usd',
	'unpriced',
]

/** Sums of many small amounts, without the digits that only come from adding them up. */
export function roundUsd(value: number): number {
	return Math.round(value * 1e9) / 1e9
}

/** RFC 4180, with a head. */
export function costCsv(by: readonly Dimension[], groups: readonly Group[]): string {
	const rows = groups.map((group) => {
		const { input, output, cache_read, cache_write } = group.tokens
		const numbers = [group.responses, input, output, cache_read, cache_write]
		return [
			...group.values.map((value) => cell(value ?? '')),
			...numbers.map(String),
			String(roundUsd(group.costUsd)),
			String(group.unpriced),
		]
	})
	return [[...by, ...columns], ...rows].map((row) => `${row.join(',')}\r\n`).join('')
}

/** A name that a spreadsheet would take for a formula gets an apostrophe before it. */
function cell(raw: string): string {
	const text = revealText(raw)
	const plain = /^[=+\-@]/.test(text) ? `'${text}` : text
	return /[",\r\n]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain
}
