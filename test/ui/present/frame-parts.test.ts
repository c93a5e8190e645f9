import { describe, expect, test } from 'vitest'
import { StyrbyError } from '../../../source/protocol/errors.ts'
import { lineWidth } from '../../../source/text/styled.ts'
import { crashReport } from '../../../source/ui/crash-report.ts'
import {
	commands,
	defaultKeymap,
	groups,
	type KeyContext,
} from '../../../source/ui/keymap/keymap.ts'
import { nothingListed } from '../../../source/ui/keymap/listing.ts'
import { firstRunLines } from '../../../source/ui/present/first-run.ts'
import { footerLines } from '../../../source/ui/present/footer.ts'
import { headerLine } from '../../../source/ui/present/header.ts'
import { type HelpOptions, helpLines } from '../../../source/ui/present/help.ts'
import { decidedLine } from '../../../source/ui/present/ladder.ts'
import { sessionTitle } from '../../../source/ui/present/session-title.ts'
import { leftText } from '../../../source/ui/present/times.ts'
import type { Snapshot } from '../../../source/ui/snapshot.ts'
import type { ScreenName } from '../../../source/ui/state.ts'
import { themeFor } from '../../../source/ui/theme.ts'
import type { Connection } from '../../../source/viewer/viewer.ts'
import { ScriptedCost } from '../_cost.ts'
import { someState } from '../_devices.ts'
import { textOf, widest } from '../_lines.ts'
import { ScriptedSearch } from '../_search.ts'
import { at, info, now, request, summary, transcript, uuid } from '../_viewer.ts'

function data(change: Partial<Snapshot> = {}): Snapshot {
	return {
		info,
		connection: { state: 'live', lastContact: at(1), why: null },
		sessions: [summary(), summary({ id: uuid(2) })],
		listing: { more: false, loading: false },
		archived: new Set(),
		requests: [request('a')],
		grants: { grants: [], looking: false },
		decisions: new Map(),
		sent: new Map(),
		devices: someState,
		history: { events: [], loading: false, error: null },
		access: { rows: [], complete: true, loading: false, error: null },
		act: null,
		cost: new ScriptedCost().state.get(),
		search: new ScriptedSearch().state.get(),
		open: null,
		...change,
	}
}

describe('the header', () => {
	const lost: Connection = { state: 'lost', lastContact: at(60), why: null }

	test('says what there is, what waits, and whether it is current', () => {
		expect(textOf([headerLine(data(), 100, now)])).toBe(
			' styrby Sessions 2 · ● 2 live · ⚠ 1 waiting           ● connected · embedded · laptop ✓ · 3 devices',
		)
	})

	test('says of when it is what is shown before there is a connection', () => {
		const shown = (state: 'connecting' | 'lost', seconds: number) => {
			const connection: Connection = { state, lastContact: at(seconds), why: null }
			return textOf([headerLine(data({ connection }), 120, now)])
		}
		expect(shown('connecting', 20)).toContain('○ connecting · embedded')
		expect(shown('connecting', 200)).toContain('○ connecting, as of 3m ago · embedded')
		expect(shown('lost', 3 * 86_400)).toContain('✗ connection lost, last contact 3d ago')
		expect(shown('lost', 200)).toMatch(/lost, last contact \d\d:\d\d/)
	})

	test.each([30, 40, 50, 60, 80, 100, 250])(
		'at %d columns: what waits, and that the connection is lost',
		(columns) => {
			const text = textOf([headerLine(data({ connection: lost }), columns, now)])
			expect(text).toContain('⚠ 1 waiting')
			expect(text).toMatch(/✗ (connection )?lost/)
			expect(lineWidth(headerLine(data({ connection: lost }), columns, now))).toBe(columns)
			expect(lineWidth(headerLine(data(), columns, now))).toBe(columns)
			expect(textOf([headerLine(data(), columns, now)])).not.toMatch(/[○✗]/)
		},
	)
})

describe('the title of a session', () => {
	const state = transcript([], {
		verifiedTo: 1841,
		readers: { count: 3, revoked: 0, allSigned: true },
	})
	const title = (width: number, change: Partial<typeof state> = {}) =>
		textOf([sessionTitle({ data: data(), now }, uuid(1), { ...state, ...change }, width)])

	test('says who, how it stands, how far it was verified, who can read it, time and cost', () => {
		expect(title(120)).toBe(
			'api-server · claude · on build-box · running · ✓ verified to #1841 · 3 readers, all signed · for 12 min · $0.42',
		)
	})

	test('leaves out whole parts, the least important first', () => {
		expect(title(72)).toBe('api-server · running · ✓ verified to #1841 · 3 readers, all signed')
		expect(title(60)).toBe('api-server · running · ✓ verified to #1841 · 3 readers ✓')
		expect(title(45)).toBe('api-server · running · ✓ #1841 · 3 readers ✓')
		expect(title(38)).toBe('api-server · running · ✓ #1841')
		expect(title(25)).toBe('api-server · running')
	})

	test('never leaves out that a revoked device can still read', () => {
		for (const width of [120, 60, 40]) {
			const text = title(width, { readers: { count: 4, revoked: 1, allSigned: true } })
			expect(text).toContain('⚠ 4 readers, 1 revoked')
		}
	})

	test('says that rules answer there, and never leaves out that they do not', () => {
		const facts = { takes: null, mode: null, asks: null }
		expect(title(120, { facts: { ...facts, policy: 'in_force' } })).toContain(' · policy · ')
		expect(title(30, { facts: { ...facts, policy: 'in_force' } })).not.toContain('policy')
		for (const width of [120, 60, 30]) {
			const text = title(width, { facts: { ...facts, policy: 'refused' } })
			expect(text).toContain('⚠ policy not in force')
		}
	})

	test('never leaves out what failed', () => {
		for (const width of [120, 60, 30]) {
			const text = title(width, {
				problems: 2,
				readers: { count: 4, revoked: 0, allSigned: false },
			})
			expect(text).toContain('✗ 2 problems')
			expect(text).toContain('✗ 4 readers, NOT all signed')
			expect(text).not.toContain('✓ verified')
		}
	})
})

const context: KeyContext = {
	screen: { name: 'sessions' },
	session: true,
	listed: nothingListed,
	waiting: 1,
	focus: { request: request('a'), decision: null, unread: 0 },
	foldable: false,
	selected: false,
	find: false,
	hit: false,
	following: true,
	device: null,
	act: null,
	grant: null,
	route: null,
	joining: null,
}

describe('the footer', () => {
	const one = (of: KeyContext, columns: number) =>
		footerLines(of, defaultKeymap, { columns, rows: 1 })[0] ?? []

	test.each([30, 40, 60, 80, 120])(
		'at %d columns has whole hints, and help among them',
		(columns) => {
			const line = one(context, columns)
			expect(lineWidth(line)).toBe(columns)
			const text = textOf([line])
			expect(text).toMatch(/^ a allow {2}d deny/)
			expect(text).toMatch(/\? all keys$/)
			const labels = commands.map(({ label }) => label)
			for (const hint of text.trim().split(/ {2,}/)) {
				expect(labels).toContain(hint.replace(/^\S+ /, ''))
			}
		},
	)

	test('a key that does not work just now is dim', () => {
		const line = one(
			{ ...context, focus: { request: request('a'), decision: null, unread: 9 } },
			80,
		)
		const style = (text: string) => line.find((part) => part.text.trim() === text)?.style
		expect(style('a')).toBe('dim')
		expect(style('d')).toBe('accent')
	})
})

describe('the help', () => {
	const help = (of: ScreenName, change: Partial<HelpOptions> = {}) =>
		helpLines({ of, context, keymap: defaultKeymap, filter: '', width: 100, ...change })
	const screens: readonly ScreenName[] = [
		'sessions',
		'session',
		'permissions',
		'request',
		'devices',
		'device',
		'history',
		'access',
		'act',
	]

	test.each(screens)('of %s lists every key of it first, then all there are', (screen) => {
		const text = textOf(help(screen, { width: 400 }))
		const [before = '', after = ''] = text.split('\n  Answer a request\n')
		for (const { id, screens: where, description } of commands) {
			expect(before.includes(description), description).toBe(where.includes(screen))
			expect(after.includes(`${description} `), description).toBe(true)
			expect(after, id).toContain(` · ${id}`)
		}
		for (const group of groups.slice(1)) expect(after).toContain(`\n  ${group}\n`)
		expect(text).toContain('A permission request waits for an answer.')
	})

	test('says what a key lacks that does not work just now', () => {
		const unread = { request: request('a'), decision: null, unread: 9 }
		const text = textOf(help('sessions', { width: 200, context: { ...context, focus: unread } }))
		const [useful = '', lacking = ''] = text.split('Here too, but not just now')
		expect(useful).toContain('Deny the highlighted request.')
		expect(useful).not.toContain('Allow the highlighted request')
		expect(lacking).toMatch(/a +Allow the highlighted request, once. ✗ 9 lines of this request/)
	})

	test('finds by words, by the name of a command, and by the key', () => {
		const found = (filter: string) => textOf(help('sessions', { filter, width: 300 }))
		expect(found('deny reason')).toContain('Deny it with a reason')
		expect(found('deny reason')).not.toContain('Allow')
		expect(found('rename-device')).toContain('another name')
		expect(found('D')).toContain('all devices of the account')
		expect(found('D')).not.toContain('Deny')
		expect(found('xyzzy')).toMatch(/^ {2}Nothing was found/)
	})

	test.each([30, 40, 80])('at %d columns is not wider', (width) => {
		for (const filter of ['', 'request', 'xyzzy']) {
			expect(widest(help('session', { filter, width }))).toBeLessThanOrEqual(width)
		}
	})
})

describe('the first run', () => {
	test('says what was set up, what is missing, and the line to type', () => {
		const text = textOf(firstRunLines({ ...info, devices: 1 }, defaultKeymap, 78))
		expect(text).toContain('embedded, on this machine http://127.0.0.1:4321')
		expect(text).toContain('A1B2-C3D4-E5F6-G7H8-J9K0')
		expect(text).toContain('keychain Secret Service')
		expect(text).toContain('⚠ This is the only device')
		expect(text).toContain('$ styrby-tui run claude')
		expect(textOf(firstRunLines(info, defaultKeymap, 78))).not.toContain('only device')
		expect(
			textOf(firstRunLines({ ...info, devices: 1, hasRecoveryKey: true }, defaultKeymap, 78)),
		).not.toContain('only device')
	})

	test.each([30, 40, 78])('at %d columns is not wider', (width) => {
		expect(
			widest(firstRunLines({ ...info, devices: 1 }, defaultKeymap, width)),
		).toBeLessThanOrEqual(width)
	})
})

describe('what became of a request', () => {
	const base = {
		by: 'device',
		device: 'id-1',
		name: 'desk',
		result: 'approved',
		scope: 'once',
		reason: null,
		verified: true,
	} as const

	test.each([
		[base, '✓ allowed once on desk · signature checked'],
		[{ ...base, scope: 'session' }, '✓ allowed for the session on desk · signature checked'],
		[{ ...base, verified: false }, '✓ allowed once on desk · signature NOT checked'],
		[{ ...base, name: null }, '✓ allowed once on id-1 · signature checked'],
		[{ ...base, by: 'agent' }, '✓ allowed once where the agent runs'],
		[{ ...base, by: 'host', result: 'expired', scope: null }, '✗ expired: no answer in time'],
		[{ ...base, by: 'host', result: 'cancelled', scope: null }, '✗ cancelled by the host'],
	] as const)('%#', (decided, text) => {
		expect(textOf([decidedLine({ ...decided, input: null })])).toBe(text)
	})
})

test.each([
	[-1, 'time is up'],
	[59_000, '0:59 left'],
	[599_000, '9:59 left'],
	[42 * 60_000, '42 min left'],
	[3 * 3_600_000, '3 h 00 min left'],
])('%d ms are %s', (left, text) => {
	expect(leftText(new Date(now + left).toISOString(), now)).toBe(text)
})

describe('a crash', () => {
	test('is told in at most three lines, without anything that drives a terminal', () => {
		const report = crashReport(new TypeError(`a\u001B[2J\n${'x'.repeat(5000)}`))
		expect(report.trimEnd().split('\n')).toHaveLength(3)
		expect(report).not.toContain('\u001B')
		expect(report.length).toBeLessThan(600)
	})

	test('by a part of ours that an update took away says so', () => {
		const gone = (url: string) =>
			crashReport(Object.assign(new Error('no'), { code: 'ERR_MODULE_NOT_FOUND', url }))
		const own = new URL('../../../source/ui/gone.js', import.meta.url).href
		expect(gone(own)).toBe('styrby-tui was updated or removed while it ran: start it again.\n')
		expect(gone('file:///elsewhere/gone.js')).toContain('mistake of its own')
	})

	test('of a kind we know is one sentence', () => {
		expect(crashReport(new StyrbyError('offline', 'The backend is out of reach.'))).toBe(
			'The backend is out of reach.\n',
		)
	})
})

describe('colours', () => {
	const colours = (env: Record<string, string>) =>
		Object.values(themeFor(env)).filter(({ color }) => color !== undefined).length

	test('are the 16 of the terminal, and none where none are wanted', () => {
		expect(colours({ TERM: 'xterm-256color' })).toBeGreaterThan(8)
		for (const { color } of Object.values(themeFor({ TERM: 'linux' }))) {
			if (color !== undefined) expect(color).toMatch(/^(red|green|yellow|blue|magenta|cyan)$/)
		}
		expect(colours({ TERM: 'xterm', NO_COLOR: '1' })).toBe(0)
		expect(colours({ TERM: 'xterm', FORCE_COLOR: '0' })).toBe(0)
		expect(colours({ TERM: 'dumb' })).toBe(0)
	})

	test.each([
		['0;15', true],
		['0;default;15', true],
		['0;7', true],
		['15;0', false],
		['7;8', false],
		['', false],
	])(
		'with the background of COLORFGBG=%j, yellow and cyan are left out where they are pale',
		(COLORFGBG, light) => {
			const used = Object.values(themeFor({ TERM: 'xterm', COLORFGBG })).map(({ color }) => color)
			expect(used.includes('yellow') || used.includes('cyan')).toBe(!light)
			expect(new Set(used).size).toBeGreaterThan(4)
		},
	)

	test('without them an added and a removed line, an error and a warning still look otherwise than text', () => {
		const theme = themeFor({ NO_COLOR: '1' })
		for (const style of ['removed', 'error', 'warn', 'hidden', 'accent'] as const) {
			expect(theme[style]).not.toEqual(theme.plain)
		}
	})
})
