/** Large bodies travel in parts (section 5.3). */
import * as v from 'valibot'
import { decodeUtf8, encodeUtf8 } from './bytes.ts'
import { refused } from './errors.ts'
import { type Body, eventSchemas, type Kind, type SessionEvent } from './events.ts'
import { isShallow, maxDepth } from './json.ts'
import { type Content, type Frame, maxBody, partSize } from './message.ts'

/** One content a message. Throws `body_too_large`. */
export function split(event: SessionEvent, at: string): Content[] {
	const json = encodeUtf8(JSON.stringify(event.body))
	if (json.length <= partSize) return [{ at, kind: event.kind, body: event.body }]
	if (json.length > maxBody) {
		throw refused('body_too_large', `A ${event.kind} of ${json.length} bytes is too large to send.`)
	}
	const pieces: string[] = []
	for (let start = 0; start < json.length; ) {
		let end = Math.min(start + partSize, json.length)
		// Not inside of a character: continuation bytes start with 10.
		while (end < json.length && ((json[end] ?? 0) & 0xc0) === 0x80) end--
		pieces.push(decodeUtf8(json.subarray(start, end)))
		start = end
	}
	const of = pieces.length
	return pieces.map((body, index) => ({ at, kind: event.kind, part: index + 1, of, body }))
}

/**
 * Puts the frames of one body (in order, each verified) together. Throws `malformed_parts`,
 * `malformed_body`.
 */
export function join(frames: readonly Frame[]): SessionEvent {
	const [first] = frames
	if (!first) throw refused('malformed_parts', 'A message has no parts.')
	if (first.of === undefined) return checkBody(first.kind, first.body)
	const whole = frames.length === first.of
	const ordered = frames.every(
		(frame, index) =>
			frame.part === index + 1 &&
			frame.of === first.of &&
			frame.kind === first.kind &&
			frame.seq === first.seq + index,
	)
	if (!whole || !ordered) throw refused('malformed_parts', 'The parts of a message do not fit.')
	let body: unknown
	try {
		body = JSON.parse(frames.map((frame) => frame.body).join(''))
	} catch {
		throw refused('malformed_parts', 'The parts of a message do not fit.')
	}
	return checkBody(first.kind, body)
}

/** A body stands one level deep in its frame, and may still be sent in one. */
const maxBodyDepth = maxDepth - 1

/** Checks a body against the schema of its kind. Throws `malformed_body`. */
export function checkBody(kind: Kind, body: unknown): SessionEvent {
	if (!isShallow(body, maxBodyDepth)) {
		throw refused('malformed_body', `A ${kind} message is nested too deep.`)
	}
	const result = v.safeParse<v.GenericSchema<unknown, Body>>(eventSchemas[kind], body)
	if (!result.success) {
		throw refused('malformed_body', `A ${kind} message has an unknown form.`)
	}
	// The schema was picked by `kind`, which TypeScript can't follow through the table.
	return { kind, body: result.output } as SessionEvent
}
