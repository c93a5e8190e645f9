/**
 * Checking a window of history (section 5.4): one signature for the newest row, and the chain down from it,
 * which covers every bit of the rows before. Only where that fails is each row looked at by itself, so
 * that a problem shows at exactly the row that has it.
 */
import { toBase64 } from './bytes.ts'
import type { EpochRecord } from './epoch.ts'
import { StyrbyError } from './errors.ts'
import {
	type ChainState,
	chainStart,
	isSigned,
	type OpenedMessage,
	openMessage,
	type SealedMessage,
} from './message.ts'

/** A row that holds, or the mark of one that does not. `code` is stable, `problem` is for people. */
export type CheckedRow =
	| { seq: number; ok: true; message: OpenedMessage; row: SealedMessage }
	| { seq: number; ok: false; code: string; problem: string }

export interface WindowOptions {
	session: string
	/** The key (32 bytes) of an epoch, or why there is none. */
	keyOf(epoch: number): Uint8Array | StyrbyError
	/** Where the session's epochs begin, as far as that is known: a row is sealed with the key of its place. */
	epochs?: ReadonlyMap<number, Pick<EpochRecord, 'from' | 'prev'>>
	/** The host's public signing key, 32 bytes. */
	signPublic: Uint8Array
	/** First and last sequence number that should be in the window: what lacks is marked as missing. */
	from: number
	to: number
	/** What was verified before the window, when it is known. */
	before?: ChainState | null
}

type Candidate = { row: SealedMessage; opened: OpenedMessage }

/**
 * Checks rows and returns one entry for each sequence number from `from` to `to`, and
 * the chain state after the last row when all of the window holds.
 */
export function checkWindow(
	rows: readonly SealedMessage[],
	options: WindowOptions,
): { rows: CheckedRow[]; end: ChainState | null } {
	const checked = new Map<number, CheckedRow>()
	const candidates: Candidate[] = []
	const inside = rows.filter(
		({ seq }) => Number.isSafeInteger(seq) && seq >= options.from && seq <= options.to,
	)
	// A server may send them in any order.
	for (const row of inside.sort((a, b) => a.seq - b.seq)) {
		if (checked.has(row.seq) || candidates.at(-1)?.row.seq === row.seq) {
			checked.set(row.seq, bad(row.seq, 'message_repeated', 'shown more than once by the server'))
			if (candidates.at(-1)?.row.seq === row.seq) candidates.pop()
			continue
		}
		const opened = tryOpen(row, options)
		if (opened instanceof StyrbyError)
			checked.set(row.seq, bad(row.seq, opened.code, opened.message))
		else candidates.push({ row, opened })
	}
	const before = options.before ?? (options.from === 1 ? chainStart(options.session) : null)
	const complete = checked.size === 0 && candidates.length === options.to - options.from + 1
	if (complete && holds(candidates, before, options.signPublic)) {
		const last = candidates.at(-1)
		return {
			rows: candidates.map(good),
			end: last
				? { seq: last.row.seq, chain: last.opened.chain, signature: last.row.signature }
				: before,
		}
	}
	checkEach(candidates, before, options, checked)
	for (let seq = options.from; seq <= options.to; seq++) {
		if (!checked.has(seq)) {
			checked.set(seq, bad(seq, 'message_missing', 'withheld or deleted on the server'))
		}
	}
	return { rows: [...checked.values()].sort((a, b) => a.seq - b.seq), end: null }
}

function tryOpen(row: SealedMessage, options: WindowOptions): OpenedMessage | StyrbyError {
	const key = options.keyOf(row.epoch)
	if (key instanceof StyrbyError) return key
	if (row.session !== options.session) {
		return new StyrbyError('message_moved', 'moved here from another session')
	}
	try {
		const opened = openMessage(row, key)
		return inPlace(row, opened, options.epochs)
			? opened
			: new StyrbyError('epoch_misplaced', 'sealed with the key of another part of this session')
	} catch (error) {
		if (error instanceof StyrbyError) return error
		throw error
	}
}

/** Whether a row lies where its epoch does, and the chain is the one that the epochs next to it name. */
function inPlace(
	{ seq, epoch }: SealedMessage,
	{ frame, chain }: OpenedMessage,
	epochs: WindowOptions['epochs'],
): boolean {
	const own = epochs?.get(epoch)
	const next = epochs?.get(epoch + 1)
	if (own && (seq < own.from || (seq === own.from && frame.prev !== own.prev))) return false
	if (!next) return true
	return seq < next.from - 1 || (seq === next.from - 1 && toBase64(chain) === next.prev)
}

const good = ({ row, opened }: Candidate): CheckedRow => ({
	seq: row.seq,
	ok: true,
	message: opened,
	row,
})

const bad = (seq: number, code: string, problem: string): CheckedRow => ({
	seq,
	ok: false,
	code,
	problem,
})

/** Whether a message continues the chain exactly: value, and signature of the message before. */
function continues({ opened }: Candidate, prev: Pick<ChainState, 'chain' | 'signature'>): boolean {
	const { frame } = opened
	return (
		frame.prev === toBase64(prev.chain) &&
		frame.prev_signature === (prev.signature && toBase64(prev.signature))
	)
}

function holds(
	candidates: readonly Candidate[],
	before: ChainState | null,
	signPublic: Uint8Array,
): boolean {
	let prev: Pick<ChainState, 'chain' | 'signature'> | null = before
	for (const candidate of candidates) {
		if (prev && !continues(candidate, prev)) return false
		prev = { chain: candidate.opened.chain, signature: candidate.row.signature }
	}
	return !prev?.signature || isSigned(prev.chain, prev.signature, signPublic)
}

function checkEach(
	candidates: readonly Candidate[],
	before: ChainState | null,
	options: WindowOptions,
	checked: Map<number, CheckedRow>,
): void {
	let prev: (Pick<ChainState, 'chain' | 'signature'> & { seq: number }) | null = before
	for (const candidate of candidates) {
		const { row, opened } = candidate
		if (!isSigned(opened.chain, row.signature, options.signPublic)) {
			const problem = 'not signed by the host of this session'
			checked.set(row.seq, bad(row.seq, 'message_bad_signature', problem))
			continue
		}
		const follows = prev?.seq === row.seq - 1
		if (prev && follows && !continues(candidate, prev)) {
			const problem = 'does not continue the message before it'
			checked.set(row.seq, bad(row.seq, 'message_forked', problem))
		} else {
			checked.set(row.seq, good(candidate))
		}
		prev = { seq: row.seq, chain: opened.chain, signature: row.signature }
	}
}
