import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { seal } from '../../source/protocol/box.ts'
import type { SessionEvent } from '../../source/protocol/events.ts'
import { encodeJson } from '../../source/protocol/json.ts'
import {
	chainStart,
	type Frame,
	isSigned,
	link,
	maxBody,
	openMessage,
	partSize,
} from '../../source/protocol/message.ts'
import { pad } from '../../source/protocol/padding.ts'
import { checkBody, join, split } from '../../source/protocol/parts.ts'
import { hostSign, keyOf, other, sealOne, session } from './_session.ts'
import { codeOf, flip } from './_tamper.ts'
import { vectors } from './_vectors.ts'

const key = keyOf(0) as Uint8Array
const at = '2026-03-01T12:00:00.000Z'
const say = (text: string): SessionEvent => ({
	kind: 'agent_response',
	body: { text, block: null, model: null, parent: null },
})

describe('one message', () => {
	test('comes back as it was, with the chain after it', () => {
		fc.assert(
			fc.property(fc.string({ unit: 'binary', maxLength: 2000 }), fc.nat(2), (text, epoch) => {
				const start = chainStart(session)
				const { message, chain } = sealOne(start, { body: { text, source: 'viewer' } }, { epoch })
				const opened = openMessage(message, keyOf(epoch) as Uint8Array)
				expect(opened.frame).toMatchObject({ session, seq: 1, epoch, body: { text } })
				expect(opened.chain).toEqual(chain.chain)
				expect(isSigned(opened.chain, message.signature, hostSign)).toBe(true)
			}),
		)
	})

	test('its length says little: 64 lengths of text give at most 5 of ciphertext', () => {
		const lengths = Array.from({ length: 64 }, (_, length) => {
			const body = { text: 'x'.repeat(length), source: 'agent' }
			return sealOne(chainStart(session), { body }).message.ciphertext.length
		})
		expect(new Set(lengths).size).toBeLessThanOrEqual(5)
	})

	test('any bit that is flipped, of nonce or ciphertext, is refused', () => {
		const { message } = sealOne(chainStart(session))
		fc.assert(
			fc.property(
				fc.constantFrom('nonce' as const, 'ciphertext' as const),
				fc.nat(),
				(part, bit) => {
					const changed = { ...message, [part]: flip(message[part], bit) }
					expect(codeOf(() => openMessage(changed, key))).toBe('message_altered')
				},
			),
		)
		expect(codeOf(() => openMessage(message, flip(key, 9)))).toBe('message_altered')
	})

	test('another place than its own is refused', () => {
		const { message } = sealOne(chainStart(session))
		for (const moved of [{ seq: 2 }, { session: other }, { epoch: 1 }]) {
			expect(codeOf(() => openMessage({ ...message, ...moved }, key))).toBe('message_moved')
		}
	})

	test('every member of a link changes the chain', () => {
		const { message } = sealOne(chainStart(session))
		const prev = chainStart(session).chain
		const seen = [
			link(prev, message),
			link(flip(prev, 0), message),
			link(prev, { ...message, seq: 2 }),
			link(prev, { ...message, epoch: 1 }),
			link(prev, { ...message, nonce: flip(message.nonce, 1) }),
			link(prev, { ...message, ciphertext: flip(message.ciphertext, 1) }),
			chainStart(other).chain,
			prev,
		].map((value) => Buffer.from(value).toString('hex'))
		expect(new Set(seen).size).toBe(seen.length)
	})

	test.each([
		['a part without a number of parts', { part: 1 }],
		['a number of parts without a part', { of: 2 }],
		['no part', { part: 0, of: 2 }],
		['a part beyond the last', { part: 3, of: 2 }],
		['a single part', { part: 1, of: 1 }],
		['more parts than a body can have', { part: 1, of: 1000 }],
		['an endless body', { part: 1, of: 2 ** 53 - 1 }],
	])('%s is refused', (_, parts) => {
		const { message } = sealOne(chainStart(session), { body: 'x' })
		const json = Buffer.from(openMessage(message, key).json).toString('utf8')
		const frame = { ...JSON.parse(json), ...parts }
		expect(codeOf(() => openFrame(frame))).toBe('malformed_message')
	})

	test('a part whose body is no text is refused', () => {
		const { message } = sealOne(chainStart(session), { part: 1, of: 2, body: { text: 'x' } })
		expect(codeOf(() => openMessage(message, key))).toBe('malformed_message')
	})
})

/** Opens a message that says what its host's own code would never say. */
function openFrame(frame: object) {
	const { message } = sealOne(chainStart(session), frame)
	// `sealMessage` writes `part` only together with `of`: the rest is sealed by hand.
	return openMessage(resealed(message, frame), key)
}

function resealed(message: ReturnType<typeof sealOne>['message'], frame: object) {
	const ciphertext = seal(pad(encodeJson(frame)), message.nonce, key)
	return { ...message, ciphertext }
}

describe('parts', () => {
	test('a body of any text comes back, in pieces that each fit', () => {
		const anyText = fc
			.tuple(fc.string({ unit: 'binary', minLength: 1, maxLength: 30 }), fc.nat(9000))
			.map(([text, times]) => text.repeat(times))
		fc.assert(
			fc.property(anyText, (text) => {
				const event = say(text)
				const contents = split(event, at)
				expect(join(frames(contents))).toEqual(event)
				for (const { body } of contents) {
					if (contents.length === 1) continue
					expect(Buffer.byteLength(String(body))).toBeLessThanOrEqual(partSize)
					expect(String(body).isWellFormed()).toBe(true)
				}
			}),
			{ numRuns: 60 },
		)
	})

	test('a body is split only when it must be', () => {
		const bare = JSON.stringify(say('').body).length
		expect(split(say('x'.repeat(partSize - bare)), at)).toHaveLength(1)
		expect(split(say('x'.repeat(partSize - bare + 1)), at)).toHaveLength(2)
	})

	test('the largest body, of the widest characters, has no more parts than a message may name', () => {
		const bare = JSON.stringify(say('').body).length
		const text = '🖥'.repeat(Math.floor((maxBody - bare) / 4))
		const contents = split(say(text), at)
		const last = contents.at(-1)
		if (!last) throw new Error('no part')
		const { message } = sealOne(chainStart(session), last)
		expect(openMessage(message, key).frame.of).toBe(contents.length)
		expect(codeOf(() => split(say(`${text}🖥🖥`), at))).toBe('body_too_large')
	})

	const contents = split(say('é"'.repeat(60_000)), at)
	const whole = frames(contents)

	test.each([
		['none', []],
		['one missing', whole.slice(0, -1)],
		['the first missing', whole.slice(1)],
		['out of order', whole.toReversed()],
		['one twice', [...whole.slice(0, 1), ...whole.slice(0, -1)]],
		['one too many', [...whole, ...whole.slice(-1)]],
		['another number of parts', whole.map((one, at) => (at ? { ...one, of: 9 } : one))],
		['another kind', whole.map((one, at) => (at ? { ...one, kind: 'system' as const } : one))],
		['a gap between', whole.map((one, at) => (at ? { ...one, seq: one.seq + 1 } : one))],
		['text that is no JSON', whole.map((one) => ({ ...one, body: '}' }))],
	])('%s does not join', (_, parts) => {
		expect(codeOf(() => join(parts))).toBe('malformed_parts')
	})

	test('parts that join to something else than a body are refused', () => {
		const [first, second] = frames([
			{ at, kind: 'agent_response', part: 1, of: 2, body: '{"text":' },
			{ at, kind: 'agent_response', part: 2, of: 2, body: '7}' },
		])
		if (!first || !second) throw new Error('no frames')
		expect(codeOf(() => join([first, second]))).toBe('malformed_body')
		const deep = `${'['.repeat(9000)}${']'.repeat(9000)}`
		const nested = { ...second, body: `"x","y":${deep}}` }
		expect(codeOf(() => join([first, nested]))).toBe('malformed_body')
	})
})

function frames(contents: ReturnType<typeof split>): Frame[] {
	return contents.map((content, index) => ({
		v: 1,
		session,
		seq: index + 5,
		epoch: 0,
		prev: '',
		prev_signature: null,
		...content,
	}))
}

test('a body of another kind, or with another shape, is refused', () => {
	const ask = vectors.session.permission_request
	expect(checkBody('permission_request', ask).body).toEqual(ask)
	const bodies: [Parameters<typeof checkBody>[0], unknown][] = [
		['user_prompt', { text: 'x', source: 'nobody' }],
		['user_prompt', null],
		['permission_request', { request: session }],
		['permission_response', { request: session.toUpperCase() }],
		['usage', { message: null, model: null, input: -1 }],
		['usage', { message: null, model: null, input: 0.5 }],
		['permission_request', { ...ask, expires_at: 'soon' }],
		['permission_request', { ...ask, expires_at: '2026-03-01T12:00:00 +01' }],
		['status', { status: 'fine', detail: null, applied: null }],
		['tool_result', { ok: 'yes' }],
	]
	for (const [kind, body] of bodies)
		expect(codeOf(() => checkBody(kind, body))).toBe('malformed_body')
})
