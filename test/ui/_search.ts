/** `Viewer.search` over plain data: a test sets what is found, and sees what was asked. */
import { Value } from '../../source/viewer/readable.ts'
import type { Search, SearchHit, SearchState } from '../../source/viewer/viewer.ts'
import { at, uuid } from './_present.ts'

export function hit(change: Partial<SearchHit> = {}): SearchHit {
	return {
		session: uuid(1),
		seq: 1,
		at: at(60),
		kind: 'agent_response',
		agent: 'claude',
		project: 'api-server',
		title: null,
		snippet: 'add a rate limit to the login route',
		matches: [[6, 16]],
		...change,
	}
}

export class ScriptedSearch implements Search {
	readonly state = new Value<SearchState>({
		query: '',
		problem: null,
		hits: [],
		total: 0,
		searching: false,
		words: [],
		index: { messages: 0, sessionsDone: 0, sessions: 0, upToDate: false, problem: null },
	})
	readonly asked: string[] = []
	started = 0
	askedMore = 0

	ask(query: string): void {
		this.asked.push(query)
		this.state.update((state) => ({ ...state, query, searching: true }))
	}

	start(): void {
		this.started++
	}

	more(): void {
		this.askedMore++
	}

	/** Sets what is found. */
	found(hits: readonly SearchHit[], change: Partial<SearchState> = {}): void {
		this.state.update((state) => ({
			...state,
			hits,
			total: hits.length,
			searching: false,
			...change,
		}))
	}
}
