import type { StyledLine } from '../../text/styled.ts'
import {
	type CardFrame,
	emptyScreen,
	type ListFrame,
	type Pane,
	type ScreenFrame,
} from '../frame.ts'
import { oneBelow } from '../layout.ts'
import type { Size } from '../state.ts'
import { scrollPane } from './scroll-pane.ts'

/** Content rows from which on what is highlighted is shown below a list. */
const cardRows = 14

/** Heights of a list and of the card below it; without a card where there is no room. */
export function heightsFor({ rows }: Size, listRows: number): { list: number; card: number } {
	if (rows < cardRows) return { list: rows - 1, card: 0 }
	const { list, rest } = oneBelow(rows, listRows)
	return { list, card: rest }
}

/** A list, and the card of its highlighted entry below it. */
export function listAndCard(
	{ pane, list }: { pane: Pane; list: ListFrame },
	card: {
		id: string
		title: StyledLine
		lines: readonly StyledLine[]
		top: number
		height: number
	},
): ScreenFrame {
	if (card.height === 0) return { ...emptyScreen, panes: [pane], list }
	const { rows, top, total } = scrollPane(card.lines, card.top, card)
	const frame: CardFrame = { id: card.id, top, height: card.height, total }
	const below: Pane = {
		title: card.title,
		rows,
		width: pane.width,
		height: card.height,
		active: false,
	}
	return { ...emptyScreen, panes: [pane, below], direction: 'column', list, card: frame }
}

/** One card over the whole screen. */
export function onlyCard(
	card: { id: string; title: StyledLine; lines: readonly StyledLine[]; top: number },
	{ columns, rows }: Size,
): ScreenFrame {
	const height = rows - 1
	const pane = scrollPane(card.lines, card.top, { height })
	return {
		...emptyScreen,
		panes: [{ title: card.title, rows: pane.rows, width: columns, height, active: true }],
		card: { id: card.id, top: pane.top, height, total: pane.total },
	}
}
