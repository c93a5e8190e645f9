import { displayText, safeText, sliceText } from '../text/safe-text.ts'
import { padLine, type StyledLine, span, truncateLine } from '../text/styled.ts'
import { textWidth } from '../text/width.ts'
import type { RequestView } from '../viewer/viewer.ts'
import { emptyScreen, type Frame, type Model, type ScreenFrame } from './frame.ts'
import type { KeyContext } from './keymap.ts'
import { isTooSmall } from './layout.ts'
import { footerLine } from './present/footer.ts'
import { alarmLine, headerLine } from './present/header.ts'
import { oneLine } from './present/one-line.ts'
import { helpScreen } from './screens/help-screen.ts'
import { permissionsScreen } from './screens/permissions-screen.ts'
import { requestScreen } from './screens/request-screen.ts'
import { sessionScreen } from './screens/session-screen.ts'
import { selectedSession, sessionsScreen } from './screens/sessions-screen.ts'
import { pendingRequests } from './snapshot.ts'
import { baseScreen, type Size, topScreen } from './state.ts'

/** Rows from which on there is room for a banner. */
const bannerRows = 20

/** Everything that the next frame shows. Pure: the same model gives the same frame. */
export function composeFrame(model: Model): Frame {
	const { size } = model.ui
	const { columns, rows } = size
	const tooSmall = isTooSmall(size)
	const notices = noticeLines(model)
	const input = inputOf(model, columns)
	const bodyRows = Math.max(2, rows - 2 - notices.length - (input ? 2 : 0))
	const screen = tooSmall ? emptyScreen : screenOf(model, { columns, rows: bodyRows })
	const focusRequest = input ? typedFor(model) : screen.focus
	const context = contextOf(model, screen, focusRequest)
	return {
		...screen,
		size,
		tooSmall,
		notices,
		input,
		context,
		focusRequest,
		header: headerLine(model.data, columns),
		footer: footerOf(model, context, columns),
		focus: screen.focus && {
			id: screen.focus.id,
			digest: screen.focus.digest,
			order: `${baseScreen(model.ui).name} ${screen.order}`,
		},
	}
}

function screenOf(model: Model, size: Size): ScreenFrame {
	const screen = baseScreen(model.ui)
	switch (screen.name) {
		case 'sessions':
			return sessionsScreen(model, size)
		case 'session':
			return sessionScreen(model, screen.session, size)
		case 'permissions':
			return permissionsScreen(model, size)
		case 'request':
			return requestScreen(model, screen.request, size)
		case 'help':
			return helpScreen(screen, size)
	}
}

function noticeLines({ data, banner, ui }: Model): StyledLine[] {
	const { columns, rows } = ui.size
	const { alarm } = data.info
	return [
		...(alarm === null ? [] : [alarmLine(alarm, columns)]),
		...(banner === null || rows < bannerRows
			? []
			: [padLine(truncateLine([span(safeText` ${banner}`, 'quote')], columns), columns)]),
	]
}

function inputOf({ ui }: Model, columns: number): Frame['input'] {
	const top = topScreen(ui)
	if (top.name !== 'reason') return null
	const label = truncateLine([span(safeText` Why not? The agent is told:`, 'strong')], columns)
	const { characters, cursor } = top.edit
	const room = columns - 4
	// The part around the cursor, where it is longer than the line.
	let start = cursor
	let width = 0
	while (start > 0) {
		const before = textWidth(characters[start - 1] ?? '')
		if (width + before > room) break
		width += before
		start--
	}
	const shown = displayText(characters.slice(start).join(''))
	const text = truncateLine([span(safeText` › `, 'accent'), span(sliceText(shown, 0))], columns)
	return { label, text, cursor: 3 + width }
}

/** The request that a reason is being typed for, whatever is highlighted by now. */
function typedFor({ ui, data }: Model): RequestView | null {
	const top = topScreen(ui)
	if (top.name !== 'reason') return null
	const request = data.requests.find(({ id }) => id === top.request)
	return request?.digest === top.digest ? request : null
}

function contextOf(model: Model, screen: ScreenFrame, focus: RequestView | null): KeyContext {
	const shown = focus && screen.shown.find(({ id }) => id === focus.id)
	return {
		screen: topScreen(model.ui),
		session: selectedSession(model) !== null,
		waiting: pendingRequests(model.data).length,
		focus: focus && {
			request: focus,
			decision: model.data.decisions.get(focus.id) ?? null,
			unread: shown ? model.attention.unread(focus.id, focus.digest, shown.total) : 0,
		},
		foldable: (screen.transcript?.selectable.length ?? 0) > 0,
		selected: isFoldSelected(screen),
		following: screen.transcript?.following ?? false,
	}
}

/** A request that waits is not folded: its key opens it. */
function isFoldSelected({ transcript }: ScreenFrame): boolean {
	const item = transcript?.entries.find(({ key }) => key === transcript.selected)
	if (!item) return false
	return item.type !== 'request' || item.request?.status !== 'pending'
}

function footerOf({ ui, now }: Model, context: KeyContext, columns: number): StyledLine {
	const { toast } = ui
	if (!toast || toast.until <= now) return footerLine(context, columns)
	const line = truncateLine([span(safeText` ${oneLine(toast.text)}`, toast.role)], columns)
	return padLine(line, columns)
}
