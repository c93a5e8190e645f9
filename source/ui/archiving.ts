/** Putting sessions out of sight, and back. */
import { StyrbyError } from '../protocol/errors.ts'
import { displayText, type SafeText, safeText } from '../text/safe-text.ts'
import type { App } from './app.ts'
import { arranged, selectedSession } from './arranged-sessions.ts'
import { sessionsText } from './present/device-name.ts'
import { sessionName } from './present/session-row.ts'
import { topScreen } from './state.ts'

/** Archives the highlighted session; the highlight goes on to the one after it. */
export function archiveOne(app: App): void {
	const session = selectedSession(modelOf(app))
	if (!session) return
	const { ids } = arranged(modelOf(app))
	const at = ids.indexOf(session.id)
	const next = ids[at + 1] ?? ids[at - 1] ?? null
	app.update((ui) => ({ ...ui, selectedSession: next }))
	const back = safeText`${app.keymap.key('filter')} is:archived lists it`
	change(app, [session.id], true, safeText`Archived ${sessionName(session)}: ${back}.`)
}

export function takeBack(app: App): void {
	const session = selectedSession(modelOf(app))
	if (session) change(app, [session.id], false, safeText`${sessionName(session)} is listed again.`)
}

/** Asks whether all that is over, of what is listed, is to be archived. */
export function askArchiveAll(app: App): void {
	const sessions = arranged(modelOf(app)).over
	if (sessions.length === 0) return
	app.update((ui) => ({ ...ui, screens: [...ui.screens, { name: 'archive', sessions }] }))
}

/** Archives those that were counted when it was asked, whatever is listed by now. */
export function archiveAll(app: App): void {
	const top = topScreen(app.ui)
	if (top.name !== 'archive') return
	app.update((ui) => ({ ...ui, screens: ui.screens.slice(0, -1) }))
	change(app, top.sessions, true, safeText`Archived ${sessionsText(top.sessions.length)}.`)
}

function change(app: App, sessions: readonly string[], put: boolean, done: SafeText): void {
	app.options.archive.change(sessions, put).then(
		() => app.toast(done, 'ok'),
		(error: unknown) => {
			app.options.notifier.log(error)
			const why = error instanceof StyrbyError ? displayText(error.message) : safeText`see the log.`
			app.toast(safeText`Not archived: ${why}`, 'error')
		},
	)
}

function modelOf(app: App) {
	return { ui: app.ui, data: app.data, now: app.options.now() }
}
