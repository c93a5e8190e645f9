import { afterEach, expect, test } from 'vitest'
import {
	highlightedLines,
	isHighlighting,
	loadHighlighter,
	startHighlighting,
} from '../../source/text/highlight.ts'
import { markdownLines } from '../../source/text/markdown.ts'
import { displayText } from '../../source/text/safe-text.ts'
import { lineText, type StyledLine } from '../../source/text/styled.ts'
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
	for (const { id, text } of hostileTexts) {
		const shown = displayText(text)
		for (const language of ['bash', 'typescript', 'xml', 'markdown', 'diff', 'php']) {
			const lines = highlightedLines(shown, language)
			if (lines) expect(lines.map(lineText).join('\n'), `${id} as ${language}`).toBe(shown)
		}
	}
})
