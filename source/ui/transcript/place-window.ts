import type { TranscriptState } from '../state.ts'
import {
	type Anchor,
	type Items,
	moveAnchor,
	type Window,
	windowAt,
	windowAtEnd,
} from '../viewport.ts'

/**
 * The part of a transcript that is on the screen. With `jumpScroll`, following leaves the rows where they
 * are as long as what is new fits under them, and then moves on by half a page: over a slow line, that is
 * far fewer bytes than to move every row each time.
 */
export function placeWindow<Line>(
	items: Items<Line>,
	{ anchor, jump }: Pick<TranscriptState, 'anchor' | 'jump'>,
	height: number,
	jumpScroll: boolean,
): { window: Window; jump: Anchor | null } {
	if (anchor) return { window: windowAt(items, anchor, height), jump: null }
	if (!jumpScroll) return { window: windowAtEnd(items, height), jump: null }
	const end = windowAtEnd(items, height)
	if (end.atStart || !end.top) return { window: end, jump: null }
	if (jump && items.indexOf(jump.key) >= 0) {
		const standing = linesFrom(items, jump, height)
		if (standing) return { window: standing, jump }
	}
	const moved = moveAnchor(items, end.top, height >> 1)
	const window = linesFrom(items, moved, height)
	return window ? { window, jump: moved } : { window: end, jump: null }
}

/** All lines from the anchor to the end; `null` when they are more than fit, or less than a quarter. */
function linesFrom<Line>(items: Items<Line>, anchor: Anchor, height: number): Window | null {
	const slices: Window['slices'][number][] = []
	let used = 0
	for (let index = items.indexOf(anchor.key); index < items.count; index++) {
		const total = items.lines(index).length
		const from =
			slices.length === 0 && used === 0 && items.key(index) === anchor.key ? anchor.line : 0
		if (from >= total) continue
		used += total - from
		if (used > height) return null
		slices.push({ index, key: items.key(index), from, to: total, total })
	}
	const first = slices[0]
	if (!first || used < height >> 2) return null
	return {
		slices,
		top: { key: first.key, line: first.from },
		atStart: false,
		atEnd: true,
		height: used,
	}
}
