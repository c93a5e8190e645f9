/** The terminal after an agent that was killed in it. */
import { spawnSync } from 'node:child_process'
import type { Ended } from './child-process.ts'
import { freshLine, leaveAlternate, ordinary } from './pty/terminal-modes.ts'

/**
 * An agent that ends by itself leaves its terminal as it was; one that a signal has ended can't. `inline`: it
 * draws on the ordinary screen, where its line for prompts is left and the cursor in it.
 */
export function giveBackTerminal({ signal }: Ended, inline = false): void {
	if (signal === null || !process.stdout.isTTY) return
	process.stdout.write(leaveAlternate + ordinary + (inline ? freshLine : ''))
	if (process.platform !== 'win32') spawnSync('stty', ['sane'], { stdio: 'inherit' })
}
