/** A program in the pseudo-terminal where nobody sits: the screen alone. */
import { afterEach, describe, expect, it } from 'vitest'
import { asPaste, isSuspendKey, reportsIn } from '../../../source/agents/pty/keys.ts'
import { loadPty } from '../../../source/agents/pty/load.ts'
import { PtyProgram } from '../../../source/agents/pty/program.ts'

let program: PtyProgram

/** Runs a script of Node's in the pseudo-terminal. */
async function start(script: string): Promise<PtyProgram> {
	program = await PtyProgram.start({
		path: process.execPath,
		args: ['-e', script],
		cwd: process.cwd(),
		env: { ...process.env, COLUMNS: '7', LINES: '7' },
	})
	return program
}

afterEach(() => program[Symbol.asyncDispose]())

const any = () => true
const limit = 20_000

describe.skipIf(process.platform === 'win32')('the screen', () => {
	it('is 120 by 40, and answers what a terminal is asked', async () => {
		await start(`
			process.stdin.setRawMode(true).once('data', (got) => {
				console.log(JSON.stringify([String(got), process.stdout.columns, process.stdout.rows, process.env.COLUMNS]))
				process.exit()
			})
			process.stdout.write('\\x1b[3;5H\\x1b[6n')
		`)
		expect(await program.ended).toEqual({ code: 0, signal: null })
		expect(program.screen.text()).toContain('["\\u001b[3;5R",120,40,null]')
	})

	it('joins what the terminal has wrapped, and tells rows apart that the program has', async () => {
		const text = `${'word '.repeat(30)}end`
		await start(`process.stdout.write(${JSON.stringify(`${text}\n  two\n`)})`)
		await program.ended
		expect(program.screen.lines(0, 2)).toEqual([
			{ text, row: 0, height: 2 },
			{ text: '  two', row: 2, height: 1 },
		])
		expect(program.screen.lines(1, 1)).toEqual([{ text, row: 0, height: 2 }])
		expect(program.screen.cursor).toEqual({ column: 0, row: 3 })
	})

	it('keeps a place with its text while that scrolls, until it is gone', async () => {
		await start(`
			process.stdin.setRawMode(true).on('data', (got) => console.log('\\n'.repeat(got.length === 1 ? 50 : 3000)))
			process.stdout.write('here')
		`)
		expect(await program.until((screen) => screen.row(0) === 'here', limit)).toBe(true)
		const mark = program.screen.mark()
		expect(mark.row()).toBe(0)
		await program.type(any, '.')
		expect(await program.until(() => mark.row() !== 0, limit)).toBe(true)
		expect(program.screen.row(mark.row() ?? 0)).toBe('here')
		await program.type(any, '..')
		expect(await program.until(() => mark.row() === null, limit)).toBe(true)
	})

	it('holds a program up that writes faster than can be read, and loses nothing of it', async () => {
		await start(`
			const line = 'x'.repeat(999) + '\\n'
			for (let i = 0; i < 30_000; i++) require('fs').writeSync(1, line)
			require('fs').writeSync(1, 'the end')
		`)
		expect(await program.until((screen) => screen.text().endsWith('the end'), limit)).toBe(true)
		// One carriage return a line besides.
		expect(program.screen.received).toBe(30_000 * 1001 + 7)
	})

	it('shows whether keys are read one by one, whatever is printed', async () => {
		await start(`
			process.stdout.write('\\x1b[?2004hlines')
			process.stdin.once('data', () => { process.stdin.setRawMode(true); process.stdout.write(' keys') })
		`)
		expect(await program.until((screen) => screen.text() === 'lines', limit)).toBe(true)
		expect(program.readsKeys()).toBe(false)
		expect(await program.type(any, '\r')).toBe(true)
		expect(await program.until((screen) => screen.text().endsWith('keys'), limit)).toBe(true)
		expect(program.readsKeys()).toBe(true)
	})

	it('settles when nothing is written, and not before', async () => {
		await start(`
			const timer = setInterval(() => process.stdout.write('.'), 20)
			process.stdin.once('data', () => clearInterval(timer))
		`)
		expect(await program.settled(5000, 600)).toBe(false)
		expect(await program.type(any, '\r', { quietMs: 5000, patienceMs: 300 })).toBe(false)
		expect(await program.type(any, '\r', { quietMs: 0 })).toBe(true)
		expect(await program.settled(200, limit)).toBe(true)
	})

	it('says when it is not as expected, at the latest when the program ends', async () => {
		await start("console.log('so')")
		expect(await program.until((screen) => screen.text() === 'other', limit)).toBe(false)
		expect(await program.until((screen) => screen.text() === 'so', limit)).toBe(true)
		expect(await program.type(any, 'x')).toBe(false)
	})

	it('kills a program that will not end', async () => {
		await start("process.on('SIGTERM', () => {}); setInterval(() => {}, 1000); console.log('up')")
		expect(await program.until((screen) => screen.text() === 'up', limit)).toBe(true)
		await program.stop(50)
		expect(await program.ended).toEqual({ code: null, signal: 'SIGKILL' })
	})
})

describe('keys', () => {
	it('are told from what a terminal says by itself', () => {
		const reports = [
			'\u001B[12;40R',
			'\u001B[?62;4c',
			'\u001B[>0;276;0c',
			'\u001B[?2026;2$y',
			'\u001B[?1u',
			'\u001B[8;24;80t',
			'\u001B[I',
			'\u001B]11;rgb:0000/0000/0000\u001B\\',
			'\u001BP>|term 1\u001B\\',
		]
		for (const report of reports) expect(reportsIn(`y${report}\r`)).toBe(report)
		const keys = [
			'y',
			'\r',
			'\u001B',
			'\u001B[A',
			'\u001B[121u',
			'\u001B[121;1u',
			'\u001B[<0;1;1M',
			'\u001B[13~',
		]
		for (const key of keys) expect(reportsIn(key)).toBe('')
	})

	it('of a text act as none', () => {
		const text = 'a\r\nb\u001B[201~\r\u0003c\u009B1\td'
		expect(asPaste(text, true)).toBe('\u001B[200~a\nb[201~\nc1\td\u001B[201~')
		expect(asPaste(text, false)).toBe('a b[201~ c1 d')
	})

	it('that stop a program are one alone', () => {
		expect(
			['\u001A', '\u001B[122;5u', 'z', '\u001B[200~\u001A\u001B[201~'].map(isSuspendKey),
		).toEqual([true, true, false, false])
	})
})

it('without its native part there is one error that says what to do', async () => {
	await expect(loadPty(() => Promise.reject(new Error('no binary')))).rejects.toMatchObject({
		name: 'StyrbyError',
		code: 'pty_missing',
	})
})
