import { oneLine } from '../../text/one-line.ts'
import { type SafeText, safeText } from '../../text/safe-text.ts'
import { emptyLine, padLine, type StyledLine, span, truncateLine } from '../../text/styled.ts'
import type { Revoked } from '../../viewer/devices.ts'
import { moment } from './device-card.ts'
import { deviceName } from './device-name.ts'
import { fact, paragraph } from './facts.ts'

/** One red row over the whole width. */
export function revokedLine(revoked: Revoked, width: number): StyledLine {
	const text = span(safeText` ✗ This device was revoked by ${revoker(revoked)}.`, 'alarm')
	return padLine(truncateLine([text], width), width, 'left', 'alarm')
}

export function revokedLines(
	revoked: Revoked & { fingerprint?: string | null },
	width: number,
	now: number,
): StyledLine[] {
	const { fingerprint = null } = revoked
	return [
		emptyLine,
		...fact(safeText`by`, revoker(revoked), width, 'strong'),
		...(fingerprint === null
			? []
			: fact(safeText`fingerprint`, oneLine(fingerprint), width, 'code')),
		...fact(safeText`when`, moment(revoked.at, now), width),
		...(revoked.reason === null ? [] : fact(safeText`reason`, oneLine(revoked.reason), width)),
		emptyLine,
		...paragraph(
			safeText`It reads nothing more and sends nothing. What it had read before is not taken back.`,
			width,
		),
		emptyLine,
		...paragraph(
			safeText`To use this machine again, sign in anew and add it as a new device.`,
			width,
			'dim',
		),
	]
}

function revoker({ by, byName }: Revoked): SafeText {
	return deviceName(by, byName)
}
