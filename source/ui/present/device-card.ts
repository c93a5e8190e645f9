import { oneLine } from '../../text/one-line.ts'
import { type SafeText, safeText } from '../../text/safe-text.ts'
import { emptyLine, type StyledLine } from '../../text/styled.ts'
import { relativeTime, shortTime } from '../../text/time.ts'
import type { DeviceEntry, Fault } from '../../viewer/devices.ts'
import { deviceName, sessionsText } from './device-name.ts'
import { fact, paragraph } from './facts.ts'

const kinds: Readonly<Record<DeviceEntry['kind'], SafeText>> = {
	device: safeText`device`,
	recovery: safeText`recovery key: 24 words on paper`,
}

/** All that is known of a device; nothing is cut. */
export function deviceCard(device: DeviceEntry, width: number, now: number): StyledLine[] {
	const { id, name, fingerprint, revoked, own } = device
	const state = own ? safeText`active, this device` : safeText`active`
	return [
		...fact(safeText`name`, deviceName(id, name), width, 'strong'),
		...fact(safeText`fingerprint`, oneLine(fingerprint), width, 'code'),
		...fact(safeText`kind`, kinds[device.kind], width),
		...(revoked
			? [
					...fact(
						safeText`state`,
						safeText`revoked by ${deviceName(revoked.by, revoked.byName)}, ${moment(revoked.at, now)}`,
						width,
						'error',
					),
					...(revoked.reason === null
						? []
						: fact(safeText`reason`, oneLine(revoked.reason), width)),
				]
			: fact(safeText`state`, state, width, 'ok')),
		...fact(safeText`added`, addedText(device, now), width),
		...fact(safeText`last seen`, seenText(device, now), width),
		...fact(safeText`can read`, readsText(device), width),
		...fact(safeText`id`, oneLine(id), width, 'dim'),
	]
}

export function intruderCard({ device, publicKey, what }: Fault, width: number): StyledLine[] {
	const found =
		what === 'unknown'
			? safeText`The server lists this key, and the log that your devices signed does not.`
			: safeText`The server lists this key for a device of yours, and the log that your devices signed has another.`
	return [
		...fact(safeText`intruder`, oneLine(device), width, 'error'),
		...(publicKey === null ? [] : fact(safeText`public key`, oneLine(publicKey), width, 'code')),
		emptyLine,
		...paragraph(
			safeText`${found} Nothing is sealed for it, here or on any of your devices: it can read nothing. Somebody has changed the server's data, or the server tries to read along.`,
			width,
			'error',
		),
	]
}

/** `2026-03-04 11:02 UTC, 58m ago`. */
export function moment(at: string, now: number): SafeText {
	const age = relativeTime(at, now)
	const ago = age === 'now' ? safeText`just now` : safeText`${age} ago`
	return safeText`${shortTime(at)} UTC, ${ago}`
}

function addedText({ id, addedBy, addedByName, addedAt }: DeviceEntry, now: number): SafeText {
	if (addedBy === id) return safeText`the first device, ${moment(addedAt, now)}`
	return safeText`by ${deviceName(addedBy, addedByName)}, ${moment(addedAt, now)}`
}

function seenText({ own, lastSeenAt }: DeviceEntry, now: number): SafeText {
	if (own) return safeText`now`
	if (lastSeenAt === null) return safeText`never, the server says`
	return safeText`${moment(lastSeenAt, now)}, the server says`
}

function readsText({ sessions, state }: DeviceEntry): SafeText {
	if (sessions === null) return safeText`not known`
	if (state === 'revoked') {
		return safeText`what it was given before: keys of ${sessionsText(sessions)}, which it may have kept`
	}
	return sessionsText(sessions)
}
