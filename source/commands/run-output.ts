/** What `run --headless` prints of its session, as text or as one JSON object a line. */
import type { Entry, SealedEntry } from '../host/seal-event.ts'
import type { SessionEnd } from '../host/session-host.ts'
import { jsonText } from '../text/json-text.ts'
import { type DeviceName, eventLines } from './message-lines.ts'

export interface RunOutput {
	started(session: string): void
	published(entry: Entry, sealed: SealedEntry): void
	ended(end: Pick<SessionEnd, 'status'>, exitCode: number): void
}

/** Events may be published before the session is announced: its line comes first all the same. */
export function jsonOutput(write: (text: string) => void): RunOutput {
	let session: string | null = null
	const early: string[] = []
	const line = (value: unknown) => `${jsonText(value)}\n`
	return {
		started(id) {
			session = id
			write(line({ session }))
			for (const text of early.splice(0)) write(text)
		},
		published({ event }, { seq, at, rows }) {
			const { kind, body } = event
			const id = rows[0]?.row.session_id ?? null
			const text = line({ session: id, seq, at, kind, body, verified: true, problem: null })
			if (session === null) early.push(text)
			else write(text)
		},
		ended({ status }, exitCode) {
			write(line({ ended: status, exit_code: exitCode }))
		},
	}
}

/** As `show` prints it. */
export function plainOutput(
	write: (text: string) => void,
	width: () => number,
	deviceName: DeviceName,
): RunOutput {
	return {
		started() {},
		published({ event }) {
			write(eventLines(event, width(), deviceName))
		},
		ended() {},
	}
}

/** The agent's own interface has the terminal: nothing is printed. */
export const silentOutput: RunOutput = { started() {}, published() {}, ended() {} }
