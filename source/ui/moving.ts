/** Moving the highlight of a list, and scrolling what is longer than its pane. */
import type { App } from './app.ts'
import { moveAmongOptions } from './asking.ts'
import type { ListFrame, TranscriptFrame } from './frame.ts'
import { moveAmongModes } from './sending.ts'
import {
	baseScreen,
	type ScreenName,
	type TranscriptState,
	type UiState,
	withTranscript,
} from './state.ts'
import { type Anchor, moveAnchor } from './viewport.ts'

/** Lines that stay in view when a page is turned. */
const pageOverlap = 2

export function moveUp(app: App): void {
	step(app, -1)
}

/** One entry of a list, or one line. */
export function step(app: App, by: 1 | -1): void {
	if (moveAmongModes(app, by) || moveAmongOptions(app, by)) return
	const { list, transcript, card } = app.frame()
	if (list) select(app, list, by)
	else if (transcript) scrollTranscript(app, transcript, by)
	else if (card) scrollCard(app, card.top + by)
}

/** One page; beside a list that shows a request, it is the request that scrolls. */
export function page(app: App, by: 1 | -1): void {
	const { list, transcript, card } = app.frame()
	if (card) scrollCard(app, card.top + by * Math.max(1, card.height - pageOverlap))
	else if (list) select(app, list, by * Math.max(1, list.height - pageOverlap))
	else if (transcript) {
		scrollTranscript(app, transcript, by * Math.max(1, transcript.height - pageOverlap))
	}
}

export function toTop(app: App): void {
	const { list, transcript, card } = app.frame()
	if (list) select(app, list, -list.ids.length)
	else if (transcript) topOfTranscript(app, transcript)
	else if (card) scrollCard(app, 0)
}

export function toEnd(app: App): void {
	const { list, transcript, card } = app.frame()
	if (list) select(app, list, list.ids.length)
	else if (transcript) followEnd(app, transcript)
	else if (card) scrollCard(app, card.total)
}

/** Brings a request of the open session into view and makes it the one in focus. */
export function moveTo(app: App, request: string): void {
	const { transcript } = app.frame()
	const item = transcript?.entries.find(
		(entry) => entry.type === 'request' && entry.request?.id === request,
	)
	if (!transcript || !item) return
	setAnchor(app, transcript, { key: item.key, line: 0 }, { selected: item.key })
}

/** So many entries of the list on the screen, whatever is beside it. */
export function moveList(app: App, by: number): void {
	const { list } = app.frame()
	if (list) select(app, list, by)
}

/** So many lines of the transcript on the screen. */
export function moveTranscript(app: App, by: number): void {
	const { transcript } = app.frame()
	if (transcript) scrollTranscript(app, transcript, by)
}

/** So many lines of the card on the screen. */
export function moveCard(app: App, by: number): void {
	const { card } = app.frame()
	if (card) scrollCard(app, card.top + by)
}

/** Where the highlight of each screen's list is kept. */
const highlights: Readonly<Partial<Record<ScreenName, keyof UiState>>> = {
	permissions: 'selectedRequest',
	devices: 'selectedDevice',
	history: 'selectedEvent',
	access: 'selectedAccess',
	grants: 'selectedGrant',
	cost: 'selectedCost',
	search: 'selectedHit',
}

function select(app: App, { ids, selected }: ListFrame, by: number): void {
	const at = selected === null ? 0 : Math.max(0, ids.indexOf(selected))
	const id = ids[Math.max(0, Math.min(ids.length - 1, at + by))]
	if (id !== undefined) selectInList(app, id)
}

/** Highlights an entry of the list on the screen. */
export function selectInList(app: App, id: string): void {
	const name = highlights[baseScreen(app.ui).name] ?? 'selectedSession'
	app.update((ui) => ({ ...ui, [name]: id }))
}

function scrollTranscript(app: App, transcript: TranscriptFrame, by: number): void {
	const { items, window } = transcript
	if (!window.top || (by > 0 && window.atEnd)) return
	const moved = moveAnchor(items, window.top, by)
	// What is older comes in before the first message: that one is to stay where it is.
	const held = moved.key === 'edge' && transcript.more.older && items.count > 1
	setAnchor(app, transcript, held ? { key: items.key(1), line: 0 } : moved)
}

/** Puts the window at `anchor`; one that reaches the live end follows it. */
export function setAnchor(
	app: App,
	{ session }: Pick<TranscriptFrame, 'session'>,
	anchor: Anchor,
	change: Partial<TranscriptState> = {},
): void {
	app.update((ui) => withTranscript(ui, session, { anchor, jump: null, cursor: null, ...change }))
	const placed = app.frame().transcript
	if (!placed?.window.atEnd || placed.more.newer) return
	app.update((ui) => withTranscript(ui, session, { anchor: null }))
}

function topOfTranscript(app: App, transcript: TranscriptFrame): void {
	if (transcript.more.older && app.view) app.loading.run(app.view.loadAround(0))
	setAnchor(app, transcript, { key: 'edge', line: 0 })
}

function followEnd(app: App, { session, more }: TranscriptFrame): void {
	if (more.newer && app.view) app.loading.run(app.view.loadEnd())
	const end = { anchor: null, jump: null, selected: null, cursor: null }
	app.update((ui) => withTranscript(ui, session, end))
}

function scrollCard(app: App, top: number): void {
	const { card } = app.frame()
	if (!card) return
	const line = Math.max(0, Math.min(top, card.total - card.height + 1))
	app.update((ui) =>
		card.id === 'help' ? scrolledHelp(ui, line) : scrolledCard(ui, card.id, line),
	)
}

function scrolledHelp(ui: UiState, line: number): UiState {
	const screens = ui.screens.map((screen) =>
		screen.name === 'help' ? { ...screen, line } : screen,
	)
	return { ...ui, screens }
}

function scrolledCard(ui: UiState, card: string, line: number): UiState {
	return { ...ui, cardTops: new Map(ui.cardTops).set(card, line) }
}
