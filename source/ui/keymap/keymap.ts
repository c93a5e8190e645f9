/**
 * Every key there is, in one table: the keys do what it says, and the footer, the help screen and the
 * tests are made from it.
 */
import type { SafeText } from '../../text/safe-text.ts'
import type { KeyName } from '../keys.ts'
import { answeringCommands } from './answering.ts'
import type { Command, KeyContext } from './command.ts'
import { deviceCommands } from './devices.ts'
import { lookingCommands } from './looking.ts'
import { movingCommands } from './moving.ts'
import { programCommands } from './program.ts'
import { sendingCommands } from './sending.ts'

export {
	type Command,
	type Enabled,
	type Group,
	groups,
	type KeyContext,
} from './command.ts'

const table = [
	...deviceCommands,
	...sendingCommands,
	...answeringCommands,
	...movingCommands,
	...lookingCommands,
	...programCommands,
]

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
