/** Answering the questions of an agent, one after the other, with a look at all answers before they are sent. */
import type { Question } from '../protocol/events.ts'
import { safeText } from '../text/safe-text.ts'
import {
	answersInput,
	isAnswered,
	nothingPicked,
	type Picked,
	pick,
	takesOther,
	write,
} from '../viewer/answers.ts'
import type { RequestView } from '../viewer/viewer.ts'
import { guarded, sendAnswer } from './answering.ts'
import type { App } from './app.ts'
import type { ShownRequest } from './attention.ts'
import type { KeyName } from './keys.ts'
import { editText, emptyEdit, insertText } from './line-edit.ts'
import { reviewOf } from './present/review-lines.ts'
import { type QuestionScreen, type Size, topScreen } from './state.ts'

/** The request that the questions on the screen are of, unless it has changed since they were read. */
export function askedBy(
	requests: readonly RequestView[],
	{ request, digest }: Pick<QuestionScreen, 'request' | 'digest'>,
): { request: RequestView; questions: readonly Question[] } | null {
	const found = requests.find(({ id }) => id === request)
	const questions = found?.body?.questions
	if (!found || !questions || found.digest !== digest || found.status !== 'pending') return null
	return { request: found, questions }
}

export function beginAnswering(app: App): void {
	const request = guarded(app, 'allow')
	const questions = request?.body?.questions
	if (!request || !questions) return
	const screen: QuestionScreen = {
		name: 'question',
		request: request.id,
		digest: request.digest,
		at: 0,
		highlighted: 0,
		picked: questions.map(() => nothingPicked),
	}
	app.update((ui) => ({ ...ui, screens: [...ui.screens, screen] }))
	openWords(app)
}

/** What is on the screen, and what it is about. `null`: nothing, or it is over, which is then said. */
function current(app: App) {
	const top = topScreen(app.ui)
	if (top.name !== 'question' && top.name !== 'words-of-answer') return null
	const { asking } = top.name === 'question' ? { asking: top } : top
	const asked = askedBy(app.options.viewer.requests.get(), asking)
	if (!asked) {
		app.update((ui) => ({ ...ui, screens: withoutAsking(ui.screens) }))
		app.toast(safeText`This question was answered in the meantime: nothing was sent.`, 'warn')
		return null
	}
	return { ...asked, asking, question: asked.questions[asking.at] ?? null }
}

function withoutAsking<S extends { name: string }>(screens: readonly S[]): S[] {
	return screens.filter(({ name }) => name !== 'question' && name !== 'words-of-answer')
}

function show(app: App, asking: QuestionScreen): void {
	app.update((ui) => ({ ...ui, screens: [...withoutAsking(ui.screens), asking] }))
}

function picked(asking: QuestionScreen): Picked {
	return asking.picked[asking.at] ?? nothingPicked
}

function goTo(app: App, asking: QuestionScreen, at: number): void {
	show(app, { ...asking, at, highlighted: 0 })
	openWords(app)
}

/** A key that names an option by its number. */
export function pickNumber(app: App, key: KeyName): void {
	choose(app, Number(key) - 1, true)
}

/** The highlighted option: chosen, or no longer. */
export function pickHighlighted(app: App): void {
	const top = topScreen(app.ui)
	if (top.name === 'question') choose(app, top.highlighted, false)
}

function choose(app: App, option: number, goOn: boolean): void {
	const now = current(app)
	if (!now?.question) return
	const { asking, question } = now
	if (option >= question.options.length) {
		if (option === question.options.length && takesOther(question)) writeAnswer(app)
		return
	}
	const next = asking.picked.with(asking.at, pick(question, picked(asking), option))
	const chosen = { ...asking, picked: next, highlighted: option }
	if (goOn && !question.multiple) goTo(app, chosen, asking.at + 1)
	else show(app, chosen)
}

/** To the next question, or to the look at all answers. */
export function nextQuestion(app: App): void {
	const now = current(app)
	if (!now?.question) return
	const { asking, question } = now
	const words = asking.highlighted === question.options.length
	// Where several are chosen, the words stand there as one of them, and it goes on from there.
	if (words && !(question.multiple && picked(asking).other !== null)) {
		writeAnswer(app)
		return
	}
	if (!question.multiple) {
		choose(app, asking.highlighted, true)
		return
	}
	if (isAnswered(question, picked(asking))) goTo(app, asking, asking.at + 1)
	else app.toast(safeText`Choose at least one: space, or its number.`, 'warn')
}

/** To the question before; from the first one, away. `false`: there is none on the screen. */
export function questionBefore(app: App): boolean {
	const top = topScreen(app.ui)
	if (top.name === 'words-of-answer') {
		const question = askedBy(app.data.requests, top.asking)?.questions[top.asking.at]
		if (question?.options.length === 0) return stepBack(app, top.asking)
		show(app, top.asking)
		return true
	}
	return top.name === 'question' && stepBack(app, top)
}

function stepBack(app: App, asking: QuestionScreen): boolean {
	if (asking.at === 0) app.update((ui) => ({ ...ui, screens: withoutAsking(ui.screens) }))
	else goTo(app, asking, asking.at - 1)
	return true
}

/** Where there is nothing to choose from, the words are asked for at once. */
function openWords(app: App): void {
	const now = current(app)
	if (now?.question?.options.length === 0) writeAnswer(app)
}

/** An answer in the person's own words. */
export function writeAnswer(app: App): void {
	const now = current(app)
	if (!now?.question || !takesOther(now.question)) return
	const { asking } = now
	const edit = insertText(emptyEdit, picked(asking).other ?? '')
	app.update((ui) => ({
		...ui,
		screens: [...withoutAsking(ui.screens), { name: 'words-of-answer', asking, edit }],
	}))
}

export function takeWords(app: App): void {
	const now = current(app)
	const top = topScreen(app.ui)
	if (!now?.question || top.name !== 'words-of-answer') return
	const { asking, question } = now
	const text = editText(top.edit).trim()
	const next = write(question, picked(asking), text)
	const written = { ...asking, picked: asking.picked.with(asking.at, next) }
	if (isAnswered(question, next) && !question.multiple) goTo(app, written, asking.at + 1)
	else show(app, { ...written, highlighted: question.options.length })
}

/** What a frame shows of all answers, for the guard: as long as they may be, each line is to be seen. */
export function reviewShown(
	{ request, picked, highlighted }: QuestionScreen,
	questions: readonly Question[],
	size: Size,
): ShownRequest {
	const { from, to, total } = reviewOf(questions, picked, highlighted, size)
	const digest = JSON.stringify(answersInput(questions, picked))
	return { id: `answers to ${request}`, digest, width: size.columns, total, from, to }
}

/** Sends all answers, to the request whose questions were on the screen. */
export function sendAnswers(app: App): void {
	const now = current(app)
	if (!now || now.question) return
	const { asking, request, questions } = now
	if (!app.mayAnswer(request.id, 'deny').ok) {
		app.toast(safeText`That came too soon: look at the answers, and press it again.`, 'warn')
		return
	}
	const { id, digest, total } = reviewShown(asking, questions, app.seen.size)
	const unread = app.attention.unread(id, digest, total)
	if (unread > 0) {
		app.toast(safeText`${unread} lines of the answers were not on the screen yet: ↓ first.`, 'warn')
		return
	}
	app.update((ui) => ({ ...ui, screens: withoutAsking(ui.screens) }))
	const input = answersInput(questions, asking.picked)
	sendAnswer(app, request, { decision: 'allow', scope: 'once', input })
}

/** Moves the highlight among the options. `false`: there are none on the screen. */
export function moveAmongOptions(app: App, by: 1 | -1): boolean {
	const now = topScreen(app.ui).name === 'question' ? current(app) : null
	if (!now) return false
	const { asking, question, questions } = now
	const last = question
		? question.options.length - (takesOther(question) ? 0 : 1)
		: reviewOf(questions, asking.picked, 0, app.ui.size).lastTop
	const highlighted = Math.max(0, Math.min(last, asking.highlighted + by))
	show(app, { ...asking, highlighted })
	return true
}
