/**
 * A recording of a real headless session: what went in and came out, line by line, with a branch for each
 * answer that a request can get. One JSON object a line: `{way, t, dir, line}`. `way` are the decisions so
 * far ("", "allow", "allow-deny"), `t` is ms since the last of them.
 */
import * as v from 'valibot'
import { StyrbyError } from '../../protocol/errors.ts'
import { type FileChange, fileChangeSchema } from '../../protocol/events.ts'

const entrySchema = v.object({
	way: v.pipe(v.string(), v.regex(/^((allow|deny)(-(allow|deny))*)?$/)),
	t: v.pipe(v.number(), v.integer(), v.minValue(0)),
	dir: v.picklist(['spawn', 'in', 'out', 'stderr', 'exit']),
	line: v.unknown(),
	/** Of a request for an edit: the diff, made from the file as it was then. */
	changes: v.optional(v.array(fileChangeSchema)),
})

const askSchema = v.object({ type: v.literal('control_request'), request_id: v.string() })
const exitSchema = v.object({ code: v.nullable(v.number()), sig: v.nullable(v.string()) })
const denialSchema = v.object({
	type: v.literal('control_response'),
	response: v.object({
		response: v.object({ behavior: v.literal('deny'), message: v.string() }),
	}),
})

export type DecisionName = 'allow' | 'deny'

export interface RecordedLine {
	t: number
	dir: 'spawn' | 'in' | 'out' | 'stderr' | 'exit'
	line: unknown
	changes: FileChange[]
}

/** What happens between two decisions; it ends with a request or with the agent. */
export interface Segment {
	lines: readonly RecordedLine[]
	/** Id of the request that it ends with. */
	request: string | null
	exit: { code: number | null; signal: string | null } | null
	/** The reason that was recorded, when this is what follows a denial. */
	reason: string | null
}

/** By way. */
export type Recording = ReadonlyMap<string, Segment>

export function nextWay(way: string, decision: DecisionName): string {
	return way === '' ? decision : `${way}-${decision}`
}

/** Throws `recording_broken` when a line is not as above, or a way leads nowhere. */
export function parseRecording(text: string): Recording {
	const groups = new Map<string, RecordedLine[]>()
	for (const [index, line] of text.trimEnd().split('\n').entries()) {
		const { way, t, dir, line: content, changes } = parseEntry(line, index + 1)
		const group = groups.get(way) ?? []
		group.push({ t, dir, line: content, changes: changes ?? [] })
		groups.set(way, group)
	}
	const recording = new Map<string, Segment>()
	for (const [way, lines] of groups) recording.set(way, segmentOf(lines))
	check(recording)
	return recording
}

function parseEntry(line: string, number: number): v.InferOutput<typeof entrySchema> {
	try {
		return v.parse(entrySchema, JSON.parse(line))
	} catch (cause) {
		throw broken(`line ${number} is not a recorded line`, cause)
	}
}

function segmentOf(lines: readonly RecordedLine[]): Segment {
	const segment: Segment = { lines, request: null, exit: null, reason: null }
	for (const { dir, line } of lines) {
		if (dir === 'out' && v.is(askSchema, line)) segment.request = line.request_id
		if (dir === 'in' && v.is(denialSchema, line)) segment.reason = line.response.response.message
		if (dir === 'exit') {
			const exit = v.safeParse(exitSchema, line)
			if (!exit.success) throw broken('its end is not readable', exit.issues)
			segment.exit = { code: exit.output.code, signal: exit.output.sig }
		}
	}
	return segment
}

function check(recording: Recording): void {
	if (!recording.has('')) throw broken('it has no beginning')
	for (const [way, { request, exit }] of recording) {
		const place = way === '' ? 'the beginning' : `"${way}"`
		const ways = [nextWay(way, 'allow'), nextWay(way, 'deny')].filter((each) => recording.has(each))
		if (request === null && exit === null) throw broken(`${place} does not end`)
		if (request !== null && ways.length === 0) throw broken(`${place} has no way on`)
		if (way === '') continue
		const parent = recording.get(way.replace(/-?(allow|deny)$/, ''))
		if (parent === undefined || parent.request === null)
			throw broken(`no request leads to ${place}`)
	}
}

function broken(what: string, cause?: unknown): StyrbyError {
	return new StyrbyError(
		'recording_broken',
		`A recording of the demo can't be played (${what}); install styrby-tui again.`,
		{ cause },
	)
}
