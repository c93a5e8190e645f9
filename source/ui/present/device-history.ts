import { oneLine } from '../../text/one-line.ts'
import { type SafeText, safeText } from '../../text/safe-text.ts'
import { type Style, type StyledLine, span } from '../../text/styled.ts'
import { relativeTime } from '../../text/time.ts'
import type { LogEvent } from '../../viewer/devices.ts'
import { moment } from './device-card.ts'
import { deviceName } from './device-name.ts'
import { fact } from './facts.ts'
import { keepRight } from './sides.ts'

/** One entry of the log in one line: `  12 laptop revoked old-phone`. */
export function eventLine(event: LogEvent, width: number, now: number): StyledLine {
	const { text, style } = happened(event)
	const left = [span(safeText`${event.seq} `, 'dim'), span(text, style)]
	return keepRight(left, [span(relativeTime(event.at, now), 'dim'), span(safeText` `)], width)
}

/** All that an entry says. */
export function eventCard(event: LogEvent, width: number, now: number): StyledLine[] {
	const { seq, at, by, byName, device, deviceName: name, label, reason, hash } = event
	return [
		...fact(safeText`entry`, safeText`${seq}`, width, 'strong'),
		...fact(safeText`when`, moment(at, now), width),
		...fact(safeText`what`, happened(event).text, width),
		...fact(safeText`signed by`, safeText`${deviceName(by, byName)}  ${oneLine(by)}`, width),
		...fact(safeText`device`, safeText`${deviceName(device, name)}  ${oneLine(device)}`, width),
		...(label === null ? [] : fact(safeText`name given`, oneLine(label), width)),
		...(reason === null ? [] : fact(safeText`reason`, oneLine(reason), width)),
		...fact(safeText`hash`, oneLine(hash), width, 'dim'),
	]
}

function happened(event: LogEvent): { text: SafeText; style: Style } {
	const { type, by, byName, device, deviceName: name, label, reason, proof } = event
	const who = deviceName(by, byName)
	const what = deviceName(device, label ?? name)
	switch (type) {
		case 'genesis':
			return { text: safeText`${what} began the log`, style: 'plain' }
		case 'add':
			return { text: safeText`${who} added ${what}`, style: 'ok' }
		case 'rename':
			if (proof)
				return { text: safeText`${who} signed the log, as proof for its words`, style: 'plain' }
			return { text: safeText`${who} named a device ${what}`, style: 'plain' }
		case 'revoke': {
			const why = reason === null ? safeText`` : safeText`: ${oneLine(reason)}`
			return { text: safeText`${who} revoked ${deviceName(device, name)}${why}`, style: 'error' }
		}
	}
}
