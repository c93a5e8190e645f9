import { oneLine } from '../../text/one-line.ts'
import { safeText } from '../../text/safe-text.ts'
import { emptyLine, type StyledLine, span } from '../../text/styled.ts'
import { wrapLine } from '../../text/wrap.ts'
import type { ApproveAct } from '../../viewer/devices.ts'
import { moment } from './device-card.ts'
import { counted, deviceName, sessionsText } from './device-name.ts'
import { fact, paragraph } from './facts.ts'
import { progressLine } from './progress.ts'

/** A device that wants to be added: who it says it is, then how far it is, then what came of it. */
export function approveLines(act: ApproveAct, width: number, now: number): StyledLine[] {
	const { request, step, problem } = act
	if (!request) {
		return step === 'failed'
			? paragraph(safeText`✗ ${oneLine(problem ?? '')}`, width, 'error')
			: [[span(safeText`  `), ...progressLine(safeText`looking for the device`, null)]]
	}
	return [
		...fact(safeText`name`, oneLine(request.name), width, 'strong'),
		...(request.as === request.name
			? []
			: fact(
					safeText`called here`,
					safeText`${oneLine(request.as)}, for one has that name already`,
					width,
				)),
		...fact(safeText`platform`, oneLine(request.platform), width),
		...fact(safeText`fingerprint`, oneLine(request.fingerprint), width, 'code'),
		...fact(safeText`asked`, moment(request.at, now), width),
		emptyLine,
		...stepLines(act, width, now),
	]
}

function stepLines(act: ApproveAct, width: number, now: number): StyledLine[] {
	const { step, result, progress, problem, request } = act
	if (step === 'failed') return paragraph(safeText`✗ ${oneLine(problem ?? '')}`, width, 'error')
	if (step === 'sharing') {
		const indent = [span(safeText`  `)]
		const what = safeText`giving it the keys of all sessions`
		return wrapLine([...indent, ...progressLine(what, progress)], width, { rest: indent })
	}
	if (step === 'done' && result) return resultLines(result, width, now)
	const already = request?.already
	if (already) {
		const who = already.own
			? safeText`This device added it already`
			: safeText`${deviceName(already.by, already.byName)} was faster and added it`
		const text = safeText`${who}, ${moment(already.at, now)}. Give it the keys that it still lacks?`
		return paragraph(text, width, 'warn')
	}
	return paragraph(
		safeText`Added, it can read all that this device can: every session, past and future. The new device shows the same fingerprint. Add it?`,
		width,
		'warn',
	)
}

function resultLines(
	{ own, by, byName, at, sessions, granted, unreadable }: NonNullable<ApproveAct['result']>,
	width: number,
	now: number,
): StyledLine[] {
	const loser = safeText`Not by this device: ${deviceName(by, byName)} was faster and added it, ${moment(at, now)}.`
	const keys = counted(granted, safeText`key`, safeText`keys`)
	return [
		...(own ? paragraph(safeText`✓ Added.`, width, 'ok') : paragraph(loser, width, 'warn')),
		...paragraph(
			granted === 0
				? safeText`✓ It lacks no key that this device has.`
				: safeText`✓ This device gave it ${keys}, of ${sessionsText(sessions)}.`,
			width,
			'ok',
		),
		...(unreadable === 0
			? []
			: paragraph(
					safeText`⚠ Some keys of ${sessionsText(unreadable)} could not be given: this device lacks them itself.`,
					width,
					'warn',
				)),
	]
}
