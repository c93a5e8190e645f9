/** Every screen at every size: nothing wider or higher than the terminal, header and footer always there. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { displayText } from '../../source/text/safe-text.ts'
import { lineWidth } from '../../source/text/styled.ts'
import { App } from '../../source/ui/app.ts'
import { type Frame, inputRows } from '../../source/ui/frame.ts'
import { smallest } from '../../source/ui/layout.ts'
import { block, emptyEdit, insertText } from '../../source/ui/line-edit.ts'
import { notifier } from '../../source/ui/notifier.ts'
import type { ReplayState } from '../../source/ui/replay/replay-state.ts'
import { type FindState, withTranscript } from '../../source/ui/state.ts'
import { archiveInMemory } from '../../source/viewer/archive.ts'
import { unreadSearch } from '../../source/viewer/unread.ts'
import type { StoredRow } from '../../source/viewer/viewer.ts'
import { spentOn } from './_cost.ts'
import { approving, buildBox, found, laptop, logEvent } from './_devices.ts'
import { keys } from './_screen.ts'
import { hit } from './_search.ts'
import { first, type Stage, twoWaiting } from './_stage.ts'
import {
	ask,
	at,
	call,
	now,
	request,
	requestBody,
	result,
	say,
	transcript,
	uuid,
} from './_viewer.ts'

const long =
	'a rather long text with many words in it, 長い文章もある, and a_word_without_any_end_at_all_'.repeat(
		4,
	)

/** A stage with much on it: long names, long commands, wide characters. */
function crowded(): Stage {
	const stage = twoWaiting()
	const body = requestBody(first, {
		input: { command: long, more: { of: long } },
		description: long,
	})
	stage.change(first, { body, project: long, risk: { level: 'high', reasons: [long, long] } })
	stage.viewer.requests.update((all) => [
		...all,
		request(uuid(13), { status: 'approved', project: long }),
	])
	stage.viewer.sessions.update((all) =>
		all.map((each, index) => (index === 0 ? { ...each, project: long, title: long } : each)),
	)
	stage.viewer.transcript(uuid(1)).update((state) => ({
		...state,
		facts: {
			takes: { prompt: true, interrupt: true, modes: ['default', 'yolo', long] },
			mode: long,
			asks: false,
		},
		messages: [
			ask(1, long),
			say(2, `# ${long}\n\n- ${long}\n\n| a | b |\n| - | - |\n| ${long} | ${long} |`),
			call(3, 'c', long),
			result(4, 'c', `${long}\n`.repeat(30)),
			...state.messages.slice(1),
		],
	}))
	const { devices } = stage.viewer
	devices.state.update((state) => ({
		...state,
		single: true,
		error: long,
		behind: [{ host: uuid(900), name: long }],
		intruders: [{ device: uuid(666), publicKey: long, what: 'unknown' }],
		devices: state.devices.map((each) => ({ ...each, name: long })),
	}))
	devices.history.set({
		events: [3, 2, 1].map((seq) => logEvent(seq, { deviceName: long, reason: long, byName: long })),
		loading: false,
		error: null,
	})
	devices.access.set({
		rows: Array.from({ length: 40 }, (_, index) => ({
			session: uuid(index + 1),
			epochs: 2,
			cells: new Map([[laptop, { epochs: 1, by: buildBox, at: at(60), opens: true }]]),
		})),
		complete: true,
		loading: false,
		error: null,
	})
	stage.viewer.search.ask = (query) =>
		stage.viewer.search.found(
			Array.from({ length: 30 }, (_, seq) =>
				hit({ session: uuid(seq % 7), seq, project: long, title: long, snippet: long }),
			),
			{ query, index: { ...unreadSearch.index, problem: long } },
		)
	stage.viewer.cost.show(
		Array.from({ length: 40 }, (_, index) =>
			spentOn('2026-01-01', { project: `${index} ${long}`, model: long, unpriced: 1 }),
		),
		{ problems: 3, problem: long, error: long, reading: true },
	)
	devices.act.set({ ...approving, step: 'found', request: { ...found, name: long } })
	return stage
}

/** The same, with questions in the place of the command. */
function asking(): Stage {
	const stage = crowded()
	const options = Array.from({ length: 30 }, () => ({ label: long, description: long }))
	const question = { question: long, header: long, options, multiple: true }
	const body = requestBody(first, { questions: [question], session_rules: [] })
	stage.change(first, { body })
	return stage
}

const ways = {
	sessions: [],
	'second session': ['j'],
	session: ['enter'],
	unfolded: ['enter', 'o'],
	permissions: ['p'],
	request: ['p', 'enter'],
	reason: ['enter', 'r'],
	prompt: ['enter', 'i', 'x'],
	interrupt: ['enter', 'x'],
	modes: ['enter', 'm', 'down'],
	find: ['enter', '/', 'x'],
	export: ['enter', 'E'],
	help: ['?'],
	'looking for a key': ['?', '/', 'd'],
	devices: ['D'],
	'revoked device': ['D', 'j', 'j', 'j'],
	device: ['D', 'enter'],
	'device help': ['D', '?'],
	search: ['/', 'x'],
	'search help': ['/', 'x', 'tab'],
	cost: ['$'],
	'cost file': ['$', 'E'],
	'all cost': ['$', 'r', 'r', 'r'],
	'cost by project': ['$', 'r', 'r', 'r', 'tab', 'tab', 'm'],
	code: ['D', 'a'],
	rename: ['D', 'j', 'r'],
	history: ['D', 'L', 'j'],
	access: ['D', 'm', 'j'],
	approve: ['D', 's'],
} as const

function appOf(stage: Stage, size: { columns: number; rows: number }, clock: { now: number }): App {
	return new App({
		viewer: stage.viewer,
		archive: archiveInMemory(),
		size,
		now: () => clock.now,
		banner: null,
		jumpScroll: false,
		notifier: notifier({
			title: false,
			bell: false,
			osc: false,
			env: {},
			write: () => undefined,
		}),
		copy: () => ({ bytes: 0, of: 0 }),
		save: async (path) => path,
		initial: null,
		leave: () => undefined,
		suspend: () => undefined,
		redraw: () => undefined,
	})
}

function check(frame: Frame): void {
	const { columns, rows } = frame.size
	if (frame.tooSmall) return
	expect(lineWidth(frame.header)).toBe(columns)
	expect(lineWidth(frame.footer)).toBe(columns)
	for (const line of frame.keys) expect(lineWidth(line)).toBe(columns)
	for (const notice of frame.notices) expect(lineWidth(notice)).toBeLessThanOrEqual(columns)
	const across = frame.direction === 'row'
	const widths = frame.panes.map(({ width }) => width)
	const heights = frame.panes.map(({ height }) => height + 1)
	const body = rows - 2 - frame.notices.length - frame.keys.length - inputRows(frame.input)
	expect(frame.panes.length).toBeGreaterThan(0)
	if (across) {
		expect(widths.reduce((sum, width) => sum + width, widths.length - 1)).toBe(columns)
		for (const height of heights) expect(height).toBe(body)
	} else {
		for (const width of widths) expect(width).toBe(columns)
		expect(heights.reduce((sum, height) => sum + height, 0)).toBe(body)
	}
	for (const pane of frame.panes) {
		expect(pane.rows.length).toBeLessThanOrEqual(pane.height)
		for (const { line } of pane.rows) expect(lineWidth(line)).toBeLessThanOrEqual(pane.width)
	}
}

const names = Object.keys(ways) as (keyof typeof ways)[]

test.each(names)('%s fits into any terminal', (name) => {
	const stage = crowded()
	const clock = { now }
	fc.assert(
		fc.property(
			fc.integer({ min: smallest.columns, max: 260 }),
			fc.integer({ min: smallest.rows, max: 70 }),
			(columns, rows) => {
				const app = appOf(stage, { columns, rows }, clock)
				for (const [index, key] of ways[name].entries()) {
					// Commands are for what was drawn; text is not.
					if (index < 4) app.drawn(app.frame())
					clock.now += 1000
					app.press({ names: [key], alone: true })
				}
				check(app.frame())
			},
		),
		{ numRuns: 60 },
	)
})

test('a replay, the raw view and what is found fit into any terminal', () => {
	const stage = crowded()
	const session = uuid(1)
	const { messages } = stage.viewer.transcript(session).get()
	const [message] = messages
	if (!message) throw new Error('no message')
	const replay: ReplayState = {
		session,
		messages,
		hasOlder: true,
		live: [{ block: 'b', kind: 'agent_response', text: long }],
		seq: 123_456,
		through: 1_234_567,
		at: at(60),
		speed: 64,
		playing: true,
		ended: false,
		loading: false,
		pause: { ms: 3_600_000, until: 'answer' },
		problem: null,
	}
	const stored: StoredRow = {
		session_id: session,
		seq: 1,
		epoch: 0,
		nonce: 'A'.repeat(32),
		ciphertext: 'A'.repeat(9000),
		signature: '',
		created_at: long,
		input_tokens: 0,
		output_tokens: 0,
		cache_read_tokens: 0,
		cache_write_tokens: 0,
		cost_usd: 0,
	}
	const find: FindState = {
		text: displayText(long),
		wanted: { words: ['a'] },
		hits: [1, 2],
		at: { seq: 2, line: 0 },
		looked: 5,
		through: 100_000,
		done: false,
		problem: displayText(long),
	}
	fc.assert(
		fc.property(
			fc.integer({ min: smallest.columns, max: 260 }),
			fc.integer({ min: smallest.rows, max: 70 }),
			fc.constantFrom('replay', 'raw', 'session'),
			(columns, rows, name) => {
				const app = appOf(stage, { columns, rows }, { now })
				app.update((ui) => ({
					...withTranscript(ui, session, { find }),
					selectedSession: session,
					screens: [...ui.screens, { name, session }],
					replay,
					raw: { session, message, rows: [stored, stored] },
					seeking: { session, what: displayText(long), looked: 1, through: 2 },
					exporting: { done: 1, through: 2 },
				}))
				app.refresh()
				check(app.frame())
			},
		),
		{ numRuns: 60 },
	)
})

test('prompts and changes of any length fit into any terminal', () => {
	const stage = asking()
	const session = uuid(1)
	const digest = 'aa'.repeat(32)
	fc.assert(
		fc.property(
			fc.integer({ min: smallest.columns, max: 260 }),
			fc.integer({ min: smallest.rows, max: 70 }),
			fc.nat({ max: 20 }),
			(columns, rows, lines) => {
				const app = appOf(stage, { columns, rows }, { now })
				const edit = insertText(emptyEdit, `${long}\n\t`.repeat(lines), block)
				for (const screen of [
					{ name: 'prompt', session, edit },
					{ name: 'change', request: first, digest, edit },
				] as const) {
					app.update((ui) => ({ ...ui, screens: [{ name: 'session', session }, screen] }))
					check(app.frame())
				}
			},
		),
		{ numRuns: 60 },
	)
})

test.each([0, 1])('questions, and answers to them, fit into any terminal: step %d', (step) => {
	const stage = asking()
	fc.assert(
		fc.property(
			fc.integer({ min: smallest.columns, max: 260 }),
			fc.integer({ min: smallest.rows, max: 70 }),
			fc.nat({ max: 30 }),
			(columns, rows, highlighted) => {
				const app = appOf(stage, { columns, rows }, { now })
				const picked = [{ options: new Set([1, 2, 9]), other: long }]
				const digest = 'aa'.repeat(32)
				const question = { name: 'question', request: first, digest, at: step } as const
				const screen = { ...question, highlighted, picked, since: 0 }
				app.update((ui) => ({ ...ui, screens: [...ui.screens, screen] }))
				check(app.frame())
				const writing = { name: 'words-of-answer', asking: screen, edit: emptyEdit } as const
				app.update((ui) => ({ ...ui, screens: [...ui.screens, writing] }))
				check(app.frame())
			},
		),
		{ numRuns: 60 },
	)
})

describe('on the terminal itself', () => {
	test.concurrent.each([
		[250, 60],
		[120, 40],
		[100, 30],
		[99, 30],
		[80, 24],
		[60, 20],
		[40, 15],
		[30, 8],
	])(
		'%d×%d: each screen begins with the header, ends with the footer, and no row is broken',
		async (columns, rows) => {
			await using stage = crowded()
			const screen = await stage.open({ columns, rows })
			for (const key of ['', keys.enter, 'o', keys.escape, 'p', keys.enter, '?', 'q', 'q', 'q']) {
				if (key !== '') await screen.press(key)
				const lines = (await screen.settled()).split('\n')
				expect(lines).toHaveLength(rows)
				expect(lines[0]).toMatch(/^ styrby /)
				expect(lines[1]).toMatch(/^ ✗ The server lists a key/)
				expect(lines[2]).toMatch(/^[━─] /)
				expect(lines.at(-1)).toMatch(/\? all keys|esc back/)
				expect(screen.term.buffer.active.baseY).toBe(0)
			}
		},
	)

	test.concurrent.each([
		[29, 8],
		[30, 7],
		[10, 3],
		[1, 1],
	])('%d×%d is too small, says so, and still leaves', async (columns, rows) => {
		await using stage = crowded()
		const screen = await stage.open({ columns: 80, rows: 24 })
		await screen.resize(columns, rows)
		if (columns >= 25) {
			expect(screen.text()).toContain('Too small: needs 30×8')
			expect(screen.text()).toContain('⚠ 2 waiting')
		}
		await screen.press('a')
		expect(stage.answers()).toEqual([])
		await screen.press('q')
		expect(await screen.exited).toEqual({ exitCode: 0 })
	})

	test.concurrent('too small while something is typed: keys do nothing that is not seen', async () => {
		await using stage = crowded()
		const screen = await stage.open({ columns: 80, rows: 24 })
		await screen.press(keys.enter, 'i', 'g', 'o')
		await screen.resize(20, 5)
		expect(screen.text()).toContain('^c leaves')
		await screen.wait(1000)
		await screen.press('x', keys.enter, keys.escape)
		expect(stage.viewer.sendings).toEqual([])
		await screen.resize(80, 24)
		await screen.until('› go')
		await screen.wait(1000)
		await screen.press(' ', 'o', 'n')
		expect(screen.text()).toContain('› go on')
	})

	test.concurrent('changing size all the time leaves no trace', async () => {
		await using stage = crowded()
		const screen = await stage.open({ columns: 120, rows: 40 })
		await screen.press(keys.enter)
		for (const [columns, rows] of [
			[80, 24],
			[40, 15],
			[20, 5],
			[250, 60],
			[100, 30],
			[120, 40],
		] as const) {
			await screen.resize(columns, rows)
		}
		const after = await screen.settled()
		await using other = crowded()
		const fresh = await other.open({ columns: 120, rows: 40 })
		await fresh.press(keys.enter)
		expect(after).toBe(await fresh.settled())
	})
})

test('only what is on the screen is laid out, and only that is in the frame', () => {
	const stage = twoWaiting()
	const messages = Array.from({ length: 5000 }, (_, index) =>
		say(index + 1, `message ${index + 1}.`),
	)
	let laidOut = 0
	for (const message of messages) {
		const { body } = message
		Object.defineProperty(message, 'body', {
			get: () => {
				laidOut++
				return body
			},
		})
	}
	stage.viewer.requests.set([])
	stage.viewer.transcript(uuid(1)).set(transcript(messages))
	const app = appOf(stage, { columns: 120, rows: 40 }, { now })
	const lines = app.frame().panes.reduce((sum, { rows }) => sum + rows.length, 0)
	expect(lines).toBeLessThan(80)
	const once = laidOut
	// Each kind of item is looked for once a message; none of it is laid out for it.
	app.update((ui) => ({ ...ui }))
	app.frame()
	expect(laidOut - once).toBeLessThan(200)
})
