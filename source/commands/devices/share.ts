/** `devices share`: gives a device every key that this one holds, once more. */
import { listDevices } from '../../account/devices.ts'
import { shareHistory } from '../../account/sharing.ts'
import { type ExitCode, exit } from '../../protocol/errors.ts'
import { jsonText } from '../../text/json-text.ts'
import { interrupted } from '../ask.ts'
import type { Invocation } from '../command.ts'
import { openContext } from '../context.ts'
import { Progress } from '../progress.ts'
import { stopSignal } from '../stop-signal.ts'
import { activeRecord, called, findDevice } from './find-device.ts'
import { sharedText } from './shared-text.ts'

const halfway = 'what was given to it stays given, and the same command goes on from there'

export async function run({ args, flags, io }: Invocation): Promise<ExitCode> {
	await using context = await openContext(io)
	const { account } = context
	const { devices } = await listDevices(account)
	const device = findDevice(devices, args[0] ?? '')
	const record = activeRecord(account, device)
	using stop = stopSignal()
	using progress = new Progress(io, 'handing over keys')
	try {
		const shared = await shareHistory(account, record, {
			again: true,
			signal: stop.signal,
			onProgress: ({ done, total }) => progress.show(`${done} of ${total} sessions`),
		})
		progress.clear()
		const { sessions, granted, unreadable } = shared
		const { id, name, fingerprint } = device
		io.stdout.write(
			flags.has('json')
				? `${jsonText({ device: { id, name, fingerprint }, sessions, granted, unreadable })}\n`
				: `${called(name, id)}: ${sharedText(shared)}\n`,
		)
		return exit.done
	} catch (error) {
		if (!stop.signal.aborted) throw error
		progress.clear()
		throw interrupted(halfway, error)
	}
}
