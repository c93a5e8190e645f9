/** Loading what lies beyond the window, before the person gets there. */
import { safeText } from '../text/safe-text.ts'
import type { App } from './app.ts'
import type { Frame } from './frame.ts'
import { filterText } from './session-filter.ts'
import { baseScreen } from './state.ts'

/** After a failure nothing more is loaded by itself for so long, ms. */
const pauseMs = 5000

export class Loading {
	readonly #app: App
	#listing = false
	#pausedUntil = 0

	constructor(app: App) {
		this.#app = app
	}

	/** Says so when loading fails. */
	run(loading: Promise<unknown>): void {
		loading.catch((error: unknown) => {
			this.#pausedUntil = this.#app.options.now() + pauseMs
			this.#app.toast(safeText`Could not load more.`, 'error')
			this.#app.options.notifier.log(error)
		})
	}

	/** What is on the screen now decides what is needed next. */
	beyond(frame: Frame): void {
		if (this.#app.options.now() < this.#pausedUntil) return
		this.#sessions(frame)
		this.#messages(frame)
		this.#access(frame)
		this.#hits(frame)
	}

	#hits({ list }: Frame): void {
		const { ui, data, options } = this.#app
		const { hits, total, searching } = data.search
		if (baseScreen(ui).name !== 'search' || !list || searching || hits.length >= total) return
		const left = list.ids.length - list.ids.indexOf(list.selected ?? '') - 1
		if (left <= 2 * list.height) options.viewer.search.more()
	}

	#access({ list }: Frame): void {
		const { ui, data, options } = this.#app
		if (baseScreen(ui).name !== 'access') return
		const { complete, loading, error } = data.access
		if (complete || loading || error !== null) return
		const at = list?.selected == null ? 0 : list.ids.indexOf(list.selected)
		if ((list?.ids.length ?? 0) - at - 1 <= 2 * (list?.height ?? 0))
			options.viewer.devices.moreAccess()
	}

	/** Near the end of the list, and until a filter has seen all of them, older ones are read. */
	#sessions({ list }: Frame): void {
		const { ui, data, options } = this.#app
		const { more, loading } = data.listing
		if (baseScreen(ui).name !== 'sessions' || !list || !more || loading || this.#listing) return
		const left = list.ids.length - list.ids.indexOf(list.selected ?? '') - 1
		if (left > 2 * list.height && filterText(ui) === '') return
		this.#listing = true
		this.run(
			options.viewer.moreSessions().finally(() => {
				this.#listing = false
			}),
		)
	}

	#messages({ transcript }: Frame): void {
		const { data, view } = this.#app
		const state = data.open?.state
		if (!transcript || !state || state.loading || !view) return
		if (transcript.session !== data.open?.session) return
		const { slices } = transcript.window
		if (state.hasOlder && (slices[0]?.index ?? 0) <= 2) this.run(view.loadOlder())
		else if (state.hasNewer && transcript.window.atEnd) this.run(view.loadNewer())
	}
}
