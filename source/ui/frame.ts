/** What one frame shows, as data: drawn by the components, read by the keys, recorded by the guard. */
import type { SafeText } from '../text/safe-text.ts'
import type { StyledLine } from '../text/styled.ts'
import type { RequestView } from '../viewer/viewer.ts'
import type { Attention, Focus, ShownRequest } from './attention.ts'
import type { Row } from './components/rows.tsx'
import type { KeyContext } from './keymap/command.ts'
import type { Keymap } from './keymap/keymap.ts'
import type { Snapshot } from './snapshot.ts'
import type { Size, UiState } from './state.ts'
import type { Item } from './transcript/items.ts'
import type { Items, Window } from './viewport.ts'

/** All that a frame is made from. */
export interface Model {
	ui: UiState
	data: Snapshot
	/** ms since the epoch. */
	now: number
	/** One line of ours under the header, or `null`. */
	banner: SafeText | null
	/** Leave half a page free at the live end and jump: fewer bytes over a slow line. */
	jumpScroll: boolean
	attention: Pick<Attention, 'unread'>
	/** What is shown is past: no request in it is the one that an answer would go to. */
	still?: true
	keymap: Keymap
}

/** Columns that the rule around a pane's title takes at least. */
export const titleFrame = 5

export interface Pane {
	title: StyledLine
	rows: readonly Row[]
	width: number
	/** Rows of the content; the title is one more. */
	height: number
	/** Keys go to this one. */
	active: boolean
}

/** What a screen puts on a frame. */
export interface ScreenFrame {
	/** One, or two: side by side from 100 columns on, else one above the other. */
	panes: readonly Pane[]
	direction: 'row' | 'column'
	/** The request that an answer would go to; `null` when none is on the screen. */
	focus: RequestView | null
	/** Another question that has to have been on the screen for a moment before it is answered. */
	guard?: Focus
	/** Whatever of the order around it must not have changed just now. */
	order: string
	shown: readonly ShownRequest[]
	list: ListFrame | null
	transcript: TranscriptFrame | null
	card: CardFrame | null
}

export interface ListFrame {
	/** Ids of the entries in order. */
	ids: readonly string[]
	selected: string | null
	height: number
}

export interface TranscriptFrame {
	session: string
	items: Items<StyledLine>
	entries: readonly Item[]
	window: Window
	height: number
	following: boolean
	/** Where a jump-scrolling window stands, to be kept. */
	jump: Window['top']
	selected: string | null
	cursor: string | null
	/** Whether there is more of it that is not loaded. */
	more: { older: boolean; newer: boolean }
	/** Keys of the items on the screen that can be selected. */
	selectable: readonly string[]
}

/** A request, or the help, in a pane that may be too short for it. */
export interface CardFrame {
	id: string
	top: number
	height: number
	total: number
}

export interface InputFrame {
	label: readonly StyledLine[]
	/** What is typed, or what there is to choose from. */
	text: readonly StyledLine[]
	/** Where the next character goes: column, and row of `text`; `null`: nothing is typed. */
	cursor: { column: number; row: number } | null
}

/** Rows that it takes. */
export function inputRows(input: InputFrame | null): number {
	return input ? input.label.length + input.text.length : 0
}

export interface Frame extends Omit<ScreenFrame, 'focus' | 'order' | 'guard'> {
	size: Size
	tooSmall: boolean
	header: StyledLine
	notices: readonly StyledLine[]
	/** The line of text being typed: what it is for, then the text. */
	input: InputFrame | null
	/** Keys that the footer has no room for, where there is room for them above it. */
	keys: readonly StyledLine[]
	footer: StyledLine
	focus: Focus | null
	focusRequest: RequestView | null
	/** The screen and what it is of: another place is another screen. */
	place: string
	/** A remark that stands in the place of the last line for a while. */
	remark: SafeText | null
	context: KeyContext
}

/** What is drawn of a frame. */
export type DrawnFrame = Pick<
	Frame,
	| 'size'
	| 'tooSmall'
	| 'header'
	| 'notices'
	| 'panes'
	| 'direction'
	| 'input'
	| 'keys'
	| 'footer'
	| 'context'
	| 'place'
	| 'remark'
>

export const emptyScreen: ScreenFrame = {
	panes: [],
	direction: 'row',
	focus: null,
	order: '',
	shown: [],
	list: null,
	transcript: null,
	card: null,
}
