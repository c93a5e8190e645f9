import type { Size } from './state.ts'

export const smallest: Size = { columns: 30, rows: 8 }

/** From this width on there are two panes side by side. */
export const twoPaneColumns = 100

export function isTooSmall({ columns, rows }: Size): boolean {
	return columns < smallest.columns || rows < smallest.rows
}

/** Widest transcript, in columns: longer lines are hard to read. */
export const widestTranscript = 132

/** Columns of a list and of what stands right of it; one column between them. */
export function sideBySide(columns: number): { list: number; rest: number } {
	const list = Math.min(72, Math.max(36, Math.floor(columns * 0.35)))
	return { list, rest: columns - list - 1 }
}

/** Content rows of a list and of what stands below it; a title row each. */
export function oneBelow(height: number, listRows: number): { list: number; rest: number } {
	const content = height - 2
	const list = Math.min(Math.max(2, listRows), Math.max(2, Math.floor(content * 0.4)))
	return { list, rest: content - list }
}

/** First row of a long list, such that row `selected` is in view and the list moves seldom. */
export function listTop(selected: number, height: number, total: number): number {
	if (total <= height) return 0
	const half = Math.max(1, height >> 1)
	const quarter = height >> 2
	const top = Math.floor((selected - quarter) / half) * half
	return Math.max(0, Math.min(top, total - height))
}
