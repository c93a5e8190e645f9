import { modeName } from '../../protocol/mode-name.ts'
import { oneLine } from '../../text/one-line.ts'
import { type SafeText, safeText } from '../../text/safe-text.ts'
import { lineText, lineWidth, type StyledLine, span, truncateLine } from '../../text/styled.ts'
import { formatCount, formatDuration, formatUsd } from '../../text/time.ts'
import type { SessionState, SessionSummary } from '../../viewer/viewer.ts'
import type { Model } from '../frame.ts'
import { deviceName } from './device-name.ts'
import { sessionName } from './session-row.ts'
import { sessionState } from './session-state.ts'
import { joined } from './sides.ts'
import { clockTime } from './times.ts'

/** A part of the title; those of the highest rank go first where there is no room for all. */
interface Part {
	line: StyledLine
	/** The same in fewer columns, before it is left out. */
	brief?: StyledLine
	rank: number
}

/** Columns that the name has at least, and a word of the agent's at most. */
const leastName = 8
const longestWord = 16

/** Parts up to this rank are shown in brief before they go. */
const leastBrief = 4

const dot: StyledLine = [span(safeText` · `, 'dim')]

/**
 * Project, state, agent, what was verified and who can read it, time, cost: as many whole parts as fit into
 * `width` columns. What failed is never left out.
 */
export function sessionTitle(
	{ data, now }: Pick<Model, 'data' | 'now'>,
	session: string,
	state: SessionState | null,
	width: number,
): StyledLine {
	const summary = data.sessions.find(({ id }) => id === session) ?? state?.summary
	if (!summary) return [span(oneLine(session.slice(0, 8)), 'strong')]
	return fitting(
		[
			{ line: [span(sessionName(summary), 'strong')], rank: 0 },
			{ line: [span(short(summary.agent))], rank: 5 },
			{ line: hostPart(summary), rank: 8 },
			{ line: statePart(summary, state), rank: 1 },
			...alteredPart(summary),
			...modePart(summary, state),
			...policyPart(summary, state),
			...verifiedParts(state),
			...readersPart(state),
			...numberParts(summary, now),
		],
		width,
	)
}

function fitting(parts: readonly Part[], width: number): StyledLine {
	const last = Math.max(...parts.map(({ rank }) => rank))
	const brief = (from: number) =>
		parts.map((part) => (part.rank < from ? part.line : (part.brief ?? part.line)))
	const line = joined(brief(Number.POSITIVE_INFINITY), dot)
	if (lineWidth(line) <= width) return line
	if (last <= leastBrief) {
		for (const from of [last, 0]) {
			const shorter = joined(brief(from), dot)
			if (lineWidth(shorter) <= width) return shorter
		}
	}
	if (last <= 1) return shortNamed(parts, lineWidth(line) - width)
	return fitting(
		parts.filter(({ rank }) => rank < last),
		width,
	)
}

/** Where it runs. */
function hostPart({ host }: SessionSummary): StyledLine {
	return [span(safeText`on ${deviceName(host.id, host.name)}`, 'dim')]
}

/** What must not be left out pushes the name out of the way, however long that is. */
function shortNamed(parts: readonly Part[], excess: number): StyledLine {
	const shortened = parts.map(({ line, rank }) =>
		rank === 0 ? truncateLine(line, Math.max(leastName, lineWidth(line) - excess)) : line,
	)
	return joined(shortened, dot)
}

function statePart(summary: SessionSummary, state: SessionState | null): StyledLine {
	const { word, style } = sessionState(summary)
	const heard = state?.lastHeartbeat ?? summary.lastActivityAt
	const since = summary.stale ? safeText` since ${clockTime(heard)}` : safeText``
	return [span(safeText`${word}${since}`, style)]
}

/** What the row says that its host has not signed: a sentence of ours. */
function alteredPart({ problem }: SessionSummary): Part[] {
	return problem === null
		? []
		: [{ line: [span(safeText`✗ ${oneLine(problem)}`, 'error')], rank: 1 }]
}

function short(word: string): SafeText {
	return lineText(truncateLine([span(oneLine(word))], longestWord))
}

/** The agent's mode; one in which nobody is asked is never left out while the session goes on. */
function modePart({ agent, endedAt }: SessionSummary, state: SessionState | null): Part[] {
	const told = state?.facts.mode ?? null
	if (told === null) return []
	const mode = modeName(agent, told)
	if (state?.facts.asks !== false || endedAt !== null) {
		return [{ line: [span(safeText`${short(mode)} mode`, 'dim')], rank: 3 }]
	}
	return [{ line: [span(safeText`⚠ ${short(mode)} mode: nobody is asked`, 'warn')], rank: 1 }]
}

/** Whether rules of its machine answer there; that they should and don't is never left out. */
function policyPart({ endedAt }: SessionSummary, state: SessionState | null): Part[] {
	const policy = state?.facts.policy
	if (policy === undefined || endedAt !== null) return []
	if (policy === 'in_force') return [{ line: [span(safeText`policy`, 'dim')], rank: 3 }]
	return [{ line: [span(safeText`⚠ policy not in force`, 'warn')], rank: 1 }]
}

function verifiedParts(state: SessionState | null): Part[] {
	if (!state) return []
	if (state.problems > 0) {
		const many = state.problems === 1 ? safeText`1 problem` : safeText`${state.problems} problems`
		return [{ line: [span(safeText`✗ ${many}`, 'error')], rank: 1 }]
	}
	if (state.verifiedTo === null) return []
	const to = state.verifiedTo
	return [
		{
			line: [span(safeText`✓ verified to #${to}`, 'ok')],
			brief: [span(safeText`✓ #${to}`, 'ok')],
			rank: 2,
		},
	]
}

function readersPart(state: SessionState | null): Part[] {
	if (!state?.readers) return []
	const { count, revoked, allSigned } = state.readers
	const readers = count === 1 ? safeText`1 reader` : safeText`${count} readers`
	if (allSigned && revoked > 0) {
		return [{ line: [span(safeText`⚠ ${readers}, ${revoked} revoked`, 'warn')], rank: 1 }]
	}
	if (allSigned) {
		return [
			{
				line: [span(safeText`${readers}, all signed`, 'dim')],
				brief: [span(safeText`${readers} ✓`, 'dim')],
				rank: 4,
			},
		]
	}
	return [{ line: [span(safeText`✗ ${readers}, NOT all signed`, 'error')], rank: 1 }]
}

function numberParts(summary: SessionSummary, now: number): Part[] {
	const end = summary.endedAt === null ? now : Date.parse(summary.endedAt)
	const { input, output, cache_read, cache_write } = summary.tokens
	const tokens = input + output + cache_read + cache_write
	const time = formatDuration(Math.max(0, end - Date.parse(summary.startedAt)))
	const lasts = summary.endedAt === null ? safeText`for ${time}` : safeText`took ${time}`
	const parts: [SafeText | null, number][] = [
		[lasts, 6],
		[summary.costUsd > 0 ? formatUsd(summary.costUsd) : null, 7],
		[tokens > 0 ? safeText`${formatCount(tokens)} tokens` : null, 9],
	]
	return parts.flatMap(([text, rank]) =>
		text === null ? [] : [{ line: [span(text, 'dim')], rank }],
	)
}
