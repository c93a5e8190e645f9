/** An emulated terminal's screen as a picture: text stays text, in runs of one style each. */
import type { IBufferCell, Terminal } from '@xterm/headless'

const cell = { width: 8.4, height: 18 }
const margin = 14
const fontSize = 14

const background = '#16181d'
const foreground = '#d3d7de'
const palette = [
	...['#16181d', '#f0716f', '#7cc380', '#e3b65f', '#74a8f7', '#c58af2', '#5cc4cf', '#d3d7de'],
	...['#6b7280', '#ff8f8c', '#98dd9c', '#f5cf7f', '#94befd', '#d7abfa', '#7fdde6', '#f5f7fa'],
]

interface Look {
	color: string
	fill: string | null
	bold: boolean
	italic: boolean
	underline: boolean
	faint: boolean
}

interface Run extends Look {
	text: string
	column: number
	columns: number
}

/** All that is on the screen now, as an SVG file. `title` is for those who can't see it. */
export function svgOf(screen: Terminal, title: string): string {
	const width = Math.ceil(screen.cols * cell.width + 2 * margin)
	const height = screen.rows * cell.height + 2 * margin
	const rows = Array.from({ length: screen.rows }, (_, row) => rowSvg(screen, row)).join('')
	return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">
<title>${escaped(title)}</title>
<rect width="100%" height="100%" rx="8" fill="${background}"/>
<g font-family="ui-monospace, 'SF Mono', Menlo, 'DejaVu Sans Mono', Consolas, monospace" font-size="${fontSize}" xml:space="preserve">
${rows}</g>
</svg>
`
}

function rowSvg(screen: Terminal, row: number): string {
	const y = margin + row * cell.height
	return runsOf(screen, row)
		.filter(({ text, fill }) => text.trim() !== '' || fill !== null)
		.map((run) => `${behind(run, y)}${textOf(run, y)}`)
		.join('')
}

function behind({ fill, column, columns }: Run, y: number): string {
	if (fill === null) return ''
	return `<rect x="${left(column)}" y="${y}" width="${round(columns * cell.width)}" height="${cell.height}" fill="${fill}"/>\n`
}

function textOf(run: Run, y: number): string {
	if (run.text.trim() === '') return ''
	const looks = [
		`fill="${run.color}"`,
		run.bold ? 'font-weight="bold"' : '',
		run.italic ? 'font-style="italic"' : '',
		run.underline ? 'text-decoration="underline"' : '',
		run.faint ? 'opacity="0.62"' : '',
	].filter((look) => look !== '')
	const length = round(run.columns * cell.width)
	return `<text x="${left(run.column)}" y="${y + 13.5}" textLength="${length}" lengthAdjust="spacingAndGlyphs" ${looks.join(' ')}>${escaped(run.text)}</text>\n`
}

/** Neighbouring cells of one look, without the empty ones at both ends. */
function runsOf(screen: Terminal, row: number): Run[] {
	const { active } = screen.buffer
	const line = active.getLine(active.baseY + row)
	const runs: Run[] = []
	for (let column = 0; line && column < screen.cols; column++) {
		const at = line.getCell(column)
		if (!at || at.getWidth() === 0) continue
		const look = lookOf(at)
		const text = at.getChars() || ' '
		const last = runs.at(-1)
		if (last && sameLook(last, look) && last.column + last.columns === column) {
			last.text += text
			last.columns += at.getWidth()
		} else runs.push({ ...look, text, column, columns: at.getWidth() })
	}
	return runs.flatMap(trimmed)
}

/** Spaces that nothing is drawn behind are left out: the text starts where it is seen. */
function trimmed(run: Run): Run[] {
	if (run.fill !== null || run.underline) return [run]
	const before = run.text.length - run.text.trimStart().length
	const after = run.text.length - run.text.trimEnd().length
	if (run.text.trim() === '') return []
	return [
		{
			...run,
			text: run.text.trim(),
			column: run.column + before,
			columns: run.columns - before - after,
		},
	]
}

function lookOf(at: IBufferCell): Look {
	const front = at.isFgDefault() ? foreground : (palette[at.getFgColor()] ?? foreground)
	const back = at.isBgDefault() ? null : (palette[at.getBgColor()] ?? null)
	const inverse = at.isInverse() !== 0
	return {
		color: inverse ? (back ?? background) : front,
		fill: inverse ? front : back,
		bold: at.isBold() !== 0,
		italic: at.isItalic() !== 0,
		underline: at.isUnderline() !== 0,
		faint: at.isDim() !== 0,
	}
}

function sameLook(a: Look, b: Look): boolean {
	return (
		a.color === b.color &&
		a.fill === b.fill &&
		a.bold === b.bold &&
		a.italic === b.italic &&
		a.underline === b.underline &&
		a.faint === b.faint
	)
}

const left = (column: number) => round(margin + column * cell.width)
const round = (value: number) => Math.round(value * 10) / 10

function escaped(text: string): string {
	return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
