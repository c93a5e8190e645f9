/** Hits of a search as lines of plain text. */
import { kindText } from '../text/kind-words.ts'
import { displayText, safeText } from '../text/safe-text.ts'
import { relativeTime } from '../text/time.ts'
import { textWidth, truncateText } from '../text/width.ts'
import type { SearchHit } from '../viewer/viewer.ts'

/** Two lines: where it is, and the words around the match. */
export function hitLines(hit: SearchHit, width: number, now: Date): string {
	const when = relativeTime(Date.parse(hit.at), now.getTime())
	const where = [
		safeText`${oneLine(hit.session.slice(0, 8))} #${hit.seq}`,
		hit.agent,
		hit.project ?? '–',
		when,
		kindText(hit.kind),
		hit.title ?? '',
	]
	const head = where.map(oneLine).filter((part) => part !== '')
	const words = oneLine(around(hit, width - 4))
	return `${truncateText(head.join('  '), width)}\n    ${truncateText(words, width - 4)}\n`
}

const oneLine = (text: string) => displayText(text.replace(/[\s\x85]+/g, ' ').trim())

/** The part of a snippet that has its first match in a line of this width. */
function around({ snippet, matches }: SearchHit, width: number): string {
	const [first] = matches
	const lead = Math.max(0, Math.min(60, Math.floor(width / 3)))
	const before = snippet.slice(0, first?.[0] ?? 0)
	if (textWidth(oneLine(before)) <= lead) return snippet
	const space = before.slice(-lead).search(/\s\S/)
	const shown = space < 0 ? before.slice(-lead) : before.slice(-lead).slice(space + 1)
	return `… ${shown}${snippet.slice(first?.[0] ?? 0)}`
}

export function summaryLine(shown: number, total: number, messages: number): string {
	const count = (number: number) => number.toLocaleString('en')
	const among = `of ${count(messages)} ${messages === 1 ? 'message' : 'messages'}`
	if (total === 0) return `Nothing fits, ${among}.\n`
	const all = `${count(total)} ${among} ${total === 1 ? 'fits' : 'fit'}`
	return shown < total ? `${all}; these are the first ${count(shown)}.\n` : `${all}.\n`
}
