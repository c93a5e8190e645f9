/** `devices approve`: lets the device in that waits under a code, and gives it all that this one can read. */
import type { Account } from '../../account/account.ts'
import {
	type Approval,
	approvePairing,
	findPairing,
	type WaitingDevice,
} from '../../account/pairing.ts'
import { type ExitCode, exit } from '../../protocol/errors.ts'
import { jsonText } from '../../text/json-text.ts'
import { shortTime } from '../../text/time.ts'
import { textWidth } from '../../text/width.ts'
import { askYes, confirmationNeeded, interrupted } from '../ask.ts'
import type { Invocation } from '../command.ts'
import { openContext } from '../context.ts'
import { hanging, widthOf } from '../hanging.ts'
import { type Io, isInteractive } from '../io.ts'
import { Progress } from '../progress.ts'
import { stopSignal } from '../stop-signal.ts'
import { deviceName } from './device-name.ts'
import { called } from './find-device.ts'
import { oneLine } from './one-line.ts'
import { orRevoked } from './or-revoked.ts'
import { sharedText } from './shared-text.ts'

const untouched = 'nothing was approved, the device still waits'
const halfway =
	'what was given to it stays given; the same command goes on from there while the code is good, "styrby-tui devices share" afterwards'

export async function run({ args, flags, io }: Invocation): Promise<ExitCode> {
	if (!flags.has('yes') && !isInteractive(io)) throw confirmationNeeded('--yes')
	const json = flags.has('json')
	await using context = await openContext(io)
	const { account } = context
	const waiting = await findPairing(account, args[0] ?? '')
	const name = deviceName(flags, waiting.name)
	if (!json) io.stdout.write(await waitingText(account, waiting, name, widthOf(io.stdout)))
	if (!flags.has('yes') && !(await askYes(io, 'Let this device in?', untouched))) {
		io.stderr.write(`styrby-tui: ${untouched}.\n`)
		return exit.failed
	}
	const approval = await orRevoked(account, () => approve(io, account, waiting, name))
	io.stdout.write(
		json
			? `${jsonText(approvalJson(account, waiting, approval))}\n`
			: approvalText(account, waiting, approval),
	)
	return exit.done
}

async function approve(io: Io, account: Account, waiting: WaitingDevice, name: string) {
	using stop = stopSignal()
	using progress = new Progress(io, 'handing over keys')
	try {
		return await approvePairing(account, waiting, {
			name,
			signal: stop.signal,
			onProgress: ({ done, total }) => progress.show(`${done} of ${total} sessions`),
		})
	} catch (error) {
		if (!stop.signal.aborted) throw error
		progress.clear()
		throw interrupted(halfway, error)
	}
}

async function waitingText(
	account: Account,
	waiting: WaitingDevice,
	name: string,
	width: number,
): Promise<string> {
	const { platform, fingerprint, at, registered } = waiting
	const counts = await account.gateway.countAccess()
	const own = counts.find(({ device }) => device === account.device.record.id)?.sessions ?? 0
	const renamed = name === waiting.name ? '' : ` (it calls itself ${oneLine(waiting.name)})`
	const rows: [string, string][] = [
		['name', oneLine(name) + renamed],
		['platform', oneLine(platform)],
		['fingerprint', fingerprint],
		['asked', `${shortTime(at)} UTC`],
		['will get', `the keys of all that this device can read: ${sessions(own)}, and what comes`],
	]
	if (registered) {
		const by = called(account.deviceName(registered.addedBy), registered.addedBy)
		rows.push(['approved', `already, by ${by}, ${shortTime(registered.addedAt)} UTC`])
	}
	const lines = rows.flatMap(([label, text]) =>
		hanging(`  ${label.padEnd(12)} `, text, width, textWidth),
	)
	return `A device asks to join this account. Compare the fingerprint with what it shows:\n\n${lines.join('\n')}\n\n`
}

const sessions = (count: number) => `${count} ${count === 1 ? 'session' : 'sessions'}`

function approvalJson(account: Account, { record, fingerprint }: WaitingDevice, done: Approval) {
	return {
		device: { id: record.id, name: account.deviceName(record.id), fingerprint },
		outcome: done.own ? 'approved' : 'already',
		by: done.by,
		at: done.at,
		sessions: done.sessions,
		granted: done.granted,
		unreadable: done.unreadable,
	}
}

function approvalText(account: Account, { record }: WaitingDevice, done: Approval): string {
	const name = called(account.deviceName(record.id), record.id)
	const head = done.own
		? `${name} is a device of this account now.`
		: `${name} was let in already, by ${called(account.deviceName(done.by), done.by)}, ${shortTime(done.at)} UTC.`
	return `${head}\n${sharedText(done)}\n`
}
