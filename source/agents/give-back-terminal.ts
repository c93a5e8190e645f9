/** The terminal after an agent that was killed in it. */
import { spawnSync } from 'node:child_process'
import type { Ended } from './child-process.ts'
import { leaveAlternate, ordinary } from './pty/terminal-modes.ts'

/** An agent that ends by itself leaves its terminal as it was; one that a signal has ended can't. */
export function giveBackTerminal({ signal }: Ended): void {
	if (signal === null || !process.stdout.isTTY) return
	process.stdout.write(leaveAlternate + ordinary)
	if (process.platform !== 'win32') spawnSync('stty', ['sane'], { stdio: 'inherit' })
}
