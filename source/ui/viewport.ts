/**
 * A window of a fixed height over items of many lines each, of which only those on the screen are ever
 * laid out: the cost is what is shown, whatever the number of items.
 */

/** Items in order, each of them known by a key that stays the same when others come and go. */
export interface Items<Line> {
	readonly count: number
	key(index: number): string
	/** -1 when there is none such. */
	indexOf(key: string): number
	lines(index: number): readonly Line[]
}

/** Where the window starts. */
export interface Anchor {
	key: string
	line: number
}

export interface Slice {
	index: number
	key: string
	/** Lines of the item that are shown: from, up to but not including to. */
	from: number
	to: number
	/** Lines of the whole item. */
	total: number
}

export interface Window {
	slices: readonly Slice[]
	/** `null` when there are no items. */
	top: Anchor | null
	atStart: boolean
	atEnd: boolean
	/** Lines used; less than the height when all there is fits. */
	height: number
}

const nothing: Window = { slices: [], top: null, atStart: true, atEnd: true, height: 0 }

/** The last `height` lines. */
export function windowAtEnd<Line>(items: Items<Line>, height: number): Window {
	const slices: Slice[] = []
	let left = height
	for (let index = items.count - 1; index >= 0 && left > 0; index--) {
		const total = items.lines(index).length
		if (total === 0) continue
		const from = Math.max(0, total - left)
		slices.unshift({ index, key: items.key(index), from, to: total, total })
		left -= total - from
	}
	return finished(items, slices, height - left)
}

/** `height` lines from the anchor on; the end when there are fewer. An anchor that is gone is the end. */
export function windowAt<Line>(items: Items<Line>, anchor: Anchor, height: number): Window {
	const start = items.indexOf(anchor.key)
	if (start < 0) return windowAtEnd(items, height)
	const slices: Slice[] = []
	let left = height
	for (let index = start; index < items.count && left > 0; index++) {
		const total = items.lines(index).length
		const from = index === start ? Math.min(Math.max(0, anchor.line), total) : 0
		const to = Math.min(total, from + left)
		if (to > from) slices.push({ index, key: items.key(index), from, to, total })
		left -= to - from
	}
	return left > 0 ? windowAtEnd(items, height) : finished(items, slices, height)
}

/** The anchor `delta` lines further down (up when negative), never before the first line. */
export function moveAnchor<Line>(items: Items<Line>, anchor: Anchor, delta: number): Anchor {
	let index = items.indexOf(anchor.key)
	if (index < 0) return anchor
	let line = anchor.line + delta
	while (line < 0 && index > 0) {
		index--
		line += items.lines(index).length
	}
	for (;;) {
		const total = items.lines(index).length
		if (line < total || index >= items.count - 1) break
		line -= total
		index++
	}
	return { key: items.key(index), line: Math.max(0, line) }
}

function finished<Line>(items: Items<Line>, slices: readonly Slice[], height: number): Window {
	const first = slices[0]
	const last = slices.at(-1)
	if (!first || !last) return nothing
	return {
		slices,
		top: { key: first.key, line: first.from },
		atStart: first.from === 0 && !hasLines(items, 0, first.index),
		atEnd: last.to === last.total && !hasLines(items, last.index + 1, items.count),
		height,
	}
}

function hasLines<Line>(items: Items<Line>, from: number, to: number): boolean {
	// Items without lines are rare and short runs: this looks at one or two of them.
	for (let index = from; index < to; index++) if (items.lines(index).length > 0) return true
	return false
}
