/** Prompts, interrupts and changes of mode, from the key to the viewer. */

import { StyrbyError } from '../protocol/errors.ts'
import { type SafeText, safeText } from '../text/safe-text.ts'
import type { Sending } from '../viewer/viewer.ts'
import type { App } from './app.ts'
import { block, editText, emptyEdit, insertText, type LineEdit } from './line-edit.ts'
import { routeOf } from './route.ts'
import { type Screen, topScreen, withTranscript } from './state.ts'

/** What a prompt may have at most: UTF-16 units (docs/protocol.md, section 6), and bytes when sealed. */
const longestPrompt = 100_000
const mostBytes = 200_000

/** Opens the editor, with what was begun before, or was sent and not taken. */
export function writePrompt(app: App): void {
	const session = onScreen(app)
	if (session === null) return
	const edit = app.ui.drafts.get(session) ?? notTaken(app, session)
	push(app, { name: 'prompt', session, edit })
}

function notTaken(app: App, session: string): LineEdit {
	const last = app.data.sent.get(session)?.at(-1)
	const lost = last?.stage === 'failed' || last?.stage === 'refused'
	return last?.what.kind === 'prompt' && lost
		? insertText(emptyEdit, last.what.text, block)
		: emptyEdit
}

export function newLine(app: App): void {
	const top = topScreen(app.ui)
	if (top.name !== 'prompt' && top.name !== 'change') return
	replace(app, { ...top, edit: insertText(top.edit, '\n', block) })
}

/** What was typed stays for the next time; `top` is the screen that was left. */
export function keepDraft(app: App, top: Screen): void {
	if (top.name !== 'prompt') return
	const empty = editText(top.edit).trim() === ''
	app.update((ui) => {
		const drafts = new Map(ui.drafts)
		if (empty) drafts.delete(top.session)
		else drafts.set(top.session, top.edit)
		return { ...ui, drafts }
	})
	if (!empty) app.toast(safeText`Kept: i goes on with it.`, 'ok')
}

export function sendPrompt(app: App): void {
	const top = topScreen(app.ui)
	if (top.name !== 'prompt') return
	const text = editText(top.edit).trim()
	if (text === '') {
		app.toast(safeText`There is nothing to send yet.`, 'warn')
		return
	}
	if (text.length > longestPrompt || Buffer.byteLength(text) > mostBytes) {
		app.toast(
			safeText`This is longer than a prompt may be: put it in a file and name that.`,
			'warn',
		)
		return
	}
	if (!send(app, top.session, { kind: 'prompt', text })) return
	app.update((ui) => {
		const drafts = new Map(ui.drafts)
		drafts.delete(top.session)
		// What becomes of it is to be seen.
		return withTranscript({ ...ui, drafts }, top.session, { anchor: null, jump: null })
	})
}

export function askInterrupt(app: App): void {
	const session = onScreen(app)
	if (session !== null) push(app, { name: 'interrupt', session })
}

export function confirmInterrupt(app: App): void {
	const top = topScreen(app.ui)
	if (top.name === 'interrupt') send(app, top.session, { kind: 'interrupt' })
}

export function chooseMode(app: App): void {
	const route = routeOf(app)
	const modes = route?.facts.takes?.modes ?? []
	const [first] = modes
	if (!route || first === undefined) return
	const { mode } = route.facts
	const selected = mode !== null && modes.includes(mode) ? mode : first
	push(app, { name: 'modes', session: route.session, selected })
}

/** Moves the highlight among the modes. `false`: they are not on the screen. */
export function moveAmongModes(app: App, by: 1 | -1): boolean {
	const top = topScreen(app.ui)
	if (top.name !== 'modes') return false
	const modes = routeOf(app)?.facts.takes?.modes ?? []
	const next = modes[modes.indexOf(top.selected) + by]
	if (next !== undefined) replace(app, { ...top, selected: next })
	return true
}

export function setMode(app: App): void {
	const top = topScreen(app.ui)
	if (top.name !== 'modes') return
	const facts = routeOf(app)?.facts
	if (facts?.mode === top.selected) {
		pop(app)
		return
	}
	if (!facts?.takes?.modes.includes(top.selected)) {
		app.toast(safeText`The session does not take this mode any more.`, 'warn')
		return
	}
	send(app, top.session, { kind: 'mode', mode: top.selected })
}

/** Sends it and closes what it was asked on. `false`: it could not even be begun, and that was said. */
function send(app: App, session: string, what: Sending): boolean {
	try {
		app.options.viewer.send(session, what)
	} catch (error) {
		if (!(error instanceof StyrbyError)) throw error
		app.options.notifier.log(error)
		app.toast(failure, 'error')
		return false
	}
	pop(app)
	return true
}

const failure: SafeText = safeText`Nothing could be sent: this device is not in use any more.`

function onScreen(app: App): string | null {
	return routeOf(app)?.session ?? null
}

function push(app: App, screen: Screen): void {
	app.update((ui) => ({ ...ui, screens: [...ui.screens, screen] }))
}

function replace(app: App, screen: Screen): void {
	app.update((ui) => ({ ...ui, screens: [...ui.screens.slice(0, -1), screen] }))
}

function pop(app: App): void {
	app.update((ui) => ({ ...ui, screens: ui.screens.slice(0, -1) }))
}
