/** What of a transcript the person means: what is selected or was jumped to, else what is on the screen. */
import type { App } from '../app.ts'
import { transcriptOf } from '../state.ts'
import type { Item } from '../transcript/items.ts'
import { seqOf } from './place.ts'

/** The selected item, or the one jumped to; `null`: neither. */
export function itemChosen(app: App): Item | null {
	const { transcript } = app.frame()
	if (!transcript) return null
	const { find } = transcriptOf(app.ui, transcript.session)
	const { entries, selected, cursor } = transcript
	const found = entries.find((item) => find?.at && seqOf(item) === find.at.seq)
	return (
		found ??
		entries.find(({ key }) => key === selected) ??
		entries.find(({ key }) => key === cursor) ??
		null
	)
}

/** Items on the screen, in order. */
export function itemsOnScreen(app: App): readonly Item[] {
	const { transcript } = app.frame()
	return (transcript?.window.slices ?? []).flatMap(({ index }) => {
		const item = transcript?.entries[index]
		return item ? [item] : []
	})
}
