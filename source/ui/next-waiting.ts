import type { RequestView } from '../viewer/viewer.ts'
import type { App } from './app.ts'
import { moveTo } from './moving.ts'
import { pendingRequests } from './snapshot.ts'
import { baseScreen } from './state.ts'

/** Goes to the request that waits after the highlighted one, and to the first again after the last. */
export function nextWaiting(app: App): void {
	const screen = baseScreen(app.ui)
	const pending = pendingRequests(app.data)
	const focused = app.frame().focusRequest?.id
	if (screen.name === 'session') {
		const here = after(
			pending.filter(({ session }) => session === screen.session),
			focused,
		)
		if (here && here.id !== focused) {
			moveTo(app, here.id)
			return
		}
	}
	const next = after(pending, focused)
	if (!next) return
	if (screen.name === 'sessions') {
		app.update((ui) => ({ ...ui, selectedSession: next.session }))
		return
	}
	app.update((ui) => ({
		...ui,
		selectedRequest: next.id,
		screens: screen.name === 'session' ? [...ui.screens, { name: 'permissions' }] : ui.screens,
	}))
}

function after(requests: readonly RequestView[], id: string | undefined): RequestView | null {
	const at = requests.findIndex((request) => request.id === id)
	return requests[(at + 1) % Math.max(1, requests.length)] ?? null
}
