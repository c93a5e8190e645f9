/** Answers to permission requests. The guard is asked here, and nowhere can an answer go around it. */
import { type SafeText, safeText } from '../text/safe-text.ts'
import type { Choice, RequestView } from '../viewer/viewer.ts'
import type { App } from './app.ts'
import type { MayAnswer } from './attention.ts'
import { editText, emptyEdit, insertText } from './line-edit.ts'
import { topScreen } from './state.ts'

const reasons: Readonly<Record<Exclude<MayAnswer, { ok: true }>['why'], SafeText>> = {
	nothing: safeText`No request is on the screen.`,
	'too-soon': safeText`That came too soon after the screen changed: look, and press it again.`,
	unread: safeText`Not all of this request was on the screen yet: read it to its end first.`,
}

/** Answers the request that was highlighted on the screen when the key was pressed. */
export function answer(app: App, choice: Choice): void {
	const request = guarded(app, choice.decision)
	if (request) sendAnswer(app, request, choice)
}

/** Asks for a reason, for the request that is highlighted now. */
export function askReason(app: App): void {
	const request = guarded(app, 'deny')
	if (!request) return
	const { id, digest } = request
	app.update((ui) => ({
		...ui,
		screens: [
			...ui.screens,
			{ name: 'reason', request: id, digest, edit: insertText(emptyEdit, ui.keptReason) },
		],
	}))
}

/** Denies the request that the reason was begun for, whatever is highlighted by now. */
export function sendReason(app: App): void {
	const top = topScreen(app.ui)
	if (top.name !== 'reason') return
	const request = app.data.requests.find(({ id }) => id === top.request)
	const reason = editText(top.edit).trim()
	app.update((ui) => ({ ...ui, screens: ui.screens.slice(0, -1) }))
	app.update((ui) => ({ ...ui, keptReason: reason }))
	if (!request || request.digest !== top.digest) {
		app.toast(kept(app, safeText`This request is gone: nothing was sent`), 'warn')
		return
	}
	sendAnswer(app, request, {
		decision: 'deny',
		scope: 'once',
		...(reason === '' ? {} : { reason }),
	})
}

/** What was typed for a request that is no more is not lost. */
function kept(app: App, what: SafeText): SafeText {
	return app.ui.keptReason === ''
		? safeText`${what}.`
		: safeText`${what}; the next reason begins with it.`
}

/** The highlighted request, if a key pressed now may answer it; else it is said why not. */
export function guarded(app: App, decision: Choice['decision']): RequestView | null {
	const request = app.seen.focusRequest
	if (!request) return null
	const may = app.mayAnswer(request.id, decision)
	if (may.ok) return request
	app.toast(reasons[may.why], 'warn')
	return null
}

/** Sends an answer to a request that was looked at. */
export function sendAnswer(app: App, seen: RequestView, choice: Choice): void {
	// What is known by now may be newer than the screen; the digest says whether it is the same request.
	const request = app.options.viewer.requests.get().find(({ id }) => id === seen.id)
	if (request?.status !== 'pending' || request.digest !== seen.digest) {
		app.toast(
			kept(app, safeText`This request was answered in the meantime: nothing was sent`),
			'warn',
		)
		return
	}
	const decision = app.options.viewer.decide(request, choice)
	app.update((ui) => ({ ...ui, keptReason: '' }))
	// What becomes of it is to be seen: the highlight stays, whatever moves to the top of the list.
	app.update((ui) => ({
		...ui,
		selectedSession: request.session,
		selectedRequest: request.id,
	}))
	decision.done.catch((error: unknown) => {
		app.options.notifier.log(error)
		app.toast(safeText`The answer could not be sent: try again.`, 'error')
	})
}
