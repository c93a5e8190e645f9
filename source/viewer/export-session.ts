/** A session written out in the clear, page by page: what was verified, and marks for what was not. */
import {
	type DeviceName,
	type ExportedSession,
	eventMarkdown,
	markdownHead,
	problemMarkdown,
} from '../text/export-markdown.ts'
import { jsonText } from '../text/json-text.ts'
import { messageJson } from './message-json.ts'
import { openedEvent, placeText } from './opened-event.ts'
import type { SessionPages, ShownMessage } from './viewer.ts'

export type ExportFormat = 'markdown' | 'jsonl'

/** Rows read at once. */
const pageRows = 200

export interface ExportPart {
	text: string
	messages: number
	/** Messages that did not verify. */
	problems: number
	/** Rows done, of how many. */
	done: number
	through: number
}

export interface ExportOptions {
	pages: SessionPages
	session: ExportedSession
	format: ExportFormat
	nameOf: DeviceName
}

/** The document in parts, in order. Memory: one page. Throws what reading the session throws. */
export async function* exportParts(options: ExportOptions): AsyncGenerator<ExportPart> {
	const { pages, session, format, nameOf } = options
	const through = await pages.last()
	const textOf =
		format === 'jsonl'
			? (message: ShownMessage) => `${jsonText(messageJson(message))}\n`
			: (message: ShownMessage) => messageMarkdown(message, nameOf)
	const head = format === 'jsonl' ? '' : markdownHead(session)
	yield { text: head, messages: 0, problems: 0, done: 0, through }
	for (let place = 0, more = true; more; ) {
		const page = await pages.after(place, pageRows)
		yield {
			text: page.messages.map(textOf).join(''),
			messages: page.messages.length,
			problems: page.messages.filter(({ problem }) => problem !== null).length,
			done: page.place,
			through: Math.max(through, page.place),
		}
		more = page.more
		place = page.place
	}
}

function messageMarkdown(message: ShownMessage, nameOf: DeviceName): string {
	const event = openedEvent(message)
	if (event) return eventMarkdown(event, message.at, nameOf)
	return problemMarkdown(placeText(message), message.problem ?? 'can not be read')
}

/** The format that a file's name asks for. */
export function formatOf(path: string): ExportFormat {
	return /\.(?:jsonl|ndjson|json)$/i.test(path) ? 'jsonl' : 'markdown'
}

/** A name for the file: nothing in it needs quoting. */
export function exportName({ project, agent, startedAt, id }: ExportedSession): string {
	const name = (project ?? agent).replace(/[^\p{L}\p{N}._-]+/gu, '-').replace(/^[.-]+/, '')
	return `${name || 'session'}-${startedAt.slice(0, 10)}-${id.slice(0, 8)}.md`
}
