/** `search`: full-text search over all that this device can read, on this machine alone. */
import { type ExitCode, exit, StyrbyError } from '../protocol/errors.ts'
import { parseQuery } from '../search/query.ts'
import { jsonText } from '../text/json-text.ts'
import { Value } from '../viewer/readable.ts'
import { SearchModel } from '../viewer/search/search-model.ts'
import type { SearchHit, SearchState } from '../viewer/viewer.ts'
import type { Invocation } from './command.ts'
import { type Context, openContext } from './context.ts'
import { finishDead } from './finish-dead.ts'
import { Progress } from './progress.ts'
import { searchFolder } from './search-folder.ts'
import { hitLines, summaryLine } from './search-lines.ts'

const defaultLimit = 50

/** What `--json` prints of a hit; a shape that scripts depend on. */
export function hitJson(hit: SearchHit) {
	const { session, seq, at, kind, agent, project, title, snippet, matches } = hit
	return { session, seq, at, kind, agent, project, title, snippet, matches }
}

/** The words of a command line as one query: what the shell was given in quotes is a phrase. */
export function queryOf(words: readonly string[]): string {
	return words.map((word) => (isPhrase(word) ? `"${word}"` : word)).join(' ')
}

/** Whole queries are quoted for the shell too; those have fields or quotes of their own. */
const isPhrase = (word: string) => /\S\s+\S/.test(word) && !/["“„«]|(?:^|\s)-?[a-z]+:\S/i.test(word)

export async function run({ args, rest, flags, io }: Invocation): Promise<ExitCode> {
	const text = queryOf([...args, ...rest])
	assertQuery(text, io.now())
	const limit = flags.number('limit') ?? defaultLimit
	await using context = await openContext(io)
	await finishDead(context)
	const state = await find(context, text, limit)
	context.account.log.assertTrusted()
	const hits = state.hits.slice(0, limit)
	const { total, index } = state
	if (flags.has('json')) {
		const { messages, problem } = index
		const found = { query: text, total, hits: hits.map(hitJson), index: { messages, problem } }
		io.stdout.write(`${jsonText(found)}\n`)
		return exit.done
	}
	const width = io.stdout.columns ?? 100
	for (const hit of hits) io.stdout.write(hitLines(hit, width, io.now()))
	io.stderr.write(summaryLine(hits.length, total, index.messages))
	if (index.problem !== null) io.stderr.write(`styrby-tui: ${index.problem}\n`)
	return exit.done
}

function assertQuery(text: string, now: Date): void {
	const { problem } = parseQuery(text, now)
	if (!problem) return
	const place = `At character ${problem.at + 1} of the query: `
	throw new StyrbyError(problem.code, `${place}${problem.message}`, { exitCode: exit.usage })
}

/** Brings the index up to date, then asks it. */
async function find(context: Context, text: string, limit: number): Promise<SearchState> {
	const { account, base, vaultName, io } = context
	using progress = new Progress(io, 'reading what is new')
	const crash = Promise.withResolvers<never>()
	await using search = new SearchModel({
		account,
		sessions: new Value([]),
		folder: searchFolder(base, vaultName),
		now: io.now,
		crashed: crash.reject,
	})
	const reaches = (holds: (state: SearchState) => boolean) =>
		Promise.race([crash.promise, reached(search, holds)])
	search.state.subscribe(() => {
		const { sessionsDone, sessions, messages, upToDate } = search.state.get().index
		const count = (number: number) => number.toLocaleString('en')
		if (upToDate) progress.clear()
		else {
			const far = `${count(sessionsDone)} of ${count(sessions)} sessions`
			progress.show(`${far}, ${count(messages)} messages`)
		}
	})
	search.start()
	await reaches(({ index }) => index.upToDate)
	search.ask(text)
	for (;;) {
		const state = await reaches(({ searching }) => !searching)
		const { hits, total } = state
		if (hits.length >= limit || hits.length >= total) return state
		search.more()
	}
}

function reached(
	search: SearchModel,
	holds: (state: SearchState) => boolean,
): Promise<SearchState> {
	return new Promise((resolve) => {
		const look = () => {
			const state = search.state.get()
			if (!holds(state)) return
			stop()
			resolve(state)
		}
		const stop = search.state.subscribe(look)
		look()
	})
}
