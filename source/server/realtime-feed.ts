import type { Engine } from './engine.ts'
import { faultOf } from './engine.ts'
import type { Hub } from './realtime-hub.ts'

const rowsAtOnce = 100
const keep = '1 hour'
const sweepMs = 3_600_000
const firstSweepMs = 60_000

export interface FeedOptions {
	readonly engine: Engine
	readonly hub: Hub
	readonly log: (line: string) => void
}

/**
 * Carries broadcasts from the database to whoever joined their topic: a trigger notifies the id of a
 * row, which is read here, in order. Rows older than an hour are deleted now and then.
 */
export async function startFeed({ engine, hub, log }: FeedOptions): Promise<Disposable> {
	const waiting: string[] = []
	let reading = false

	async function drain(): Promise<void> {
		reading = true
		try {
			while (waiting.length > 0) await pass(waiting.splice(0, rowsAtOnce))
		} catch (error) {
			waiting.length = 0
			log(`broadcasts were lost, followers will pull: ${faultOf(error).message}`)
		} finally {
			reading = false
		}
	}

	async function pass(ids: readonly string[]): Promise<void> {
		const rows = await engine.query(
			`select m.id, m.topic, m.event, m.payload::text as payload
				from json_array_elements_text($1::text::json) with ordinality as asked (id, place)
				join realtime.messages m on m.id = asked.id::uuid
				where m.private order by asked.place`,
			[JSON.stringify(ids)],
		)
		for (const { id, topic, event, payload } of rows) {
			if (typeof topic !== 'string' || typeof event !== 'string') continue
			hub.publish(topic, { event, payload: { json: payload ?? '{}' }, id: id ?? '' })
		}
	}

	await engine.listen('sign_out', (session) => hub.signOut(session))
	await engine.listen('realtime', (id) => {
		if (hub.size === 0) return
		waiting.push(id)
		if (!reading) void drain()
	})

	const sweep = () => {
		engine
			.query(`delete from realtime.messages where inserted_at < now() - interval '${keep}'`, [], {
				timeLimitMs: 60_000,
			})
			.catch((error: Error) => log(`old broadcasts stay: ${error.message}`))
	}
	const soon = setTimeout(sweep, firstSweepMs).unref()
	const timer = setInterval(sweep, sweepMs).unref()
	return {
		[Symbol.dispose]() {
			clearTimeout(soon)
			clearInterval(timer)
		},
	}
}
