/**
 * The readme's pictures, taken of the real program: its demo runs in a pty, an emulated terminal shows it,
 * and what stands on that is written as SVG to docs/media.
 */
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { resolveHome } from '../../source/config/paths.ts'
import { stopEmbedded } from '../../source/server/discover.ts'
import { Terminal } from '../../test/tools/terminal.ts'
import { svgOf } from './svg.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const media = path.join(root, 'docs/media')
const enter = '\r'
const pageUp = '\u001B[5~'
const esc = '\u001B'

const demo = (columns: number, rows: number) => shown(['demo'], {}, columns, rows)

function shown(
	args: readonly string[],
	more: Readonly<Record<string, string>>,
	columns: number,
	rows: number,
): Terminal {
	const { CI: _, NO_COLOR: __, SSH_CONNECTION: ___, SSH_TTY: ____, ...env } = process.env
	return new Terminal({
		command: process.execPath,
		args: [path.join(root, 'bin/styrby-tui.js'), ...args],
		env: { ...env, ...more, FORCE_COLOR: '1', TZ: 'UTC' },
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

/** Opens a session of the list. */
async function open(terminal: Terminal, row: string): Promise<void> {
	await highlight(terminal, row)
	await terminal.press(enter)
	await terminal.until('verified to')
	await terminal.settled()
}

/** Presses keys, and waits for what they bring. */
async function then(terminal: Terminal, keys: string | string[], what: string | RegExp) {
	await terminal.press(...keys)
	await terminal.until(what)
}

async function answering(): Promise<void> {
	await using wide = demo(120, 34)
	await wide.until('2 waiting')
	await wide.settled()
	await highlight(wide, 'photo-archive')
	await take(
		wide,
		'viewer',
		'Sessions, and one of them that waits: it wants to run what it downloads',
	)
	await then(wide, '!', 'Stop all')
	await take(wide, 'stop-all', 'One key denies all that waits and takes back what was allowed')
	await wide.press(esc)

	await wide.press(enter)
	await wide.settled()
	await wide.press('r', ...'not from the web, please')
	await take(wide, 'reason', 'A denial with a reason, which the agent is told')
	await wide.press(enter)
	await wide.until('applied')
	await wide.press('q')
	await wide.until('✎')
	await wide.press('p')
	await highlightRequest(wide)
	await take(
		wide,
		'permissions',
		'All permission requests; one is to write a file, which is shown in full',
	)
}

async function reading(): Promise<void> {
	await using wide = demo(120, 34)
	await wide.until('2 waiting')
	await open(wide, 'shelfmark-api')
	await wide.press(pageUp)
	await take(wide, 'transcript', 'A past session: commands with their results, an edit as a diff')
	await then(wide, ['/', ...'test', enter], /\d+\/\d+/)
	await take(wide, 'find', 'Words found in a session, marked and counted')
	await wide.press(esc)
	await then(wide, 'R', 'replay')
	await wide.press('+')
	await sleep(1500)
	await wide.press(' ')
	await take(wide, 'replay', 'A session played again with the timing it had')
	await wide.press(esc)
	await then(wide, 'v', 'ciphertext')
	await take(wide, 'raw', 'The same session as the server holds it')
}

async function looking(): Promise<void> {
	await using screen = demo(100, 30)
	await screen.until('2 waiting')
	await screen.settled()
	await then(screen, ['f', ...'is:ended'], 'is:ended')
	await take(screen, 'filter', 'The list of sessions, narrowed while one types')
	await screen.press(esc)
	await then(screen, ['/', ...'npm test'], /\d+ (?:hit|match|found|message)/)
	await take(screen, 'search', 'Everything that was ever said, searched on this machine')
	await screen.press(esc, esc)
	await then(screen, '$', 'project')
	await take(screen, 'cost', 'What it cost: by day, agent, project and model')
	await screen.press(esc)
	await then(screen, '?', 'On this screen')
	await take(screen, 'help', 'Every key there is, those of the screen first')
	await screen.press(esc)
	await then(screen, 'D', 'who can read this account')
	await screen.until('can read')
	await take(screen, 'devices', 'Who can read this account: two devices, and one of them in full')
	await then(screen, 'L', 'added')
	await take(screen, 'device-log', 'The log of devices, signed entry by entry')
	await screen.press(esc)
	await then(screen, 'm', /shelfmark|parcel/)
	await take(screen, 'access', 'Which device was given the keys of which session')
}

/** What is allowed for a session: the rule of the first request, which the host keeps. */
async function allowing(): Promise<void> {
	await using screen = demo(100, 24)
	await screen.until('2 waiting')
	await screen.settled()
	await highlight(screen, 'weather-station')
	// Keys are not taken in the first moment in which a request is on the screen.
	await sleep(1000)
	await screen.press('A')
	await screen.until('applied')
	await then(screen, ['p', 't'], 'takes it back')
	await take(screen, 'grants', 'What is allowed for a session: the rule, its uses, its end')
}

/** A home in which there is nothing yet. */
async function firstRun(): Promise<void> {
	// It is in the picture: short, and of no machine in particular.
	const home = path.join(tmpdir(), 'styrby')
	await mkdir(home)
	const passphrase = path.join(home, 'passphrase')
	await writeFile(passphrase, 'only for the pictures\n', { mode: 0o600 })
	const env = {
		STYRBY_HOME: path.join(home, 'home'),
		STYRBY_VAULT: 'file',
		STYRBY_PASSPHRASE_FILE: passphrase,
	}
	try {
		await using screen = shown([], env, 100, 30)
		await screen.until('Everything is set up.')
		await take(screen, 'first-run', 'The first start: what was set up, and what to type next')
	} finally {
		const { data, run } = resolveHome(env, process.platform)
		await stopEmbedded({ data, run })
		await rm(home, { recursive: true, force: true })
	}
}

async function smallest(): Promise<void> {
	await using small = demo(40, 15)
	await small.until('waiting')
	await take(small, 'small', 'The same on a terminal of 40 columns and 15 rows')
}

await mkdir(media, { recursive: true })
await answering()
await reading()
await looking()
await allowing()
await firstRun()
await smallest()
