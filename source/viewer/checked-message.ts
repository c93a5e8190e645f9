/** From stored rows to what may be shown: every column is checked, parts are joined. */

import type { ScopeKeys } from '../account/key-ring.ts'
import type { MessageRow } from '../backend/gateway.ts'
import { sealedMessage } from '../backend/sealed-row.ts'
import { requestDigest } from '../protocol/command.ts'
import { StyrbyError } from '../protocol/errors.ts'
import type { Body } from '../protocol/events.ts'
import type { ChainState, Frame } from '../protocol/message.ts'
import { join } from '../protocol/parts.ts'
import { type CheckedRow, checkWindow } from '../protocol/window.ts'
import type { ShownMessage } from './viewer.ts'

/** A shown message with what only this layer needs. */
export interface CheckedMessage extends ShownMessage {
	/** Of a permission request: what a decision on it is bound to. */
	digest: string | null
	code: string | null
}

/** A row after all checks of it alone, before parts are joined. */
export type Row = CheckedRow & { at: string | null }

export interface RowWindow {
	rows: Row[]
	/** Chain state after the last row when all of the window holds. */
	end: ChainState | null
}

/** Checks the rows that should be numbers `from` to `to` of a session; see `checkWindow`. */
export function checkRows(
	rows: readonly MessageRow[],
	keys: ScopeKeys,
	window: { session: string; from: number; to: number; before?: ChainState | null },
): RowWindow {
	const { signPublic } = keys
	if (!signPublic) {
		const failure = keys.keyOf(0)
		const why = failure instanceof StyrbyError ? failure : null
		return { rows: allUnreadable(rows, window, why), end: null }
	}
	const columns = new Map(rows.map((row) => [row.seq, row]))
	const checked = checkWindow(rows.map(sealedMessage), {
		...window,
		signPublic,
		epochs: keys.records,
		keyOf: (epoch) => keys.keyOf(epoch),
	})
	return {
		end: checked.end,
		rows: checked.rows.map((row) => withColumns(row, columns.get(row.seq))),
	}
}

/** A mark for each number of the window, whether the server shows a row for it or not. */
function allUnreadable(
	rows: readonly MessageRow[],
	{ from, to }: { from: number; to: number },
	why: StyrbyError | null,
): Row[] {
	const problem = why?.message ?? 'the host of this session is not known'
	const code = why?.code ?? 'host_unknown'
	const times = new Map(rows.map((row) => [row.seq, row.created_at]))
	return Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => {
		const seq = from + index
		return { seq, ok: false, code, problem, at: times.get(seq) ?? null }
	})
}

/** The plain columns repeat what is sealed; one that disagrees was changed on the server. */
function withColumns(row: CheckedRow, columns: MessageRow | undefined): Row {
	if (!row.ok || !columns) return { ...row, at: columns?.created_at ?? null }
	const { frame } = row.message
	if (!sameTime(columns.created_at, frame.at)) return altered(row.seq, 'time', frame.at)
	const counts =
		frame.kind === 'usage' && frame.of === undefined ? (frame.body as Body<'usage'>) : null
	const same =
		columns.input_tokens === (counts?.input ?? 0) &&
		columns.output_tokens === (counts?.output ?? 0) &&
		columns.cache_read_tokens === (counts?.cache_read ?? 0) &&
		columns.cache_write_tokens === (counts?.cache_write ?? 0) &&
		columns.cost_usd === (counts?.cost_usd ?? 0)
	return same ? { ...row, at: frame.at } : altered(row.seq, 'token counts or cost', frame.at)
}

function altered(seq: number, column: string, at: string): Row {
	return {
		seq,
		ok: false,
		code: 'column_altered',
		problem: `its ${column} was changed on the server`,
		at,
	}
}

/** Servers write times with up to six digits; the host seals three. */
function sameTime(stored: string, sealed: string): boolean {
	if (stored === sealed) return true
	return Date.parse(stored) === Date.parse(sealed) && !/\.\d{3}0*[1-9]/.test(stored)
}

/**
 * Joins parts and checks bodies. A body whose first parts lie before the window, or whose last parts
 * have not come yet, is left out: `openEnd` says which row number it starts at.
 * `begins`: no body can begin before the first of these rows.
 */
export function assemble(
	session: string,
	rows: readonly Row[],
	begins = false,
): { messages: CheckedMessage[]; openEnd: number | null } {
	const messages: CheckedMessage[] = []
	let openEnd: number | null = null
	/** Rows at the start that belong to a body from before the window. */
	let leading = 0
	for (let index = 0; index < rows.length; ) {
		const row = rows[index]
		if (!row) break
		if (!row.ok) {
			messages.push(problemMessage(session, row.seq, 1, row.at, row.code, row.problem))
			index++
			continue
		}
		const { frame } = row.message
		const of = frame.of ?? 1
		if (of > 1 && (frame.part ?? 1) > 1) {
			// The rest of a body whose beginning is not here: before the window, or broken and marked there.
			const rest = index === 0 ? !begins : index === leading && follows(rows[index - 1], frame)
			if (rest) leading = index + 1
			else {
				const problem = 'a part of this message before it can not be read'
				messages.push(problemMessage(session, row.seq, 1, row.at, 'malformed_parts', problem))
			}
			index++
			continue
		}
		const group = partsFrom(rows, index, frame)
		const good = group.flatMap((part) => (part.ok ? [part.message] : []))
		if (group.length < of && good.length === group.length) {
			if (index + group.length === rows.length) {
				openEnd = row.seq
				break
			}
			const problem = 'its parts are not followed by the rest'
			const place = [session, row.seq, group.length, row.at] as const
			messages.push(problemMessage(...place, 'malformed_parts', problem))
			index += group.length
			continue
		}
		if (good.length < of) {
			const problem = 'a part of this message can not be read'
			messages.push(problemMessage(session, row.seq, 1, row.at, 'malformed_parts', problem))
			index++
			continue
		}
		messages.push(joined(session, frame, good))
		index += of
	}
	return { messages, openEnd }
}

/** Whether a part comes right after the one in the row before it. */
function follows(row: Row | undefined, { kind, of, part = 1 }: Frame): boolean {
	if (!row?.ok) return false
	const { frame } = row.message
	return frame.kind === kind && frame.of === of && (frame.part ?? 1) === part - 1
}

/** The rows that may be the parts of one body: up to a row that says that it is something else. */
function partsFrom(rows: readonly Row[], index: number, first: Frame): readonly Row[] {
	const { of = 1, kind } = first
	const group = rows.slice(index, index + of)
	const other = group.findIndex((row, at) => {
		if (!row.ok) return false
		const { frame } = row.message
		return frame.kind !== kind || frame.of !== first.of || (frame.part ?? 1) !== at + 1
	})
	return other < 0 ? group : group.slice(0, other)
}

function joined(
	session: string,
	first: Frame,
	parts: readonly { frame: Frame; json: Uint8Array }[],
): CheckedMessage {
	try {
		const { kind, body } = join(parts.map(({ frame }) => frame))
		const digest =
			kind === 'permission_request' ? requestDigest(parts.map(({ json }) => json)) : null
		const place = { session, seq: first.seq, rows: parts.length, at: first.at }
		return { ...place, kind, body, verified: true, problem: null, digest, code: null }
	} catch (error) {
		if (!(error instanceof StyrbyError)) throw error
		const { code, message } = error
		return problemMessage(session, first.seq, parts.length, first.at, code, message)
	}
}

/** The mark of rows that can't be shown. */
export function problemMessage(
	session: string,
	seq: number,
	rows: number,
	at: string | null,
	code: string,
	problem: string,
): CheckedMessage {
	const place = { session, seq, rows, at: at ?? '' }
	return { ...place, kind: null, body: null, verified: false, problem, digest: null, code }
}
