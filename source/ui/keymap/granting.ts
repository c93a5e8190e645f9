/** The keys about what is allowed for sessions, and the one that stops everything. */
import { safeText } from '../../text/safe-text.ts'
import type { Command, Enabled, KeyContext } from './command.ts'
import { always, answering } from './screens.ts'

function takeable({ grant }: KeyContext): Enabled {
	if (!grant) return null
	if (grant.keeper === 'agent') {
		return safeText`The agent keeps this rule itself until its session ends.`
	}
	return grant.leaving ? safeText`It is being taken back.` : true
}

const panicStep =
	(step: 'ask' | 'done') =>
	({ screen }: KeyContext): Enabled =>
		screen.name === 'panic' && screen.step === step ? true : null

export const grantingCommands = [
	{
		id: 'grants',
		group: 'Answer a request',
		keys: ['t'],
		screens: ['permissions', 'request'],
		label: 'allowed rules',
		description: 'What is allowed for sessions, how often it was used; take it back.',
		footer: 7,
		enabled: always,
	},
	{
		id: 'end-grant',
		group: 'Answer a request',
		keys: ['x'],
		screens: ['grants'],
		label: 'take back',
		description: 'Take back the highlighted rule: what it allowed is asked again.',
		footer: 1,
		enabled: takeable,
	},
	{
		id: 'panic',
		group: 'Answer a request',
		keys: ['!'],
		screens: [...answering, 'grants'],
		label: 'stop all',
		description: 'Deny everything that waits and take back all that is allowed; asks once more.',
		footer: 13,
		// Where there is no session yet, there is nothing to stop.
		enabled: ({ screen, session, waiting }) =>
			screen.name === 'sessions' && !session && waiting === 0 ? null : true,
	},
	{
		id: 'confirm-panic',
		group: 'Answer a request',
		keys: ['enter'],
		screens: ['panic'],
		label: 'yes, stop all of it',
		description: 'Deny everything that waits and take back all that is allowed for sessions.',
		footer: 1,
		enabled: panicStep('ask'),
	},
	{
		id: 'panic-devices',
		group: 'Answer a request',
		keys: ['enter'],
		screens: ['panic'],
		label: 'devices, to revoke one',
		description: 'Go on to the devices, where one can be revoked.',
		footer: 1,
		enabled: panicStep('done'),
	},
] as const satisfies readonly Command[]
