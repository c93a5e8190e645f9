/** A scope has epochs, each with a key (section 4): the account, or one session. */
import * as v from 'valibot'

export const scopeSchema = v.pipe(
	v.string(),
	v.regex(/^(account|session):[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/),
)
export type Scope = `account:${string}` | `session:${string}`

export const accountScope = (account: string): Scope => `account:${account}`
export const sessionScope = (session: string): Scope => `session:${session}`

/** The session of a session's scope, `null` for the account's. */
export function sessionOf(scope: string): string | null {
	return scope.startsWith('session:') ? scope.slice('session:'.length) : null
}
