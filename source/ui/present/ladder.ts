import { oneLine } from '../../text/one-line.ts'
import { type SafeText, safeText } from '../../text/safe-text.ts'
import { type StyledLine, span } from '../../text/styled.ts'
import type { Decided, DecisionState, Stage } from '../../viewer/viewer.ts'
import { joined } from './sides.ts'

const steps = ['sent', 'stored', 'verified', 'applied'] as const

const stepNames: Readonly<Record<(typeof steps)[number] | 'obeyed', SafeText>> = {
	obeyed: safeText`obeyed`,
	sent: safeText`sent`,
	stored: safeText`stored`,
	verified: safeText`verified`,
	applied: safeText`applied`,
}

const ends: Readonly<Record<Exclude<Stage, (typeof steps)[number]>, SafeText>> = {
	expired: safeText`expired: the answer came too late`,
	withdrawn: safeText`withdrawn: it was answered where the agent runs`,
	lost: safeText`lost to another device`,
	refused: safeText`refused by the host`,
	failed: safeText`failed: the answer did not arrive`,
}

function isStep(stage: Stage): stage is (typeof steps)[number] {
	return steps.some((step) => step === stage)
}

/** An answer that did not reach the host, or was not taken by it, may be given again. */
export function mayRepeat({ stage }: DecisionState): boolean {
	return stage === 'failed' || stage === 'refused'
}

/** Whether nothing more will happen to this decision. */
export function isFinal(stage: Stage): boolean {
	return stage === 'applied' || !isStep(stage)
}

function isAnswer(input: unknown): boolean {
	return typeof input === 'object' && input !== null && 'answers' in input
}

/** What was chosen: `allow once`, `allow for this session`, `deny`. */
export function choiceText({ choice }: DecisionState): SafeText {
	if (choice.decision === 'deny') return safeText`deny`
	if (choice.input !== undefined)
		return isAnswer(choice.input) ? safeText`answer` : safeText`allow as changed`
	return choice.scope === 'session' ? safeText`allow for this session` : safeText`allow once`
}

/** `allow once: ✓ sent  ✓ stored  … verified  · applied`, or where it ended and why. */
export function ladderLine(decision: DecisionState): StyledLine {
	const reached = new Set<string>(decision.stages.map(({ stage }) => stage))
	reached.add(decision.stage)
	const end = isStep(decision.stage) ? null : decision.stage
	return [
		span(safeText`${choiceText(decision)}: `, 'strong'),
		...stageSpans(steps, reached, end !== null),
		...(end === null
			? waitText(decision)
			: [span(safeText`  ✗ ${endText(decision, end)}`, 'error')]),
	]
}

/** `✓ sent  ✓ stored  … verified  · applied`; of what has ended, only what was reached. */
export function stageSpans(
	all: readonly (keyof typeof stepNames)[],
	reached: ReadonlySet<string>,
	ended: boolean,
): StyledLine {
	const waiting = ended ? undefined : all.find((step) => !reached.has(step))
	const parts: StyledLine[] = all
		.filter((step) => !ended || reached.has(step))
		.map((step) => {
			const name = stepNames[step]
			if (reached.has(step)) return [span(safeText`✓ ${name}`, 'ok')]
			return [
				step === waiting ? span(safeText`… ${name}`, 'accent') : span(safeText`· ${name}`, 'dim'),
			]
		})
	return joined(parts, [span(safeText`  `)])
}

/** What keeps it from going on, where that is known. */
function waitText({ stage, why }: DecisionState): StyledLine {
	if (why === null || stage === 'applied') return []
	return [span(safeText`  (${oneLine(why)})`, 'warn')]
}

function endText(decision: DecisionState, end: keyof typeof ends): SafeText {
	const { winner, why } = decision
	const because = why === null ? safeText`` : safeText` (${oneLine(why)})`
	if (end !== 'lost' || !winner) return safeText`${ends[end]}${because}`
	const name = oneLine(winner.name ?? winner.id)
	return safeText`lost to ${name}, who ${oneLine(winner.result)} it`
}

const results: Readonly<Record<Decided['result'], SafeText>> = {
	approved: safeText`allowed`,
	denied: safeText`denied`,
	expired: safeText`expired`,
	cancelled: safeText`cancelled`,
}

/** What became of a request: `✓ allowed once on laptop, signature checked`. */
export function decidedLine(decided: Omit<Decided, 'at'>): StyledLine {
	const ok = decided.result === 'approved'
	const scope =
		ok && decided.scope !== null && decided.by !== 'policy'
			? decided.scope === 'session'
				? safeText` for the session`
				: safeText` once`
			: safeText``
	const done =
		ok && isAnswer(decided.input)
			? safeText`answered`
			: safeText`${results[decided.result]}${scope}`
	const what = safeText`${ok ? safeText`✓` : safeText`✗`} ${done}${who(decided)}`
	const reason =
		decided.reason === null
			? []
			: decided.by === 'policy'
				? [span(safeText`: ${oneLine(decided.reason)}`, 'dim')]
				: [span(safeText` “${oneLine(decided.reason)}”`, 'dim')]
	const proof =
		decided.by !== 'device'
			? []
			: decided.verified
				? [span(safeText` · signature checked`, 'dim')]
				: [span(safeText` · signature NOT checked`, 'error')]
	return [span(what, ok ? 'ok' : 'warn'), ...reason, ...proof]
}

function who({ by, device, name, result }: Omit<Decided, 'at'>): SafeText {
	if (by === 'agent') return safeText` where the agent runs`
	if (by === 'policy') return safeText` by policy`
	if (by === 'host')
		return result === 'expired' ? safeText`: no answer in time` : safeText` by the host`
	const known = name ?? device
	return known === null ? safeText` by a device` : safeText` on ${oneLine(known)}`
}
