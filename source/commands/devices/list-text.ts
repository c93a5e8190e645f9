/** The list of devices as text. Names and reasons come from other devices: nothing of them is left out. */
import type { DeviceInfo, DeviceList } from '../../account/devices.ts'
import { relativeTime, shortTime } from '../../text/time.ts'
import { textWidth } from '../../text/width.ts'
import { hanging } from '../hanging.ts'
import { faultText } from './faults.ts'
import { called } from './find-device.ts'
import { oneLine } from './one-line.ts'

interface Place {
	now: Date
	width: number
}

const single =
	'⚠ Only one device can read this account: if it is lost, so is all of its history. Add another one (run "styrby-tui devices add" there), or make a recovery key with "styrby-tui devices recovery".'

export function deviceListText(list: DeviceList, place: Place): string {
	const { devices, log, intruders } = list
	const lines: string[] = []
	const say = (prefix: string, text: string) =>
		lines.push(...hanging(prefix, text, place.width, textWidth))
	for (const intruder of intruders) say('✗ INTRUDER: the server lies: ', faultText(intruder))
	for (const fault of list.faults) say('✗ The server lies: ', faultText(fault))
	if (log.problem) say('✗ DEVICE LOG: ', oneLine(log.problem.message))
	if (lines.length > 0) lines.push('')
	const ordered = [...devices].sort((a, b) => rank(a) - rank(b))
	for (const device of ordered) lines.push(...deviceLines(device, place), '')
	const entries = log.entries === 1 ? '1 entry' : `${log.entries} entries`
	say('', `Device log: ${entries}, ${log.problem ? 'NOT TO BE TRUSTED' : 'verified'}.`)
	if (list.single) say('', single)
	return `${lines.join('\n')}\n`
}

/** The active ones in the order in which they came, then those that are gone. */
const rank = ({ state }: DeviceInfo) => (state === 'active' ? 0 : 1)

function deviceLines(device: DeviceInfo, { now, width }: Place): string[] {
	const { id, kind, own, state, sessions, lastSeenAt, fingerprint } = device
	const age = lastSeenAt === null ? null : relativeTime(lastSeenAt, now.getTime())
	const seen = age === null ? 'not seen yet' : age === 'now' ? 'seen now' : `seen ${age} ago`
	const name = device.name === null ? 'without a name' : oneLine(device.name)
	// Not on the line of the name, which can say anything.
	const facts = [
		...(own ? ['this device'] : []),
		...(kind === 'recovery' ? ['recovery key: 24 words'] : []),
		state,
		readable(sessions, state),
		// Words on paper are never seen.
		...(kind === 'recovery' && lastSeenAt === null ? [] : [seen]),
	]
	const lines = [
		...hanging(`${state === 'active' ? '●' : '✗'} `, name, width, textWidth),
		`  ${fingerprint}  ${id}`,
		...hanging('  ', facts.join(', '), width, textWidth),
		...hanging('  ', originOf(device), width, textWidth),
	]
	if (device.revoked) lines.push(...hanging('  ', endOf(device.revoked), width, textWidth))
	return lines
}

const readable = (sessions: number, state: DeviceInfo['state']) =>
	`${state === 'active' ? 'can' : 'could'} read ${sessions} ${sessions === 1 ? 'session' : 'sessions'}`

function originOf({ id, addedBy, addedByName, addedAt }: DeviceInfo): string {
	const at = shortTime(addedAt)
	return addedBy === id
		? `began this account, ${at}`
		: `added by ${called(addedByName, addedBy)}, ${at}`
}

function endOf({ by, byName, at, reason }: NonNullable<DeviceInfo['revoked']>): string {
	const why = reason === null ? '' : `: ${oneLine(reason)}`
	return `revoked by ${called(byName, by)}, ${shortTime(at)}${why}`
}
