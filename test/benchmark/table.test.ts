import { expect, test } from 'vitest'
import { atLeast, atMost, type Row } from '../../benchmark/harness/benchmark.ts'
import { formatValue, markdownTable, textTable } from '../../benchmark/harness/table.ts'

const row: Row = {
	what: 'something',
	value: 45,
	unit: 'ms',
	floor: { what: 'bare', value: 30, ratio: 1.5 },
	goal: atMost(45, 50, '50 ms'),
	samples: 9,
	spread: 0.2,
}

test('values keep three digits and their unit', () => {
	expect(formatValue(4.5678, 'ms')).toBe('4.57 ms')
	expect(formatValue(45.67, 'ms')).toBe('45.7 ms')
	expect(formatValue(456.7, 'ms')).toBe('457 ms')
	expect(formatValue(12_345, 'ms')).toBe('12.3 s')
	expect(formatValue(12_345.6, 'per s')).toBe('12,346/s')
	expect(formatValue(99.6, 'B')).toBe('100 B')
})

test('a goal says whether it was met', () => {
	expect(atMost(51, 50, '50 ms')).toEqual({ text: '≤ 50 ms', met: false })
	expect(atLeast(0.95, 0.9, '0.9 ×')).toEqual({ text: '≥ 0.9 ×', met: true })
})

test('a table has a line for each row and for each benchmark that did not run', () => {
	const results = [
		{ benchmark: 'one', rows: [row], skipped: null },
		{ benchmark: 'two', rows: [], skipped: 'it needs Linux' },
	]
	const lines = textTable(results).split('\n')
	expect(lines).toHaveLength(3)
	expect(lines[1]).toMatch(/^something +45\.0 ms +30\.0 ms bare +1\.50 × +≤ 50 ms +✓ +9 +±10 %$/)
	expect(lines[2]).toBe('two: not run, it needs Linux')
	expect(markdownTable(results).split('\n')[2]).toBe(
		'| something | 45.0 ms | 30.0 ms bare | 1.50 × | ≤ 50 ms ✓ |',
	)
})
