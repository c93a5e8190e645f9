/** `devices revoke`: first what it will do, then the deed, then the proof. */
import { type DeviceInfo, listDevices } from '../../account/devices.ts'
import { planRevocation, type RevocationReport, revokeDevice } from '../../account/revoking.ts'
import { type ExitCode, exit, refused, StyrbyError } from '../../protocol/errors.ts'
import { jsonText } from '../../text/json-text.ts'
import { askLine, confirmationNeeded, interrupted } from '../ask.ts'
import type { Invocation } from '../command.ts'
import { type Context, openContext } from '../context.ts'
import { widthOf } from '../hanging.ts'
import { isInteractive } from '../io.ts'
import { Progress } from '../progress.ts'
import { stopSignal } from '../stop-signal.ts'
import { called, findDevice } from './find-device.ts'
import { orRevoked } from './or-revoked.ts'
import { planJson, planText, reportJson, reportText, wordToType } from './revoke-text.ts'

const untouched = 'nothing was revoked'
const halfway =
	'the device is revoked, and hosts follow by themselves; the same command shows how far they are'

/** Exit code 1 when a host has not followed in time, 4 when the device was given a key after all. */
export async function run(invocation: Invocation): Promise<ExitCode> {
	const { args, flags, io } = invocation
	const asks = !flags.has('yes') && !flags.has('dry-run')
	if (asks && !isInteractive(io))
		throw confirmationNeeded('--yes, or --dry-run to see what it would do')
	const json = flags.has('json')
	await using context = await openContext(io)
	const { account } = context
	const { email } = context.backend
	const { devices } = await orRevoked(account, () => listDevices(account))
	const device = findDevice(devices, args[0] ?? '')
	// One that is revoked already is looked at again: has every host followed?
	const plan =
		device.state === 'revoked'
			? null
			: await orRevoked(account, () => planRevocation(account, device.id))
	if (plan?.last) {
		throw new StyrbyError(
			'last_device',
			'This is the only active device, and without it nobody could read anything any more: add another one, or a recovery key, first.',
		)
	}
	if (flags.has('dry-run')) {
		io.stdout.write(
			json
				? `${jsonText({ device: subject(device), dry_run: true, plan: plan && planJson(account, plan) })}\n`
				: plan
					? planText(account, device, plan, widthOf(io.stdout))
					: `${called(device.name, device.id)} is revoked already.\n`,
		)
		return exit.done
	}
	if (plan && !json) io.stdout.write(planText(account, device, plan, widthOf(io.stdout)))
	if (plan && asks && !(await confirmed(invocation, device))) {
		io.stderr.write(`styrby-tui: that is not what was to be typed: ${untouched}.\n`)
		return exit.failed
	}
	const report = await orRevoked(account, () => revoke(invocation, context, device))
	io.stdout.write(
		json
			? `${jsonText({ device: subject(device), dry_run: false, plan: plan && planJson(account, plan), ...reportJson(account, report) })}\n`
			: reportText(account, device, report, { width: widthOf(io.stdout), email }),
	)
	return outcome(device, report)
}

const subject = ({ id, name, fingerprint }: DeviceInfo) => ({ id, name, fingerprint })

async function confirmed({ io }: Invocation, device: DeviceInfo): Promise<boolean> {
	const word = wordToType(device)
	const typed = await askLine(io, `Type ${word} to revoke it: `, untouched)
	return typed === word
}

async function revoke(
	{ flags, io }: Invocation,
	{ account }: Context,
	device: DeviceInfo,
): Promise<RevocationReport> {
	using stop = stopSignal()
	using progress = new Progress(io, 'waiting for hosts to make new keys')
	try {
		return await revokeDevice(account, device.id, {
			reason: flags.text('reason') ?? null,
			waitMs: (flags.number('wait') ?? 10) * 1000,
			signal: stop.signal,
			onProgress: ({ rekeyed, total }) => progress.show(`${rekeyed} of ${total} sessions`),
		})
	} catch (error) {
		if (!stop.signal.aborted) throw error
		progress.clear()
		const done = account.log.state.devices.get(device.id)?.revoked
		throw interrupted(done ? halfway : untouched, error)
	}
}

function outcome(device: DeviceInfo, report: RevocationReport): ExitCode {
	if (report.grantsAfter > 0) {
		throw refused(
			'revoked_was_given_keys',
			`${called(device.name, device.id)} is revoked, and yet was given ${report.grantsAfter} keys that are in use: do not go on before you know by whom ("styrby-tui devices access").`,
		)
	}
	if (report.complete || device.own) return exit.done
	throw new StyrbyError(
		'hosts_behind',
		`${called(device.name, device.id)} is revoked, but not every session has a new key yet: its host makes one as soon as it learns of this. The same command shows how far that is.`,
	)
}
