/** Server-sent events, as far as OpenCode uses them: one line of JSON an event. */
import { readLines } from '../lines.ts'

/** A longer event is left out. */
export const maxEventBytes = 32 * 1024 * 1024

/** The data of each event; `null` for one over the cap, so that memory stays bounded. */
export async function* readEvents(
	bytes: AsyncIterable<Uint8Array>,
	maxBytes = maxEventBytes,
): AsyncGenerator<string | null, void, void> {
	for await (const { text } of readLines(bytes, maxBytes)) {
		if (text === null) yield null
		else if (text.startsWith('data:')) yield text.slice(5).trim()
	}
}
