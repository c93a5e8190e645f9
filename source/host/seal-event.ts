/** A session event becomes finished rows: split, padded, sealed, chained, signed (docs/protocol.md, section 5). */
import type { AppendRow, Counts } from '../backend/gateway.ts'
import { nonceSize, type RandomBytes } from '../protocol/box.ts'
import { toBase64 } from '../protocol/bytes.ts'
import { requestDigest } from '../protocol/command.ts'
import type { RequestStatus, SessionEvent } from '../protocol/events.ts'
import type { LogHead } from '../protocol/json.ts'
import { type ChainState, sealMessage } from '../protocol/message.ts'
import { split } from '../protocol/parts.ts'
import type { SealedRow } from './outbox.ts'

/** An event on its way into a session, with what it opens or closes. */
export interface Entry {
	/** When it happened, ISO 8601. */
	at: string
	event: SessionEvent
	opens?: { request: string; expires_at: string }
	closes?: { request: string; status: Exclude<RequestStatus, 'pending'> }
}

/** What a session's messages are sealed with. `key` 32 bytes, `signSecret` 64. */
export interface SealKeys {
	epoch: number
	key: Uint8Array
	signSecret: Uint8Array
	random: RandomBytes
}

export interface SealedEntry {
	rows: SealedRow[]
	chain: ChainState
	/** Number of the first row. */
	seq: number
	/** Over the exact bytes inside (hex): what a decision on it is bound to. */
	digest: string
	/** The time as sealed: ISO 8601 UTC with milliseconds. */
	at: string
}

const noCounts: Counts = {
	input_tokens: 0,
	output_tokens: 0,
	cache_read_tokens: 0,
	cache_write_tokens: 0,
	cost_usd: 0,
}

function countsOf(event: SessionEvent): Counts {
	if (event.kind !== 'usage') return noCounts
	const { input, output, cache_read, cache_write, cost_usd } = event.body
	return {
		input_tokens: input,
		output_tokens: output,
		cache_read_tokens: cache_read,
		cache_write_tokens: cache_write,
		cost_usd: cost_usd ?? 0,
	}
}

/**
 * A request is opened by its first row, and closed by the last of its answer. `log`: the head that the
 * first row names.
 */
export function sealEvent(
	session: string,
	chain: ChainState,
	entry: Entry,
	keys: SealKeys,
	log?: LogHead,
): SealedEntry {
	const at = new Date(entry.at).toISOString()
	const { epoch, key, signSecret, random } = keys
	const contents = split(entry.event, at)
	const rows: SealedRow[] = []
	const jsons: Uint8Array[] = []
	let state = chain
	for (const [index, one] of contents.entries()) {
		const nonce = random(nonceSize)
		const content = index === 0 && log ? { ...one, log } : one
		const sealed = sealMessage(session, state, content, { epoch, key, signSecret, nonce })
		const { message } = sealed
		const row: AppendRow = {
			session_id: session,
			seq: message.seq,
			epoch,
			nonce: toBase64(nonce),
			ciphertext: toBase64(message.ciphertext),
			signature: toBase64(message.signature),
			created_at: at,
			...(contents.length === 1 ? countsOf(entry.event) : noCounts),
			...(entry.opens && index === 0 ? { opens: entry.opens } : {}),
			...(entry.closes && index === contents.length - 1 ? { closes: entry.closes } : {}),
		}
		state = sealed.chain
		rows.push({ row, chain: state.chain })
		jsons.push(sealed.json)
	}
	return { rows, chain: state, seq: chain.seq + 1, digest: requestDigest(jsons), at }
}
