import { fromBase64 } from '../protocol/bytes.ts'
import type { SealedMessage } from '../protocol/message.ts'
import type { MessageRow } from './gateway.ts'

/** The sealed message of a stored row: its columns in bytes, unchecked. */
export function sealedMessage(row: MessageRow): SealedMessage {
	return {
		session: row.session_id,
		seq: row.seq,
		epoch: row.epoch,
		nonce: fromBase64(row.nonce),
		ciphertext: fromBase64(row.ciphertext),
		signature: fromBase64(row.signature),
	}
}
