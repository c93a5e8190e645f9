import { oneLine } from '../../text/one-line.ts'
import { type SafeText, safeText } from '../../text/safe-text.ts'
import { emptyLine, type Style, type StyledLine, span } from '../../text/styled.ts'
import { wrapLine } from '../../text/wrap.ts'
import type { RevokeAct } from '../../viewer/devices.ts'
import { moment } from './device-card.ts'
import { deviceName, sessionsText } from './device-name.ts'
import { fact, paragraph } from './facts.ts'
import { progressLine } from './progress.ts'

/** Sessions named one by one; more than that are counted. */
const most = 20

/** What a revocation will do, then how far it is, then the proof that it did. */
export function revokeLines(
	act: RevokeAct,
	width: number,
	context: { now: number; nameOf: (session: string) => SafeText; email: string | null },
): StyledLine[] {
	const { nameOf } = context
	const { device, step, progress, problem } = act
	const indent = [span(safeText`  `)]
	const working = (what: SafeText) =>
		wrapLine([...indent, ...progressLine(what, progress)], width, { rest: indent })
	return [
		...fact(safeText`device`, deviceName(device.id, device.name), width, 'strong'),
		...fact(safeText`fingerprint`, oneLine(device.fingerprint), width, 'code'),
		emptyLine,
		...(step === 'planning' ? working(safeText`finding out what that does`) : []),
		...(act.plan && step !== 'done' ? planLines(act.plan, device.own, width, nameOf) : []),
		...(step === 'revoking'
			? [emptyLine, ...working(safeText`revoking it, and waiting for new keys`)]
			: []),
		...(step === 'failed'
			? [emptyLine, ...paragraph(safeText`✗ ${oneLine(problem ?? '')}`, width, 'error')]
			: []),
		...(act.report && step === 'done' ? proofLines(act.report, width, context) : []),
	]
}

function planLines(
	{ live, readable, last }: NonNullable<RevokeAct['plan']>,
	own: boolean,
	width: number,
	nameOf: (session: string) => SafeText,
): StyledLine[] {
	if (last) {
		const text = safeText`✗ It is the last device: without it nobody could read anything any more. Add another, or a recovery key, first.`
		return paragraph(text, width, 'error')
	}
	const rekeyed = live.filter((session) => !session.own)
	const hosted = live.length - rekeyed.length
	return [
		...paragraph(safeText`Revoking it does this:`, width, 'strong'),
		...paragraph(safeText`- The log says so, signed by this device. That can't be undone.`, width),
		...paragraph(safeText`- It is signed out, and the account gets a new key.`, width),
		...paragraph(
			rekeyed.length === 0
				? safeText`- No live session needs a new key.`
				: safeText`- Live sessions get new keys that it is not given: ${rekeyed.length}.`,
			width,
		),
		...sessionLines(rekeyed, ({ session, hostName }) => [
			safeText`    ${nameOf(session)}${hostText(hostName)}`,
			'dim',
		])(width),
		...(hosted === 0
			? []
			: paragraph(
					safeText`- It hosts ${sessionsText(hosted)} that are live: those end for you.`,
					width,
					'warn',
				)),
		...paragraph(
			safeText`- What it could already read, it may have kept: ${sessionsText(readable)}.`,
			width,
			'warn',
		),
		...(own
			? paragraph(
					safeText`⚠ It is the device in front of you: it reads nothing more then.`,
					width,
					'error',
				)
			: []),
	]
}

type Report = NonNullable<RevokeAct['report']>

function proofLines(
	report: Report,
	width: number,
	{ now, nameOf, email }: Parameters<typeof revokeLines>[2],
): StyledLine[] {
	const { sessions, grantsAfter, complete, accountEpoch } = report
	const others = sessions.filter(({ own }) => !own)
	const named = ({ session, hostName }: Report['sessions'][number]) =>
		safeText`${nameOf(session)}${hostText(hostName)}`
	return [
		...whoLines(report, width, now),
		...paragraph(safeText`✓ The account has a new key, number ${accountEpoch}.`, width, 'ok'),
		...sessionLines(
			others.filter(({ rekeyed }) => rekeyed),
			(one) => [safeText`✓ ${named(one)} has a new key, number ${one.epoch}.`, 'ok'],
		)(width),
		...sessionLines(
			others.filter(({ rekeyed }) => !rekeyed),
			(one) => [
				safeText`⚠ ${named(one)} has no new key yet: its host has not learned of this. What it sends is still sealed for the revoked device.`,
				'warn',
			],
		)(width),
		...(grantsAfter === 0
			? paragraph(safeText`✓ It was given none of the new keys.`, width, 'ok')
			: paragraph(safeText`✗ It was given new keys all the same: ${grantsAfter}.`, width, 'error')),
		emptyLine,
		...(complete
			? paragraph(safeText`No live session has a key that it was given.`, width, 'strong')
			: paragraph(
					safeText`Not complete yet: see above. Revoking it again shows how far it is.`,
					width,
					'warn',
				)),
		...(email === null
			? []
			: paragraph(
					safeText`! A revocation takes the keys, not the password: change that of ${oneLine(email)} where somebody else may know it.`,
					width,
					'warn',
				)),
	]
}

function whoLines({ own, by, byName, at }: Report, width: number, now: number): StyledLine[] {
	if (own) return paragraph(safeText`✓ Revoked: the log says so.`, width, 'ok')
	const text = safeText`Not by this device: ${deviceName(by, byName)} was faster and revoked it, ${moment(at, now)}.`
	return paragraph(text, width, 'warn')
}

/** The first of them one by one, the rest as a count. */
function sessionLines<T>(
	sessions: readonly T[],
	say: (session: T) => readonly [SafeText, Style],
): (width: number) => StyledLine[] {
	const more = sessions.length - most
	return (width) => [
		...sessions.slice(0, most).flatMap((session) => {
			const [text, style] = say(session)
			return paragraph(text, width, style)
		}),
		...(more > 0 ? paragraph(safeText`    and ${sessionsText(more)} more`, width, 'dim') : []),
	]
}

function hostText(name: string | null): SafeText {
	return name === null ? safeText`` : safeText` on ${oneLine(name)}`
}
