import { safeText } from '../../text/safe-text.ts'
import { type StyledLine, span } from '../../text/styled.ts'
import type { DeviceEntry, Fault } from '../../viewer/devices.ts'
import type { Model, ScreenFrame } from '../frame.ts'
import { deviceCard, intruderCard } from '../present/device-card.ts'
import { deviceOrder, deviceRows, intruderId } from '../present/device-list.ts'
import { deviceName } from '../present/device-name.ts'
import type { Size } from '../state.ts'
import { heightsFor, listAndCard, onlyCard } from './list-and-card.ts'
import { listMargin, listPane } from './list-pane.ts'

export type Selected =
	| { type: 'device'; device: DeviceEntry }
	| { type: 'intruder'; intruder: Fault }

/** All devices of the account, what is wrong with them, and the highlighted one below. */
export function devicesScreen(model: Model, { columns, rows }: Size): ScreenFrame {
	const { devices } = model.data
	const selected = selectedDevice(model)
	const listed = deviceRows(devices, model.keymap, {
		width: columns - listMargin,
		now: model.now,
	})
	const heights = heightsFor({ columns, rows }, listed.length)
	const empty = listed.length === 0
	const list = listPane(
		empty ? [{ id: null, line: [span(safeText`… reading the devices`, 'dim')] }] : listed,
		selected && idOf(selected),
		{
			title: [span(safeText`devices: who can read this account`, 'strong')],
			width: columns,
			height: selected ? heights.list : rows - 1,
			active: true,
		},
	)
	if (!selected) return listAndCard(list, { ...cardOf(model, null, columns), height: 0 })
	return listAndCard(list, { ...cardOf(model, selected, columns), height: heights.card })
}

/** One device over the whole screen. */
export function deviceScreen(model: Model, id: string, size: Size): ScreenFrame {
	return onlyCard(cardOf(model, find(model, id), size.columns), size)
}

/** The highlighted device or intruder: the one chosen, or the first in the list until one is. */
export function selectedDevice(model: Pick<Model, 'ui' | 'data'>): Selected | null {
	const { devices } = model.data
	const chosen = model.ui.selectedDevice === null ? null : find(model, model.ui.selectedDevice)
	if (chosen) return chosen
	const [intruder] = devices.intruders
	if (intruder) return { type: 'intruder', intruder }
	const [device] = deviceOrder(devices)
	return device ? { type: 'device', device } : null
}

export function find({ data }: Pick<Model, 'data'>, id: string): Selected | null {
	const device = data.devices.devices.find((each) => each.id === id)
	if (device) return { type: 'device', device }
	const intruder = data.devices.intruders.find((each) => intruderId(each.device) === id)
	return intruder ? { type: 'intruder', intruder } : null
}

export function idOf(selected: Selected): string {
	return selected.type === 'device' ? selected.device.id : intruderId(selected.intruder.device)
}

function cardOf({ now, ui }: Model, selected: Selected | null, width: number) {
	if (!selected) {
		const gone: StyledLine = [span(safeText`  This device is not in the log.`, 'dim')]
		return { id: 'device', title: [], lines: [gone], top: 0 }
	}
	const id = `device:${idOf(selected)}`
	const top = ui.cardTops.get(id) ?? 0
	if (selected.type === 'intruder') {
		const title = [span(safeText`intruder`, 'error')]
		return { id, title, lines: intruderCard(selected.intruder, width), top }
	}
	const { device } = selected
	const title = [span(deviceName(device.id, device.name), 'strong')]
	return { id, title, lines: deviceCard(device, width, now), top }
}
