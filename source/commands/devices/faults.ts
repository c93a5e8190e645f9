import type { Fault } from '../../account/devices.ts'
import { refused, type StyrbyError } from '../../protocol/errors.ts'
import { oneLine } from './one-line.ts'

/** A key that nobody of the account has let in. */
export const isIntruder = ({ what }: Fault) => what === 'unknown' || what === 'other_key'

/** What the server says of a device that the verified log does not bear out. */
export function faultText({ device, publicKey, what }: Fault): string {
	const id = oneLine(device)
	const key = publicKey === null ? '' : ` (key ${oneLine(publicKey)})`
	switch (what) {
		case 'unknown':
			return `it shows device ${id}${key}, which no device of yours has added; nothing is ever encrypted to it`
		case 'other_key':
			return `it shows another key for device ${id}${key} than the log has; nothing is ever encrypted to that`
		case 'missing':
			return `it does not show device ${id}, which is in the log`
		case 'not_revoked':
			return `it shows device ${id} as active, which the log has as revoked`
		case 'revoked':
			return `it shows device ${id} as revoked, which the log has as active`
		case 'other_times':
			return `it shows other times than the log for when device ${id} was added or revoked`
	}
}

export function keysNotInLog(fault: Fault): StyrbyError {
	return refused(
		isIntruder(fault) ? 'intruder' : 'keys_not_in_log',
		`The server lies about the devices of this account: ${faultText(fault)}.`,
	)
}
