/**
 * The readme's pictures, taken of the real program: its demo runs in a pty, an emulated terminal shows it,
 * and what stands on that is written as SVG to docs/media.
 */
import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { Terminal } from '../../test/tools/terminal.ts'
import { svgOf } from './svg.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const media = path.join(root, 'docs/media')
const enter = '\r'
const pageUp = '\u001B[5~'

function demo(columns: number, rows: number): Terminal {
	const { CI: _, NO_COLOR: __, SSH_CONNECTION: ___, SSH_TTY: ____, ...env } = process.env
	return new Terminal({
		command: process.execPath,
		args: [path.join(root, 'bin/styrby-tui.js'), 'demo'],
		env: { ...env, FORCE_COLOR: '1', TZ: 'UTC' },
		columns,
		rows,
	})
}

async function take(terminal: Terminal, name: string, title: string): Promise<void> {
	await terminal.settled()
	await writeFile(path.join(media, `${name}.svg`), svgOf(terminal.screen, title))
	process.stdout.write(`docs/media/${name}.svg\n`)
}

/** Moves the highlight of the list down to a row. */
async function highlight(terminal: Terminal, row: string): Promise<void> {
	for (let moves = 0; moves < 20; moves++) {
		if (terminal.lines().some((line) => line.startsWith('▸') && line.includes(row))) return
		await terminal.press('j')
		await terminal.settled()
	}
	throw new Error(`No row "${row}":\n${terminal.text()}`)
}

/** Moves the highlight to a request that is to change a file. */
async function highlightRequest(terminal: Terminal): Promise<void> {
	await terminal.settled()
	for (let moves = 0; moves < 5; moves++) {
		if (terminal.lines().some((line) => line.startsWith('▸') && line.includes('✎'))) return
		await terminal.press('j')
		await terminal.settled()
	}
	throw new Error(`No request to change a file:\n${terminal.text()}`)
}

await mkdir(media, { recursive: true })

await using wide = demo(120, 34)
await wide.until('2 waiting')
await wide.settled()
await highlight(wide, 'photo-archive')
await take(
	wide,
	'viewer',
	'Sessions, and one of them that waits: it wants to run what it downloads',
)

await wide.press(enter)
await wide.settled()
await wide.press('r', ...'not from the web, please')
await take(wide, 'reason', 'A denial with a reason, which the agent is told')
await wide.press(enter)
await wide.until('applied')
await wide.press('q')

await highlight(wide, 'shelfmark-api')
await wide.press(enter)
await wide.until('stopped')
await wide.press(pageUp)
await take(wide, 'transcript', 'A past session: commands with their results, an edit as a diff')
await wide.press('q')
await wide.until('✎')
await wide.press('p')
await highlightRequest(wide)
await take(
	wide,
	'permissions',
	'All permission requests; one is to write a file, which is shown in full',
)

await wide.press('D')
await wide.until('who can read this account')
await wide.until('can read')
await take(wide, 'devices', 'Who can read this account: two devices, and one of them in full')
