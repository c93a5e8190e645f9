/** The keys that answer requests. */
import { safeText } from '../../text/safe-text.ts'
import { takesOther, unanswerable } from '../../viewer/answers.ts'
import { isChangeable } from '../changed-input.ts'
import { mayRepeat } from '../present/ladder.ts'
import type { Command, Enabled, KeyContext } from './command.ts'
import { always, answering } from './screens.ts'

const answered = safeText`This request was answered already.`

function pending({ focus }: KeyContext): Enabled {
	if (!focus) return null
	if (focus.decision && !mayRepeat(focus.decision)) return safeText`Your answer is on its way.`
	return focus.request.status === 'pending' ? true : answered
}

/** Whether a request may be allowed at all, whatever was read of it. */
export function allowable(context: KeyContext): Enabled {
	const open = pending(context)
	if (open !== true) return open
	const request = context.focus?.request
	if (!request) return null
	if (!request.body || request.problem !== null || request.digest === null) {
		return safeText`What this request asks for could not be verified: it can only be denied.`
	}
	return true
}

function changeable(context: KeyContext): Enabled {
	const body = context.focus?.request.body
	if (!body || isQuestion(context)) return null
	if (body.editable !== true || !isChangeable(body.input)) {
		return safeText`This agent takes no changed input: deny it, and say what to do instead.`
	}
	return allow(context)
}

function isQuestion({ focus }: KeyContext): boolean {
	return Boolean(focus?.request.body?.questions)
}

function answerable(context: KeyContext): Enabled {
	if (!isQuestion(context)) return null
	const may = allow(context)
	if (may !== true) return may
	return unanswerable(context.focus?.request.body?.questions ?? []) === null
		? true
		: safeText`These questions can not be told apart: answer where the agent runs, or deny them.`
}

/** Where the answering of questions is: among them, or at the look at all answers. */
function answeringStep({ screen, focus }: KeyContext): 'question' | 'review' | null {
	if (screen.name !== 'question') return null
	return screen.at < (focus?.request.body?.questions?.length ?? 0) ? 'question' : 'review'
}

const choosingAnswer = (context: KeyContext): Enabled =>
	answeringStep(context) === 'question' ? true : null

function allow(context: KeyContext): Enabled {
	const may = allowable(context)
	if (may !== true) return may
	const unread = context.focus?.unread ?? 0
	if (unread === 0) return true
	return safeText`${unread} lines of this request were not on the screen yet: read them first.`
}

function allowForSession(context: KeyContext): Enabled {
	const may = allowable(context)
	if (may !== true) return may
	if (context.focus?.request.body?.session_rules.length === 0) {
		return safeText`The agent offers no rule for this session here: allow it once, or deny it.`
	}
	return allow(context)
}

export const answeringCommands = [
	{
		id: 'allow',
		group: 'Answer a request',
		keys: ['a'],
		screens: answering,
		label: 'allow',
		description: 'Allow the highlighted request, once.',
		footer: 1,
		enabled: (context) => (isQuestion(context) ? null : allow(context)),
	},
	{
		id: 'answer',
		group: 'Answer a request',
		keys: ['a'],
		screens: answering,
		label: 'answer',
		description: 'Answer the questions of the highlighted request.',
		footer: 1,
		enabled: answerable,
	},
	{
		id: 'change',
		group: 'Answer a request',
		keys: ['e'],
		screens: answering,
		label: 'change',
		description: 'Change what it would do, then allow that, where the agent takes it.',
		footer: 5,
		quiet: true,
		enabled: changeable,
	},
	{
		id: 'show-change',
		group: 'Answer a request',
		keys: ['enter'],
		screens: ['change'],
		label: 'look at it',
		description: 'Look at what was changed, before it is allowed.',
		footer: 1,
		enabled: always,
	},
	{
		id: 'allow-changed',
		group: 'Answer a request',
		keys: ['enter'],
		screens: ['changed'],
		label: 'allow it as changed',
		description: 'Allow the request as it was changed, once.',
		footer: 1,
		enabled: pending,
	},
	{
		id: 'pick-number',
		group: 'Answer a request',
		keys: ['1', '2', '3', '4', '5', '6', '7', '8', '9'],
		screens: ['question'],
		label: 'choose',
		description: 'Choose the answer of this number.',
		footer: 2,
		enabled: choosingAnswer,
	},
	{
		id: 'pick',
		group: 'Answer a request',
		keys: ['space'],
		screens: ['question'],
		label: 'choose or not',
		description: 'Choose the highlighted answer, or no longer.',
		footer: 3,
		enabled: choosingAnswer,
	},
	{
		id: 'write-answer',
		group: 'Answer a request',
		keys: ['o'],
		screens: ['question'],
		label: 'own words',
		description: 'Answer in your own words, where the agent takes them.',
		footer: 4,
		enabled: ({ screen, focus }) => {
			const question =
				screen.name === 'question' ? focus?.request.body?.questions?.[screen.at] : undefined
			return question && takesOther(question) ? true : null
		},
	},
	{
		id: 'next-question',
		group: 'Answer a request',
		keys: ['enter'],
		screens: ['question'],
		label: 'go on',
		description: 'Go on with the highlighted answer, or with those that were chosen.',
		footer: 1,
		enabled: choosingAnswer,
	},
	{
		id: 'take-words',
		group: 'Answer a request',
		keys: ['enter'],
		screens: ['words-of-answer'],
		label: 'go on',
		description: 'Go on with the answer typed.',
		footer: 1,
		enabled: always,
	},
	{
		id: 'send-answers',
		group: 'Answer a request',
		keys: ['enter'],
		screens: ['question'],
		label: 'send the answers',
		description: 'Send the answers shown.',
		footer: 1,
		enabled: (context) => (answeringStep(context) === 'review' ? pending(context) : null),
	},
	{
		id: 'allow-session',
		group: 'Answer a request',
		keys: ['A'],
		screens: answering,
		label: 'for session',
		description: 'Allow it and what the rule shown with it matches, until the session ends.',
		footer: 4,
		enabled: (context) =>
			isQuestion(context) || context.focus?.request.body?.session_rules.length === 0
				? null
				: allowForSession(context),
	},
	{
		id: 'deny',
		group: 'Answer a request',
		keys: ['d'],
		screens: answering,
		label: 'deny',
		description: 'Deny the highlighted request.',
		footer: 2,
		enabled: pending,
	},
	{
		id: 'deny-with-reason',
		group: 'Answer a request',
		keys: ['r'],
		screens: answering,
		label: 'deny, say why',
		description: 'Deny it with a reason, which the agent is told.',
		footer: 3,
		enabled: pending,
	},
	{
		id: 'next-waiting',
		group: 'Answer a request',
		keys: ['n'],
		screens: ['sessions', 'session', 'permissions'],
		label: 'next',
		description: 'Go to the next request that waits.',
		footer: 6,
		enabled: ({ waiting, focus, find }) => (waiting > (focus ? 1 : 0) && !find ? true : null),
	},
	{
		id: 'send-reason',
		group: 'Answer a request',
		keys: ['enter'],
		screens: ['reason'],
		label: 'deny with this reason',
		description: 'Deny the request with the reason typed.',
		footer: 1,
		enabled: pending,
	},
] as const satisfies readonly Command[]
