/** The search of a viewer that is not connected yet: what is asked last is looked for when it is. */
import { Value } from './readable.ts'
import { unreadSearch } from './unread.ts'
import type { Search, SearchState } from './viewer.ts'

export class LateSearch implements Search {
	readonly state = new Value<SearchState>(unreadSearch)
	#search: Search | null = null
	#started = false

	attach(search: Search): void {
		const { query } = this.state.get()
		this.#search = search
		if (this.#started) search.start()
		if (query !== '') search.ask(query)
		this.state.follow(search.state)
	}

	ask(query: string): void {
		if (this.#search) this.#search.ask(query)
		else this.state.update((state) => ({ ...state, query, searching: query !== '' }))
	}

	start(): void {
		this.#started = true
		this.#search?.start()
	}

	more(): void {
		this.#search?.more()
	}
}
