/** `devices access`: which device was given which key, by whom and when. Read and printed page by page. */
import { type Access, readAccess } from '../../account/access.ts'
import { listDevices } from '../../account/devices.ts'
import { type ExitCode, exit, refused } from '../../protocol/errors.ts'
import { jsonText } from '../../text/json-text.ts'
import type { Invocation } from '../command.ts'
import { type Context, openContext } from '../context.ts'
import { findSession } from '../find.ts'
import { widthOf } from '../hanging.ts'
import { writeOut } from '../write-out.ts'
import { accessJson, grantLine, isWrong } from './access-lines.ts'
import { Matrix } from './access-matrix.ts'
import { findDevice } from './find-device.ts'

/** Exit code 4 when a key was handed to or by a device that the log lacks, or one for this device is wrong. */
export async function run(invocation: Invocation): Promise<ExitCode> {
	const { args, flags, io } = invocation
	await using context = await openContext(io)
	const { account } = context
	const { devices } = await listDevices(account)
	const device = args[0] === undefined ? null : findDevice(devices, args[0])
	const asked = flags.text('session')
	const session = asked === undefined ? null : await findSession(account, asked)
	const grants = readAccess(account, {
		...(device === null ? {} : { device: device.id }),
		...(session === null ? {} : { session }),
	})
	const limit = flags.number('limit') ?? Number.POSITIVE_INFINITY
	const detailed = flags.has('json') || device !== null || session !== null
	const wrong = detailed
		? await printGrants(invocation, context, grants, limit)
		: await new Matrix(devices, widthOf(io.stdout)).print(grants, limit, (text) =>
				writeOut(io.stdout, text),
			)
	if (wrong > 0) {
		const what = wrong === 1 ? '1 key was' : `${wrong} keys were`
		throw refused(
			'access_not_verified',
			`${what} handed out wrongly, by or to a device that is not in the log, or not opening here: see the lines marked ✗.`,
		)
	}
	return exit.done
}

/** One key a line. Returns how many are wrong. */
async function printGrants(
	{ flags, io }: Invocation,
	{ account }: Context,
	grants: AsyncIterable<Access>,
	limit: number,
): Promise<number> {
	let printed = 0
	let wrong = 0
	for await (const access of grants) {
		const text = flags.has('json')
			? jsonText(accessJson(account, access))
			: grantLine(account, access)
		await writeOut(io.stdout, `${text}\n`)
		if (isWrong(access)) wrong++
		if (++printed >= limit) break
	}
	return wrong
}
