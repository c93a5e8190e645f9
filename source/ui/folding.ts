/** Selecting items of a transcript, folding and unfolding them. */
import { emptyLine, isSameLine, type StyledLine } from '../text/styled.ts'
import type { App } from './app.ts'
import { setAnchor } from './moving.ts'
import { foldOf, transcriptOf, withTranscript } from './state.ts'
import { nextFold } from './transcript/folds.ts'

export function foldAll(app: App): void {
	const session = app.frame().transcript?.session
	if (session === undefined) return
	app.update((ui) => {
		const { fold } = transcriptOf(ui, session)
		return withTranscript(ui, session, { fold: nextFold[fold], folds: new Map() })
	})
}

/** Shows more of the selected item, or folds it again; its first line stays where it is. */
export function foldSelected(app: App): void {
	const { transcript } = app.frame()
	const key = transcript?.selected
	if (!transcript || key == null) return
	const { session, items } = transcript
	const shown = (): readonly StyledLine[] => {
		const now = app.frame().transcript?.items ?? items
		const index = now.indexOf(key)
		return index < 0 ? [] : now.lines(index)
	}
	const before = shown()
	turnFold(app, session, key)
	// What is short is all there after the first press.
	if (foldOf(transcriptOf(app.ui, session), key) === 'all' && isSame(before, shown()))
		turnFold(app, session, key)
	if (transcript.window.top) setAnchor(app, transcript, transcript.window.top)
}

function turnFold(app: App, session: string, key: string): void {
	app.update((ui) => {
		const transcript = transcriptOf(ui, session)
		const folds = new Map(transcript.folds)
		return withTranscript(ui, session, {
			folds: folds.set(key, nextFold[foldOf(transcript, key)]),
		})
	})
}

function isSame(one: readonly StyledLine[], other: readonly StyledLine[]): boolean {
	return (
		one.length === other.length &&
		one.every((line, index) => isSameLine(line, other[index] ?? emptyLine))
	)
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
