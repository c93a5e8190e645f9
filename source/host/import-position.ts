/** Where an imported session stands: its chain, and which lines are in it already. */
import { createHash } from 'node:crypto'
import type { Account } from '../account/account.ts'
import type { ScopeKeys } from '../account/key-ring.ts'
import type { Gateway, SessionRow } from '../backend/gateway.ts'
import { sealedMessage } from '../backend/sealed-row.ts'
import { fromBase64 } from '../protocol/bytes.ts'
import { refused, type StyrbyError } from '../protocol/errors.ts'
import type { SessionEvent } from '../protocol/events.ts'
import { encodeJson } from '../protocol/json.ts'
import {
	type ChainState,
	chainStart,
	type Frame,
	isSigned,
	openMessage,
} from '../protocol/message.ts'
import { join } from '../protocol/parts.ts'
import { checkWindow } from '../protocol/window.ts'

function altered(): StyrbyError {
	return refused(
		'import_altered',
		'What was imported of this session before does not verify, so nothing is added to it.',
	)
}

/** The chain after the last stored message, which this device must have signed. Throws `import_altered`. */
export async function importChain(
	account: Account,
	gateway: Gateway,
	row: SessionRow,
	keys: ScopeKeys,
): Promise<ChainState> {
	if (row.last_seq === 0) return chainStart(row.id)
	const [last] = await gateway.readMessages(row.id, { before: row.last_seq + 1, limit: 1 })
	const key = last ? keys.keyOf(last.epoch) : null
	if (last?.seq !== row.last_seq || !(key instanceof Uint8Array)) throw altered()
	const message = sealedMessage(last)
	const { chain } = openMessage(message, key)
	const signPublic = fromBase64(account.device.record.sign, 32)
	if (!isSigned(chain, message.signature, signPublic)) throw altered()
	return { seq: row.last_seq, chain, signature: message.signature }
}

/** What a line says, as a short name: two equal lines have the same. */
export function contentName(at: string, { kind, body }: SessionEvent): string {
	return createHash('sha256')
		.update(encodeJson([at, kind, body]))
		.digest('base64')
}

/**
 * How often each content is in the session: for homes that have no list of what they imported. Reads and
 * verifies all of it. Throws `import_altered`.
 */
export async function importedContents(
	gateway: Gateway,
	row: SessionRow,
	keys: ScopeKeys,
): Promise<Map<string, number>> {
	const counts = new Map<string, number>()
	let parts: Frame[] = []
	let before: ChainState | null = chainStart(row.id)
	for (let after = 0; after < row.last_seq; ) {
		const rows = await gateway.readMessages(row.id, { after, limit: 500 })
		const last = rows.at(-1)
		if (!last || !keys.signPublic) throw altered()
		const { rows: checked, end } = checkWindow(rows.map(sealedMessage), {
			session: row.id,
			from: after + 1,
			to: last.seq,
			signPublic: keys.signPublic,
			epochs: keys.records,
			keyOf: (epoch) => keys.keyOf(epoch),
			before,
		})
		if (!end) throw altered()
		for (const one of checked) {
			if (!one.ok) throw altered()
			const { frame } = one.message
			parts.push(frame)
			if ((frame.part ?? 1) < (frame.of ?? 1)) continue
			const name = contentName(frame.at, join(parts))
			counts.set(name, (counts.get(name) ?? 0) + 1)
			parts = []
		}
		before = end
		after = last.seq
	}
	return counts
}
