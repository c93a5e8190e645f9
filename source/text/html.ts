/** The HTML that people and agents put into markdown, as markdown or plain text: its tags are not drawn. */

/** By name: what stands for the opening and for the closing tag. Tags of other names are left as they are. */
const marks: ReadonlyMap<string, readonly [string, string]> = new Map([
	...pairs(['b', 'strong'], '**', '**'),
	...pairs(['i', 'em', 'cite', 'var'], '*', '*'),
	...pairs(['del', 's', 'strike'], '~~', '~~'),
	...pairs(['code', 'kbd', 'samp', 'tt'], '`', '`'),
	...pairs(['u', 'ins', 'mark', 'small', 'span', 'font', 'abbr', 'sub', 'sup'], '', ''),
	...pairs(
		['p', 'div', 'center', 'section', 'article', 'details', 'figure', 'picture'],
		'\n\n',
		'\n\n',
	),
	...pairs(
		['figcaption', 'ul', 'ol', 'dl', 'table', 'thead', 'tbody', 'blockquote'],
		'\n\n',
		'\n\n',
	),
	...pairs(['summary'], '\n\n**', '**\n\n'),
	...pairs(['dt', 'dd'], '\n', '\n'),
	...pairs(['li'], '\n- ', ''),
	...pairs(['tr'], '\n', '\n'),
	...pairs(['td', 'th'], ' ', ' ·'),
	...pairs(['br'], '\n', ''),
	...pairs(['hr'], '\n\n---\n\n', ''),
	...pairs(['source', 'wbr'], '', ''),
	...[1, 2, 3, 4, 5, 6].flatMap((level) =>
		pairs([`h${level}`], `\n\n${'#'.repeat(level)} `, '\n\n'),
	),
])

function pairs(names: readonly string[], open: string, close: string) {
	return names.map((name) => [name, [open, close]] as const)
}

/** One tag or comment; what is between its name and its end holds no other one. */
const tag = /<!--([\s\S]{0,4000}?)-->|<(\/?)([a-zA-Z][a-zA-Z0-9]{0,15})(\s[^<>]{0,2000})?\/?>/g

/** Whether there is a tag in it that is not drawn. */
export function hasMarkup(html: string): boolean {
	return [...html.matchAll(tag)].some(
		([, comment, , name = '']) => comment !== undefined || isKnown(name.toLowerCase()),
	)
}

const isKnown = (name: string) => marks.has(name) || name === 'a' || name === 'img'

/**
 * A block of HTML as markdown. Pictures and links keep their address, comments are said to be such, and
 * tags of unknown names stay: `<T>` may be part of what is said.
 */
export function markdownOf(html: string): string {
	return html
		.replace(tag, marker())
		.split('\n')
		.map((line) => line.replace(/^[ \t]+/, '').replace(/[ \t]*·?[ \t]*$/, ''))
		.join('\n')
		.replace(/\n\s*\n- /g, '\n- ')
		.replace(/\n{3,}/g, '\n\n')
		.trim()
}

/** Ends by itself. */
const single = new Set(['br', 'img', 'wbr'])

/**
 * A paragraph whose tags stand alone among its pieces, as markdown; `null` where none is to be left out. Of
 * tags in prose only pairs are: who writes of `<div>` means the word.
 */
export function inlineMarkdownOf(pieces: readonly { type: string; raw: string }[]): string | null {
	const open: { name: string; index: number }[] = []
	const paired = new Set<number>()
	for (const [index, { type, raw }] of pieces.entries()) {
		const found = type === 'html' ? /^<(\/?)([a-zA-Z][a-zA-Z0-9]*)/.exec(raw) : null
		const name = found?.[2]?.toLowerCase()
		if (name === undefined || !isKnown(name)) continue
		if (single.has(name)) paired.add(index)
		else if (found?.[1] === '') open.push({ name, index })
		else {
			const at = open.findLastIndex((each) => each.name === name)
			const [start] = at < 0 ? [] : open.splice(at)
			if (start) paired.add(start.index).add(index)
		}
	}
	if (paired.size === 0) return null
	const mark = marker()
	return pieces.map(({ raw }, index) => (paired.has(index) ? raw.replace(tag, mark) : raw)).join('')
}

/** What stands for a tag; it remembers where the links that are open lead. */
function marker() {
	const open: string[] = []
	return (
		whole: string,
		comment?: string,
		closing?: string,
		named?: string,
		attributes = '',
	): string => {
		if (comment !== undefined) return comment.trim() === '' ? '' : ` (comment: ${comment.trim()}) `
		const name = (named ?? '').toLowerCase()
		if (name === 'img') return imageOf(attributes)
		if (name === 'a') {
			if (closing === '') open.push(attributeOf(attributes, 'href'))
			return closing === '' ? '' : addressOf(open.pop() ?? '')
		}
		const mark = marks.get(name)
		return mark ? mark[closing === '' ? 0 : 1] : whole
	}
}

const addressOf = (url: string) => (url === '' ? '' : ` (${url})`)

function imageOf(attributes: string): string {
	return (
		`image ${attributeOf(attributes, 'alt')}`.trim() + addressOf(attributeOf(attributes, 'src'))
	)
}

function attributeOf(attributes: string, name: string): string {
	const found = new RegExp(`\\s${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)'|([^\\s"'>]+))`, 'i').exec(
		attributes,
	)
	return (found?.[1] ?? found?.[2] ?? found?.[3] ?? '').trim()
}
