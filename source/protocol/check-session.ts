/** The session of a device that `verify` publishes its sentences in: by these it is told from others. */

/** What the server sees as the agent of such a session. */
export const checkAgent = 'styrby'
/** Its title, sealed: a server can make no other session look like one. */
export const checkTitle = 'styrby-tui verify: sentences sent to see what the server sees'

/** Whether it is one, and nothing is wrong with it: no work of an agent's, which lists can leave out. */
export function isCheckSession(session: {
	agent: string
	title: string | null
	problem: string | null
}): boolean {
	return session.agent === checkAgent && session.title === checkTitle && session.problem === null
}
