/**
 * Every key there is, in one table: the keys do what it says, and the footer, the help screen and the
 * tests are made from it.
 */
import { displayText, type SafeText, safeText } from '../../text/safe-text.ts'
import { type KeyName, keySymbol } from '../keys.ts'
import { answeringCommands } from './answering.ts'
import type { Command, KeyContext } from './command.ts'
import { costCommands } from './cost.ts'
import { deviceCommands } from './devices.ts'
import { grantingCommands } from './granting.ts'
import { listingCommands } from './listing.ts'
import { lookingCommands } from './looking.ts'
import { movingCommands } from './moving.ts'
import { programCommands } from './program.ts'
import { readingCommands } from './reading.ts'
import { replayCommands } from './replay.ts'
import { searchingCommands } from './searching.ts'
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
	...grantingCommands,
	...movingCommands,
	...lookingCommands,
	...listingCommands,
	...readingCommands,
	...costCommands,
	...searchingCommands,
	...replayCommands,
	...programCommands,
]

export type CommandId = (typeof table)[number]['id']
export interface BoundCommand extends Command {
	id: CommandId
}
export const commands: readonly BoundCommand[] = table

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
	'confirm-panic',
])

/** The table with the keys that are in force. */
export class Keymap {
	readonly commands: readonly BoundCommand[]

	constructor(commands: readonly BoundCommand[]) {
		this.commands = commands
	}

	/** The command of a key on the screen on top, whether or not it works just now. */
	commandFor(
		key: KeyName,
		context: KeyContext,
	): { command: BoundCommand; enabled: true | SafeText } | null {
		for (const command of this.commands) {
			if (!command.keys.includes(key) || !command.screens.includes(context.screen.name)) continue
			const enabled = command.enabled(context)
			if (enabled !== null) return { command, enabled }
		}
		return null
	}

	/** The first key of a command, as texts on the screen name it. */
	key(id: CommandId): SafeText {
		const name = this.commands.find((command) => command.id === id)?.keys[0]
		return name === undefined ? safeText`(no key)` : displayText(keySymbol(name))
	}
}

/** The table's own keys. */
export const defaultKeymap = new Keymap(commands)
