/** What goes to the backend besides messages, in its order among them. All of it is ciphertext or public. */
import * as v from 'valibot'
import type { GrantRow } from '../backend/gateway.ts'
import { isActive, type LogState } from '../protocol/device-log.ts'
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

/** Grants of one call: the backend takes 1000. */
export const maxGrants = 500

/** In as many calls as it takes; none for no grants. */
export function grantOperations(grants: readonly GrantRow[]): Operation[] {
	const operations: Operation[] = []
	for (let from = 0; from < grants.length; from += maxGrants) {
		operations.push({ kind: 'grants', grants: grants.slice(from, from + maxGrants) })
	}
	return operations
}

/** Without the grants for devices that were revoked while the operation waited for the backend. */
export function withoutRevoked(operation: Operation, log: LogState): Operation {
	const still = (grants: GrantRow[]) => grants.filter((grant) => isActive(log, grant.to))
	switch (operation.kind) {
		case 'create': {
			const { session } = operation
			return { ...operation, session: { ...session, grants: still(session.grants) } }
		}
		case 'epoch':
		case 'grants':
			return { ...operation, grants: still(operation.grants) }
		case 'update':
			return operation
	}
}

/** Tells the session's row in the list a status. */
export function statusUpdate(status: SessionStatus, endedAt?: string): Operation {
	return {
		kind: 'update',
		change: { status, ...(endedAt === undefined ? {} : { ended_at: endedAt }) },
	}
}
