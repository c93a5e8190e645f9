/** What goes to the backend besides messages, in its order among them. All of it is ciphertext or public. */
import * as v from 'valibot'
import { agentNames, type SessionStatus, sessionStatuses } from '../protocol/events.ts'
import { isoTime, sequence, uuid } from '../protocol/json.ts'
import { sealedSchema } from '../protocol/label.ts'

const epoch = v.object({
	scope: v.string(),
	epoch: sequence,
	record: v.string(),
	signature: v.string(),
})

const grants = v.array(
	v.object({
		scope: v.string(),
		epoch: sequence,
		to: uuid,
		by: uuid,
		nonce: v.string(),
		ciphertext: v.string(),
		created_at: isoTime,
	}),
)

export const operationSchema = v.variant('kind', [
	v.object({
		kind: v.literal('create'),
		session: v.object({
			id: uuid,
			agent: v.picklist(agentNames),
			host: uuid,
			project: v.nullable(v.string()),
			label: v.nullable(sealedSchema),
			started_at: isoTime,
			epoch,
			grants,
		}),
	}),
	v.object({ kind: v.literal('epoch'), epoch, grants }),
	v.object({ kind: v.literal('grants'), grants }),
	v.object({
		kind: v.literal('update'),
		change: v.object({
			status: v.exactOptional(v.picklist(sessionStatuses)),
			ended_at: v.exactOptional(v.nullable(isoTime)),
			label: v.exactOptional(sealedSchema),
		}),
	}),
])
export type Operation = v.InferOutput<typeof operationSchema>

/** Tells the session's row in the list a status. */
export function statusUpdate(status: SessionStatus, endedAt?: string): Operation {
	return {
		kind: 'update',
		change: { status, ...(endedAt === undefined ? {} : { ended_at: endedAt }) },
	}
}
