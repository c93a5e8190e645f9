/** `devices recover`: this home becomes a device of the account with the recovery words alone. */
import { recoverDevice } from '../../account/recovery.ts'
import { type ExitCode, exit } from '../../protocol/errors.ts'
import { jsonText } from '../../text/json-text.ts'
import { interrupted } from '../ask.ts'
import type { Invocation } from '../command.ts'
import { openSignedIn, type SignedIn } from '../context.ts'
import { rememberDevice } from '../own-device.ts'
import { Progress } from '../progress.ts'
import { stopSignal } from '../stop-signal.ts'
import { joinedJson, joinedText } from './add.ts'
import { deviceName } from './device-name.ts'
import { sharedText } from './shared-text.ts'
import { readWords } from './words.ts'

const halfway = 'what was done stays, and the same command goes on from there'

export async function run(invocation: Invocation): Promise<ExitCode> {
	const { flags, io } = invocation
	await using signedIn = await openSignedIn(io)
	const words = await readWords(io)
	const { account, shared } = await recover(invocation, signedIn, words)
	await rememberDevice(signedIn.home, account)
	const { sessions, granted, unreadable } = shared
	io.stdout.write(
		flags.has('json')
			? `${jsonText({ ...joinedJson(account), sessions, granted, unreadable })}\n`
			: `${joinedText(account)}${sharedText(shared)}\n`,
	)
	return exit.done
}

async function recover(
	{ flags, io }: Invocation,
	{ accountOptions }: SignedIn,
	words: readonly string[],
) {
	using stop = stopSignal()
	using progress = new Progress(io, 'handing over keys')
	try {
		return await recoverDevice(
			{ ...accountOptions, deviceName: deviceName(flags, accountOptions.deviceName) },
			words,
			{
				signal: stop.signal,
				onProgress: ({ done, total }) => progress.show(`${done} of ${total} sessions`),
			},
		)
	} catch (error) {
		if (!stop.signal.aborted) throw error
		progress.clear()
		throw interrupted(halfway, error)
	}
}
