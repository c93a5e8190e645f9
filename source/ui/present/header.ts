import { isCheckSession } from '../../protocol/check-session.ts'
import { oneLine } from '../../text/one-line.ts'
import { type SafeText, safeText } from '../../text/safe-text.ts'
import { lineWidth, padLine, type StyledLine, span, truncateLine } from '../../text/styled.ts'
import { relativeTime } from '../../text/time.ts'
import type { DevicesState } from '../../viewer/devices.ts'
import type { Connection, ViewerInfo } from '../../viewer/viewer.ts'
import type { Keymap } from '../keymap/keymap.ts'
import type { Snapshot } from '../snapshot.ts'
import type { Size } from '../state.ts'
import { isLive } from './session-state.ts'
import { joined, sides } from './sides.ts'
import { clockTime } from './times.ts'

/** What is shown is as good as current, ms. */
const freshMs = 60_000
/** Rows from which on there is room for why the connection is lost. */
const whyRows = 12
/** A time of the day says when it was, ms. */
const clockMs = 20 * 3_600_000

/** The first row of every screen: what there is, what waits, and whether what is shown is current. */
export function headerLine(data: Snapshot, columns: number, now: number): StyledLine {
	const waiting = data.requests.filter(({ status }) => status === 'pending').length
	const live = data.sessions.filter(isLive).length
	const total = data.sessions.reduce((sum, session) => sum + (isCheckSession(session) ? 0 : 1), 0)
	const more = data.listing.more ? safeText`+` : safeText``
	const gap = [span(safeText` · `, 'dim')]
	const name = [span(safeText` styrby `, 'accent')]
	const counts: StyledLine[] = [
		waiting === 0 ? [] : [span(safeText`⚠ ${waiting} waiting`, 'warn')],
		live === 0 ? [] : [span(safeText`● ${live} live`, 'ok')],
		columns < 60 ? [] : [span(safeText`Sessions ${total}${more}`)],
	]
	/** With only so many of the counts, the one that matters most last. */
	const left = (count: number) => [...name, ...joined(counts.slice(0, count).toReversed(), gap)]
	const connection = connectionLine(data.connection, now)
	const [all, most, some, one]: StyledLine[] = [
		joined([connection, ...infoParts(data.info)], gap),
		joined([connection, deviceLine(data.info), devicesPart(data.info)], gap),
		joined([connection, deviceLine(data.info)], gap),
		connection,
	].map((right) => [...right, span(safeText` `)])
	const choices: (readonly [StyledLine, StyledLine | undefined])[] = [
		[left(3), all],
		[left(3), most],
		[left(3), some],
		[left(3), one],
		// That all is well may be left out; that it is not, never.
		...(data.connection.state === 'live'
			? [[left(3), []] as const, [left(2), []] as const, [left(1), []] as const]
			: []),
		[left(2), one],
		[left(1), one],
		[left(1), connectionMark(data.connection)],
	]
	const [fittingLeft, fittingRight = []] = choices.find(([before, after = []]) =>
		fits(before, after, columns),
	) ?? [name, []]
	return sides(fittingLeft, fittingRight, columns)
}

/** One red row over everything else while the device log does not verify. */
export function alarmLine(alarm: string, columns: number): StyledLine {
	const text = span(safeText` ✗ ${oneLine(alarm)}`, 'alarm')
	return padLine(truncateLine([text], columns), columns, 'left', 'alarm')
}

/** Why there is no connection; that there is none is in the header. */
export function lostNotice({ state, why }: Connection, { columns, rows }: Size): StyledLine[] {
	if (state !== 'lost' || why === null || rows < whyRows) return []
	return [padLine(truncateLine([span(safeText` ${oneLine(why)}`, 'warn')], columns), columns)]
}

/** Keys that the server invented, on every screen. */
export function intruderNotice(
	{ intruders }: DevicesState,
	keymap: Keymap,
	columns: number,
): StyledLine[] {
	if (intruders.length === 0) return []
	const keys = intruders.length === 1 ? safeText`a key` : safeText`${intruders.length} keys`
	const text = safeText` ✗ The server lists ${keys} that no device of yours added: nothing is sealed for it. ${keymap.key('devices')} shows it.`
	return [padLine(truncateLine([span(text, 'alarm')], columns), columns, 'left', 'alarm')]
}

function fits(left: StyledLine, right: StyledLine, columns: number): boolean {
	return lineWidth(left) + 1 + lineWidth(right) <= columns
}

const states: Readonly<Record<Connection['state'], SafeText>> = {
	connecting: safeText`○ connecting`,
	live: safeText`● connected`,
	lost: safeText`✗ connection lost`,
}

function connectionLine({ state, lastContact }: Connection, now: number): StyledLine {
	const since = state === 'live' || lastContact === null ? safeText`` : age(state, lastContact, now)
	const style = state === 'live' ? 'ok' : state === 'lost' ? 'error' : 'warn'
	return [span(safeText`${states[state]}${since}`, style)]
}

/** Of when that is which is shown. */
function age(state: 'connecting' | 'lost', at: string, now: number): SafeText {
	const ms = now - Date.parse(at)
	if (state === 'lost' && ms < clockMs) return safeText`, last contact ${clockTime(at)}`
	if (state === 'lost') return safeText`, last contact ${relativeTime(at, now)} ago`
	return ms < freshMs ? safeText`` : safeText`, as of ${relativeTime(at, now)} ago`
}

/** The state in as few columns as it takes. */
function connectionMark({ state }: Connection): StyledLine {
	const short = state === 'lost' ? safeText`✗ lost ` : safeText`○ … `
	return [span(short, state === 'lost' ? 'error' : 'warn')]
}

function infoParts(info: ViewerInfo): StyledLine[] {
	return [[span(oneLine(info.backend.kind), 'dim')], deviceLine(info), devicesPart(info)]
}

/** How many devices can read this; the only one without a recovery key is marked. */
function devicesPart({ devices, hasRecoveryKey }: ViewerInfo): StyledLine {
	if (devices !== 1) return [span(safeText`${devices} devices`, 'dim')]
	if (hasRecoveryKey) return [span(safeText`1 device`, 'dim')]
	return [span(safeText`⚠ only 1 device`, 'warn')]
}

function deviceLine({ device, alarm }: ViewerInfo): StyledLine {
	const mark = alarm === null ? span(safeText` ✓`, 'ok') : span(safeText` ✗`, 'error')
	return [span(oneLine(device.name)), mark]
}
