/** The keys that send something to an agent besides answers. */
import { type SafeText, safeText } from '../../text/safe-text.ts'
import type { SessionFacts } from '../../viewer/viewer.ts'
import type { Command, Enabled, KeyContext } from './command.ts'

type Takes = NonNullable<SessionFacts['takes']>

function taken(takes: (takes: Takes) => boolean, otherwise: SafeText) {
	return ({ route }: KeyContext): Enabled => {
		if (!route) return null
		if (route.closed !== null) return route.closed
		if (!route.facts.takes) {
			return safeText`The host of this session has not said that it takes anything from here.`
		}
		return takes(route.facts.takes) ? true : otherwise
	}
}

const prompted = taken(
	({ prompt }) => prompt,
	safeText`This session runs in its own interface: type there.`,
)
const interruptible = taken(
	({ interrupt }) => interrupt,
	safeText`This session runs in its own interface: interrupt it there.`,
)
const interrupted = (context: KeyContext): Enabled => {
	const may = interruptible(context)
	if (may !== true || context.route?.busy) return may
	return safeText`The agent does nothing just now: there is nothing to interrupt.`
}
const changed = taken(
	({ modes }) => modes.length > 0,
	safeText`The mode of this session can be changed only where it runs.`,
)

export const sendingCommands = [
	{
		id: 'write-prompt',
		group: 'Send to the agent',
		keys: ['i'],
		screens: ['session'],
		label: 'prompt',
		description: 'Write a prompt for the agent; one that was begun is kept.',
		footer: 8,
		quiet: true,
		enabled: prompted,
	},
	{
		id: 'interrupt-agent',
		group: 'Send to the agent',
		keys: ['x'],
		screens: ['session'],
		label: 'interrupt',
		description: 'Interrupt the agent; asks once more.',
		footer: 8,
		quiet: true,
		enabled: interrupted,
	},
	{
		id: 'choose-mode',
		group: 'Send to the agent',
		keys: ['m'],
		screens: ['session'],
		label: 'mode',
		description: "Choose among the agent's permission modes.",
		footer: 8,
		quiet: true,
		enabled: changed,
	},
	{
		id: 'send-prompt',
		group: 'Send to the agent',
		keys: ['enter'],
		screens: ['prompt'],
		label: 'send',
		description: 'Send the prompt.',
		footer: 1,
		enabled: prompted,
	},
	{
		id: 'new-line',
		group: 'Send to the agent',
		keys: ['ctrl-j', 'alt-enter'],
		screens: ['prompt', 'change'],
		label: 'new line',
		description: 'Begin a new line; what is pasted keeps its own.',
		footer: 2,
		enabled: () => true,
	},
	{
		id: 'confirm-interrupt',
		group: 'Send to the agent',
		keys: ['enter'],
		screens: ['interrupt'],
		label: 'interrupt it',
		description: 'Interrupt the agent.',
		footer: 1,
		enabled: interrupted,
	},
	{
		id: 'set-mode',
		group: 'Send to the agent',
		keys: ['enter'],
		screens: ['modes'],
		label: 'choose',
		description: 'Put the agent in the highlighted mode.',
		footer: 1,
		enabled: changed,
	},
] as const satisfies readonly Command[]
