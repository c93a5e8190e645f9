/** Markdown as styled lines: what agents write, laid out for a terminal. */
import { Marked, type MarkedToken, type Token, type Tokens } from 'marked'
import { highlightedLines } from './highlight.ts'
import { hasMarkup, inlineMarkdownOf, markdownOf } from './html.ts'
import { inlineLines, isMarked } from './markdown-inline.ts'
import { displayText, repeatText, type SafeText, safeText } from './safe-text.ts'
import {
	compactLine,
	lineWidth,
	type Style,
	type StyledLine,
	spaces,
	span,
	styledLines,
} from './styled.ts'
import { tableLines } from './table.ts'
import { wrapLine } from './wrap.ts'

const marked = new Marked({ gfm: true })
const longest = 200_000
const deepest = 12

/**
 * Renders markdown in lines of at most `width` columns. HTML is shown as the text that it is for,
 * links with their address. Text made to exhaust a parser, or very long text, is shown as it is.
 */
export function markdownLines(raw: string, width: number): StyledLine[] {
	const text = displayText(raw)
	if (!isTame(text)) return plainLines(text, width)
	const lines = trimmed(blocks(marked.lexer(text), { width, style: 'plain', depth: 0 }))
	// Where there is nothing but tags, they are what is said.
	return lines.length === 0 ? plainLines(text, width) : lines
}

/** Lines of plain text, wrapped between words. */
export function plainLines(text: SafeText, width: number, style: Style = 'plain'): StyledLine[] {
	return styledLines(text, style).flatMap((line) => wrapLine(line, width))
}

/** Whether a parser of markdown takes neither long nor much stack for this. */
function isTame(text: string): boolean {
	if (text.length > longest) return false
	if (/^(?:[ ]{0,8}(?:>|[-*+]|\d{1,9}[.)])){12}|^ {40,}(?:[-*+]|\d{1,9}[.)]) /m.test(text))
		return false
	return text.split(/\n *\n/).every((paragraph) => {
		let marks = 0
		for (const _ of paragraph.matchAll(/[*_~[\]<`]/g)) if (++marks > 2000) return false
		return !/[*_~[]{200}/.test(paragraph)
	})
}

interface Place {
	width: number
	style: Style
	depth: number
}

function trimmed(lines: StyledLine[]): StyledLine[] {
	while (lines.at(-1)?.length === 0) lines.pop()
	return lines
}

function blocks(tokens: readonly Token[], place: Place): StyledLine[] {
	const lines: StyledLine[] = []
	for (const token of tokens) {
		if (!isMarked(token)) continue
		if (token.type === 'space' || token.type === 'def') {
			if (lines.length > 0 && lines.at(-1)?.length !== 0) lines.push([])
			if (token.type === 'space') continue
		}
		lines.push(...block(token, place))
	}
	return lines
}

function block(token: MarkedToken, place: Place): StyledLine[] {
	const { width, style, depth } = place
	if (depth >= deepest) return plainLines(displayText(token.raw), width, style)
	switch (token.type) {
		case 'heading': {
			const first = [span(safeText`${repeatText(safeText`#`, token.depth)} `, 'heading')]
			return [...wrapAll(inlineLines(token.tokens, 'heading'), width, first), []]
		}
		case 'paragraph':
		case 'text': {
			const markdown = inlineMarkdownOf(token.tokens ?? [])
			if (markdown !== null) return markupLines(markdown, place)
			return wrapAll(inlineLines(token.tokens ?? [token], style), width)
		}
		case 'html':
			return hasMarkup(token.raw)
				? markupLines(markdownOf(token.raw), place)
				: plainLines(displayText(token.raw.replace(/\n+$/, '')), width, style)
		case 'code':
			return codeLines(token, width)
		case 'blockquote': {
			const bar = [span(safeText`│ `, 'dim')]
			const inner = blocks(token.tokens, { width: width - 2, style: 'quote', depth: depth + 1 })
			return trimmed(inner).map((line) => compactLine([...bar, ...line]))
		}
		case 'list':
			return listLines(token, place)
		case 'table':
			return [...tableLines(tableOf(token), width), []]
		case 'hr':
			return [[span(repeatText(safeText`─`, Math.min(width, 40)), 'dim')]]
		default:
			return plainLines(displayText(token.raw.replace(/\n+$/, '')), width, style)
	}
}

/** What HTML was made into; another tag in it is one that is left as it is. */
function markupLines(markdown: string, place: Place): StyledLine[] {
	if (!isTame(markdown)) return plainLines(displayText(markdown), place.width, place.style)
	return blocks(marked.lexer(markdown), { ...place, depth: place.depth + 1 })
}

function wrapAll(
	lines: readonly StyledLine[],
	width: number,
	first: StyledLine = [],
	rest: StyledLine = [spaces(lineWidth(first))],
): StyledLine[] {
	const indent = lineWidth(first) === 0 ? [] : rest
	return lines.flatMap((line, index) =>
		wrapLine(line, width, { first: index === 0 ? first : indent, rest: indent }),
	)
}

function codeLines(token: Tokens.Code, width: number): StyledLine[] {
	const margin = [spaces(2)]
	const language = token.lang?.trim().split(/\s/)[0]
	const head = language ? [[...margin, span(displayText(language), 'dim')]] : []
	const code = displayText(token.text)
	const lines = (language && highlightedLines(code, language)) || styledLines(code, 'code')
	const body = lines.flatMap((line) =>
		wrapLine(line, width, { mode: 'columns', first: margin, rest: margin }),
	)
	return [...head, ...body]
}

function listLines(list: Tokens.List, place: Place): StyledLine[] {
	const start = typeof list.start === 'number' ? list.start : 1
	const digits = String(start + list.items.length - 1).length
	return list.items.flatMap((item, index) => {
		const box = item.task ? (item.checked ? '☑' : '☐') : null
		const mark = list.ordered ? `${start + index}.`.padStart(digits + 1) : (box ?? '•')
		const first = span(displayText(`${mark} `), 'accent')
		const indent = lineWidth([first])
		const inner = trimmed(
			blocks(
				item.tokens.filter(({ type }) => type !== 'checkbox'),
				{ ...place, width: place.width - indent, depth: place.depth + 1 },
			),
		)
		const lines = (inner.length === 0 ? [[]] : inner).map((line, number) =>
			number === 0 ? [first, ...line] : line.length === 0 ? line : [spaces(indent), ...line],
		)
		return list.loose && index < list.items.length - 1 ? [...lines, []] : lines
	})
}

/** A cell is one line: a break in it is a space. */
function cellTokens(tokens: Token[]): Token[] {
	const [first] = marked.lexer(inlineMarkdownOf(tokens) ?? '')
	return first?.type === 'paragraph' ? (first.tokens ?? tokens) : tokens
}

function tableOf(token: Tokens.Table) {
	const cell = ({ tokens }: Tokens.TableCell, style: Style): StyledLine =>
		inlineLines(cellTokens(tokens), style).flatMap((line, index) =>
			index === 0 ? line : [span(safeText` `, style), ...line],
		)
	return {
		header: token.header.map((each) => cell(each, 'strong')),
		rows: token.rows.map((row) => row.map((each) => cell(each, 'plain'))),
		align: token.align.map((align) => align ?? 'left'),
	}
}
