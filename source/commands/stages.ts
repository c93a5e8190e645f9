import { revealText } from '../text/safe-text.ts'
import type { Followed } from '../viewer/viewer.ts'
import type { Io } from './io.ts'

const texts: Readonly<Record<string, string>> = {
	sent: 'sent: signed and sealed on this device',
	stored: 'stored: the backend has it',
	verified: 'verified: the host checked the signature and took it',
	obeyed: 'obeyed: the host checked the signature, and the agent took it',
	applied: 'applied: the agent went on',
	expired: 'expired',
	withdrawn: 'withdrawn',
	lost: 'lost: another answer came first',
	refused: 'refused by the host',
	failed: 'failed',
}

/** Prints each stage of what was sent as it is reached, a line each. */
export function printStages(
	io: Io,
	tracked: Followed<{ stages: readonly { stage: string }[]; why: string | null }>,
): void {
	let printed = 0
	const print = () => {
		const { stages, why } = tracked.get()
		for (const { stage } of stages.slice(printed)) {
			const reason = why && stage === stages.at(-1)?.stage ? ` (${revealText(why)})` : ''
			io.stdout.write(`  ${texts[stage] ?? stage}${reason}\n`)
		}
		printed = stages.length
	}
	tracked.subscribe(print)
	print()
}
