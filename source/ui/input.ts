/** The line of text that is being typed, as it is shown above the footer. */

import { oneLine } from '../text/one-line.ts'
import { displayText, joinText, repeatText, type SafeText, safeText } from '../text/safe-text.ts'
import { type StyledLine, span, truncateLine } from '../text/styled.ts'
import { textWidth } from '../text/width.ts'
import { wrapLine } from '../text/wrap.ts'
import { noFacts } from '../viewer/unread.ts'
import { askedBy } from './asking.ts'
import { blockFrame } from './block-frame.ts'
import type { InputFrame, Model } from './frame.ts'
import { panicPlan } from './granting.ts'
import type { Keymap } from './keymap/keymap.ts'
import type { LineEdit } from './line-edit.ts'
import { changeDiff } from './present/changed-lines.ts'
import { deviceName, sessionsText } from './present/device-name.ts'
import { modeLines } from './present/mode-lines.ts'
import { questionLabel, questionLines } from './present/question-lines.ts'
import { riskSpan } from './present/request-card.ts'
import { sessionName } from './present/session-row.ts'
import { routeOf } from './route.ts'
import { filterText, readFilter } from './session-filter.ts'
import type { Snapshot } from './snapshot.ts'
import { type QuestionScreen, type Screen, type Size, topScreen } from './state.ts'

const exportQuestion = safeText`Write all of it, in the clear, to the file (.md, or .jsonl):`

/** Lines that say what is typed, or what is wrong with it, at most: on a low terminal, and else. */
const labelRows = (rows: number) => (rows < 12 ? 1 : 3)

export function inputOf({
	ui,
	data,
	keymap,
	now,
}: Pick<Model, 'ui' | 'data' | 'keymap' | 'now'>): InputFrame | null {
	const top = topScreen(ui)
	const { size } = ui
	const nameOf = (session: string) => {
		const summary = data.sessions.find(({ id }) => id === session)
		return summary ? sessionName(summary) : safeText`this session`
	}
	switch (top.name) {
		case 'prompt': {
			const label = [span(safeText`Prompt for ${nameOf(top.session)}:`, 'strong')]
			return blockFrame(labelLines(label, size), top.edit, size)
		}
		case 'interrupt': {
			const question = safeText`Interrupt the agent of ${nameOf(top.session)}? What it is doing ends.`
			return { label: labelLines([span(question, 'strong')], size), text: [], cursor: null }
		}
		case 'modes': {
			const label = [span(safeText`Mode of ${nameOf(top.session)}:`, 'strong')]
			const facts = routeOf({ ui, data })?.facts ?? noFacts
			const agent = data.sessions.find(({ id }) => id === top.session)?.agent ?? ''
			const text = modeLines(facts, { selected: top.selected, agent }, size)
			return { label: labelLines(label, size), text, cursor: null }
		}
		case 'search-line': {
			const { problem } = data.search
			const place = problem && safeText`at character ${problem.at + 1}: ${oneLine(problem.message)}`
			return inputFrame(searchQuestion, top.edit, size, { problem: place })
		}
		case 'filter': {
			const { problem } = readFilter(filterText(ui), { now, typing: true })
			return inputFrame(filterQuestion, top.edit, size, { problem })
		}
		case 'archive': {
			const question = safeText`Archive ${sessionsText(top.sessions.length)} that ${top.sessions.length === 1 ? safeText`is` : safeText`are`} over? Nothing is deleted: is:archived lists them.`
			return { label: labelLines([span(question, 'strong')], size), text: [], cursor: null }
		}
		case 'export-cost':
			return inputFrame(costFileQuestion, top.edit, size, { problem: top.problem })
		case 'export':
			return inputFrame(exportQuestion, top.edit, size, { problem: top.problem })
		case 'find': {
			const again =
				ui.lastFind === null ? safeText`` : safeText` (⏎ alone: “${oneLine(ui.lastFind)}” again)`
			return inputFrame(safeText`Find in this session${again}:`, top.edit, size)
		}
		case 'panic':
			return panicFrame(top, data, size)
		case 'reason':
			return inputFrame(safeText`Why not? The agent is told:`, top.edit, size)
		case 'typing':
			return inputFrame(questionOf(top.what, data), top.edit, size, top)
		case 'change': {
			const label = [span(safeText`What it is to do instead:`, 'strong')]
			return blockFrame(labelLines(label, size), top.edit, size)
		}
		case 'changed':
			return changedFrame(top, data, size)
		case 'question':
			return questionInput(top, data, size, keymap)
		case 'words-of-answer': {
			const { questions } = askedBy(data.requests, top.asking) ?? { questions: [] }
			return inputFrame(questionLabel(questions, top.asking.at), top.edit, size)
		}
		case 'help-filter':
			return inputFrame(safeText`Keys that have to do with:`, top.edit, size)
		default:
			return null
	}
}

const costFileQuestion = safeText`Write what is shown to a CSV file:`
const searchQuestion = safeText`Search all sessions:`
const filterQuestion = safeText`List only: words, agent: project: host: is: since: until:`

function panicText(
	{ deny, end, rules, stay }: ReturnType<typeof panicPlan>,
	looking: boolean,
): SafeText {
	const waits =
		deny.length === 1
			? safeText`deny the request that waits`
			: safeText`deny the ${deny.length} requests that wait`
	const kept = looking
		? safeText`take back all that is allowed for ${sessionsText(end.length)}`
		: rules === 1
			? safeText`take back the 1 rule allowed for a session`
			: safeText`take back the ${rules} rules allowed for sessions`
	const acts = [...(deny.length > 0 ? [waits] : []), ...(end.length > 0 ? [kept] : [])]
	const stays =
		stay === 0
			? safeText``
			: safeText` ${stay} that agents keep stay in force until their sessions end.`
	return acts.length === 0
		? safeText`Stop all? Nothing waits, and no host keeps a rule.${stays}`
		: safeText`Stop all: ${joinText(acts, safeText`, and `)}?${stays}`
}

function panicFrame(
	{ step, denied, ended }: Extract<Screen, { name: 'panic' }>,
	data: Snapshot,
	size: Size,
): InputFrame {
	if (step === 'done') {
		const text = safeText`On its way: ${denied} denied, ${sessionsText(ended)} told to end what they allow. Is a device not yours any more? It can be revoked.`
		return { label: labelLines([span(text, 'strong')], size), text: [], cursor: null }
	}
	const text = panicText(panicPlan(data), data.grants.looking)
	return { label: labelLines([span(text, 'warn')], size), text: [], cursor: null }
}

function changedFrame(
	{ request, digest, input, risk }: Extract<Screen, { name: 'changed' }>,
	data: Snapshot,
	size: Size,
): InputFrame {
	const body = data.requests.find((one) => one.id === request && one.digest === digest)?.body
	if (!body) {
		const label = [span(safeText`This request is over.`, 'warn')]
		return { label: labelLines(label, size), text: [], cursor: null }
	}
	const label = [span(safeText`Allow it as changed, once? Risk: `, 'strong'), riskSpan(risk)]
	const text = changeDiff(body.input, input, size.columns)
	return { label: labelLines(label, size), text, cursor: null }
}

function questionInput(
	asking: QuestionScreen,
	data: Snapshot,
	size: Size,
	keymap: Keymap,
): InputFrame {
	const asked = askedBy(data.requests, asking)
	if (!asked) {
		const label = [span(safeText`This question is over.`, 'warn')]
		return { label: labelLines(label, size), text: [], cursor: null }
	}
	const label = [span(questionLabel(asked.questions, asking.at), 'strong')]
	const text = questionLines(asked.questions, asking, size, keymap)
	return { label: labelLines(label, size), text, cursor: null }
}

function questionOf(
	typing: Extract<ReturnType<typeof topScreen>, { name: 'typing' }>['what'],
	{ devices, act }: Pick<Snapshot, 'devices' | 'act'>,
): SafeText {
	const nameOf = (id: string) =>
		deviceName(id, devices.devices.find((device) => device.id === id)?.name ?? null)
	switch (typing.what) {
		case 'code':
			return safeText`The code that the new device shows:`
		case 'rename':
			return safeText`Another name for ${nameOf(typing.device)}:`
		case 'revoke':
			return safeText`Type its name, ${nameOf(typing.device)}, to revoke it:`
		case 'word': {
			const place = act?.type === 'recovery' ? act.asked[typing.index] : 0
			return safeText`Word ${place + 1} of the 24:`
		}
	}
}

function labelLines(line: StyledLine, { columns, rows }: Size): StyledLine[] {
	const indent = [span(safeText` `)]
	return wrapLine(line, columns - 1, { first: indent, rest: indent }).slice(0, labelRows(rows))
}

/** `problem` stands in the place of the question. */
export function inputFrame(
	question: SafeText,
	{ characters, cursor }: LineEdit,
	{ columns, rows }: Size,
	{ problem = null, hidden = false }: { problem?: SafeText | null; hidden?: boolean } = {},
): InputFrame {
	const shown = hidden ? characters.map(() => '•') : characters
	const room = columns - 4
	// The part around the cursor, where it is longer than the line.
	let start = cursor
	let width = 0
	while (start > 0) {
		const before = textWidth(shown[start - 1] ?? '')
		if (width + before > room) break
		width += before
		start--
	}
	const said = problem === null ? span(question, 'strong') : span(safeText`✗ ${problem}`, 'error')
	const text = hidden
		? repeatText(safeText`•`, shown.length - start)
		: displayText(shown.slice(start).join(''))
	return {
		label: labelLines([said], { columns, rows }),
		text: [truncateLine([span(safeText` › `, 'accent'), span(text)], columns)],
		cursor: { column: 3 + width, row: 0 },
	}
}
