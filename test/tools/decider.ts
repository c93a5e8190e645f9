/**
 * A process that answers requests on command: lines of `{request, decision, at}` in, what became of each
 * out. It posts at the given moment (ms since 1970), so that two of them meet.
 */
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import * as v from 'valibot'
import { openContext } from '../../source/commands/context.ts'
import { processIo } from '../../source/commands/io.ts'
import type { RequestView } from '../../source/viewer/viewer.ts'

const orderSchema = v.object({
	request: v.string(),
	decision: v.picklist(['allow', 'deny']),
	reason: v.optional(v.string()),
	at: v.number(),
})

await using context = await openContext(processIo())
await using viewer = context.viewer({ waitMs: 30_000 })
await viewer.ready
const say = (value: unknown) => process.stdout.write(`${JSON.stringify(value)}\n`)

async function known(id: string): Promise<RequestView> {
	for (;;) {
		const found = viewer.requests.get().find((one) => one.id === id && one.digest !== null)
		if (found) return found
		await sleep(2)
	}
}

say({ ready: true })
for await (const line of createInterface({ input: process.stdin })) {
	const { request: id, decision, reason, at } = v.parse(orderSchema, JSON.parse(line))
	const request = await known(id)
	await sleep(Math.max(0, at - Date.now()))
	const decided = viewer.decide(request, {
		decision,
		scope: 'once',
		...(reason === undefined ? {} : { reason }),
	})
	const { stage, stages, winner, why } = await decided.done
	say({ request: id, stage, stages: stages.map((one) => one.stage), winner, why })
}
