/** `devices recovery`: makes the recovery key, or says whether words are the one in force. */
import type { Account } from '../../account/account.ts'
import { checkRecovery, recoveryKeys, registerRecovery } from '../../account/recovery.ts'
import { randomBytes } from '../../protocol/box.ts'
import { fingerprint } from '../../protocol/device.ts'
import type { DeviceState } from '../../protocol/device-log.ts'
import { type ExitCode, exit, StyrbyError } from '../../protocol/errors.ts'
import { makeRecoveryWords, recoveryDevice } from '../../protocol/recovery.ts'
import { jsonText } from '../../text/json-text.ts'
import { shortTime } from '../../text/time.ts'
import { confirmationNeeded, interrupted } from '../ask.ts'
import type { Invocation } from '../command.ts'
import { openContext } from '../context.ts'
import { type Io, isInteractive } from '../io.ts'
import { Progress } from '../progress.ts'
import { stopSignal } from '../stop-signal.ts'
import { called } from './find-device.ts'
import { sharedText } from './shared-text.ts'
import { showWords, wordTable } from './show-words.ts'
import { readWords } from './words.ts'

export async function run(invocation: Invocation): Promise<ExitCode> {
	const { flags, io } = invocation
	if (flags.has('check')) return await check(invocation)
	if (!flags.has('yes') && !isInteractive(io)) {
		throw confirmationNeeded('--yes, which prints the words to standard output')
	}
	return await make(invocation)
}

async function make({ flags, io }: Invocation): Promise<ExitCode> {
	await using context = await openContext(io)
	const { account } = context
	const before = recoveryKeys(account)
	const [known] = before
	if (known && !flags.has('replace')) {
		throw new StyrbyError(
			'recovery_key_exists',
			`This account has a recovery key, made ${shortTime(known.addedAt)} UTC by ${called(account.deviceName(known.addedBy), known.addedBy)}: test it with --check, or make another in its place with --replace.`,
		)
	}
	const words = makeRecoveryWords(randomBytes)
	const asked = !flags.has('yes')
	if (asked) await showWords(io, words)
	const shared = await register(io, account, words, flags.has('replace'))
	const { record } = recoveryDevice(words)
	const replaced = before.map((key) => key.record.id)
	if (flags.has('json')) {
		const device = { id: record.id, fingerprint: fingerprint(record) }
		const { sessions, granted, unreadable } = shared
		const words_ = asked ? null : words
		io.stdout.write(
			`${jsonText({ device, words: words_, replaced, sessions, granted, unreadable })}\n`,
		)
		return exit.done
	}
	if (!asked) io.stdout.write(wordTable(words))
	const end = replaced.length > 0 ? ' The one before is revoked: its words open nothing new.' : ''
	io.stdout.write(
		`The recovery key is registered (${fingerprint(record)}). ${sharedText(shared)}${end}\n`,
	)
	return exit.done
}

async function register(io: Io, account: Account, words: readonly string[], replace: boolean) {
	using stop = stopSignal()
	using progress = new Progress(io, 'handing over keys')
	try {
		return await registerRecovery(account, words, {
			replace,
			signal: stop.signal,
			onProgress: ({ done, total }) => progress.show(`${done} of ${total} sessions`),
		})
	} catch (error) {
		if (!stop.signal.aborted) throw error
		progress.clear()
		throw interrupted(
			'the recovery key may not have all keys yet; make another one with --replace',
			error,
		)
	}
}

/** Exit code 1 unless the words are a recovery key in force. */
async function check({ flags, io }: Invocation): Promise<ExitCode> {
	await using context = await openContext(io)
	const { account } = context
	const words = await readWords(io)
	const known = checkRecovery(account, words)
	const inForce = known !== null && known.revoked === null
	io.stdout.write(
		flags.has('json') ? `${jsonText(checkJson(words, known))}\n` : checkText(account, known),
	)
	return inForce ? exit.done : exit.failed
}

/** What `--check --json` prints; a shape that scripts depend on. */
function checkJson(words: readonly string[], known: DeviceState | null) {
	const { record } = recoveryDevice(words)
	return {
		in_force: known !== null && known.revoked === null,
		device: { id: record.id, fingerprint: fingerprint(record) },
		added_at: known?.addedAt ?? null,
		revoked_at: known?.revoked?.at ?? null,
	}
}

function checkText(account: Account, known: DeviceState | null): string {
	if (!known) return 'These words are no recovery key of this account.\n'
	const { revoked, addedAt, addedBy, record } = known
	const name = (id: string) => called(account.deviceName(id), id)
	if (revoked) {
		return `These words were a recovery key of this account, until ${name(revoked.by)} revoked it, ${shortTime(revoked.at)} UTC.\n`
	}
	return `These words are the recovery key of this account (${fingerprint(record)}), made by ${name(addedBy)}, ${shortTime(addedAt)} UTC.\n`
}
