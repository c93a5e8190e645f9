/** Narrowing the list of sessions: the line that is typed for it, and what it leaves behind. */
import type { App } from './app.ts'
import { editText, emptyEdit, insertText } from './line-edit.ts'
import { filterText } from './session-filter.ts'
import { topScreen } from './state.ts'

/** Opens the line with the filter in force, which can be gone on with or cleared at once. */
export function typeFilter(app: App): void {
	const text = filterText(app.ui)
	const edit = insertText(emptyEdit, text === '' ? '' : `${text} `)
	app.update((ui) => ({ ...ui, screens: [...ui.screens, { name: 'filter', edit }] }))
}

/** The list stays as it is shown now. */
export function keepFilter(app: App): void {
	const top = topScreen(app.ui)
	if (top.name !== 'filter') return
	const filter = editText(top.edit).trim()
	app.update((ui) => ({ ...ui, filter, screens: ui.screens.slice(0, -1) }))
}

/** All sessions again. */
export function clearFilter(app: App): void {
	app.update((ui) => ({ ...ui, filter: '' }))
}
