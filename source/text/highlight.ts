/**
 * Code in colours. The grammars are loaded when the first code of a language that is known comes into view,
 * and what is on the screen until then is plain.
 */
import { joinText, type SafeText, safeText, sliceText } from './safe-text.ts'
import {
	lineText,
	lineWidth,
	type Span,
	type Style,
	type StyledLine,
	span,
	splitSpans,
} from './styled.ts'
import { textWidth } from './width.ts'

/** As much of the tree that the highlighter makes as is read here. */
interface Node {
	type: string
	value?: string
	children?: readonly Node[]
	properties?: { className?: unknown }
}

interface Highlighter {
	registered(language: string): boolean
	highlight(language: string, code: string): Node
}

let highlighter: Highlighter | null = null
let loading: Promise<void> | null = null
const told = new Set<() => void>()

/** UTF-16 units of code that are highlighted at most: it must not be felt. */
const longest = 10_000
const deepest = 40
/** Of a file or a diff: in pieces of whole lines, and so many units of it at most. */
const longestPiece = 8000
const longestFile = 32_000

/**
 * From now on code is highlighted, once the grammars are there; `ready` is called when they are. Returns how
 * to stop that.
 */
export function startHighlighting(ready: () => void): () => void {
	told.add(ready)
	return () => {
		told.delete(ready)
	}
}

/** Whether code looks otherwise now than before the grammars were loaded. For caches. */
export function isHighlighting(): boolean {
	return told.size > 0 && highlighter !== null
}

/** Loads the grammars. Never rejects: without them code is plain. */
export function loadHighlighter(): Promise<void> {
	loading ??= import('lowlight').then(
		({ common, createLowlight }) => {
			highlighter = createLowlight(common)
			for (const ready of told) ready()
		},
		() => undefined,
	)
	return loading
}

/** Lines of code, each as it was; `null` where the language is not known, or nothing is highlighted yet. */
export function highlightedLines(code: SafeText, language: string): StyledLine[] | null {
	if (told.size === 0 || code.length > longest) return null
	if (highlighter === null) {
		void loadHighlighter()
		return null
	}
	const name = language.toLowerCase()
	if (!highlighter.registered(name)) return null
	try {
		return splitSpans(spansOf(highlighter.highlight(name, code), code)).map(whole)
	} catch {
		// A grammar that gives up on a text is no reason to show none of it.
		return null
	}
}

/** A grammar may cut a character that a person sees as one, such as `1️⃣`: such a line is plain. */
function whole(line: StyledLine): StyledLine {
	const text = lineText(line)
	const isWhole = line.every((piece) => piece.text.isWellFormed())
	return isWhole && textWidth(text) === lineWidth(line) ? line : [span(text, 'code')]
}

/** The language of a file, as far as its name tells it. */
export function codeLanguage(path: string): string {
	const name = path.slice(path.search(/[^/\\]*$/)).toLowerCase()
	const end = name.lastIndexOf('.')
	return end < 0 ? name : name.slice(end + 1)
}

/**
 * Lines of a file or a diff, each as it was, but for its colours; what is neither is `plain`. Of a long one
 * only the start is highlighted. `null` as in `highlightedLines`.
 */
export function highlightedCode(lines: readonly SafeText[], language: string): StyledLine[] | null {
	const coloured: StyledLine[] = []
	let units = 0
	for (let start = 0; start < lines.length; ) {
		let [end, size] = [start, 0]
		while (end < lines.length && (end === start || size < longestPiece)) {
			size += (lines[end]?.length ?? 0) + 1
			if (size > longestPiece && end > start) break
			end++
		}
		const piece = lines.slice(start, end)
		units += size
		const found =
			units > longestFile ? null : highlightedLines(joinText(piece, safeText`\n`), language)
		if (!found && start === 0) return null
		coloured.push(...(found?.length === piece.length ? found.map(plainly) : piece.map(asPlain)))
		start = end
	}
	return coloured
}

const asPlain = (line: SafeText): StyledLine => (line === '' ? [] : [span(line)])

const plainly = (line: StyledLine): StyledLine =>
	line.map((each) => (each.style === 'code' ? span(each.text) : each))

/** The pieces of `code` in their styles. What a grammar makes of a text never takes the place of the text. */
function spansOf(root: Node, code: SafeText): Span[] {
	const spans: Span[] = []
	let at = 0
	const walk = (node: Node, style: Style, depth: number): void => {
		if (node.type === 'text') {
			const end = at + (node.value?.length ?? 0)
			const piece = sliceText(code, at, end)
			if (piece !== node.value) throw new Error('not the same text')
			spans.push(span(piece, style))
			at = end
			return
		}
		const own = depth > deepest ? style : (styleOf(node) ?? style)
		for (const child of node.children ?? []) walk(child, own, depth + 1)
	}
	walk(root, 'code', 0)
	if (at !== code.length) throw new Error('not the whole text')
	return spans
}

const styles: Readonly<Record<string, Style>> = {
	'hljs-keyword': 'keyword',
	'hljs-literal': 'keyword',
	'hljs-operator': 'keyword',
	'hljs-selector-tag': 'keyword',
	'hljs-tag': 'keyword',
	'hljs-name': 'keyword',
	'hljs-type': 'name',
	'hljs-title': 'name',
	'hljs-built_in': 'name',
	'hljs-attr': 'name',
	'hljs-attribute': 'name',
	'hljs-section': 'name',
	'hljs-selector-class': 'name',
	'hljs-selector-id': 'name',
	'hljs-string': 'string',
	'hljs-regexp': 'string',
	'hljs-char': 'string',
	'hljs-number': 'number',
	'hljs-symbol': 'number',
	'hljs-bullet': 'number',
	'hljs-comment': 'comment',
	'hljs-quote': 'comment',
	'hljs-doctag': 'comment',
	'hljs-meta': 'comment',
	'hljs-addition': 'added',
	'hljs-deletion': 'removed',
	'hljs-subst': 'code',
}

function styleOf({ properties }: Node): Style | null {
	const names = properties?.className
	if (!Array.isArray(names)) return null
	for (const name of names) {
		const style = typeof name === 'string' ? styles[name] : undefined
		if (style) return style
	}
	return null
}
