import type { ShownMessage } from './viewer.ts'

/** What `show --json` and an export in JSON Lines print of a message; a shape that scripts depend on. */
export function messageJson({ session, seq, at, kind, body, verified, problem }: ShownMessage) {
	return { session, seq, at: at || null, kind, body, verified, problem }
}
