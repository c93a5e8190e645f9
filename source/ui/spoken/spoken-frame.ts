/** What there is to say of a frame, part by part. */

import { displayText } from '../../text/safe-text.ts'
import { lineText, type StyledLine, span } from '../../text/styled.ts'
import type { Row } from '../components/rows.tsx'
import type { DrawnFrame, Frame } from '../frame.ts'
import { answers, type CommandId, type Keymap } from '../keymap/keymap.ts'
import { keysText } from '../present/footer.ts'
import type { Item } from '../transcript/items.ts'
import {
	isQuoted,
	quotedLine,
	soundsLikeOurs,
	spokenLine,
	spokenRow,
	spokenText,
} from './spoken-line.ts'

export interface SpokenLine {
	/** Which line of what it is; empty where that is not known. */
	at: string
	text: string
	/** It is an agent's, and said as it is. */
	quoted: boolean
}

export interface Spoken {
	/** The screen and what it is of. */
	place: string
	title: string
	header: string
	notices: readonly string[]
	/** What is said of a list as a whole. */
	about: readonly string[]
	/** The highlighted entry and its place, or `null`. */
	selected: { id: string; text: string; place: string } | null
	/** What is read line by line; `key`: what it is of; `preview`: only what comes to it is said. */
	content: { key: string; preview: boolean; lines: readonly SpokenLine[] } | null
	/** What is asked above the footer: its label, and what there is to choose from. */
	question: { label: string; choices: readonly string[]; highlighted: string | null } | null
	/** The line being typed, as far as its cursor's row; or `null`. */
	typed: { text: string; cursor: number } | null
	/** Keys that work now: all of them, and those that answer what is on the screen. */
	keys: string
	answerKeys: string
	remark: string | null
}

type Told = DrawnFrame & Partial<Pick<Frame, 'list' | 'card' | 'transcript' | 'focus'>>

export function spokenFrame(frame: Told, keymap: Keymap): Spoken {
	const { place, panes, header, notices, remark } = frame
	const active = panes.find((pane) => pane.active) ?? panes[0]
	return {
		place,
		title: active ? spokenLine(active.title) : '',
		header: spokenRow(header),
		notices: notices.map(spokenLine).filter((line) => line !== ''),
		...listOf(frame),
		content: contentOf(frame),
		...inputOf(frame),
		keys: keysOf(frame, keymap, () => true),
		answerKeys: frame.focus ? keysOf(frame, keymap, (id) => answers.has(id)) : '',
		remark: remark === null ? null : spokenText(remark),
	}
}

function listOf({ list, panes }: Told): Pick<Spoken, 'about' | 'selected'> {
	const [pane] = panes
	if (!list || !pane) return { about: [], selected: null }
	const about = pane.rows.filter(({ id }) => id === undefined).map(({ line }) => spokenLine(line))
	const { ids, selected } = list
	const rows = pane.rows.filter((row) => row.selected)
	if (selected === null || rows.length === 0)
		return { about: about.filter(Boolean), selected: null }
	const text = rows.map(({ line }) => spokenRow(line)).join(', ')
	const place = `${ids.indexOf(selected) + 1} of ${ids.length}`
	return { about: about.filter(Boolean), selected: { id: selected, text, place } }
}

/**
 * Beside or below a list it is read out where a key would answer it; else only what becomes of requests in there is
 * told, as it comes.
 */
function contentOf({ list, card, transcript, focus, panes, place }: Told): Spoken['content'] {
	const pane = panes.at(list ? 1 : -1)
	if (!pane) return null
	const preview = list !== null && list !== undefined && !card && !focus
	const writing = new Set(
		transcript?.entries.filter(({ type }) => type === 'live').map(({ key }) => key),
	)
	const asked = new Set(
		transcript?.entries.filter(({ type }) => type === 'request').map(({ key }) => key),
	)
	// What is being written is said when it is written.
	const rows = pane.rows.filter(({ id }) =>
		preview ? id !== undefined && asked.has(id) : id === undefined || !writing.has(id),
	)
	const of = card ? `card ${card.id} ${focus?.digest ?? ''}` : `lines ${transcript?.session ?? ''}`
	const places = placesOf(pane.rows, card, transcript)
	const said = new Set(transcript?.entries.filter(isAgentsWords).map(({ key }) => key))
	const lines = rows.map((row) => {
		const agents = row.id !== undefined && said.has(row.id)
		return contentLine(row.line, places.get(row) ?? '', agents)
	})
	return { key: `${place} ${of}`, preview, lines: lines.filter(({ text }) => text !== '') }
}

/** Which line of what each row is: two that read the same are not the same line. */
function placesOf(
	rows: readonly Row[],
	card: Told['card'],
	transcript: Told['transcript'],
): ReadonlyMap<Row, string> {
	if (card) return new Map(rows.map((row, index) => [row, `${card.top + index}`]))
	const next = new Map(transcript?.window.slices.map(({ key, from }) => [key, from]))
	return new Map(
		rows.map((row) => {
			const line = row.id === undefined ? undefined : next.get(row.id)
			if (row.id === undefined || line === undefined) return [row, '']
			next.set(row.id, line + 1)
			return [row, `${row.id} ${line}`]
		}),
	)
}

/** All of it is an agent's, but for how it is laid out. */
function isAgentsWords(item: Item): boolean {
	return (
		item.type === 'message' &&
		item.sender === null &&
		item.message.problem === null &&
		item.message.kind === 'agent_response'
	)
}

/** `agents`: no word in it is ours. */
function contentLine(line: StyledLine, at: string, agents: boolean): SpokenLine {
	if (agents && soundsLikeOurs(line)) return { at, quoted: true, text: lineText(line).trim() }
	const quoted = isQuoted(line)
	return { at, quoted, text: quoted ? quotedLine(line) : spokenLine(line) }
}

function inputOf({ input }: Told): Pick<Spoken, 'question' | 'typed'> {
	if (!input) return { question: null, typed: null }
	const label = input.label.map(spokenLine).join(' ')
	const { cursor, text } = input
	if (!cursor) {
		const choices = text.map(spokenLine).filter((line) => line !== '')
		const marked = text.find((line) => line[0]?.text.includes('▸') === true)
		const highlighted = marked ? spokenLine(marked) : null
		return { question: { label, choices, highlighted }, typed: null }
	}
	const row = text[cursor.row] ?? []
	const line = row.map((part) => part.text).join('')
	const typed = line.replace(/^ › | {3}/, '')
	return {
		question: { label, choices: [], highlighted: null },
		typed: { text: typed, cursor: cursor.column - 3 },
	}
}

function keysOf({ context }: Told, keymap: Keymap, wanted: (id: CommandId) => boolean): string {
	return keymap.commands
		.filter(({ footer, keys, screens, id }) => {
			const here = footer !== null && keys.length > 0 && screens.includes(context.screen.name)
			return here && wanted(id)
		})
		.filter((command) => command.enabled(context) === true)
		.toSorted((a, b) => (a.footer ?? 0) - (b.footer ?? 0))
		.map(({ keys, label }) => {
			const [first = ''] = keys
			const key = spokenLine([span(keysText([first]))])
			return `${capital(key)} ${spokenLine([span(displayText(label))])}`
		})
		.join(', ')
}

/** A capital letter is heard as its small one. */
function capital(key: string): string {
	return /^[A-Z]$/.test(key) ? `capital ${key}` : key
}
