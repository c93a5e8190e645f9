/** The family of `devices`: who can read this. */
import type { CommandSpec, FlagSpec } from '../command.ts'
import { json, yes } from '../shared-flags.ts'

const none = { min: 0, max: 0 }
const one = { min: 1, max: 1 }
const name: FlagSpec = {
	type: 'string',
	value: 'NAME',
	summary: 'what this device is called (default: the name of the machine)',
}
const wait: FlagSpec = {
	type: 'number',
	value: 'SECONDS',
	min: 0,
	summary: 'how long to wait for the hosts of live sessions (default: 10)',
}

export const devicesCommands: readonly CommandSpec[] = [
	{
		name: 'devices',
		usage: 'devices',
		summary: 'which devices can read this account, who added them, and when',
		args: none,
		flags: { json },
	},
	{
		name: 'devices verify',
		usage: 'devices verify',
		summary: 'replay the whole device log and say what holds',
		args: none,
		flags: { json },
	},
	{
		name: 'devices log',
		usage: 'devices log',
		summary: 'the history of devices: who did what, and when',
		args: none,
		flags: {
			limit: {
				type: 'number',
				value: 'N',
				min: 1,
				whole: true,
				summary: 'only the last N entries (default: all)',
			},
			json,
		},
	},
	{
		name: 'devices access',
		usage: 'devices access [device]',
		summary: 'which device holds the keys of which session, granted by whom, and when',
		args: { min: 0, max: 1 },
		flags: {
			session: { type: 'string', value: 'SESSION', summary: 'only of this session' },
			limit: {
				type: 'number',
				value: 'N',
				min: 1,
				whole: true,
				summary: 'end after N lines (default: all)',
			},
			json,
		},
	},
	{
		name: 'devices add',
		usage: 'devices add',
		summary: 'make this a device of the account: shows a code, to be approved on another one',
		args: none,
		flags: { name, json },
	},
	{
		name: 'devices approve',
		usage: 'devices approve <code>',
		summary: 'register the device that shows this code, and give it all that this one can read',
		args: one,
		flags: {
			name: { ...name, summary: 'what it is called here (default: what it calls itself)' },
			yes,
			json,
		},
	},
	{
		name: 'devices rename',
		usage: 'devices rename <device> <name>',
		summary: 'call a device something else',
		args: { min: 2, max: 2 },
		flags: { json },
	},
	{
		name: 'devices share',
		usage: 'devices share <device>',
		summary: 'give a device every key that this one holds, once more',
		args: one,
		flags: { json },
	},
	{
		name: 'devices revoke',
		usage: 'devices revoke <device>',
		summary: 'shut a device out of all that comes, and prove that it is',
		args: one,
		flags: {
			reason: { type: 'string', value: 'TEXT', summary: 'kept in the log; the server sees it' },
			'dry-run': { type: 'boolean', summary: 'only say what it would do' },
			wait,
			yes,
			json,
		},
	},
	{
		name: 'devices recovery',
		usage: 'devices recovery',
		summary: 'make the recovery key: 24 words that bring everything back when all devices are gone',
		args: none,
		flags: {
			check: { type: 'boolean', summary: 'say whether words are the recovery key in force' },
			replace: { type: 'boolean', summary: 'make another one, and revoke the one before' },
			yes: { type: 'boolean', summary: 'print the words without asking for two of them' },
			json,
		},
	},
	{
		name: 'devices recover',
		usage: 'devices recover',
		summary: 'make this a device of the account with the words of the recovery key',
		args: none,
		flags: { name, json },
	},
]
