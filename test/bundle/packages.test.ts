/** What the bundle changes in packages does what the packages do. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build, type Plugin } from 'esbuild'
import { afterAll, beforeAll, expect, test } from 'vitest'

interface Stream {
	columns: number
	isTTY: boolean
	write(text: string): void
}
interface Output {
	write(x: number, y: number, text: string, options: { transformers: [] }): void
	get(): { output: string }
}
interface Packages {
	stringWidth(text: string): number
	sliceAnsi(text: string, from: number, to: number): string
	wrapAnsi(text: string, columns: number, options: { hard: boolean; trim: boolean }): string
	sanitizeAnsi(text: string): string
	Output: new (size: { width: number; height: number }) => Output
	logUpdate: {
		create(stream: Stream, options: { incremental: true }): (text: string) => boolean
	}
	Marked: new () => { lexer(text: string): unknown }
}
interface Checks {
	assertBundled(metafile: { outputs: object }, external: readonly string[]): void
}
interface Patches {
	packagePatches(): { plugins: Plugin[]; assertAllUsed(): void }
}

const root = fileURLToPath(new URL('../..', import.meta.url))
const ink = path.join(root, 'node_modules/ink/build')
const entry = `
	export { default as stringWidth } from 'string-width'
	export { default as sliceAnsi } from 'slice-ansi'
	export { default as wrapAnsi } from 'wrap-ansi'
	export { default as sanitizeAnsi } from './sanitize-ansi.js'
	export { default as Output } from './output.js'
	export { default as logUpdate } from './log-update.js'
	export { Marked } from 'marked'
`

let folder: string
let original: Packages
let bundled: Packages
let patches: Patches

beforeAll(async () => {
	folder = await mkdtemp(path.join(tmpdir(), 'styrby-bundle-'))
	patches = await import(pathToFileURL(path.join(root, 'scripts/bundle/patches.js')).href)
	// Packages bring copies of several versions; the bundle has one.
	const alias = { 'string-width': path.join(root, 'node_modules/string-width/index.js') }
	const load = async (name: string, plugins: Plugin[]): Promise<Packages> => {
		const outfile = path.join(folder, `${name}.mjs`)
		await build({
			stdin: { contents: entry, resolveDir: ink },
			outfile,
			bundle: true,
			platform: 'node',
			format: 'esm',
			supported: { 'regexp-set-notation': true },
			banner: {
				js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
			},
			plugins,
			...(plugins.length === 0 ? { alias } : {}),
			logLevel: 'error',
		})
		return import(pathToFileURL(outfile).href)
	}
	original = await load('original', [])
	bundled = await load('bundled', patches.packagePatches().plugins)
})

afterAll(() => rm(folder, { recursive: true, force: true }))

const red = (text: string) => `\u001B[31m${text}\u001B[39m`
const texts = [
	'',
	'plain words, and more of them',
	red('red words'),
	'│ ─ ┌ ✓ ✗ ⏎ … · – “quoted” ½ é',
	'日本語とテキスト',
	'한국어',
	'e\u0301 a\u0300\u0323 n\u0303',
	'👍🏽 👩‍👩‍👧‍👦 🇸🇪 ❤️ ❤ ☎️ 1️⃣ ⚠ ⚠️',
	'नमस्ते สวัสดี',
	'عربي עברית',
	'a\u00ADb\u200Bc\u2060d\uFEFFe',
	'tab\there\u0007 bell \u001B]0;title\u0007 \u001B[2J gone',
	`${red('日本')} and ${red('👍🏽 x')} ─ end`,
	'\uD800 alone',
]

test('widths are those of the package, for every character', () => {
	const differing: string[] = []
	for (let point = 0; point <= 0x10_ff_ff; point++) {
		// Ideographs, syllables and planes without characters: some stand for all.
		const alike = point > 0x34_00 && point < 0xd7_00
		const sparse = alike || (point > 0x2_00_00 && point < 0xe_00_00) || point > 0xe_01_ff
		if (sparse && point % 499 !== 0) continue
		const text = String.fromCodePoint(point)
		if (bundled.stringWidth(text) !== original.stringWidth(text)) differing.push(text)
	}
	expect(differing).toEqual([])
	for (const text of texts) {
		expect([text, bundled.stringWidth(text)]).toEqual([text, original.stringWidth(text)])
	}
})

test('texts are cut, wrapped and cleaned as by the packages', () => {
	for (const text of [...texts, texts.join(' ')]) {
		for (const [from, to] of [
			[0, 5],
			[1, 7],
			[3, 40],
		] as const) {
			expect(bundled.sliceAnsi(text, from, to)).toBe(original.sliceAnsi(text, from, to))
		}
		for (const columns of [1, 7, 30]) {
			const options = { hard: true, trim: false }
			expect(bundled.wrapAnsi(text, columns, options)).toBe(
				original.wrapAnsi(text, columns, options),
			)
		}
		// Once more: the second time it is remembered.
		for (let times = 0; times < 2; times++) {
			expect(bundled.sanitizeAnsi(text)).toBe(original.sanitizeAnsi(text))
		}
	}
})

/** Frames of which most rows stay; enough different ones that what is remembered of them is given up. */
function* frames(): Generator<string[]> {
	for (let at = 0; at < 400; at++) {
		const busy = Array.from({ length: 8 }, (_, row) => `${texts[(at + row) % texts.length]} ${at}`)
		yield ['header', ...texts.slice(0, 6), ...busy, `footer ${Math.floor(at / 10)}`]
	}
}

test('frames are laid out as by Ink, whatever of the rows before is remembered', () => {
	for (const rows of frames()) {
		const [one, other] = [original, bundled].map(({ Output }) => {
			const output = new Output({ width: 40, height: rows.length })
			rows.forEach((row, y) => {
				output.write(0, y, row.replaceAll('\t', ' '), { transformers: [] })
			})
			return output.get().output
		})
		expect(other).toBe(one)
	}
})

test('rows that stay are skipped in one move, and nothing else is written otherwise', () => {
	const write = ({ logUpdate }: Packages) => {
		const written: string[] = []
		const stream = { columns: 40, isTTY: true, write: (text: string) => written.push(text) }
		const log = logUpdate.create(stream, { incremental: true })
		for (const rows of frames()) log(`${rows.join('\n')}\n`)
		return written.join('')
	}
	const [before, after] = [write(original), write(bundled)]
	// biome-ignore lint/suspicious/noControlCharactersInRegex: a move begins with one
	const moves = /\u001B\[(\d+)E/g
	const spelled = after.replace(moves, (_, count) => '\u001B[E'.repeat(Number(count)))
	expect(spelled).toBe(before)
	expect(after.length).toBeLessThan(before.length)
})

test('text is read as by marked', () => {
	const text =
		'# Title\n\n- one\n- [x] two\n\n| a | b |\n|---|---|\n| 1 | `2` |\n\n```ts\ncode\n```\n'
	expect(JSON.stringify(new bundled.Marked().lexer(text))).toBe(
		JSON.stringify(new original.Marked().lexer(text)),
	)
})

test('a build in which nothing was there to change fails, and says what it lacks', async () => {
	const { plugins, assertAllUsed } = patches.packagePatches()
	await build({ stdin: { contents: 'export {}' }, write: false, plugins, logLevel: 'silent' })
	expect(assertAllUsed).toThrow(/no longer fits a package: nothing for yoga-without-fetch \(/)
})

test('a build that leaves out what is not installed fails, and says what', async () => {
	const { assertBundled }: Checks = await import(
		pathToFileURL(path.join(root, 'scripts/bundle/assert-bundled.js')).href
	)
	const { metafile } = await build({
		stdin: { contents: "import 'node:fs'; import('absent').catch(() => 0)", resolveDir: root },
		write: false,
		bundle: true,
		platform: 'node',
		format: 'esm',
		metafile: true,
	})
	expect(() => assertBundled(metafile, ['other'])).toThrow('absent is not in the bundle')
	expect(() => assertBundled(metafile, ['absent'])).not.toThrow()
})
