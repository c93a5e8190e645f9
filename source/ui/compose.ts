import { moreLines } from '../text/caps.ts'
import { oneLine } from '../text/one-line.ts'
import { type SafeText, safeText } from '../text/safe-text.ts'
import { lineFits, padLine, type StyledLine, span, truncateLine } from '../text/styled.ts'
import { wrapLine } from '../text/wrap.ts'
import { type DeviceAct, isRunning } from '../viewer/devices.ts'
import type { RequestView } from '../viewer/viewer.ts'
import { arranged, selectedSession } from './arranged-sessions.ts'
import { askedBy, reviewShown } from './asking.ts'
import { type Focus, type ShownRequest, shownDigest } from './attention.ts'
import {
	emptyScreen,
	type Frame,
	type InputFrame,
	inputRows,
	type Model,
	type Pane,
	type ScreenFrame,
} from './frame.ts'
import { isLeaving, selectedGrant } from './granting.ts'
import { inputOf } from './input.ts'
import type { KeyContext } from './keymap/command.ts'
import { isTooSmall } from './layout.ts'
import { actTitle } from './present/act-title.ts'
import { footerLines, footerRows } from './present/footer.ts'
import { alarmLine, headerLine, intruderNotice, lostNotice } from './present/header.ts'
import { progressLine } from './present/progress.ts'
import { revokedLine } from './present/revoked.ts'
import { routeOf } from './route.ts'
import { accessScreen } from './screens/access-screen.ts'
import { actScreen } from './screens/act-screen.ts'
import { costScreen } from './screens/cost-screen.ts'
import {
	deviceScreen,
	devicesScreen,
	find,
	idOf,
	selectedDevice,
} from './screens/devices-screen.ts'
import { grantsScreen } from './screens/grants-screen.ts'
import { helpScreen } from './screens/help-screen.ts'
import { historyScreen } from './screens/history-screen.ts'
import { permissionsScreen } from './screens/permissions-screen.ts'
import { rawScreen } from './screens/raw-screen.ts'
import { replayScreen } from './screens/replay-screen.ts'
import { requestScreen } from './screens/request-screen.ts'
import { revokedScreen } from './screens/revoked-screen.ts'
import { searchScreen } from './screens/search-screen.ts'
import { sessionScreen } from './screens/session-screen.ts'
import { sessionsScreen } from './screens/sessions-screen.ts'
import { filterText } from './session-filter.ts'
import { pendingRequests } from './snapshot.ts'
import {
	baseScreen,
	type Overlay,
	type Screen,
	type Size,
	topScreen,
	transcriptOf,
} from './state.ts'

/** Rows from which on there is room for a banner. */
const bannerRows = 20

/** Everything that the next frame shows. Pure: the same model gives the same frame. */
export function composeFrame(model: Model): Frame {
	const { size } = model.ui
	const { columns, rows } = size
	const tooSmall = isTooSmall(size)
	const input = within(inputOf(model), rows)
	const notices = noticeLines(model, inputRows(input))
	const keyRows = footerRows(topScreen(model.ui).name, size)
	const above = notices.length + inputRows(input) + keyRows - 1
	const bodyRows = Math.max(2, rows - 2 - above)
	const { guard, ...screen } = tooSmall ? emptyScreen : screenOf(model, { columns, rows: bodyRows })
	const focusRequest = input ? typedFor(model) : screen.focus
	const context = contextOf(model, screen, focusRequest)
	const keys = footerLines(context, model.keymap, { columns, rows: keyRows })
	const below = withRemark(model, keys)
	const look = tooSmall ? null : lookOf(model)
	return {
		...screen,
		panes: screen.panes.map(withinPane),
		size,
		tooSmall,
		notices,
		input,
		context,
		focusRequest,
		place: placeOf(baseScreen(model.ui)),
		remark: remarkOf(model),
		header: headerLine(model.data, columns, model.now),
		keys: below.slice(0, -1),
		footer: below.at(-1) ?? [],
		focus: look?.focus ?? focusOf(model, screen) ?? guard ?? null,
		shown: [...screen.shown, ...(look?.shown ?? [])],
	}
}

/** Rows that are left to all else, however much an overlay has to say. */
const leftRows = 6

/** An overlay that grew too tall with a smaller screen: nothing that has to be seen whole is sent from it. */
function within(input: InputFrame | null, rows: number): InputFrame | null {
	const most = Math.max(2, rows - leftRows)
	// What is typed keeps itself to a few rows, around the cursor.
	if (!input || input.cursor || inputRows(input) <= most) return input
	const label = input.label.slice(0, most - 1)
	const kept = Math.max(0, most - label.length - 1)
	const hidden = inputRows(input) - label.length - kept
	const more: StyledLine = [span(safeText`   ${moreLines(hidden)}`, 'warn')]
	return { ...input, label, text: [...input.text.slice(0, kept), more] }
}

/** What a screen did not cut, such as somebody's words in a line of ours, ends at the edge of its pane. */
function withinPane(pane: Pane): Pane {
	const { rows, width } = pane
	if (rows.every(({ line }) => lineFits(line, width))) return pane
	return { ...pane, rows: rows.map((row) => ({ ...row, line: truncateLine(row.line, width) })) }
}

function focusOf({ ui }: Model, { focus, order }: ScreenFrame): Focus | null {
	if (!focus) return null
	return { id: focus.id, digest: shownDigest(focus), order: `${baseScreen(ui).name} ${order}` }
}

/** What a person has put together is looked at once more before it is sent: from then on it is what counts. */
function lookOf({ ui, data }: Model): { focus: Focus; shown: ShownRequest[] } | null {
	const top = topScreen(ui)
	if (top.name === 'changed') {
		const { request, digest, input } = top
		return { focus: { id: request, digest, order: `changed ${JSON.stringify(input)}` }, shown: [] }
	}
	if (top.name !== 'question') return null
	const asked = askedBy(data.requests, top)
	if (!asked || top.at < asked.questions.length) return null
	const { request: id, digest } = top
	const shown = reviewShown(top, asked.questions, ui.size)
	return { focus: { id, digest, order: `answers ${shown.digest}` }, shown: [shown] }
}

function screenOf(model: Model, size: Size): ScreenFrame {
	const screen = baseScreen(model.ui)
	switch (screen.name) {
		case 'sessions':
			return sessionsScreen(model, size)
		case 'session':
			return sessionScreen(model, screen.session, size)
		case 'raw':
			return rawScreen(model, size)
		case 'replay':
			return replayScreen(model, screen.session, size)
		case 'permissions':
			return permissionsScreen(model, size)
		case 'grants':
			return grantsScreen(model, size)
		case 'request':
			return requestScreen(model, screen.request, size)
		case 'devices':
			return devicesScreen(model, size)
		case 'device':
			return deviceScreen(model, screen.device, size)
		case 'history':
			return historyScreen(model, size)
		case 'access':
			return accessScreen(model, size)
		case 'search':
			return searchScreen(model, size)
		case 'cost':
			return costScreen(model, size)
		case 'act':
			return actScreen(model, size)
		case 'revoked':
			return revokedScreen(model, size)
		case 'help':
			return helpScreen(screen, topScreen(model.ui), model.keymap, size)
		// Screens of a home without a device: there is no viewer then.
		case 'join':
			return emptyScreen
	}
}

function noticeLines({ data, banner, ui, keymap }: Model, typed: number): StyledLine[] {
	const { columns, rows } = ui.size
	const { alarm, revoked } = data.info
	if (revoked) return [revokedLine(revoked, columns)]
	return [
		...(alarm === null ? [] : [alarmLine(alarm, columns)]),
		...intruderNotice(data.devices, keymap, columns),
		...actNotice(data.act, topScreen(ui).name, columns),
		// The header says that it is lost; why, where what is typed leaves room for it.
		...(typed < rows - leftRows ? lostNotice(data.connection, ui.size) : []),
		...exportNotice(ui, columns),
		...(banner === null || rows < bannerRows
			? []
			: [padLine(truncateLine([span(safeText` ${banner}`, 'quote')], columns), columns)]),
	]
}

/** How far a session that is written to a file has come. */
function exportNotice({ exporting }: Model['ui'], columns: number): StyledLine[] {
	if (!exporting) return []
	const percent = Math.floor((100 * exporting.done) / Math.max(1, exporting.through))
	const line = [span(safeText` … writing the session to a file: ${percent} %`, 'accent')]
	return [padLine(truncateLine(line, columns), columns)]
}

/** What runs is seen on every screen, however one went away from it. */
function actNotice(act: DeviceAct | null, screen: Screen['name'], columns: number): StyledLine[] {
	if (!act || !isRunning(act) || screen === 'act') return []
	const line = [
		span(safeText` `),
		...progressLine(actTitle(act), 'progress' in act ? act.progress : null),
	]
	return [padLine(truncateLine(line, columns), columns)]
}

/** The request that a reason or an answer is being typed for, whatever is highlighted by now. */
function typedFor({ ui, data }: Model): RequestView | null {
	const top = topScreen(ui)
	if (top.name === 'question') return askedBy(data.requests, top)?.request ?? null
	if (top.name === 'words-of-answer') return askedBy(data.requests, top.asking)?.request ?? null
	if (top.name !== 'reason' && top.name !== 'change' && top.name !== 'changed') return null
	const request = data.requests.find(({ id }) => id === top.request)
	return request?.digest === top.digest ? request : null
}

function contextOf(model: Model, screen: ScreenFrame, focus: RequestView | null): KeyContext {
	const selected = selectedSession(model)
	const shown = focus && screen.shown.find(({ id }) => id === focus.id)
	return {
		screen: topScreen(model.ui),
		session: selected !== null,
		listed: {
			any: arranged(model).ids.length + arranged(model).hidden > 0,
			filtered: filterText(model.ui) !== '',
			archived: selected && model.data.archived.has(selected.id),
			waiting: (selected?.pending ?? 0) > 0,
			over: arranged(model).over.length > 0,
		},
		device: deviceOf(model),
		route: routeOf(model),
		grant: grantOf(model),
		act: model.data.act,
		joining: null,
		waiting: pendingRequests(model.data).length,
		focus: focus && {
			request: focus,
			decision: model.data.decisions.get(focus.id) ?? null,
			unread: shown ? model.attention.unread(focus.id, shownDigest(focus), shown.total) : 0,
		},
		foldable: (screen.transcript?.selectable.length ?? 0) > 0,
		selected: isFoldSelected(screen),
		find: isFinding(model),
		hit: baseScreen(model.ui).name === 'search' && screen.list?.selected != null,
		following: screen.transcript?.following ?? false,
	}
}

function isFinding({ ui }: Model): boolean {
	const screen = baseScreen(ui)
	return screen.name === 'session' && transcriptOf(ui, screen.session).find !== null
}

function grantOf(model: Model): KeyContext['grant'] {
	const grant = baseScreen(model.ui).name === 'grants' ? selectedGrant(model) : null
	return grant && { keeper: grant.keeper, leaving: isLeaving(model.data, grant) }
}

function deviceOf(model: Model): KeyContext['device'] {
	const screen = baseScreen(model.ui)
	if (screen.name !== 'devices' && screen.name !== 'device') return null
	const shown = screen.name === 'device' ? find(model, screen.device) : selectedDevice(model)
	if (!shown) return null
	if (shown.type === 'intruder') {
		return { id: idOf(shown), own: false, active: false, kind: 'intruder' }
	}
	const { id, own, kind, state } = shown.device
	return { id, own, kind, active: state === 'active' }
}

/** A request that waits is not folded: its key opens it. */
function isFoldSelected({ transcript }: ScreenFrame): boolean {
	const item = transcript?.entries.find(({ key }) => key === transcript.selected)
	if (!item) return false
	return item.type !== 'request' || item.request?.status !== 'pending'
}

/** The lines of keys, the last one the footer; a remark takes the place of as many as it needs for a while. */
function withRemark({ ui, now }: Model, lines: readonly StyledLine[]): readonly StyledLine[] {
	const { toast } = ui
	const { columns } = ui.size
	const remark = remarkOf({ ui, now })
	if (!toast || remark === null) return lines
	const wrapped = wrapLine([span(remark, toast.role)], columns - 1)
	const shown = wrapped.length <= lines.length ? wrapped : [[span(remark, toast.role)]]
	return [
		...lines.slice(0, lines.length - shown.length),
		...shown.map((line) => padLine(truncateLine([span(safeText` `), ...line], columns), columns)),
	]
}

function remarkOf({ ui: { toast }, now }: Pick<Model, 'ui' | 'now'>): SafeText | null {
	return toast && toast.until > now ? oneLine(toast.text) : null
}

function placeOf(screen: Exclude<Screen, Overlay>): string {
	switch (screen.name) {
		case 'session':
			return `session ${screen.session}`
		case 'request':
			return `request ${screen.request}`
		case 'device':
			return `device ${screen.device}`
		default:
			return screen.name
	}
}
