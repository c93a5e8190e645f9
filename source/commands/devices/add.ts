/** `devices add`: this home becomes a device of the account, once a registered one has let it in. */
import type { Account } from '../../account/account.ts'
import { type Cancelled, type Offer, offerPairing } from '../../account/joining.ts'
import { fingerprint } from '../../protocol/device.ts'
import { type ExitCode, exit } from '../../protocol/errors.ts'
import { jsonText } from '../../text/json-text.ts'
import { timeLeft } from '../../text/time.ts'
import { interrupted } from '../ask.ts'
import type { Invocation } from '../command.ts'
import { openSignedIn } from '../context.ts'
import { rememberDevice } from '../own-device.ts'
import { Progress } from '../progress.ts'
import { stopSignal } from '../stop-signal.ts'
import { deviceName } from './device-name.ts'
import { oneLine } from './one-line.ts'

const meanings: Record<Cancelled, string> = {
	'taken back': 'the request was taken back, this is no device of the account',
	'under way':
		'a device is letting this one in: run "styrby-tui devices add" again to go on, or revoke it there',
	'too late':
		'the request was taken back, but a device had just let this one in: revoke it there with "styrby-tui devices revoke"',
}

/** With `--json`: a line with the code as soon as there is one, and a line with the device at the end. */
export async function run({ flags, io }: Invocation): Promise<ExitCode> {
	await using signedIn = await openSignedIn(io)
	const { accountOptions, home } = signedIn
	const json = flags.has('json')
	using stop = stopSignal()
	const offer = await offerPairing({
		...accountOptions,
		deviceName: deviceName(flags, accountOptions.deviceName),
		platform: io.platform,
	})
	const expires = new Date(offer.expiresAt).toISOString()
	io.stdout.write(
		json
			? `${jsonText({ code: offer.code, fingerprint: offer.fingerprint, expires_at: expires })}\n`
			: offerText(offer, expires),
	)
	using progress = new Progress(io, 'waiting to be approved')
	const show = () => progress.show(`${timeLeft(expires, io.now().getTime())} left, Ctrl-C ends it`)
	show()
	const timer = setInterval(show, 1000)
	try {
		const account = await joined(offer, stop.signal)
		progress.clear()
		if (typeof account === 'string') throw interrupted(meanings[account])
		await rememberDevice(home, account)
		io.stdout.write(json ? `${jsonText(joinedJson(account))}\n` : joinedText(account))
		return exit.done
	} finally {
		clearInterval(timer)
	}
}

/** An interrupt takes the request back, where this device was not let in just then. */
async function joined(offer: Offer, signal: AbortSignal): Promise<Account | Cancelled> {
	try {
		return await offer.wait(signal)
	} catch (error) {
		if (!signal.aborted) throw error
		return await offer.cancel()
	}
}

function offerText({ code, fingerprint: own }: Offer, expires: string): string {
	return `On a device that is registered, within ten minutes:

    styrby-tui devices approve ${code}

It will show this fingerprint; compare the two:

    ${own}

The code is good until ${expires.slice(11, 16)} UTC, once.
`
}

/** What `--json` prints of a home that became a device; a shape that scripts depend on. */
export function joinedJson(account: Account) {
	const { record } = account.device
	return {
		account: account.id,
		device: {
			id: record.id,
			name: account.deviceName(record.id),
			fingerprint: fingerprint(record),
		},
	}
}

export function joinedText(account: Account): string {
	const { record } = account.device
	const name = account.deviceName(record.id)
	return `This is a device of the account now${name === null ? '' : `: ${oneLine(name)}`} (${fingerprint(record)}).\n`
}
