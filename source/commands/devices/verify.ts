/** `devices verify`: replays the whole device log and says what holds. */
import type { Account } from '../../account/account.ts'
import { type LogCheck, verifyLog } from '../../account/history.ts'
import { type ExitCode, exit, refused, StyrbyError } from '../../protocol/errors.ts'
import { jsonText } from '../../text/json-text.ts'
import { textWidth } from '../../text/width.ts'
import type { Invocation } from '../command.ts'
import { openContext } from '../context.ts'
import { hanging, widthOf } from '../hanging.ts'
import { faultText, isIntruder, keysNotInLog } from './faults.ts'
import { oneLine } from './one-line.ts'

interface Result {
	check: LogCheck | null
	problem: string | null
}

/** Exit code 4 when anything does not hold. */
export async function run({ flags, io }: Invocation): Promise<ExitCode> {
	await using context = await openContext(io)
	const { account } = context
	const result = await look(account)
	io.stdout.write(
		flags.has('json')
			? `${jsonText(resultJson(account, result))}\n`
			: resultText(account, result, widthOf(io.stdout)),
	)
	const [fault] = result.check?.faults ?? []
	if (result.problem !== null) throw refused('log_not_verified', result.problem)
	if (fault) throw keysNotInLog(fault)
	return exit.done
}

/** What is found wrong is a result here, not the end. */
async function look(account: Account): Promise<Result> {
	try {
		const check = await verifyLog(account)
		return { check, problem: account.log.problem?.message ?? null }
	} catch (error) {
		if (!(error instanceof StyrbyError) || error.exitCode !== exit.refused) throw error
		return { check: null, problem: error.message }
	}
}

function countsOf(account: Account): { active: number; revoked: number } {
	const all = [...account.log.state.devices.values()]
	const active = all.filter(({ revoked }) => !revoked).length
	return { active, revoked: all.length - active }
}

/** What `--json` prints; a shape that scripts depend on. */
function resultJson(account: Account, { check, problem }: Result) {
	const faults = check?.faults ?? []
	return {
		verified: problem === null && faults.length === 0,
		log: {
			entries: check?.entries ?? account.log.state.hashes.length,
			head: check?.head ?? null,
			verified: problem === null,
			problem,
		},
		...countsOf(account),
		intruders: faults
			.filter(isIntruder)
			.map(({ device, publicKey }) => ({ id: device, public_key: publicKey })),
		faults: faults.map(({ device, publicKey, what }) => ({
			id: device,
			public_key: publicKey,
			what,
		})),
	}
}

function resultText(account: Account, { check, problem }: Result, width: number): string {
	const lines: string[] = []
	const say = (mark: string, text: string) =>
		lines.push(...hanging(`${mark} `, oneLine(text), width, textWidth))
	if (check) {
		const entries = check.entries === 1 ? '1 entry' : `${check.entries} entries`
		say(
			'✓',
			`${entries}, replayed from the first: each was signed by a device that was active then, and continues the one before`,
		)
		say(
			'✓',
			`the log goes on from what this device saw before; its head is entry ${check.head.seq}, ${check.head.hash}`,
		)
	}
	if (problem !== null) say('✗', problem)
	if (check && check.faults.length === 0) {
		const { active, revoked } = countsOf(account)
		say(
			'✓',
			`the keys that the server shows are those of the log: ${active} active, ${revoked} revoked`,
		)
	}
	for (const fault of check?.faults ?? []) say('✗', `the server lies: ${faultText(fault)}`)
	return `${lines.join('\n')}\n`
}
