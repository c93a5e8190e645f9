import { oneLine } from '../../text/one-line.ts'
import { type SafeText, safeText } from '../../text/safe-text.ts'
import { emptyLine, type StyledLine, span } from '../../text/styled.ts'
import { type Fault, isIntruder, type VerifyAct } from '../../viewer/devices.ts'
import { counted } from './device-name.ts'
import { fact, paragraph } from './facts.ts'
import { progressLine } from './progress.ts'

/** What a check of the whole log found. */
export function verifyLines({ step, report, problem }: VerifyAct, width: number): StyledLine[] {
	if (step === 'checking') {
		return [[span(safeText`  `), ...progressLine(safeText`checking the whole log`, null)]]
	}
	if (step === 'failed' || !report) {
		return paragraph(safeText`✗ ${oneLine(problem ?? '')}`, width, 'error')
	}
	const { entries, head, faults } = report
	const intruders = faults.filter(isIntruder)
	const entryWord = counted(entries, safeText`entry`, safeText`entries`)
	return [
		...paragraph(safeText`✓ ${entryWord}, each signed and chained to the one before.`, width, 'ok'),
		...paragraph(safeText`✓ It continues what this device has seen before.`, width, 'ok'),
		...(intruders.length === 0
			? paragraph(safeText`✓ The server lists no key that the log does not.`, width, 'ok')
			: paragraph(
					safeText`✗ The server lists ${counted(intruders.length, safeText`key`, safeText`keys`)} that no device of yours added. Nothing is sealed for it.`,
					width,
					'error',
				)),
		...faults.flatMap(({ device, what }) =>
			paragraph(
				safeText`    ${oneLine(device)} ${meanings[what]}`,
				width,
				isIntruder({ what }) ? 'error' : 'warn',
			),
		),
		emptyLine,
		...fact(safeText`log head`, oneLine(head), width, 'code'),
		...paragraph(safeText`A device that shows the same has seen the same log.`, width, 'dim'),
	]
}

/** What is wrong with a row of the server's list. */
const meanings: Readonly<Record<Fault['what'], SafeText>> = {
	unknown: safeText`is not in the log`,
	other_key: safeText`has another key in the log`,
	missing: safeText`is in the log, and the server does not list it`,
	not_revoked: safeText`is revoked in the log, and the server does not say so`,
	revoked: safeText`is active in the log, and the server says that it is revoked`,
	other_times: safeText`was added or revoked at other times than the server says`,
}
