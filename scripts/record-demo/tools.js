/** The tool calls of the stories. `{cwd}` is the project's folder; see `placed`. */
export const read = (path) => ({ tool: 'Read', input: { file_path: `{cwd}/${path}` } })

export const write = (path, content) => ({
	tool: 'Write',
	input: { file_path: `{cwd}/${path}`, content },
})

export const edit = (path, old_string, new_string) => ({
	tool: 'Edit',
	input: { file_path: `{cwd}/${path}`, old_string, new_string, replace_all: false },
})

export const bash = (command, description) => ({ tool: 'Bash', input: { command, description } })

/** The last element of a list of turns: how the story goes on after each answer. */
export const fork = (branches) => ({ fork: branches })

/** The turns of one way through the story: `answers` chooses at each fork. */
export function turnsFor(turns, answers) {
	const last = turns.at(-1)
	if (!last?.fork) return turns
	const [answer, ...others] = answers
	return [...turns.slice(0, -1), ...turnsFor(last.fork[answer.decision], others)]
}

/** Every way through the story, as lists of answers. `reasons` by the way that led there. */
export function waysThrough(turns, reasons = {}, way = '') {
	const last = turns.at(-1)
	if (!last?.fork) return [[]]
	return Object.entries(last.fork).flatMap(([decision, branch]) => {
		const answer =
			decision === 'allow'
				? { decision, scope: 'once' }
				: { decision, reason: reasons[way] ?? 'Not now.' }
		const rest = waysThrough(branch, reasons, way === '' ? decision : `${way}-${decision}`)
		return rest.map((answers) => [answer, ...answers])
	})
}

/** Puts the project's folder into every string of a value. */
export function placed(value, cwd) {
	if (typeof value === 'string') return value.replaceAll('{cwd}', cwd)
	if (Array.isArray(value)) return value.map((each) => placed(each, cwd))
	if (value !== null && typeof value === 'object')
		return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, placed(each, cwd)]))
	return value
}
