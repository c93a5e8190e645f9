/** The terminal after an agent that was killed in it. */
import { spawnSync } from 'node:child_process'
import type { Ended } from './child-process.ts'

/** The first screen, the cursor, no mouse, no focus, no pasting in brackets, keys and colours as always. */
const asAlways =
	'\u001B[?1049l\u001B[?25h\u001B[?1000l\u001B[?1002l\u001B[?1003l\u001B[?1006l\u001B[?1004l\u001B[?2004l\u001B[<u\u001B[>4;0m\u001B[0m'

/** An agent that ends by itself leaves its terminal as it was; one that a signal has ended can't. */
export function giveBackTerminal({ signal }: Ended): void {
	if (signal === null || !process.stdout.isTTY) return
	process.stdout.write(asAlways)
	if (process.platform !== 'win32') spawnSync('stty', ['sane'], { stdio: 'inherit' })
}
