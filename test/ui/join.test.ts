/** The screen of a home that is no device of the account yet. */
import fc from 'fast-check'
import { describe, expect, onTestFinished, test } from 'vitest'
import { lineWidth } from '../../source/text/styled.ts'
import { JoinApp } from '../../source/ui/join-app.ts'
import { smallest } from '../../source/ui/layout.ts'
import type { Joining, JoinState } from '../../source/viewer/joining.ts'
import { Value } from '../../source/viewer/readable.ts'
import { at, now, uuid } from './_present.ts'
import { keys, type Screen, type ScreenOptions, showJoin } from './_screen.ts'

const code = '7QZK-1M2N-3P4R-5S6T8'
const waiting: JoinState = {
	step: 'waiting',
	code,
	fingerprint: 'N3W0-N3W1-N3W2-N3W3-N3W4',
	expiresAt: now + 581_000,
	trouble: null,
}

class ScriptedJoining implements Joining {
	readonly state = new Value<JoinState>(waiting)
	readonly asked: string[] = []
	wrong: string | null = null

	newCode(): void {
		this.asked.push('new code')
	}

	wordsProblem(): string | null {
		return this.wrong
	}

	recover(words: string): void {
		this.asked.push(`recover ${words}`)
		this.state.set({ step: 'recovering', progress: null })
	}

	async [Symbol.asyncDispose](): Promise<void> {}
}

async function shown(options: ScreenOptions = {}): Promise<[Screen, ScriptedJoining]> {
	const joining = new ScriptedJoining()
	const screen = await showJoin(joining, options)
	onTestFinished(() => screen[Symbol.asyncDispose]())
	return [screen, joining]
}

const flat = (screen: Screen) => screen.text().replaceAll(/\s+/g, ' ')

describe('the code', () => {
	test.each([
		[40, 15],
		[80, 24],
		[120, 40],
	])(
		'%d×%d: the code, what to do with it, the fingerprint, the time left',
		async (columns, rows) => {
			const [screen] = await shown({ columns, rows })
			expect(screen.text()).toContain(`┃    ${code}    ┃`)
			expect(flat(screen)).toContain('press D, then a, and type this code')
			expect(flat(screen).replaceAll(' ', '')).toContain(`styrby-tuidevicesapprove${code}`)
			expect(screen.text()).toContain('N3W0-N3W1-N3W2-N3W3-N3W4')
			expect(screen.text()).toMatch(/time left +9:41; then/)
			expect(screen.lines().at(-1)).toMatch(/w recovery words.* \? all keys/)
			expect(screen.term.buffer.active.baseY).toBe(0)
			await screen.wait(2000)
			await screen.until(/time left +9:39; then/)
		},
	)

	test('another one when that has expired, or when it is asked for', async () => {
		const [screen, joining] = await shown()
		joining.state.set({ step: 'asking' })
		await screen.until('… asking for a code')
		joining.state.set({ ...waiting, code: 'AAAA-BBBB-CCCC-DDDDD' })
		await screen.until('┃    AAAA-BBBB-CCCC-DDDDD    ┃')
		await screen.press('n')
		expect(joining.asked).toEqual(['new code'])
	})

	test('trouble with the backend is said below it; what failed for good, alone', async () => {
		const [screen, joining] = await shown()
		joining.state.set({ ...waiting, trouble: 'The backend does not answer.' })
		await screen.until('✗ The backend does not answer.')
		expect(screen.text()).toContain(code)
		joining.state.set({ step: 'failed', problem: 'The answer is false.' })
		await screen.until('✗ The answer is false.')
		expect(screen.text()).not.toContain(code)
		expect(screen.text()).toContain('n asks again')
	})

	test('let in, it goes on by itself', async () => {
		const [screen, joining] = await shown()
		joining.state.set({ step: 'joined' })
		expect(await screen.exited).toEqual({ exitCode: 0 })
	})

	test.each([
		['q', 0],
		[keys.ctrlC, 130],
	])('%j leaves, with the terminal as it was', async (key, exitCode) => {
		const [screen] = await shown()
		await screen.press(key)
		expect(await screen.exited).toEqual({ exitCode })
		await screen.settled()
		expect(screen.term.buffer.active.type).toBe('normal')
	})

	test('every key is in the help', async () => {
		const [screen] = await shown()
		await screen.press('?')
		await screen.until('Use the 24 words of the recovery key')
		expect(flat(screen)).toContain('Show a new code')
		await screen.press(keys.escape)
		await screen.until(code)
	})
})

describe('the recovery words', () => {
	test('are hidden while they are typed, and shown by choice', async () => {
		const [screen, joining] = await shown()
		await screen.press('w')
		await screen.until('The 24 words of the recovery key, 0 so far:')
		await screen.press(...'zebra music', keys.tab)
		await screen.until('› zebra music')
		await screen.press(keys.tab)
		await screen.until('› •••••••••••')
		expect(screen.text()).toContain('2 so far')
		expect(screen.text()).not.toContain('zebra')
		await screen.press(keys.enter)
		expect(joining.asked).toEqual(['recover zebra music'])
		await screen.until('… reading with the recovery key')
		joining.state.set({ step: 'recovering', progress: { done: 3, total: 12 } })
		await screen.until('3 of 12')
		await screen.press('w', 'n')
		expect(joining.asked).toEqual(['recover zebra music'])
	})

	test('pasted in many lines they are one text, and the paste sends nothing', async () => {
		const [screen, joining] = await shown()
		await screen.press('w', '\u001B[200~1. zebra\n2. music\n\u001B[201~')
		await screen.until('4 so far')
		await screen.press('x\r')
		expect(joining.asked).toEqual([])
		await screen.press(keys.enter)
		expect(joining.asked).toEqual(['recover 1. zebra 2. music x '])
	})

	test('what is wrong with them is said, none of them is, and they stay to be corrected', async () => {
		const [screen, joining] = await shown()
		joining.wrong = 'Word 2 is none that a recovery key has: look at it again.'
		await screen.press('w', ...'zebra msuic', keys.enter)
		await screen.until('✗ Word 2 is none that a recovery key has')
		expect(screen.text()).toContain('•••')
		expect(joining.asked).toEqual([])
		await screen.press(keys.escape)
		await screen.until((text) => !text.includes('Word 2'))
		expect(screen.text()).toContain(code)
		expect(screen.written).not.toContain('zebra')
	})
})

test('a home that was revoked says by whom and when, red, and asks for nothing by itself', async () => {
	const joining = new ScriptedJoining()
	const revoked = {
		by: uuid(900),
		byName: null,
		at: at(3600),
		reason: 'lost it',
		fingerprint: 'AAAA-BBBB-CCCC-DDDD-EEEE',
	}
	joining.state.set({ step: 'revoked', revoked })
	const screen = await showJoin(joining)
	onTestFinished(() => screen[Symbol.asyncDispose]())
	expect(screen.lines()[1]).toContain('✗ This device was revoked by device 00000000.')
	const line = screen.term.buffer.active.getLine(1)
	expect(line?.getCell(79)?.isInverse()).not.toBe(0)
	expect(screen.text()).toMatch(/when +2026-03-04 11:00 UTC/)
	expect(screen.text()).toMatch(/reason +lost it/)
	expect(screen.text()).toMatch(/fingerprint +AAAA-BBBB/)
	expect(joining.asked).toEqual([])
	await screen.press('n')
	expect(joining.asked).toEqual(['new code'])
})

test('it fits into any terminal', () => {
	const steps: JoinState[] = [
		waiting,
		{ ...waiting, trouble: 'The backend does not answer. '.repeat(9) },
		{ step: 'asking' },
		{ step: 'recovering', progress: { done: 1, total: 2 } },
		{ step: 'failed', problem: 'a_word_without_any_end'.repeat(20) },
	]
	const columns = fc.integer({ min: smallest.columns, max: 200 })
	const rows = fc.integer({ min: smallest.rows, max: 60 })
	const typed = fc.constantFrom([], ['w'], ['w', 'a', 'b'], ['?'])
	const check = fc.property(
		fc.constantFrom(...steps),
		columns,
		rows,
		typed,
		(step, c, r, names) => {
			const joining = new ScriptedJoining()
			joining.state.set(step)
			using app = new JoinApp({
				joining,
				backend: { kind: 'supabase', url: '' },
				size: { columns: c, rows: r },
				now: () => now,
				leave: () => undefined,
				suspend: () => undefined,
				redraw: () => undefined,
			})
			for (const name of names) app.press({ names: [name], alone: true })
			const frame = app.frame()
			const used = 2 + frame.notices.length + (frame.input ? 1 + frame.input.label.length : 0)
			for (const pane of frame.panes) {
				expect(pane.height + 1).toBe(r - used)
				expect(pane.rows.length).toBeLessThanOrEqual(pane.height)
				for (const { line } of pane.rows) expect(lineWidth(line)).toBeLessThanOrEqual(c)
			}
			expect(lineWidth(frame.header)).toBe(c)
			expect(lineWidth(frame.footer)).toBe(c)
		},
	)
	fc.assert(check, { numRuns: 300 })
})

test('for a screen reader the code is said once, whatever time runs', async () => {
	const [screen] = await shown({ screenReader: true, rows: 60 })
	// Alone, and in the command that takes it.
	expect(screen.written.split(code)).toHaveLength(3)
	expect(screen.written).toMatch(/Keys: w recovery words, n new code/)
	const before = screen.written.length
	for (const _ of [1, 2, 3]) {
		await screen.wait(1000)
		await screen.resize(80, 60)
	}
	expect(screen.written.slice(before)).toBe('')
	await screen.press('w')
	await screen.until('The 24 words of the recovery key')
	await screen.press('a', 'b')
	expect(screen.written.slice(before)).toMatch(/> ••$/)
	expect(screen.written.slice(before)).not.toContain('\u001B')
})
