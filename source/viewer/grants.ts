/** What is allowed for the sessions that go on, by the word of their hosts (docs/protocol.md, section 6). */
import * as v from 'valibot'
import type { Account } from '../account/account.ts'
import { type Body, ruleSchema } from '../protocol/events.ts'
import { isoTime, uuid } from '../protocol/json.ts'
import type { CheckedMessage } from './checked-message.ts'
import { provenCommand } from './proof.ts'
import { Value } from './readable.ts'
import { noGrants } from './unread.ts'
import type { GrantsState, SessionGrant } from './viewer.ts'

const most = 200

const grantSchema = v.object({
	grant: uuid,
	request: uuid,
	tool: v.string(),
	rules: v.array(ruleSchema),
	device: v.string(),
	bytes: v.string(),
	signature: v.string(),
	at: isoTime,
	uses: v.pipe(v.number(), v.integer(), v.minValue(0)),
	used_at: v.nullable(isoTime),
	keeper: v.picklist(['host', 'agent']),
})
const saidSchema = v.object({ grants: v.pipe(v.array(grantSchema), v.maxLength(most)) })

export class GrantList {
	readonly state = new Value<GrantsState>(noGrants)
	readonly #account: Account
	readonly #bySession = new Map<string, { seq: number; grants: readonly SessionGrant[] }>()

	constructor(account: Account) {
		this.#account = account
	}

	/** Messages of a session, in order, as they were checked: the last word of its host in them counts. */
	take(
		about: { id: string; agent: string; project: string | null },
		messages: readonly CheckedMessage[],
	): void {
		for (const message of messages) {
			const said = saidIn(message)
			const known = this.#bySession.get(about.id)
			if (!said || (known && known.seq >= message.seq)) continue
			const grants = said.grants.map(
				({ grant: id, request, tool, rules, at, uses, used_at: usedAt, keeper, ...by }) => ({
					...{ id, request, tool, rules, at, uses, usedAt, keeper },
					session: about.id,
					agent: about.agent,
					project: about.project,
					device: { id: by.device, name: this.#account.deviceName(by.device) },
					verified: this.#isSigned(about.id, { id, request, ...by }),
				}),
			)
			this.#bySession.set(about.id, { seq: message.seq, grants })
		}
	}

	#isSigned(
		session: string,
		said: { id: string; request: string; device: string; bytes: string; signature: string },
	): boolean {
		const command = provenCommand(this.#account, said.device, said)
		return (
			command?.kind === 'decision' &&
			command.id === said.id &&
			command.session === session &&
			command.body.request === said.request &&
			command.body.decision === 'allow' &&
			command.body.scope === 'session'
		)
	}

	/** Shows what is known of the sessions that go on. */
	publish(live: ReadonlySet<string>): void {
		for (const session of this.#bySession.keys()) {
			if (!live.has(session)) this.#bySession.delete(session)
		}
		const grants = [...this.#bySession.values()]
			.flatMap((one) => one.grants)
			.toSorted((a, b) => Date.parse(b.at) - Date.parse(a.at) || (a.id < b.id ? -1 : 1))
		this.state.set({ grants, looking: false })
	}
}

function saidIn({ kind, body, verified }: CheckedMessage) {
	if (kind !== 'system' || !verified || !body) return null
	const { type, data } = body as Body<'system'>
	const said = type === 'grants' ? v.safeParse(saidSchema, data) : null
	return said?.success ? said.output : null
}
