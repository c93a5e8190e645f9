/** The keys of the screens about devices. */
import { safeText } from '../../text/safe-text.ts'
import { isUnfinished } from '../../viewer/devices.ts'
import type { Command, Enabled, KeyContext } from './command.ts'

const always = (): Enabled => true

/** One act at a time: what runs is finished first. */
function free({ act }: KeyContext): Enabled {
	return isUnfinished(act) ? safeText`Wait until what runs is finished.` : true
}

function renamable(context: KeyContext): Enabled {
	const { device } = context
	if (!device || device.kind === 'intruder') return null
	return free(context)
}

function revocable(context: KeyContext): Enabled {
	const { device } = context
	if (!device) return null
	if (device.kind === 'intruder') {
		return safeText`The log does not know this key: there is nothing to revoke.`
	}
	return device.active ? free(context) : safeText`This device was revoked already.`
}

/** While the words are at work, nothing else is. */
function askable({ joining }: KeyContext): Enabled {
	return joining === 'recovering' || joining === 'joined' ? null : true
}

export const deviceCommands = [
	{
		id: 'devices',
		group: 'Look',
		keys: ['D'],
		screens: ['sessions', 'session', 'permissions', 'request'],
		label: 'devices',
		description: 'Who can read this: all devices of the account.',
		footer: 13,
		enabled: always,
	},
	{
		id: 'approve-code',
		group: 'Devices',
		keys: ['a'],
		screens: ['devices'],
		label: 'add by code',
		description: 'Add a device: type or paste the code that it shows.',
		footer: 1,
		enabled: free,
	},
	{
		id: 'approve-device',
		group: 'Devices',
		keys: ['y'],
		screens: ['act'],
		label: 'yes, add it',
		description: 'Add the device that was found; it can then read all that this one can.',
		footer: 1,
		enabled: ({ act }) => (act?.type === 'approve' && act.step === 'found' ? true : null),
	},
	{
		id: 'rename-device',
		group: 'Devices',
		keys: ['r'],
		screens: ['devices', 'device'],
		label: 'rename',
		description: 'Give the highlighted device another name.',
		footer: 2,
		enabled: renamable,
	},
	{
		id: 'revoke-device',
		group: 'Devices',
		keys: ['x'],
		screens: ['devices', 'device'],
		label: 'revoke',
		description: 'Revoke the highlighted device: what that does is shown first.',
		footer: 3,
		enabled: revocable,
	},
	{
		id: 'confirm-revoke',
		group: 'Devices',
		keys: ['enter'],
		screens: ['act'],
		label: 'type its name to revoke it',
		description: 'Revoke it: its name has to be typed.',
		footer: 1,
		enabled: ({ act }) =>
			act?.type === 'revoke' && act.step === 'planned' && act.plan?.last === false ? true : null,
	},
	{
		id: 'recovery-key',
		group: 'Devices',
		keys: ['w'],
		screens: ['devices'],
		label: 'recovery key',
		description: 'Make a recovery key, 24 words for paper; replaces the one that there is.',
		footer: 4,
		enabled: free,
	},
	{
		id: 'words-written',
		group: 'Devices',
		keys: ['enter'],
		screens: ['act'],
		label: 'I have written them down',
		description: 'The words were written down: hide them, and type two of them.',
		footer: 1,
		enabled: ({ act }) =>
			act?.type === 'recovery' && (act.step === 'shown' || act.step === 'asked') ? true : null,
	},
	{
		id: 'verify-devices',
		group: 'Devices',
		keys: ['v'],
		screens: ['devices'],
		label: 'verify',
		description: 'Check the whole log, and the list of the server against it.',
		footer: 6,
		enabled: free,
	},
	{
		id: 'device-log',
		group: 'Devices',
		keys: ['L'],
		screens: ['devices'],
		label: 'log',
		description: 'The log: who added, renamed and revoked what, and when.',
		footer: 7,
		enabled: always,
	},
	{
		id: 'access',
		group: 'Devices',
		keys: ['m'],
		screens: ['devices'],
		label: 'access',
		description: 'Which device was given the keys of which session, by whom and when.',
		footer: 8,
		enabled: always,
	},
	{
		id: 'device-details',
		group: 'Devices',
		keys: ['enter', 'right', 'l'],
		screens: ['devices'],
		label: 'details',
		description: 'All of the highlighted device.',
		footer: 5,
		enabled: ({ device }) => (device ? true : null),
	},
	{
		id: 'show-act',
		group: 'Devices',
		keys: ['s'],
		screens: ['devices'],
		label: 'show what was done',
		description: 'Back to what is being done, or was done last.',
		footer: 0,
		enabled: ({ act }) => (act ? true : null),
	},
	{
		id: 'send-line',
		group: 'Devices',
		keys: ['enter'],
		screens: ['typing'],
		label: 'go on',
		description: 'Go on with what was typed.',
		footer: 1,
		enabled: always,
	},
	{
		id: 'enter-words',
		group: 'Devices',
		keys: ['w'],
		screens: ['join'],
		label: 'recovery words',
		description: 'Use the 24 words of the recovery key instead of another device.',
		footer: 1,
		enabled: askable,
	},
	{
		id: 'new-code',
		group: 'Devices',
		keys: ['n'],
		screens: ['join'],
		label: 'new code',
		description: 'Show a new code; the one before is then of no use.',
		footer: 2,
		enabled: askable,
	},
	{
		id: 'send-words',
		group: 'Devices',
		keys: ['enter'],
		screens: ['words'],
		label: 'use them',
		description: 'Approve this device with the words typed.',
		footer: 1,
		enabled: always,
	},
	{
		id: 'hide-words',
		group: 'Devices',
		keys: ['tab'],
		screens: ['words'],
		label: 'show or hide',
		description: 'Show the words while they are typed, or hide them.',
		footer: 2,
		enabled: always,
	},
] as const satisfies readonly Command[]
