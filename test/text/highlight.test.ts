import { afterEach, expect, test } from 'vitest'
import { changeLines } from '../../source/text/diff.ts'
import { codeLines } from '../../source/text/file-lines.ts'
import {
	highlightedLines,
	isHighlighting,
	loadHighlighter,
	startHighlighting,
} from '../../source/text/highlight.ts'
import { markdownLines } from '../../source/text/markdown.ts'
import { displayText, safeText } from '../../source/text/safe-text.ts'
import { lineText, type StyledLine } from '../../source/text/styled.ts'
import { expectDrawable } from './_texts.ts'
import { hostileTexts } from './hostile-text.ts'

const stops: (() => void)[] = []
afterEach(() => {
	for (const stop of stops.splice(0)) stop()
})

const code = displayText("// why\nconst text = 'a' + 5\n\nreturn text")
const styled = (lines: readonly StyledLine[] | null) =>
	lines?.flat().map(({ text, style }) => `${style}:${text}`) ?? []

test('code is plain until the grammars are there, and told when they are', async () => {
	expect(highlightedLines(code, 'ts')).toBeNull()
	let ready = 0
	stops.push(startHighlighting(() => ready++))
	expect(isHighlighting()).toBe(false)
	// Looking at it is what loads them.
	expect(highlightedLines(code, 'ts')).toBeNull()
	await loadHighlighter()
	expect(ready).toBe(1)
	expect(isHighlighting()).toBe(true)
	const parts = styled(highlightedLines(code, 'ts'))
	expect(parts).toContain('comment:// why')
	expect(parts).toContain('keyword:const')
	expect(parts).toContain("string:'a'")
	expect(parts).toContain('number:5')
	expect(highlightedLines(code, 'ts')).toHaveLength(4)
	// Nobody shows colours any more.
	stops.splice(0)[0]?.()
	expect(highlightedLines(code, 'ts')).toBeNull()
})

test('a fence is highlighted by its language, and one of no language that is known is not', async () => {
	stops.push(startHighlighting(() => undefined))
	await loadHighlighter()
	expect(styled(markdownLines('```ts\nconst a = 1\n```', 40))).toContain('keyword:const')
	for (const language of ['', 'nonsense', 'constructor', '__proto__']) {
		expect(styled(markdownLines(`\`\`\`${language}\nconst a = 1\n\`\`\``, 40))).toContain(
			'code:const a = 1',
		)
	}
	expect(highlightedLines(displayText('x = 1\n'.repeat(5000)), 'python')).toBeNull()
})

test('whatever a grammar makes of a text, the text stays what it was', async () => {
	stops.push(startHighlighting(() => undefined))
	await loadHighlighter()
	const languages = ['bash', 'typescript', 'xml', 'markdown', 'diff', 'php']
	for (const [index, { id, text }] of hostileTexts.entries()) {
		const shown = displayText(text)
		// By turns: all of them take long.
		for (const language of languages.filter((_, turn) => turn % 3 === index % 3)) {
			const lines = highlightedLines(shown, language)
			if (lines) expect(lines.map(lineText).join('\n'), `${id} as ${language}`).toBe(shown)
		}
	}
})

test('a diff is highlighted where its lines are there, and changed words and hidden ones keep their look', async () => {
	const lines = ["-const a = 'x'", "+const a = 'y'", ' return 5', '+// \u202ewhy']
	const hunk = { old_start: 1, old_lines: 2, new_start: 1, new_lines: 3, lines }
	const drawn = () => styled(changeLines({ path: 'src/a.ts', hunks: [hunk] }, 60))
	const plain = changeLines({ path: 'src/a.ts', hunks: [hunk] }, 60).map(lineText)
	expect(drawn()).toContain("added:const a = '")
	stops.push(startHighlighting(() => undefined))
	await loadHighlighter()
	const parts = drawn()
	expect(parts).toContain("removed:const a = '")
	expect(parts).toEqual(expect.arrayContaining(['keyword:const', 'addedWord:y', 'added: a = ']))
	expect(parts).toEqual(expect.arrayContaining(['keyword:return', 'number:5', 'comment:// ']))
	expect(parts).toContain('hidden:\\u202e')
	expect(changeLines({ path: 'src/a.ts', hunks: [hunk] }, 60).map(lineText)).toEqual(plain)
	// What is red stays red, to the sign.
	expect(parts.filter((part) => part.startsWith('removed'))).toHaveLength(4)
})

test('a file that was read is code with its numbers, and folded like any output', async () => {
	stops.push(startHighlighting(() => undefined))
	await loadHighlighter()
	const file = Array.from({ length: 300 }, (_, index) => `${index + 1}→\tconst a${index} = 1`)
	const more = (hidden: number) => safeText`… ${hidden}`
	const lines = codeLines(file.join('\n'), '/a/b.ts', 40, { limit: 9, more })
	expect(lines?.map(lineText).slice(0, 2)).toEqual(['  1     const a0 = 1', '  2     const a1 = 1'])
	expect(lines?.map(lineText).slice(-4)).toEqual([
		'… 291',
		...[298, 299, 300].map((number) => `${number}     const a${number - 1} = 1`),
	])
	expect(styled(lines ?? [])).toContain('keyword:const')
	expect(codeLines('x', 'notes.unknown', 40)).toBeNull()
	// Of a long one only the start is in colours, and all of it is there.
	const long = codeLines('const a = 1\n'.repeat(9000), 'b.ts', 40)
	expect(long).toHaveLength(9001)
	expect(styled(long?.slice(0, 1) ?? [])).toContain('keyword:const')
	expect(styled(long?.slice(8000, 8001) ?? [])).toEqual(['plain:const a = 1'])
	for (const { id, text } of hostileTexts) {
		for (const path of ['a.ts', 'a.html']) {
			const lines = codeLines(text, path, 40)
			if (lines) expectDrawable(lines, 40)
			const coloured = changeLines({ path, hunks: [unplaced(text)] }, 40).map(lineText)
			stops.splice(0)[0]?.()
			const plain = changeLines({ path, hunks: [unplaced(text)] }, 40).map(lineText)
			expect(coloured, id).toEqual(plain)
			stops.push(startHighlighting(() => undefined))
		}
	}
})

const unplaced = (text: string) => ({
	...{ old_start: 0, old_lines: 0, new_start: 0, new_lines: 0 },
	lines: text
		.split('\n')
		.slice(0, 50)
		.map((line) => `+${line}`),
})
