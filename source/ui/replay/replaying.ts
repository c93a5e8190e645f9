/** What the keys of a replay do. */
import type { App } from '../app.ts'
import { sessionOnScreen } from '../reading/place.ts'
import { topScreen, withTranscript } from '../state.ts'
import { replayKey } from './replay-state.ts'

export function startReplay(app: App): void {
	const session = sessionOnScreen(app)
	if (session === null) return
	app.update((ui) => ({
		...withTranscript(ui, replayKey(session), { anchor: null, jump: null }),
		replay: null,
		screens: [...ui.screens, { name: 'replay', session }],
	}))
	app.replay(session)
}

export function leaveReplay(app: App): void {
	if (topScreen(app.ui).name !== 'replay') return
	app.replay(null)
	app.update((ui) => ({ ...ui, replay: null, screens: ui.screens.slice(0, -1), toast: null }))
}
