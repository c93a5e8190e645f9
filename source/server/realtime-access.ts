import { randomUUID } from 'node:crypto'
import type { Engine } from './engine.ts'
import { DatabaseError, sqlState } from './engine.ts'
import { asCaller } from './rpc-routes.ts'
import type { Claims } from './tokens.ts'

const setTopic = (topic: string) => ({
	sql: `select set_config('realtime.topic', $1::text, true)`,
	params: [topic],
})

/**
 * Whether the policies on `realtime.messages` let the caller listen to a topic: a row of that topic is
 * put in, looked for as the caller, and rolled back. Throws `DatabaseError`.
 */
export async function mayListen(engine: Engine, claims: Claims, topic: string): Promise<boolean> {
	const id = randomUUID()
	const rows = await engine.tx(
		[
			setTopic(topic),
			{
				sql: `insert into realtime.messages (id, topic, extension, private)
					values ($1::text::uuid, $2::text, 'broadcast', true)`,
				params: [id, topic],
			},
			...asCaller(claims),
			{ sql: 'select 1 from realtime.messages where id = $1::text::uuid', params: [id] },
		],
		{ rollback: true },
	)
	return rows.at(-1)?.length === 1
}

/** Whether the policies let the caller broadcast to a topic. Throws `DatabaseError`. */
export async function maySend(engine: Engine, claims: Claims, topic: string): Promise<boolean> {
	try {
		await engine.tx(
			[
				setTopic(topic),
				...asCaller(claims),
				{
					sql: `insert into realtime.messages (topic, extension, private)
						values ($1::text, 'broadcast', true)`,
					params: [topic],
				},
			],
			{ rollback: true },
		)
		return true
	} catch (error) {
		if (error instanceof DatabaseError && error.code === sqlState.insufficientPrivilege)
			return false
		throw error
	}
}
