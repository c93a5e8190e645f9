import { createHash } from 'node:crypto'

/**
 * Aider gives its chats no id. One is known by when it began and what was said first, wherever its file is.
 * `at`: local time, as in the history.
 */
export function sessionId(at: string, firstPrompt: string): string {
	return createHash('sha256').update(`${at}\n${firstPrompt}`).digest('base64url').slice(0, 22)
}
