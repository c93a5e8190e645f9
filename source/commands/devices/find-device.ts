/** Devices on the command line: by id, fingerprint or the beginning of one, or by a name that only one has. */
import type { Account } from '../../account/account.ts'
import type { DeviceInfo } from '../../account/devices.ts'
import type { DeviceRecord } from '../../protocol/device.ts'
import { exit, StyrbyError } from '../../protocol/errors.ts'
import { oneLine } from './one-line.ts'

const shortest = 4

type Named = Pick<DeviceInfo, 'id' | 'name' | 'fingerprint' | 'state'>

const plain = (text: string) => text.toLowerCase().replaceAll('-', '')

/** Names are chosen by whoever holds a device: one that looks like the id of another makes both ambiguous. */
function fits(device: Named, text: string): boolean {
	if (device.name === text) return true
	const begin = plain(text)
	const long = begin.length >= shortest
	return long && [device.id, device.fingerprint].some((one) => plain(one).startsWith(begin))
}

/**
 * The device that is meant. Of several, the only active one. Throws `no_such_device`, `ambiguous_device`
 * (exit 2).
 */
export function findDevice<T extends Named>(devices: readonly T[], text: string): T {
	const whole = devices.find(({ id, fingerprint }) =>
		[id, fingerprint].some((one) => plain(one) === plain(text)),
	)
	if (whole) return whole
	const found = devices.filter((device) => fits(device, text))
	const active = found.filter(({ state }) => state === 'active')
	const chosen = active.length > 0 ? active : found
	const [only] = chosen
	if (only && chosen.length === 1) return only
	if (chosen.length > 1) {
		const ids = chosen.map(({ id }) => id.slice(0, 8)).join(', ')
		throw new StyrbyError(
			'ambiguous_device',
			`${chosen.length} devices fit "${text}" (${ids}): give more of the id or the fingerprint.`,
			{ exitCode: exit.usage },
		)
	}
	throw new StyrbyError(
		'no_such_device',
		`There is no device "${text}" in this account: see "styrby-tui devices".`,
	)
}

/** The keys of a device that the verified log has as active. Throws `device_revoked`. */
export function activeRecord(account: Account, { id, name }: Named): DeviceRecord {
	const known = account.log.state.devices.get(id)
	if (known && !known.revoked) return known.record
	throw new StyrbyError(
		'device_revoked',
		`${called(name, id)} was revoked: nothing can be given to it.`,
	)
}

/** What a device is called in a sentence. */
export function called(name: string | null, id: string): string {
	return name === null ? `device ${id.slice(0, 8)}` : oneLine(name)
}
