import * as v from 'valibot'
import { requestStatuses } from '../protocol/events.ts'
import { isoTime, sequence, uuid } from '../protocol/json.ts'

const closing = requestStatuses.filter((status) => status !== 'pending')

/** A finished row as it lies in the outbox; see `AppendRow`. */
export const appendRowSchema = v.object({
	session_id: uuid,
	seq: sequence,
	epoch: sequence,
	nonce: v.string(),
	ciphertext: v.string(),
	signature: v.string(),
	created_at: isoTime,
	input_tokens: v.number(),
	output_tokens: v.number(),
	cache_read_tokens: v.number(),
	cache_write_tokens: v.number(),
	cost_usd: v.number(),
	opens: v.exactOptional(v.object({ request: uuid, expires_at: isoTime })),
	closes: v.exactOptional(v.object({ request: uuid, status: v.picklist(closing) })),
})
