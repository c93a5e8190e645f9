import { oneLine } from '../../text/one-line.ts'
import { jsonLines } from '../../text/plain.ts'
import { displayText, repeatText, safeText } from '../../text/safe-text.ts'
import { emptyLine, type StyledLine, span } from '../../text/styled.ts'
import { wrapLine } from '../../text/wrap.ts'
import type { StoredRow } from '../../viewer/viewer.ts'
import type { RawState } from '../state.ts'

/** The name under which the first line shown is kept. */
export const rawCard = 'raw'

/** Characters of one byte string, and lines of the opened body, that are shown at most. */
const longestBytes = 4000
const longestBody = 2000
/** Columns of the names. */
const names = 12

/** The rows as they are stored: every column, and nothing else. */
export function storedLines({ rows, message }: RawState, width: number): StyledLine[] {
	const missing = message.rows - rows.length
	return [
		[span(safeText`what the server holds`, 'strong')],
		...rows.flatMap((row) => [emptyLine, ...rowLines(row, width)]),
		...(missing > 0
			? [emptyLine, [span(safeText`✗ ${missing} of ${message.rows} rows are not there`, 'error')]]
			: []),
	]
}

function rowLines(row: StoredRow, width: number): StyledLine[] {
	const { input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, cost_usd } = row
	return [
		...column('session', row.session_id, width),
		...column('seq', String(row.seq), width),
		...column('epoch', String(row.epoch), width),
		...column('created_at', row.created_at, width),
		...column('tokens in', String(input_tokens), width),
		...column('tokens out', String(output_tokens), width),
		...column('cache read', String(cache_read_tokens), width),
		...column('cache write', String(cache_write_tokens), width),
		...column('cost_usd', String(cost_usd), width),
		...bytesColumn('nonce', row.nonce, width),
		...(row.signature === ''
			? column('signature', 'none of its own: a later row signs it through the chain', width)
			: bytesColumn('signature', row.signature, width)),
		...bytesColumn('ciphertext', row.ciphertext, width),
	]
}

/** What this device makes of it. */
export function openedLines({ message }: RawState, width: number): StyledLine[] {
	const { kind, body, problem, at } = message
	const head: StyledLine[] = [
		[span(safeText`what it says, to this device alone`, 'strong')],
		emptyLine,
	]
	if (problem !== null || kind === null) {
		const why = oneLine(problem ?? 'it could not be opened')
		return [...head, ...wrapLine([span(safeText`✗ ${why}`, 'error')], width)]
	}
	const checked = message.verified
		? span(safeText`✓ verified`, 'ok')
		: span(safeText`? not yet`, 'warn')
	return [
		...head,
		[span(safeText`${oneLine(kind)}  `, 'accent'), checked],
		[span(safeText`sealed at ${oneLine(at)}`, 'dim')],
		emptyLine,
		...jsonLines(body, width, longestBody),
	]
}

function column(name: string, value: string, width: number): StyledLine[] {
	return wrapLine([span(oneLine(value))], width, {
		mode: 'columns',
		first: label(name),
		rest: label(''),
	})
}

/** Base64, with how many bytes it stands for. */
function bytesColumn(name: string, value: string, width: number): StyledLine[] {
	const shown = value.slice(0, longestBytes)
	const more = value.length - shown.length
	return [
		[
			...label(name),
			span(safeText`${Buffer.from(value, 'base64').length} bytes, in base64:`, 'dim'),
		],
		...wrapLine([span(oneLine(shown), 'code')], width, {
			mode: 'columns',
			first: label(''),
			rest: label(''),
		}),
		...(more > 0 ? [[...label(''), span(safeText`… ${more} characters more`, 'dim')]] : []),
	]
}

function label(name: string): StyledLine {
	const text = displayText(name)
	return [span(safeText`${text}${repeatText(safeText` `, names - text.length)}`, 'dim')]
}
