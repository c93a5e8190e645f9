/** Which of OpenCode's sessions a run begins in. */
import * as v from 'valibot'
import { StyrbyError } from '../../protocol/errors.ts'
import type { Arguments } from './arguments.ts'
import { sessionSchema } from './schema.ts'
import type { OpencodeServer } from './server.ts'

const sessionsSchema = v.array(sessionSchema)

/**
 * The id of a new session, or of the one that the person wants to go on with. Throws `agent_failed` when
 * there is no such session.
 */
export async function openSession(
	server: OpencodeServer,
	{ session, last, fork }: Arguments,
): Promise<string> {
	let id = session
	if (id === null && last) {
		const [newest] = await server.read('/session?roots=true&limit=1', sessionsSchema)
		id = newest?.id ?? null
	}
	if (id === null) return opened(server, '/session')
	const path = `/session/${encodeURIComponent(id)}`
	if (fork) return opened(server, `${path}/fork`)
	const { ok, body } = await server.call('GET', path)
	const found = v.safeParse(sessionSchema, body)
	if (ok && found.success) return found.output.id
	throw new StyrbyError(
		'agent_failed',
		`OpenCode has no session ${id} here: \`opencode session list\` shows those it has.`,
	)
}

async function opened(server: OpencodeServer, path: string): Promise<string> {
	const answer = await server.call('POST', path, {})
	const made = v.safeParse(sessionSchema, answer.body)
	if (answer.ok && made.success) return made.output.id
	throw new StyrbyError('agent_failed', 'OpenCode could not open that session: check its id.')
}
