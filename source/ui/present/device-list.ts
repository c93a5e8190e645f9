import { oneLine } from '../../text/one-line.ts'
import { type SafeText, safeText } from '../../text/safe-text.ts'
import { lineWidth, padLine, type StyledLine, span, truncateLine } from '../../text/styled.ts'
import { relativeTime } from '../../text/time.ts'
import { wrapLine } from '../../text/wrap.ts'
import type { DeviceEntry, DevicesState, Fault } from '../../viewer/devices.ts'
import type { Keymap } from '../keymap/keymap.ts'
import { deviceName, sessionsText } from './device-name.ts'
import type { ListRow } from './session-list.ts'
import { keepRight } from './sides.ts'

/** Widths from which on a row has room for more. */
const widths = { reads: 50, fingerprint: 76 }
const nameColumns = 24

/** Ids of intruders in the list: they are keys, not devices. */
export const intruderId = (id: string) => `intruder:${id}`

/** Devices as they are listed: what is wrong first, then this device, the others, the revoked ones. */
export function deviceOrder({ devices }: DevicesState): readonly DeviceEntry[] {
	const rank = ({ own, state }: DeviceEntry) => (state === 'revoked' ? 2 : own ? 0 : 1)
	return devices.toSorted((a, b) => rank(a) - rank(b))
}

export function deviceRows(
	state: DevicesState,
	keymap: Keymap,
	{ width, now }: { width: number; now: number },
): ListRow[] {
	const ordered = deviceOrder(state)
	const names = Math.min(
		nameColumns,
		Math.max(4, ...ordered.map(({ id, name }) => lineWidth([span(deviceName(id, name))]))),
	)
	return [
		...warningRows(state, keymap, width),
		...state.intruders.map((intruder) => intruderRow(intruder, width)),
		...ordered.map((device) => ({
			id: device.id,
			line: deviceRow(device, { width, now, names }),
		})),
	]
}

function warningRows(state: DevicesState, keymap: Keymap, width: number): ListRow[] {
	const rows: ListRow[] = []
	const say = (text: SafeText, style: 'error' | 'warn') => {
		const rest = [span(safeText`  `)]
		for (const line of wrapLine([span(text, style)], width, { rest })) rows.push({ id: null, line })
	}
	if (state.log.problem !== null) {
		say(safeText`✗ ${oneLine(state.log.problem)} Nothing is sealed for anyone.`, 'error')
	}
	if (state.error !== null && state.error !== state.log.problem) {
		say(safeText`✗ ${oneLine(state.error)}`, 'error')
	}
	if (state.single) {
		say(
			safeText`⚠ The only device, and no recovery key: if it is lost, so is all that was stored. ${keymap.key('approve-code')} adds a device, ${keymap.key('recovery-key')} makes a recovery key.`,
			'warn',
		)
	}
	for (const { host, name } of state.behind) {
		say(
			safeText`⚠ ${deviceName(host, name)} has not learned yet that a device was revoked: what it sends is still sealed for that one.`,
			'warn',
		)
	}
	return rows
}

function intruderRow({ device, what }: Fault, width: number): ListRow {
	const why =
		what === 'unknown'
			? safeText`no device of yours added it`
			: safeText`not the key that your devices know`
	const left = [span(safeText`✗ intruder ${oneLine(device.slice(0, 8))}  ${why}`, 'error')]
	return { id: intruderId(device), line: truncateLine(left, width) }
}

function deviceRow(
	device: DeviceEntry,
	{ width, now, names }: { width: number; now: number; names: number },
): StyledLine {
	const { id, name, fingerprint, state, sessions } = device
	const revoked = state === 'revoked'
	const label = span(deviceName(id, name), revoked ? 'struck' : device.own ? 'strong' : 'plain')
	const reads = sessions === null ? safeText`` : sessionsText(sessions)
	const right: StyledLine = [
		...(width >= widths.fingerprint ? [span(safeText`${oneLine(fingerprint)}  `, 'code')] : []),
		...(width >= widths.reads ? padLine([span(reads, 'dim')], 14) : []),
		...padLine([span(seen(device, now), 'dim')], 5, 'right'),
		span(safeText` `),
	]
	return keepRight(
		[sign(device), ...padLine(truncateLine([label], names), names), kindSpan(device)],
		right,
		width,
	)
}

function sign({ state, kind }: DeviceEntry) {
	if (state === 'revoked') return span(safeText`✗ `, 'error')
	return kind === 'recovery' ? span(safeText`◆ `, 'accent') : span(safeText`✓ `, 'ok')
}

function kindSpan({ state, kind, own }: DeviceEntry) {
	if (state === 'revoked') return span(safeText`  revoked`, 'error')
	if (own) return span(safeText`  this device`, 'accent')
	return kind === 'recovery' ? span(safeText`  recovery key`, 'dim') : span(safeText``)
}

function seen({ revoked, lastSeenAt, own }: DeviceEntry, now: number): SafeText {
	if (revoked) return relativeTime(revoked.at, now)
	if (own) return safeText`now`
	return lastSeenAt === null ? safeText`` : relativeTime(lastSeenAt, now)
}
