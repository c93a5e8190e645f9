/** One key that was handed to one device, as a line. */
import type { Access } from '../../account/access.ts'
import type { Account } from '../../account/account.ts'
import { shortTime } from '../../text/time.ts'
import { called } from './find-device.ts'

/** A key of or for nobody that the log knows, or one that does not open though it is for this device. */
export const isWrong = ({ known, opens }: Access) => !known || opens === false

/** What `--json` prints of a key; a shape that scripts depend on. */
export function accessJson(account: Account, access: Access) {
	return {
		session: access.session,
		epoch: access.epoch,
		newest: access.newest,
		device: access.device,
		device_name: account.deviceName(access.device),
		by: access.by,
		by_name: account.deviceName(access.by),
		at: access.at,
		opens: access.opens,
		known: access.known,
	}
}

/** What a scope is called: the beginning of the session's id, or the account. */
export const scopeName = ({ session }: Pick<Access, 'session'>) =>
	session === null ? 'account ' : session.slice(0, 8)

export function grantLine(account: Account, access: Access): string {
	const { epoch, newest, device, by, at, opens, known } = access
	const name = (id: string) => called(account.deviceName(id), id)
	const state = !known
		? 'NOT IN THE DEVICE LOG'
		: opens === null
			? ''
			: opens
				? 'opens here'
				: 'DOES NOT OPEN HERE'
	const mark = isWrong(access) ? '✗' : ' '
	const parts = [
		`${mark} ${scopeName(access)}`,
		`key ${epoch}${epoch === newest ? '' : ` of ${newest}`}`,
		`${name(device)}, given by ${device === by ? 'itself' : name(by)}`,
		shortTime(at),
		...(state === '' ? [] : [state]),
	]
	return parts.join('  ')
}
