/** The session of a device that `verify` publishes its sentences in: by these it is told from others. */

/** What the server sees as the agent of such a session. */
export const checkAgent = 'styrby'
/** Its title, sealed: a server can make no other session look like one. */
export const checkTitle = 'styrby-tui verify: sentences sent to see what the server sees'
