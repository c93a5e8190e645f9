/** Searching all sessions: the line that is typed, what was searched for before, and going to what was found. */
import { fold } from '../text/match.ts'
import { displayText, joinText, safeText } from '../text/safe-text.ts'
import type { SearchHit } from '../viewer/viewer.ts'
import type { App } from './app.ts'
import { editText, emptyEdit, insertText } from './line-edit.ts'
import { bringIn, seqOf, showLine } from './reading/place.ts'
import { hitId, queryOfId } from './screens/search-screen.ts'
import { type Screen, topScreen, withTranscript } from './state.ts'

/** Searches that are remembered, in this process only. */
const remembered = 20

/** Opens the search where it was left. */
export function openSearch(app: App): void {
	const { search } = app.options.viewer
	search.start()
	const { query } = app.data.search
	const edit = insertText(emptyEdit, query)
	const screens: Screen[] = [{ name: 'search' }, { name: 'search-line', edit }]
	app.update((ui) => ({ ...ui, searchHelp: false, screens: [...ui.screens, ...screens] }))
}

/** The line was changed: looks for it. */
export function searchTyped(app: App): void {
	const top = topScreen(app.ui)
	if (top.name !== 'search-line') return
	const query = editText(top.edit)
	if (query === app.data.search.query) return
	app.update((ui) => ({ ...ui, selectedHit: null, searchHelp: false }))
	app.options.viewer.search.ask(query)
	app.refresh()
}

export function toggleSearchHelp(app: App): void {
	app.update((ui) => ({ ...ui, searchHelp: !ui.searchHelp }))
}

/** Leaves the line, and the screen under it with it. `false`: it is not the line that is on top. */
export function leaveSearch(app: App): boolean {
	const top = topScreen(app.ui)
	if (top.name !== 'search-line') return false
	if (app.ui.searchHelp && editText(top.edit).trim() !== '') {
		toggleSearchHelp(app)
		return true
	}
	remember(app)
	app.update((ui) => ({ ...ui, screens: ui.screens.slice(0, -2) }))
	return true
}

export function openHit(app: App): void {
	const selected = app.frame().list?.selected
	if (selected == null) return
	const query = queryOfId(selected)
	if (query !== null) {
		type(app, query)
		return
	}
	const hit = app.data.search.hits.find((one) => hitId(one) === selected)
	if (!hit) return
	remember(app)
	const { session } = hit
	app.update((ui) => ({
		...withTranscript(ui, session, { find: null, selected: null }),
		screens: [...ui.screens, { name: 'session', session }],
	}))
	app.loading.run(goTo(app, hit))
}

/** To the message, with what matched in it as what is looked for: `n` goes on from there. */
async function goTo(app: App, hit: SearchHit): Promise<void> {
	const { session, seq } = hit
	const found = await bringIn(app, session, seq)
	if (!found) return
	showLine(app, found, 0, 1)
	const words = matchedIn(hit)
	if (words.length === 0) return
	const text = joinText(words.map(displayText), safeText` `)
	// A result stands with its call, and is found by the number of that.
	const shown = seqOf(found.transcript.entries[found.index]) ?? seq
	app.finder.begin(session, text, { words }, Math.min(shown, seq))
}

/** As it is written there: an index knows more ways to write a word than the transcript is looked through for. */
function matchedIn({ snippet, matches }: SearchHit): string[] {
	const words = matches.map(([from, to]) => fold(snippet.slice(from, to)))
	return [...new Set(words)].filter((word) => word.trim() !== '' && !word.includes('\n'))
}

function type(app: App, query: string): void {
	app.update((ui) => {
		const edit = insertText(emptyEdit, query)
		return { ...ui, screens: [...ui.screens.slice(0, -1), { name: 'search-line', edit }] }
	})
	searchTyped(app)
}

/** What found something, the last one first. */
function remember(app: App): void {
	const { query, total } = app.data.search
	const text = query.trim()
	if (text === '' || total === 0) return
	app.update((ui) => {
		const others = ui.queries.filter((one) => one !== text)
		return { ...ui, queries: [text, ...others].slice(0, remembered) }
	})
}
