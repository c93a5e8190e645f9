/** Every way out of the screens, in a real pty inside of a shell: the terminal is as it was before. */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { cooked, environment, left, timeout } from '../tools/installed.ts'
import { Terminal } from '../tools/terminal.ts'

let folder: string
let program: string

beforeAll(async () => {
	folder = await mkdtemp(path.join(tmpdir(), 'styrby-test-'))
	program = path.join(folder, 'breaking.mjs')
	await build({
		entryPoints: [fileURLToPath(new URL('../tools/breaking-viewer.ts', import.meta.url))],
		outfile: program,
		bundle: true,
		platform: 'node',
		format: 'esm',
		jsx: 'automatic',
		define: { 'process.env.NODE_ENV': '"production"' },
		banner: {
			js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
		},
		// Loaded when the environment asks for it only; any module will do.
		alias: { 'react-devtools-core': 'node:util' },
		logLevel: 'error',
	})
})

afterAll(async () => {
	await rm(folder, { recursive: true, force: true })
})

async function shown(way: string) {
	const pidFile = path.join(folder, `pid-${way}-${Math.random().toString(36).slice(2)}`)
	const line = `sh -c 'echo $$ > ${pidFile}; exec ${process.execPath} ${program} ${way}'`
	const terminal = new Terminal({ command: 'sh', args: ['-i'], env: environment(folder) })
	await terminal.until('shell>')
	await terminal.press(`stty -a > ${pidFile}.before\r`, `${line}; echo "left with $?"\r`)
	await terminal.until('api-server')
	expect(terminal.modes).toMatchObject({ alternate: true, cursor: false })
	return {
		terminal,
		pid: async () => Number(await readFile(pidFile, 'utf8')),
		/** Nothing that the program has set is left, and what the shell prints stands in the first column. */
		async clean() {
			expect(terminal.modes).toEqual(left)
			await terminal.press(`stty -a > ${pidFile}.after; echo told\r`)
			expect(await terminal.until(/^told/m)).toMatch(/^left with \d+$/m)
			const [before, after] = await Promise.all(
				['before', 'after'].map((when) => readFile(`${pidFile}.${when}`, 'utf8')),
			)
			expect(after).toMatch(cooked)
			expect(after).toBe(before)
		},
	}
}

describe.concurrent('the terminal is left as it was', () => {
	test.each([
		['component', 'broken while drawing'],
		['timer', 'broken by the clock'],
		['promise', 'broken promise'],
	])('when a %s breaks, and three lines say so', { timeout }, async (way, what) => {
		const { terminal, clean } = await shown(way)
		await using _ = terminal
		const text = await terminal.until('left with 1')
		expect(text).toContain('styrby-tui stopped because of a mistake of its own')
		expect(text).toContain(what)
		expect(text).not.toMatch(/\bat .*\d+:\d+|mjs:\d/)
		await clean()
	})

	test.each([
		['SIGTERM', 143],
		['SIGHUP', 129],
		['SIGINT', 130],
		['SIGQUIT', 131],
	] as const)('on %s', { timeout }, async (signal, code) => {
		const { terminal, pid, clean } = await shown('nothing')
		await using _ = terminal
		process.kill(await pid(), signal)
		await terminal.until(`left with ${code}`)
		await clean()
	})

	test.each([
		['q', 0],
		['\u0003', 130],
	])('by the key %j', { timeout }, async (key, code) => {
		const { terminal, clean } = await shown('nothing')
		await using _ = terminal
		await terminal.press(key)
		await terminal.until(`left with ${code}`)
		await clean()
	})

	test('by ctrl-z, by a stop from elsewhere, and by an end while it is stopped', {
		timeout,
	}, async () => {
		const { terminal, pid, clean } = await shown('nothing')
		await using _ = terminal
		const away = async () => {
			await terminal.until(() => !terminal.modes.alternate)
			expect(terminal.modes).toEqual(left)
		}
		const back = async () => {
			await terminal.press('fg\r')
			await terminal.until(() => terminal.modes.alternate)
			await terminal.until('api-server')
		}
		await terminal.press('\u001A')
		await away()
		await back()
		process.kill(await pid(), 'SIGTSTP')
		await away()
		await back()
		await terminal.press('\u001A')
		await away()
		process.kill(await pid(), 'SIGTERM')
		await terminal.press('fg; echo "left with $?"\r')
		await terminal.until('left with 143')
		await clean()
	})
})
