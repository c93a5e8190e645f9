import { oneLine } from '../../text/one-line.ts'
import { displayText, repeatText, type SafeText, safeText } from '../../text/safe-text.ts'
import { emptyLine, type StyledLine, span } from '../../text/styled.ts'
import { timeLeft } from '../../text/time.ts'
import { wrapLine } from '../../text/wrap.ts'
import type { JoinState, Waiting } from '../../viewer/joining.ts'
import { fact, paragraph } from './facts.ts'
import { progressLine } from './progress.ts'
import { revokedLines } from './revoked.ts'

/** What a home without a device shows. `tight`: without empty lines. */
export function joinLines(
	state: JoinState,
	{ width, now, tight }: { width: number; now: number; tight: boolean },
): StyledLine[] {
	const working = (what: SafeText) => [span(safeText`  `), ...progressLine(what, null)]
	switch (state.step) {
		case 'asking':
			return [working(safeText`asking for a code`)]
		case 'waiting':
			return waitingLines(state, { width, now, tight })
		case 'recovering': {
			const what = safeText`reading with the recovery key, and giving this device all keys`
			const indent = [span(safeText`  `)]
			return wrapLine([...indent, ...progressLine(what, state.progress)], width, { rest: indent })
		}
		case 'failed':
			return [
				...paragraph(safeText`✗ ${oneLine(state.problem)}`, width, 'error'),
				emptyLine,
				...paragraph(safeText`n asks again with another code.`, width, 'dim'),
			]
		case 'revoked':
			return [
				...revokedLines(state.revoked, width, now),
				...paragraph(safeText`n asks to be added as a new device.`, width, 'dim'),
			]
		case 'joined':
			return paragraph(safeText`✓ This is a device of the account now.`, width, 'ok')
	}
}

function waitingLines(
	{ code, fingerprint, expiresAt, trouble }: Waiting,
	{ width, now, tight }: { width: number; now: number; tight: boolean },
): StyledLine[] {
	const gap = tight ? [] : [emptyLine]
	const left = timeLeft(new Date(expiresAt).toISOString(), now)
	return [
		...gap,
		...boxed(oneLine(code), width),
		...gap,
		...paragraph(
			safeText`On a registered device press D, then a, and type this code. Or run there:`,
			width,
		),
		...wrapLine([span(safeText`styrby-tui devices approve ${oneLine(code)}`, 'strong')], width, {
			first: [span(safeText`  $ `, 'dim')],
			rest: [span(safeText`    `)],
		}),
		...gap,
		...fact(safeText`fingerprint`, oneLine(fingerprint), width, 'code'),
		...fact(safeText`time left`, safeText`${left}; then there is another code`, width),
		...(trouble === null ? [] : paragraph(safeText`✗ ${oneLine(trouble)}`, width, 'error')),
		...gap,
		...paragraph(
			safeText`It shows the same fingerprint; approved, this goes on by itself.`,
			width,
			'dim',
		),
	]
}

/** The code, to be seen from a step away, and still one word for who copies it. */
function boxed(code: SafeText, width: number): StyledLine[] {
	const inner = code.length + 8
	const indent = [span(displayText(' '.repeat(Math.max(0, Math.min(6, (width - inner - 2) >> 1)))))]
	const rule = repeatText(safeText`━`, inner)
	return [
		[...indent, span(safeText`┏${rule}┓`, 'accent')],
		[
			...indent,
			span(safeText`┃    `, 'accent'),
			span(code, 'strong'),
			span(safeText`    ┃`, 'accent'),
		],
		[...indent, span(safeText`┗${rule}┛`, 'accent')],
	]
}
