/** `devices`: which devices can read this account. */
import { type DeviceList, listDevices } from '../account/devices.ts'
import { type ExitCode, exit } from '../protocol/errors.ts'
import { jsonText } from '../text/json-text.ts'
import type { Invocation } from './command.ts'
import { openContext } from './context.ts'
import { keysNotInLog } from './devices/faults.ts'
import { deviceListText } from './devices/list-text.ts'
import { widthOf } from './hanging.ts'

/** What `--json` prints; a shape that scripts depend on. */
export function devicesJson({ devices, log, intruders }: DeviceList) {
	return {
		devices: devices.map((device) => ({
			id: device.id,
			name: device.name,
			kind: device.kind,
			fingerprint: device.fingerprint,
			state: device.state,
			this: device.own,
			added_by: device.addedBy,
			added_at: device.addedAt,
			revoked_at: device.revoked?.at ?? null,
			last_seen_at: device.lastSeenAt,
			sessions: device.sessions,
		})),
		log: { entries: log.entries, head: log.head, verified: log.problem === null },
		intruders: intruders.map(({ device, publicKey }) => ({ id: device, public_key: publicKey })),
	}
}

/** Exit code 4 when the backend's keys are not those of the log, or the log can't be trusted. */
export async function run({ flags, io }: Invocation): Promise<ExitCode> {
	await using context = await openContext(io)
	const list = await listDevices(context.account)
	io.stdout.write(
		flags.has('json')
			? `${jsonText(devicesJson(list))}\n`
			: deviceListText(list, { now: io.now(), width: widthOf(io.stdout) }),
	)
	if (list.log.problem) throw list.log.problem
	const [fault] = [...list.intruders, ...list.faults]
	if (fault) throw keysNotInLog(fault)
	return exit.done
}
