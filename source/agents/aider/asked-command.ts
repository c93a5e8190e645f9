/** Which of the commands in a reply Aider asks about, by what stands on its screen. */
import { commandsIn } from './edits.ts'
import { squeezed } from './squeezed.ts'

/**
 * The command as the model wrote it: long lines are broken on the screen, and what is above an empty row is
 * not told from what was said before (Aider fills short lines with spaces, to the length of the longest).
 * Where several could be meant, all of them: never less than would run. `null`: it can't be told what would.
 */
export function askedCommand(
	reply: string,
	subject: readonly string[],
	question: string,
): string | null {
	const shown = squeezed(subject.join(''))
	if (shown === '') return null
	const meant = commandsIn(reply).filter((command) => {
		const whole = squeezed(command)
		return whole === shown || (whole.endsWith(shown) && command.includes('\n'))
	})
	if (meant.length > 0) return [...new Set(meant)].join('\n')
	// Aider counts them itself: with one on the screen, there is none above it.
	const lines = subject.filter((line) => !line.trim().startsWith('#'))
	return /commands\?$/.test(question) || lines.length !== 1 ? null : subject.join('\n').trim()
}
