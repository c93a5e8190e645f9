/**
 * The frames of Phoenix channels as Supabase's client speaks them, serializer versions 1.0.0 (objects)
 * and 2.0.0 (arrays, and binary frames for broadcasts of clients).
 */
import * as v from 'valibot'
import { nestsDeeper } from './json-depth.ts'

export type Vsn = '1.0.0' | '2.0.0'

export interface Frame {
	readonly joinRef: string | null
	readonly ref: string | null
	readonly topic: string
	readonly event: string
	readonly payload: unknown
}

/** What someone broadcasts: its event, and a payload that is passed on as it came. */
export interface Broadcast {
	readonly event: string
	readonly payload: { readonly json: string } | { readonly bytes: Uint8Array }
	/** Id of the row, for a broadcast from the database. */
	readonly id?: string
}

/** A frame of a client. Its broadcasts keep their payload as it came. */
export type ClientFrame = Omit<Frame, 'payload'> & {
	readonly payload: unknown
	readonly broadcast: Broadcast | null
}

const ref = v.nullish(v.pipe(v.string(), v.maxBytes(255)), null)
/** Its length must fit into one byte of a binary frame. */
const name = v.pipe(v.string(), v.maxBytes(255))
const objectFrame = v.object({
	topic: name,
	event: name,
	payload: v.optional(v.unknown(), {}),
	ref,
	join_ref: ref,
})
const arrayFrame = v.strictTuple([ref, ref, name, name, v.unknown()])
const broadcastPayload = v.looseObject({ event: name, payload: v.optional(v.unknown(), {}) })

const kindPush = 3
const kindBroadcast = 4
const encodingBinary = 0
const encodingJson = 1
const pushHeaderBytes = 7

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** Null when it is no frame. */
export function decodeText(text: string, vsn: Vsn): ClientFrame | null {
	if (nestsDeeper(text)) return null
	let value: unknown
	try {
		value = JSON.parse(text)
	} catch {
		return null
	}
	const frame = vsn === '1.0.0' ? fromObject(value) : fromArray(value)
	if (frame === null || frame.event !== 'broadcast') {
		return frame === null ? null : { ...frame, broadcast: null }
	}
	const parsed = v.safeParse(broadcastPayload, frame.payload)
	if (!parsed.success) return null
	const { event, payload } = parsed.output
	return { ...frame, broadcast: { event, payload: { json: JSON.stringify(payload) } } }
}

/** A broadcast of a client in serializer 2.0.0 (kind 3); null when it is none. */
export function decodeBinary(bytes: Uint8Array): ClientFrame | null {
	const [kind, joinRefSize, refSize, topicSize, eventSize, metadataSize, encoding] = bytes
	if (bytes.length < pushHeaderBytes || kind !== kindPush) return null
	if (encoding !== encodingBinary && encoding !== encodingJson) return null
	const sizes = [joinRefSize, refSize, topicSize, eventSize, metadataSize]
	const fields: Uint8Array[] = []
	let offset = pushHeaderBytes
	for (const size of sizes) {
		if (size === undefined || offset + size > bytes.length) return null
		fields.push(bytes.subarray(offset, offset + size))
		offset += size
	}
	const rest = bytes.subarray(offset)
	try {
		const [joinRef = '', ref = '', topic = '', event = ''] = fields.map((one) => utf8.decode(one))
		const payload = encoding === encodingJson ? { json: checkedJson(rest) } : { bytes: rest }
		return {
			joinRef: joinRef === '' ? null : joinRef,
			ref: ref === '' ? null : ref,
			topic,
			event: 'broadcast',
			payload: null,
			broadcast: { event, payload },
		}
	} catch {
		return null
	}
}

export function encodeText({ joinRef, ref, topic, event, payload }: Frame, vsn: Vsn): string {
	return vsn === '1.0.0'
		? JSON.stringify({ topic, event, payload, ref, join_ref: joinRef })
		: JSON.stringify([joinRef, ref, topic, event, payload])
}

/**
 * A broadcast on its way to listeners, encoded once for all of them; null when this serializer can't
 * carry it (bytes in version 1.0.0). Broadcasts of clients go out as binary frames (kind 4) in 2.0.0,
 * those of the database as text.
 */
export function encodeBroadcast(
	topic: string,
	{ event, payload, id }: Broadcast,
	vsn: Vsn,
): string | Uint8Array | null {
	if (vsn === '2.0.0' && id === undefined) return encodeBinary(topic, event, payload)
	if ('bytes' in payload) return null
	const meta = id === undefined ? '' : `,"meta":{"id":${JSON.stringify(id)}}`
	const body = `{"type":"broadcast","event":${JSON.stringify(event)},"payload":${payload.json}${meta}}`
	const where = JSON.stringify(topic)
	return vsn === '1.0.0'
		? `{"topic":${where},"event":"broadcast","payload":${body},"ref":null,"join_ref":null}`
		: `[null,null,${where},"broadcast",${body}]`
}

function encodeBinary(topic: string, event: string, payload: Broadcast['payload']): Uint8Array {
	const topicBytes = Buffer.from(topic)
	const eventBytes = Buffer.from(event)
	const isBytes = 'bytes' in payload
	const header = [
		kindBroadcast,
		topicBytes.length,
		eventBytes.length,
		0,
		isBytes ? encodingBinary : encodingJson,
	]
	const body = isBytes ? payload.bytes : Buffer.from(payload.json)
	return Buffer.concat([Uint8Array.from(header), topicBytes, eventBytes, body])
}

function fromObject(value: unknown): Frame | null {
	const parsed = v.safeParse(objectFrame, value)
	if (!parsed.success) return null
	const { join_ref: joinRef, ...rest } = parsed.output
	return { joinRef, ...rest }
}

function fromArray(value: unknown): Frame | null {
	const parsed = v.safeParse(arrayFrame, value)
	if (!parsed.success) return null
	const [joinRef, ref, topic, event, payload] = parsed.output
	return { joinRef, ref, topic, event, payload }
}

/** Text that was seen to be JSON: it is put into frames for others as it is. */
function checkedJson(bytes: Uint8Array): string {
	const text = utf8.decode(bytes)
	if (nestsDeeper(text)) throw new RangeError('nests too deep')
	JSON.parse(text)
	return text
}
