import { oneLine } from '../../text/one-line.ts'
import { type SafeText, safeText } from '../../text/safe-text.ts'
import { emptyLine, padLine, type StyledLine, span } from '../../text/styled.ts'
import { wrapLine } from '../../text/wrap.ts'
import type { ViewerInfo } from '../../viewer/viewer.ts'
import type { Keymap } from '../keymap/keymap.ts'

const labelColumns = 14

/** Shown while there is no session: what was set up, and the line that starts the first agent. */
export function firstRunLines(info: ViewerInfo, keymap: Keymap, width: number): StyledLine[] {
	const { backend, device, vault } = info
	const kind = backendName(backend)
	const holder = {
		keychain: safeText`keychain`,
		file: safeText`key file`,
		memory: safeText`memory`,
	}
	return [
		emptyLine,
		...wrapLine(
			[
				span(safeText`Everything is set up.`, 'heading'),
				span(safeText` Start an agent in another terminal:`),
			],
			width,
		),
		emptyLine,
		...starts.flatMap(({ line, what }) => startLines(line, what, width)),
		emptyLine,
		...wrapLine(
			[
				span(
					safeText`It appears here at once. When it asks for permission, read the request and press ${keymap.key('allow')} to allow it, ${keymap.key('deny')} to deny it.`,
					'dim',
				),
			],
			width,
		),
		emptyLine,
		...entry(
			safeText`Backend`,
			[span(safeText`${kind} `), span(oneLine(backend.url), 'dim')],
			width,
		),
		...entry(safeText`This device`, [span(oneLine(device.name))], width),
		...entry(safeText`Fingerprint`, [span(oneLine(device.fingerprint), 'code')], width),
		...entry(
			safeText`Secret keys`,
			[span(safeText`${holder[vault.kind]} `), span(oneLine(vault.detail), 'dim')],
			width,
		),
		...onlyDevice(info, keymap, width),
	]
}

/** Lines to type, the first of which is enough. */
const starts = [
	{ line: safeText`styrby-tui run claude`, what: safeText`or codex, gemini, opencode, aider` },
	{
		line: safeText`styrby-tui hooks install`,
		what: safeText`every session from then on`,
	},
	{
		line: safeText`styrby-tui import ~/.claude/projects`,
		what: safeText`sessions that there were before`,
	},
]
/** Columns of the longest of them, and the width from which on it is said beside them what they do. */
const startColumns = 40
const widthForWhat = 76

function startLines(line: SafeText, what: SafeText, width: number): StyledLine[] {
	const typed = [span(safeText`  $ `, 'dim'), span(line, 'strong')]
	if (width >= widthForWhat) {
		return [[...padLine(typed, startColumns), span(safeText`  ${what}`, 'dim')]]
	}
	const indent = [span(safeText`    `)]
	return [
		...wrapLine(typed, width, { mode: 'columns', rest: indent }),
		...wrapLine([span(what, 'dim')], width, { first: indent, rest: indent }),
	]
}

function entry(label: SafeText, value: StyledLine, width: number): StyledLine[] {
	return wrapLine(value, width, {
		mode: 'columns',
		first: padLine([span(safeText`  ${label}`, 'dim')], labelColumns),
		rest: padLine([], labelColumns),
	})
}

function onlyDevice(
	{ devices, hasRecoveryKey }: ViewerInfo,
	keymap: Keymap,
	width: number,
): StyledLine[] {
	const list = keymap.key('devices')
	if (devices > 1 || hasRecoveryKey) return []
	return [
		emptyLine,
		...wrapLine(
			[
				span(
					safeText`⚠ This is the only device and there is no recovery key: if it is lost, so is what was stored. ${list}, then ${keymap.key('recovery-key')}, makes a recovery key; ${list}, then ${keymap.key('approve-code')}, adds another device.`,
					'warn',
				),
			],
			width,
			{ rest: [span(safeText`  `)] },
		),
	]
}

function backendName({ kind, url }: ViewerInfo['backend']): SafeText {
	if (kind === 'supabase') return safeText`Supabase`
	// The one of this home is reached without leaving the machine, and without TLS.
	return url.startsWith('http://')
		? safeText`embedded, on this machine`
		: safeText`embedded, of another machine`
}
