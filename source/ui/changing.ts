/** Changing what a request would do before it is allowed: typed, looked at as a difference, then sent. */
import { type SafeText, safeText } from '../text/safe-text.ts'
import { guarded, sendAnswer } from './answering.ts'
import type { App } from './app.ts'
import { type Changed, changedInput, editableText } from './changed-input.ts'
import { block, editText, emptyEdit, insertText } from './line-edit.ts'
import { changeDiff, fits } from './present/changed-lines.ts'
import { type Screen, topScreen } from './state.ts'

/** Opens the editor with what the highlighted request would do. */
export function beginChange(app: App): void {
	const request = guarded(app, 'allow')
	if (!request?.body) return
	const edit = insertText(emptyEdit, editableText(request.body.input), block)
	const { id, digest } = request
	app.update((ui) => ({
		...ui,
		screens: [...ui.screens, { name: 'change', request: id, digest, edit }],
	}))
}

function problemText({ keymap }: App, why: Extract<Changed, { ok: false }>['why']): SafeText {
	switch (why) {
		case 'same':
			return safeText`Nothing was changed: esc, and ${keymap.key('allow')} allows it as it is.`
		case 'empty':
			return safeText`There is nothing left of it: esc, and ${keymap.key('deny')} denies it.`
		case 'malformed':
			return safeText`This is no JSON object any more: mend it.`
	}
}

const noRoom = safeText`The change does not fit on this screen: make it smaller, or the window larger.`

/** To the look at what was changed. */
export function showChange(app: App): void {
	const top = topScreen(app.ui)
	if (top.name !== 'change') return
	const request = app.data.requests.find(({ id }) => id === top.request)
	if (!request?.body || request.digest !== top.digest) {
		gone(app)
		return
	}
	const changed = changedInput(request.body.input, editText(top.edit))
	if (!changed.ok) {
		app.toast(problemText(app, changed.why), 'warn')
		return
	}
	const { size } = app.ui
	if (!fits(changeDiff(request.body.input, changed.input, size.columns), size)) {
		app.toast(noRoom, 'warn')
		return
	}
	const { request: id, digest, edit } = top
	const screen: Screen = {
		name: 'changed',
		request: id,
		digest,
		edited: edit,
		input: changed.input,
		risk: app.options.viewer.assess({ ...request.body, input: changed.input }),
	}
	app.update((ui) => ({ ...ui, screens: [...ui.screens.slice(0, -1), screen] }))
}

/** From the look back to the editor. `false`: that is not on the screen. */
export function changeAgain(app: App): boolean {
	const top = topScreen(app.ui)
	if (top.name !== 'changed') return false
	const { request, digest, edited } = top
	const screen: Screen = { name: 'change', request, digest, edit: edited }
	app.update((ui) => ({ ...ui, screens: [...ui.screens.slice(0, -1), screen] }))
	return true
}

/** Allows the request that was looked at, as changed. */
export function allowChanged(app: App): void {
	const top = topScreen(app.ui)
	if (top.name !== 'changed') return
	const request = app.data.requests.find(({ id }) => id === top.request)
	if (!request?.body || request.digest !== top.digest) {
		gone(app)
		return
	}
	if (!app.mayAnswer(request.id, 'deny').ok) {
		app.toast(safeText`That came too soon: look at the change, and press it again.`, 'warn')
		return
	}
	// The window may have become smaller since it was put together.
	const { size } = app.seen
	if (!fits(changeDiff(request.body.input, top.input, size.columns), size)) {
		app.toast(noRoom, 'warn')
		return
	}
	app.update((ui) => ({ ...ui, screens: ui.screens.slice(0, -1) }))
	sendAnswer(app, request, { decision: 'allow', scope: 'once', input: top.input })
}

function gone(app: App): void {
	app.update((ui) => ({ ...ui, screens: ui.screens.slice(0, -1) }))
	app.toast(safeText`This request is gone: nothing was sent.`, 'warn')
}
