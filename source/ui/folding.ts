/** Selecting items of a transcript, folding and unfolding them. */
import type { App } from './app.ts'
import { setAnchor } from './moving.ts'
import { transcriptOf, withTranscript } from './state.ts'

export function foldAll(app: App): void {
	const session = app.frame().transcript?.session
	if (session === undefined) return
	app.update((ui) => {
		const { unfoldAll } = transcriptOf(ui, session)
		return withTranscript(ui, session, { unfoldAll: !unfoldAll, toggled: new Set() })
	})
}

/** Folds or unfolds the selected item; its first line stays where it is. */
export function foldSelected(app: App): void {
	const { transcript } = app.frame()
	const key = transcript?.selected
	if (!transcript || key == null) return
	app.update((ui) => {
		const toggled = new Set(transcriptOf(ui, transcript.session).toggled)
		if (!toggled.delete(key)) toggled.add(key)
		return withTranscript(ui, transcript.session, { toggled })
	})
	if (transcript.window.top) setAnchor(app, transcript, transcript.window.top)
}

/** Selects an item that is on the screen. */
export function selectItem(app: App, key: string): void {
	const session = app.frame().transcript?.session
	if (session !== undefined) app.update((ui) => withTranscript(ui, session, { selected: key }))
}

/** Selects the next item (the one before) that is on the screen; beyond its edge, scrolls a page. */
export function selectNext(app: App, by: 1 | -1): void {
	const { transcript } = app.frame()
	if (!transcript) return
	const { selectable, selected, session } = transcript
	const at = selected === null ? -1 : selectable.indexOf(selected)
	const next = at < 0 ? selectable.at(by > 0 ? 0 : -1) : selectable[at + by]
	if (next !== undefined) {
		app.update((ui) => withTranscript(ui, session, { selected: next }))
		return
	}
	const { items, entries } = transcript
	const edge = selected === null ? -1 : items.indexOf(selected)
	for (let index = edge + by; index >= 0 && index < entries.length; index += by) {
		const item = entries[index]
		if (item?.type !== 'call' && item?.type !== 'request') continue
		setAnchor(app, transcript, { key: item.key, line: 0 }, { selected: item.key })
		return
	}
}
