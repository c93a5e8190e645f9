/** What a session's host has said of it that holds until it says otherwise: what it takes, and its mode. */
import * as v from 'valibot'
import type { Body } from '../protocol/events.ts'
import type { SessionReader } from './session-reader.ts'
import { noFacts } from './unread.ts'
import type { SessionFacts, ShownMessage } from './viewer.ts'

const modeSchema = v.object({ mode: v.nullable(v.string()), asks: v.nullable(v.boolean()) })
const policyState = v.picklist(['none', 'in_force', 'refused'])
const policySchema = v.object({ state: policyState })
const takesSchema = v.object({
	prompt: v.boolean(),
	interrupt: v.boolean(),
	modes: v.pipe(v.array(v.pipe(v.string(), v.maxLength(100))), v.maxLength(50)),
	...modeSchema.entries,
	policy: v.optional(policyState, 'none'),
})

/** Rows from the end that are looked through: hosts say it again every 100 messages or so. */
const reach = 1000
const step = 200

/** What is known after these messages, in order, where `known` was known before them. */
export function factsAfter(known: SessionFacts, messages: readonly ShownMessage[]): SessionFacts {
	return messages.reduce((facts, message) => {
		if (message.kind !== 'system' || message.problem !== null || !message.body) return facts
		const { type, data } = message.body as Body<'system'>
		if (type === 'mode') {
			const said = v.safeParse(modeSchema, data)
			if (!said.success) return facts
			const { mode, asks } = said.output
			return withPolicy({ takes: facts.takes, mode, asks }, facts.policy)
		}
		if (type === 'policy') {
			const said = v.safeParse(policySchema, data)
			return said.success ? withPolicy(facts, said.output.state) : facts
		}
		if (type !== 'takes') return facts
		const said = v.safeParse(takesSchema, data)
		if (!said.success) return facts
		const { mode, asks, policy, ...takes } = said.output
		return withPolicy({ takes, mode, asks }, policy)
	}, known)
}

function withPolicy(
	{ takes, mode, asks }: SessionFacts,
	policy: v.InferOutput<typeof policyState> | undefined,
): SessionFacts {
	return { takes, mode, asks, ...(policy === undefined || policy === 'none' ? {} : { policy }) }
}

/** What is known at the end of a session, of which `through` is the last row. */
export async function readFacts(reader: SessionReader, through: number): Promise<SessionFacts> {
	const messages: ShownMessage[] = []
	for await (const message of reader.all(Math.max(0, through - step), through)) {
		messages.push(message)
	}
	const facts = factsAfter(noFacts, messages)
	if (facts.takes !== null || through <= step) return facts
	const older: ShownMessage[] = []
	for await (const message of reader.all(Math.max(0, through - reach), through)) {
		older.push(message)
	}
	return factsAfter(noFacts, older)
}
