/** `devices rename`: what a device is called. The name is sealed: the server never learns it. */
import { listDevices, renameDevice } from '../../account/devices.ts'
import { type ExitCode, exit } from '../../protocol/errors.ts'
import { jsonText } from '../../text/json-text.ts'
import type { Invocation } from '../command.ts'
import { openContext } from '../context.ts'
import { rememberDevice } from '../own-device.ts'
import { called, findDevice } from './find-device.ts'
import { oneLine } from './one-line.ts'

export async function run({ args, flags, io }: Invocation): Promise<ExitCode> {
	await using context = await openContext(io)
	const { account, home } = context
	const { devices } = await listDevices(account)
	const { id, name: before } = findDevice(devices, args[0] ?? '')
	await renameDevice(account, id, args[1] ?? '')
	await rememberDevice(home, account)
	const name = account.deviceName(id)
	if (flags.has('json')) io.stdout.write(`${jsonText({ device: { id, name, before } })}\n`)
	else io.stdout.write(`${called(before, id)} is called ${oneLine(name ?? '')} now.\n`)
	return exit.done
}
