import { oneLine } from '../../text/one-line.ts'
import { displayText, type SafeText, safeText } from '../../text/safe-text.ts'
import { padLine, type Span, type StyledLine, span, truncateLine } from '../../text/styled.ts'
import type { AccessCell, AccessRow, DeviceEntry } from '../../viewer/devices.ts'
import { moment } from './device-card.ts'
import { deviceName } from './device-name.ts'
import { fact } from './facts.ts'

/** Columns of a device in the matrix. */
const cellColumns = 3
/** A session's name has at least so many columns. */
const leastName = 14

/** How many devices have a column of their own; the rest is in the details below. */
export function columnsFor(width: number, devices: number): number {
	return Math.max(1, Math.min(devices, Math.floor((width - leastName) / cellColumns)))
}

/** `A` to `Z`, then `27`, …: devices in the order of the list. */
export function deviceMark(index: number): SafeText {
	return displayText(index < 26 ? String.fromCharCode(65 + index) : String(index + 1))
}

export function matrixHead(devices: readonly DeviceEntry[], width: number): StyledLine {
	const shown = columnsFor(width, devices.length)
	return [
		...padLine([span(safeText`session`, 'dim')], width - shown * cellColumns),
		...devices
			.slice(0, shown)
			.flatMap(({ state }, index) =>
				padLine(
					[span(deviceMark(index), state === 'revoked' ? 'error' : 'strong')],
					cellColumns,
					'right',
				),
			),
	]
}

export function matrixRow(
	{ cells, epochs }: AccessRow,
	name: SafeText,
	devices: readonly DeviceEntry[],
	width: number,
): StyledLine {
	const shown = columnsFor(width, devices.length)
	const room = width - shown * cellColumns
	return [
		...padLine(truncateLine([span(name)], room - 1), room),
		...devices
			.slice(0, shown)
			.flatMap(({ id }) => padLine([cellSpan(cells.get(id), epochs)], cellColumns, 'right')),
	]
}

/** ✓ it has all keys and they open · ● all, the server says · ◐ some · ✗ a key does not open · a dot: none. */
function cellSpan(cell: AccessCell | undefined, epochs: number): Span {
	if (!cell) return span(safeText`·`, 'dim')
	if (cell.opens === false) return span(safeText`✗`, 'error')
	if (cell.epochs < epochs) return span(safeText`◐`, 'warn')
	return cell.opens ? span(safeText`✓`, 'ok') : span(safeText`●`)
}

/** Who gave the keys of one session to whom, and when; then what the signs mean. */
export function accessCard(
	row: AccessRow | null,
	devices: readonly DeviceEntry[],
	width: number,
	now: number,
): StyledLine[] {
	const names = new Map(devices.map(({ id, name }) => [id, deviceName(id, name)]))
	const nameOf = (id: string) => names.get(id) ?? deviceName(id, null)
	return [
		...(row ? fact(safeText`session`, oneLine(row.session), width, 'dim') : []),
		...devices.flatMap((device, index) =>
			fact(
				deviceMark(index),
				safeText`${deviceName(device.id, device.name)}: ${row ? cellText(row, device, nameOf, now) : safeText`…`}`,
				width,
				device.state === 'revoked' ? 'error' : 'plain',
			),
		),
		...fact(
			safeText`signs`,
			safeText`✓ it opens   ● given, the server says   ◐ some of the keys   ✗ does not open   · none`,
			width,
			'dim',
		),
	]
}

function cellText(
	{ cells, epochs }: AccessRow,
	{ id }: DeviceEntry,
	nameOf: (id: string) => SafeText,
	now: number,
): SafeText {
	const cell = cells.get(id)
	if (!cell) return safeText`no key`
	const some = cell.epochs < epochs ? safeText`${cell.epochs} of ${epochs} keys, ` : safeText``
	const bad = cell.opens === false ? safeText`does not open; ` : safeText``
	const by = cell.by === id ? safeText`its own` : safeText`from ${nameOf(cell.by)}`
	return safeText`${bad}${some}${by}, ${moment(cell.at, now)}`
}
