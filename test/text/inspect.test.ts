import { expect, test } from 'vitest'
import { inspect, isClear } from '../../source/text/inspect.ts'

test.each([
	['ls -la\n\techo "ü 日本語 ⚠\ufe0f 👩\u200d👧 👍🏽 1\ufe0f\u20e3"\r\n'],
	['cat Документы/заметки.txt'],
	['η = 0.1, Δt, π'],
	['naïve café e\u0301'],
])('%j hides nothing', (raw) => {
	expect(inspect(raw)).toEqual({ hidden: [], mixedScripts: [], rightToLeft: false })
	expect(isClear(raw)).toBe(true)
})

test.each([
	['a\u202eb', 'U+202E right-to-left override'],
	['a\u200bb', 'U+200B zero-width space'],
	['a\u200db', 'U+200D zero-width joiner'],
	['rm\u00a0-rf', 'U+00A0 no-break space'],
	['rm\u2003-rf', 'U+2003 unusual space'],
	['a\x1b[8mb', 'U+001B escape: starts a terminal sequence'],
	['a\x9b8mb', 'U+009B starts a terminal sequence'],
	['a\rb', 'U+000D carriage return'],
	['rm\b\bls', 'U+0008 backspace'],
	['a\u{e0041}', 'U+E0041 hidden tag character'],
	['a\ufe0f', 'U+FE0F variation selector'],
	['a\u{e0101}', 'U+E0101 variation selector'],
	['a\u3164', 'U+3164 invisible character'],
	['\ue0b0', 'U+E0B0 private-use character'],
	['\ud800', 'U+D800 half of a character'],
	['\u0301a', 'combining marks that stack or stand alone'],
	['a\u0301\u0301\u0301\u0301\u0301', 'combining marks that stack or stand alone'],
])('%j hides %s', (raw, hidden) => {
	expect(inspect(raw).hidden).toEqual([hidden])
	expect(isClear(raw)).toBe(false)
})

test.each([
	['curl https://gооgle.com', ['gооgle']],
	['аpt-get install', ['аpt']],
	['echo раураl', ['раураl']],
	['sudo ѕсоре', ['ѕсоре']],
	['cοde Ωm', ['cοde']],
])('%j mixes scripts', (raw, words) => {
	expect([...inspect(raw).mixedScripts].sort()).toEqual(words)
})

test.each([
	['ｓｕｄｏ rm', ['ｓｕｄｏ']],
	['\u{1d5cb}\u{1d5c6} -rf', ['\u{1d5cb}\u{1d5c6}']],
	['cat \ufb01le', ['\ufb01le']],
])('%j holds letters that only look like others', (raw, words) => {
	expect(inspect(raw).mixedScripts).toEqual(words)
	expect(isClear(raw)).toBe(false)
})

test('right-to-left letters are told, and hide nothing', () => {
	expect(inspect('rm קובץ -rf').rightToLeft).toBe(true)
	expect(inspect('cat ملف').rightToLeft).toBe(true)
	expect(isClear('cat ملف')).toBe(true)
	expect(inspect('cat 日本 файл').rightToLeft).toBe(false)
})
