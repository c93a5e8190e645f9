/** Agents' plans and to-do lists, in whichever form they come, as one checklist. */
import { displayText, type SafeText, safeText } from './safe-text.ts'
import { type Style, type StyledLine, span } from './styled.ts'
import { asInput, textOf } from './tool-input.ts'
import { wrapLine } from './wrap.ts'

export type StepState = 'done' | 'now' | 'open' | 'dropped'

export interface Step {
	state: StepState
	text: string
}

/** Longest list that is looked at. */
const longest = 500

const states: ReadonlyMap<string, StepState> = new Map([
	['completed', 'done'],
	['complete', 'done'],
	['done', 'done'],
	['x', 'done'],
	['in_progress', 'now'],
	['inprogress', 'now'],
	['~', 'now'],
	['cancelled', 'dropped'],
	['canceled', 'dropped'],
	['deleted', 'dropped'],
	['blocked', 'open'],
])

function stateOf(status: unknown): StepState {
	return (typeof status === 'string' && states.get(status.toLowerCase().trim())) || 'open'
}

/** The steps in the input of a call; `null` when it holds no list. */
export function stepsOf(value: unknown): Step[] | null {
	const input = asInput(value)
	const list = input.todos ?? input.plan ?? input.steps
	if (!Array.isArray(list)) return null
	const steps = list.slice(0, longest).flatMap((each): Step[] => {
		if (typeof each === 'string') return [{ state: 'open', text: each }]
		const step = asInput(each)
		const text = textOf(step, 'content', 'step', 'description', 'subject', 'title', 'text')
		return text === null ? [] : [{ state: stateOf(step.status), text }]
	})
	// Of a list in a form that is not known nothing may be missing.
	return steps.length === Math.min(list.length, longest) ? steps : null
}

const listed = /^ *(?:\d+\. |- )?\[(?<status>[ \w~]{0,20})\] (?<text>\S.*)$/

/** The steps of a list that is text, one a line: `[x] Read it`, `2. [in_progress] Change it`. */
export function stepsIn(text: string): { before: string[]; steps: Step[] } | null {
	const before: string[] = []
	const steps: Step[] = []
	for (const line of text.split('\n').slice(0, longest)) {
		const groups = listed.exec(line)?.groups
		if (groups) steps.push({ state: stateOf(groups.status), text: groups.text ?? '' })
		else if (steps.length === 0) before.push(line)
		else if (line.trim() !== '') return null
	}
	return steps.length === 0 ? null : { before, steps }
}

const looks: Readonly<Record<StepState, { sign: SafeText; style: Style; text: Style }>> = {
	done: { sign: safeText`☑ `, style: 'ok', text: 'dim' },
	now: { sign: safeText`▸ `, style: 'accent', text: 'strong' },
	open: { sign: safeText`☐ `, style: 'dim', text: 'plain' },
	dropped: { sign: safeText`☒ `, style: 'dim', text: 'struck' },
}

export function checklistLines(steps: readonly Step[], width: number): StyledLine[] {
	return steps.flatMap(({ state, text }) => {
		const { sign, style, text: look } = looks[state]
		const shown = displayText(text.trim().replace(/\s*\n\s*/g, ' '))
		return wrapLine([span(shown, look)], width, {
			first: [span(sign, style)],
			rest: [span(safeText`  `)],
		})
	})
}

/** `2 of 5 done` */
export function progressText(steps: readonly Step[]): SafeText {
	const kept = steps.filter(({ state }) => state !== 'dropped')
	const done = kept.filter(({ state }) => state === 'done').length
	return safeText`${done} of ${kept.length} done`
}
