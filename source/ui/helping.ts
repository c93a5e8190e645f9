/** The list of keys: opening it, and looking for a key in it. */
import type { App } from './app.ts'
import { editText, emptyEdit, insertText } from './line-edit.ts'
import { type Screen, topScreen } from './state.ts'

/** The keys of the screen that the person sees, and what they lack just now. */
export function openHelp(app: App): void {
	const { context } = app.seen
	const of = context.screen.name
	app.update((ui) => ({
		...ui,
		screens: [...ui.screens, { name: 'help', of, line: 0, filter: '', context }],
	}))
}

export function typeHelpFilter(app: App): void {
	const top = topScreen(app.ui)
	if (top.name !== 'help') return
	const edit = insertText(emptyEdit, top.filter)
	app.update((ui) => ({
		...ui,
		screens: [...withFilter(ui.screens, ''), { name: 'help-filter', edit }],
	}))
}

/** Back to the list, which shows what was found. */
export function keepHelpFilter(app: App): void {
	const top = topScreen(app.ui)
	if (top.name !== 'help-filter') return
	const filter = editText(top.edit).trim()
	app.update((ui) => ({ ...ui, screens: withFilter(ui.screens.slice(0, -1), filter) }))
}

/** From what was found back to every key. `false`: every key is shown, or no list of them. */
export function widerHelp(app: App): boolean {
	const top = topScreen(app.ui)
	if (top.name !== 'help' || top.filter === '') return false
	app.update((ui) => ({ ...ui, screens: withFilter(ui.screens, '') }))
	return true
}

function withFilter(screens: readonly Screen[], filter: string): Screen[] {
	return screens.map((screen) => (screen.name === 'help' ? { ...screen, filter, line: 0 } : screen))
}
