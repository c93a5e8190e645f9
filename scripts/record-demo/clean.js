/**
 * Makes the lines of a run fit to ship: one home folder (/home/dev), stable ids and times, nothing of
 * the machine, nothing of the vendor's lists. What the agent said and did stays as it was.
 */
import { createHash } from 'node:crypto'

/** Longer silences are cut to this many milliseconds. */
const longestPause = 2500
const start = Date.parse('2026-01-05T09:00:00Z')
const uuidPattern = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g

/** Counters of thinking tokens and receipts say nothing that the blocks do not. */
const skippedSubtypes = new Set(['thinking_tokens'])
const keptOfInit = [
	'type',
	'subtype',
	'cwd',
	'session_id',
	'tools',
	'mcp_servers',
	'model',
	'permissionMode',
	'claude_code_version',
	'output_style',
	'uuid',
]
const keptTools = ['Bash', 'Edit', 'Read', 'Write', 'WebFetch', 'Task']

const deltaFields = {
	text_delta: 'text',
	thinking_delta: 'thinking',
	input_json_delta: 'partial_json',
}

function deltaOf(line) {
	const delta = line?.type === 'stream_event' ? line.event.delta : undefined
	const field = delta && deltaFields[delta.type]
	return field ? { delta, field } : null
}

/** A path may be cut in two by two pieces: each block is joined, cleaned and cut again. */
function cleanPieces(lines, clean) {
	let open = []
	const flush = () => {
		const texts = open.map(({ delta, field }) => delta[field])
		const before = texts.join('')
		const after = clean(before)
		let at = 0
		let taken = 0
		for (const [index, { delta, field }] of open.entries()) {
			taken += texts[index].length
			const end =
				index === open.length - 1
					? after.length
					: Math.round((taken / before.length) * after.length)
			delta[field] = after.slice(at, end)
			at = end
		}
		open = []
	}
	for (const { line } of lines) {
		const piece = deltaOf(line)
		if (piece) open.push(piece)
		else if (line?.type === 'stream_event') flush()
	}
	flush()
}

function mapStrings(value, change) {
	if (typeof value === 'string') return change(value)
	if (Array.isArray(value)) return value.map((each) => mapStrings(each, change))
	if (value !== null && typeof value === 'object')
		return Object.fromEntries(
			Object.entries(value).map(([key, each]) => [key, mapStrings(each, change)]),
		)
	return value
}

function shortened(line) {
	if (line.type === 'stream_event') {
		const { uuid, ttft_ms, thinking_display, ...rest } = line
		return rest
	}
	if (line.type === 'system' && line.subtype === 'init') {
		const kept = Object.fromEntries(keptOfInit.map((key) => [key, line[key]]))
		return { ...kept, tools: line.tools.filter((tool) => keptTools.includes(tool)) }
	}
	return line
}

/**
 * Stable ids. What other lines refer to (session, requests) is named by what it is, so it is the same in
 * every run; the rest is counted within its way.
 */
function idMapper(name) {
	const known = new Map()
	let way = ''
	let count = 0
	const made = (label) => {
		const hex = createHash('sha256').update(`${name}/${way}/${label}`).digest('hex')
		return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`
	}
	const know = (id, label) => {
		if (!known.has(id)) known.set(id, made(label))
		return known.get(id)
	}
	return {
		enter(next) {
			way = next
			count = 0
		},
		meet(line) {
			if (line.session_id) know(line.session_id, 'session')
			if (line.type === 'control_request') know(line.request_id, 'request')
		},
		map: (id) => know(id, count++),
	}
}

/** The agent names the loopback server of the recording when the model fails. */
const gateway = / If it persists, check your inference gateway \([^)]*\)\./g

/**
 * @param lines of one run, as recorded
 * @returns lines `{way, t, dir, line}`: `way` are the decisions so far ("allow-deny"), `t` is ms since
 * the last of them; a request for an edit has the diff in `changes`
 */
export function cleanRun(lines, { name, home }) {
	const dashed = home.replace(/[^a-zA-Z0-9]/g, '-')
	const plain = (text) =>
		text.replaceAll(home, '/home/dev').replaceAll(dashed, '-home-dev').replace(gateway, '')
	const ids = idMapper(name)
	const kept = lines.filter(({ line }) => !skippedSubtypes.has(line?.subtype))
	cleanPieces(kept, plain)
	const result = []
	let way = ''
	let now = 0
	let since = 0
	let last = 0
	for (const { t, dir, line, changes } of kept) {
		now += Math.min(t - last, longestPause)
		last = t
		if (dir === 'in' && line.type === 'control_response') {
			const decision = line.response.response.behavior
			way = way === '' ? decision : `${way}-${decision}`
			ids.enter(way)
			since = now
		}
		ids.meet(line)
		const clean =
			typeof line === 'string'
				? plain(line)
				: mapStrings(shortened(line), (text) => plain(text).replace(uuidPattern, ids.map))
		if (clean.timestamp) clean.timestamp = new Date(start + now).toISOString()
		const entry = { way, t: now - since, dir, line: clean }
		result.push(changes ? { ...entry, changes: mapStrings(changes, plain) } : entry)
	}
	return result
}

/** Puts the runs of one story together; where two share a way, they must agree on all but the times. */
export function joinRuns(runs) {
	const ways = new Map()
	for (const run of runs) {
		const own = Map.groupBy(run, (line) => line.way)
		for (const [way, lines] of own) {
			const known = ways.get(way)
			if (!known) ways.set(way, lines)
			else if (told(known) !== told(lines)) throw new Error(`two runs differ on the way "${way}"`)
		}
	}
	return [...ways.entries()].sort(([a], [b]) => a.localeCompare(b)).flatMap(([, lines]) => lines)
}

/** What was said and done. Sorted, since results of calls side by side come in any order. */
function told(lines) {
	return lines
		.flatMap(({ line }) => {
			if (line?.type === 'assistant') return [line.message.content]
			if (line?.type === 'control_request') return [line.request_id, line.request.input]
			return []
		})
		.map((each) => JSON.stringify(each))
		.sort()
		.join()
}
