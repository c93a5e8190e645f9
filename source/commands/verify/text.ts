/** What `verify` prints for a person. */
import { revealText } from '../../text/safe-text.ts'
import { textWidth } from '../../text/width.ts'
import type { HistoryProblem } from '../../viewer/history-check.ts'
import { hanging } from '../hanging.ts'
import type { Verdict } from '../verify.ts'
import type { Leak, WireCheck } from './wire.ts'

const shownProblems = 20

/** Lines that begin with ✓ or ✗; each ends with a newline. */
export function verdictText(verdict: Verdict, width?: number): string {
	const lines = [
		'What the server could see of a message just sent',
		...(verdict.wire ? wireLines(verdict.wire) : [bad(`not sent: ${verdict.wire_problem}`)]),
		'',
		'What it holds',
		...logLines(verdict),
		...historyLines(verdict),
		'',
		verdict.verified ? 'All of it holds.' : 'Not all of it holds: see what is marked ✗.',
	]
	return lines.flatMap((line) => wrapped(revealText(line), width)).join('')
}

/** Further lines stand under the text of the first, behind its mark. */
function wrapped(line: string, width?: number): string[] {
	const [prefix = ''] = /^ *(?:[✓✗] )?/.exec(line) ?? []
	return hanging(prefix, line.slice(prefix.length), width, textWidth).map((one) => `${one}\n`)
}

const good = (text: string) => `  ✓ ${text}`
const bad = (text: string) => `  ✗ ${text}`
const count = (n: number, one: string, many = `${one}s`) =>
	`${n.toLocaleString('en')} ${n === 1 ? one : many}`

function wireLines(wire: WireCheck): string[] {
	const { bytes, leaks, searched } = wire
	const columns = Object.entries(wire.row).map(([name, value]) => {
		const text = String(value)
		const shown = text.length > 56 ? `${text.slice(0, 32)}… (${text.length} characters)` : text
		return `      ${name.padEnd(18)} ${shown}`
	})
	const how = wire.live
		? 'over the live channel, unstored, and as a stored message'
		: 'as a message'
	return [
		`    sent ${how}: ${wire.sentence}`,
		'    the row as it was sent:',
		...columns,
		`    on the wire: ${count(bytes.up, 'byte')} up, ${count(bytes.down, 'byte')} down`,
		wire.row_seen
			? good(`the sealed row was seen in the ${count(searched, 'piece')} kept of what went by`)
			: bad('the sealed row was not seen on the wire: this search proves nothing'),
		...(wire.live
			? []
			: [`    the live channel could not be joined: only the stored way was seen`]),
		...(leaks.length === 0
			? [
					good(`not on the wire, in any of ${wire.encodings} encodings:`),
					...wire.looked_for.map((what) => `      ${what}`),
				]
			: leakLines(leaks)),
	]
}

function leakLines(leaks: readonly Leak[]): string[] {
	const found = Map.groupBy(leaks, ({ what }) => what)
	return [...found].map(([what, all]) => {
		const encodings = all.map(({ encoding }) => encoding).join(', ')
		return bad(`on the wire: ${what} (${encodings})`)
	})
}

function logLines({ log, intruders }: Verdict): string[] {
	return [
		log.verified
			? good(
					`device log: ${count(log.entries, 'entry', 'entries')}, signed and chained, as pinned here`,
				)
			: bad(`device log: ${log.problem}`),
		...(intruders.length === 0
			? [good('no key beside those of the device log')]
			: intruders.map(({ id, public_key }) =>
					bad(
						`intruder: the server shows key ${public_key} as device ${id}, which the log does not have`,
					),
				)),
	]
}

function historyLines({ sessions, messages, problems }: Verdict): string[] {
	const what = `${count(sessions, 'session')}, ${count(messages, 'message')}`
	if (problems.length === 0) {
		return [good(`${what}: every signature, chain, nonce and column`)]
	}
	const more = problems.length - shownProblems
	return [
		bad(`${what}: ${count(problems.length, 'problem')}`),
		...problems
			.slice(0, shownProblems)
			.map((problem) => `      ${placeOf(problem)}: ${problem.problem}`),
		...(more > 0 ? [`      and ${more} more (--json has them all)`] : []),
	]
}

/** Such as `session 3f2a91c0 message #12`. */
export function placeOf({ session, seq, rows }: HistoryProblem): string {
	const where = session === null ? 'the account' : `session ${session.slice(0, 8)}`
	if (seq === null) return where
	return rows > 1 ? `${where} messages #${seq} to #${seq + rows - 1}` : `${where} message #${seq}`
}
