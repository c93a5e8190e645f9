import { type SafeText, safeText } from '../../text/safe-text.ts'
import { lineWidth, padLine, type StyledLine, span, truncateLine } from '../../text/styled.ts'
import type { Connection, ViewerInfo } from '../../viewer/viewer.ts'
import type { Snapshot } from '../snapshot.ts'
import { oneLine } from './one-line.ts'
import { isLive } from './session-state.ts'
import { joined, sides } from './sides.ts'
import { clockTime } from './times.ts'

/** The first row of every screen: what there is, what waits, and whether what is shown is current. */
export function headerLine(data: Snapshot, columns: number): StyledLine {
	const waiting = data.requests.filter(({ status }) => status === 'pending').length
	const live = data.sessions.filter(isLive).length
	const gap = [span(safeText` · `, 'dim')]
	const name = [span(safeText` styrby `, 'accent')]
	const counts: StyledLine[] = [
		columns < 60 ? [] : [span(safeText`Sessions ${data.sessions.length}`)],
		live === 0 ? [] : [span(safeText`● ${live} live`, 'ok')],
		waiting === 0 ? [] : [span(safeText`⚠ ${waiting} waiting`, 'warn')],
	]
	const left = [...name, ...joined(counts, gap)]
	const connection = connectionLine(data.connection)
	const rights: StyledLine[] = [
		joined([connection, ...infoParts(data.info)], gap),
		joined([connection, deviceLine(data.info)], gap),
		connection,
	].map((right) => [...right, span(safeText` `)])
	const fitting = rights.find((right) => fits(left, right, columns))
	return sides(left, fitting ?? [], columns)
}

/** One red row over everything else while the device log does not verify. */
export function alarmLine(alarm: string, columns: number): StyledLine {
	const text = span(safeText` ✗ ${oneLine(alarm)}`, 'error')
	return padLine(truncateLine([text], columns), columns)
}

function fits(left: StyledLine, right: StyledLine, columns: number): boolean {
	return lineWidth(left) + 1 + lineWidth(right) <= columns
}

const states: Readonly<Record<Connection['state'], SafeText>> = {
	connecting: safeText`○ connecting`,
	live: safeText`● connected`,
	lost: safeText`✗ connection lost`,
}

function connectionLine({ state, lastContact }: Connection): StyledLine {
	const since =
		state === 'lost' && lastContact !== null
			? safeText`, last contact ${clockTime(lastContact)}`
			: safeText``
	const style = state === 'live' ? 'ok' : state === 'lost' ? 'error' : 'warn'
	return [span(safeText`${states[state]}${since}`, style)]
}

function infoParts(info: ViewerInfo): StyledLine[] {
	const devices = info.devices === 1 ? safeText`1 device` : safeText`${info.devices} devices`
	return [[span(oneLine(info.backend.kind), 'dim')], deviceLine(info), [span(devices, 'dim')]]
}

function deviceLine({ device, alarm }: ViewerInfo): StyledLine {
	const mark = alarm === null ? span(safeText` ✓`, 'ok') : span(safeText` ✗`, 'error')
	return [span(oneLine(device.name)), mark]
}
