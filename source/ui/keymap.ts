/**
 * Every key there is, in one table: the keys do what it says, and the footer, the help screen and the
 * tests are made from it.
 */
import { type SafeText, safeText } from '../text/safe-text.ts'
import { takesOther, unanswerable } from '../viewer/answers.ts'
import { isUnfinished } from '../viewer/devices.ts'
import { isChangeable } from './changed-input.ts'
import type { Command, Enabled, KeyContext } from './command.ts'
import { deviceCommands } from './keymap-devices.ts'
import { sendingCommands } from './keymap-sending.ts'
import type { KeyName } from './keys.ts'
import { mayRepeat } from './present/ladder.ts'
import type { ScreenName } from './state.ts'

export {
	type Command,
	type Enabled,
	type Group,
	groups,
	type KeyContext,
} from './command.ts'

const lists: readonly ScreenName[] = ['sessions', 'permissions', 'devices', 'history', 'access']
const scrolled: readonly ScreenName[] = ['session', 'request', 'device', 'act', 'help', 'join']
const moving: readonly ScreenName[] = [...lists, ...scrolled]
const answering: readonly ScreenName[] = ['sessions', 'session', 'permissions', 'request']
const typing: readonly ScreenName[] = [
	'reason',
	'typing',
	'words',
	'prompt',
	'change',
	'words-of-answer',
]
const choosing: readonly ScreenName[] = ['modes', 'question']
const everywhere: readonly ScreenName[] = [
	...moving,
	...typing,
	...choosing,
	'interrupt',
	'changed',
	'revoked',
]

const always = (): Enabled => true
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

const table = [
	...deviceCommands,
	...sendingCommands,
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
		id: 'up',
		group: 'Move',
		keys: ['up', 'k'],
		screens: [...moving, ...choosing],
		label: 'move',
		description: 'One line up.',
		footer: null,
		enabled: always,
	},
	{
		id: 'down',
		group: 'Move',
		keys: ['down', 'j'],
		screens: [...moving, ...choosing],
		label: 'move',
		description: 'One line down.',
		footer: null,
		enabled: always,
	},
	{
		id: 'open',
		group: 'Look',
		keys: ['enter', 'right', 'l'],
		screens: ['sessions'],
		label: 'open',
		description: 'Open the highlighted session.',
		footer: 5,
		enabled: ({ session }) => (session ? true : null),
	},
	{
		id: 'see-all',
		group: 'Look',
		keys: ['enter'],
		screens: ['permissions', 'session'],
		label: 'see all',
		description: 'Show all of the highlighted request.',
		footer: 5,
		enabled: ({ focus, selected, screen }) =>
			focus && !(selected && screen.name === 'session') ? true : null,
	},
	{
		id: 'fold',
		group: 'Look',
		keys: ['enter', 'space'],
		screens: ['session'],
		label: 'fold',
		description: 'Fold or unfold what is selected.',
		footer: 6,
		enabled: ({ selected }) => (selected ? true : null),
	},
	{
		id: 'next-item',
		group: 'Look',
		keys: ['tab'],
		screens: ['session'],
		label: 'select',
		description: 'Select the next command, edit or request.',
		footer: 7,
		enabled: ({ foldable }) => (foldable ? true : null),
	},
	{
		id: 'previous-item',
		group: 'Look',
		keys: ['shift-tab'],
		screens: ['session'],
		label: 'select',
		description: 'Select the one before.',
		footer: null,
		enabled: ({ foldable }) => (foldable ? true : null),
	},
	{
		id: 'fold-all',
		group: 'Look',
		keys: ['o'],
		screens: ['session'],
		label: 'unfold all',
		description: 'Unfold everything, or fold it again.',
		footer: 8,
		enabled: always,
	},
	{
		id: 'page-up',
		group: 'Move',
		keys: ['pageUp', 'ctrl-u', 'ctrl-b'],
		screens: moving,
		label: 'page',
		description: 'One page up.',
		footer: null,
		enabled: always,
	},
	{
		id: 'page-down',
		group: 'Move',
		keys: ['pageDown', 'ctrl-d', 'ctrl-f'],
		screens: moving,
		label: 'page',
		description: 'One page down. Where a request is too long for its pane, its next lines.',
		footer: null,
		enabled: always,
	},
	{
		id: 'top',
		group: 'Move',
		keys: ['home', 'g'],
		screens: moving,
		label: 'top',
		description: 'To the first line.',
		footer: null,
		enabled: always,
	},
	{
		id: 'end',
		group: 'Move',
		keys: ['end', 'G'],
		screens: moving,
		label: 'end',
		description: 'To the last line; in a session, follow what the agent does.',
		footer: null,
		enabled: always,
	},
	{
		id: 'follow',
		group: 'Move',
		keys: ['f'],
		screens: ['session'],
		label: 'follow',
		description: 'Go to the live end and stay there.',
		footer: 6,
		enabled: ({ following }) => (following ? null : true),
	},
	{
		id: 'next-waiting',
		group: 'Answer a request',
		keys: ['n'],
		screens: ['sessions', 'session', 'permissions'],
		label: 'next request',
		description: 'Go to the next request that waits.',
		footer: 6,
		enabled: ({ waiting, focus }) => (waiting > (focus ? 1 : 0) ? true : null),
	},
	{
		id: 'permissions',
		group: 'Look',
		keys: ['p'],
		screens: ['sessions', 'session'],
		label: 'permissions',
		description: 'All permission requests, of every session.',
		footer: 9,
		enabled: always,
	},
	{
		id: 'back',
		group: 'Look',
		keys: ['escape', 'left', 'h', 'q'],
		screens: [
			'session',
			'permissions',
			'request',
			'devices',
			'device',
			'history',
			'access',
			'act',
			'help',
			'interrupt',
			'changed',
			...choosing,
		],
		label: 'back',
		description: 'Back to the screen before.',
		footer: 20,
		enabled: always,
	},
	{
		id: 'close-help',
		group: 'Program',
		keys: ['?'],
		screens: ['help'],
		label: 'close',
		description: 'Close this list of keys.',
		footer: null,
		enabled: always,
	},
	{
		id: 'help',
		group: 'Program',
		keys: ['?'],
		screens: [...answering, 'devices', 'device', 'history', 'access', 'act', 'join'],
		label: 'help',
		description: 'This list of keys.',
		footer: 21,
		enabled: always,
	},
	{
		id: 'quit',
		group: 'Program',
		keys: ['q'],
		screens: ['sessions', 'revoked', 'join'],
		label: 'quit',
		description: 'Leave the program.',
		footer: 22,
		enabled: ({ act }) =>
			isUnfinished(act) ? safeText`Devices are being changed: wait, or leave with ^c.` : true,
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
	{
		id: 'cancel',
		group: 'Program',
		keys: ['escape'],
		screens: typing,
		label: 'cancel',
		description: 'Leave things as they are.',
		footer: 2,
		enabled: always,
	},
	{
		id: 'redraw',
		group: 'Program',
		keys: ['ctrl-l'],
		screens: everywhere,
		label: 'redraw',
		description: 'Draw the screen again.',
		footer: null,
		enabled: always,
	},
	{
		id: 'suspend',
		group: 'Program',
		keys: ['ctrl-z'],
		screens: everywhere,
		label: 'suspend',
		description: 'Back to the shell for a while; fg returns.',
		footer: null,
		enabled: always,
	},
	{
		id: 'interrupt',
		group: 'Program',
		keys: ['ctrl-c'],
		screens: everywhere,
		label: 'leave',
		description: 'Leave at once, from anywhere.',
		footer: null,
		enabled: always,
	},
] as const satisfies readonly Command[]

export type CommandId = (typeof table)[number]['id']
export const commands: readonly (Command & { id: CommandId })[] = table

/** Commands that decide something: they are taken only when nothing else came with the key. */
export const answers: ReadonlySet<CommandId> = new Set<CommandId>([
	'approve-device',
	'allow',
	'allow-session',
	'deny',
	'deny-with-reason',
	'answer',
	'change',
	'allow-changed',
	'send-answers',
	'send-prompt',
	'confirm-interrupt',
	'set-mode',
])

/** The command of a key on the screen on top, whether or not it works just now. */
export function commandFor(
	key: KeyName,
	context: KeyContext,
): { command: Command & { id: CommandId }; enabled: true | SafeText } | null {
	for (const command of commands) {
		if (!command.keys.includes(key) || !command.screens.includes(context.screen.name)) continue
		const enabled = command.enabled(context)
		if (enabled !== null) return { command, enabled }
	}
	return null
}
