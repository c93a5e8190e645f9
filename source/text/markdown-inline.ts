/** The inside of a markdown paragraph as styled lines. */
import type { MarkedToken, Token } from 'marked'
import { displayText, safeText, splitLines } from './safe-text.ts'
import { compactLine, type Span, type Style, type StyledLine, span } from './styled.ts'

/** Lets TypeScript tell tokens apart: no extension of ours makes others. */
export function isMarked(_token: Token): _token is MarkedToken {
	return true
}

const deepest = 20

/** Lines of inline tokens, unwrapped. A line break of the source is kept: agents mean it. */
export function inlineLines(tokens: readonly Token[], style: Style): StyledLine[] {
	const lines: Span[][] = [[]]
	for (const { text, style: own } of inline(tokens, style, 0)) {
		for (const [index, piece] of splitLines(text).entries()) {
			if (index > 0) lines.push([])
			lines.at(-1)?.push(span(piece, own))
		}
	}
	return lines.map(compactLine)
}

function* inline(tokens: readonly Token[], style: Style, depth: number): Generator<Span> {
	for (const token of tokens) {
		if (!isMarked(token)) continue
		if (depth >= deepest) yield span(displayText(token.raw), style)
		else yield* inlineToken(token, style, depth + 1)
	}
}

function* inlineToken(token: MarkedToken, style: Style, depth: number): Generator<Span> {
	switch (token.type) {
		case 'strong':
			return yield* inline(token.tokens, within(style, 'strong'), depth)
		case 'em':
			return yield* inline(token.tokens, within(style, 'emphasis'), depth)
		case 'del':
			return yield* inline(token.tokens, within(style, 'struck'), depth)
		case 'codespan':
			return yield span(displayText(token.text), 'code')
		case 'br':
			return yield span(safeText`\n`, style)
		case 'link': {
			const shown = displayText(decodeEntities(token.text))
			const url = displayText(token.href)
			if (shown === url || url === `mailto:${shown}`) return yield span(shown, 'link')
			yield* inline(token.tokens, style, depth)
			return yield* address(url)
		}
		case 'image':
			yield span(safeText`image ${displayText(decodeEntities(token.text))}`, style)
			return yield* address(displayText(token.href))
		case 'escape':
			return yield span(displayText(token.text), style)
		case 'text':
			if (token.tokens) return yield* inline(token.tokens, style, depth)
			return yield span(displayText(decodeEntities(token.text)), style)
		default:
			// HTML and whatever else: as it was written.
			return yield span(displayText(token.raw), style)
	}
}

/** A link shows where it leads: its words may say something else. */
function* address(url: ReturnType<typeof displayText>): Generator<Span> {
	yield span(safeText` (`, 'dim')
	yield span(url, 'link')
	yield span(safeText`)`, 'dim')
}

/** Headings and links keep their look; elsewhere the innermost mark wins. */
function within(outer: Style, own: Style): Style {
	return outer === 'heading' || outer === 'link' ? outer : own
}

const named = new Map([
	['lt', '<'],
	['gt', '>'],
	['amp', '&'],
	['quot', '"'],
	['apos', "'"],
	['nbsp', ' '],
])

/** The few character references that agents write. What comes out is cleaned like all other text. */
export function decodeEntities(text: string): string {
	if (!text.includes('&')) return text
	return text.replace(
		/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|([a-z]{2,4}));/gi,
		(whole, decimal?: string, hex?: string, name?: string) => {
			if (name !== undefined) return named.get(name.toLowerCase()) ?? whole
			const code = decimal === undefined ? Number.parseInt(hex ?? '', 16) : Number(decimal)
			return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : whole
		},
	)
}
