/** What is not the JSON that the protocol speaks, at every place where bytes are decoded. */
import { inspect } from 'node:util'
import fc from 'fast-check'
import * as v from 'valibot'
import { describe, expect, test } from 'vitest'
import { nonceSize, seal } from '../../source/protocol/box.ts'
import { concat, toBase64 } from '../../source/protocol/bytes.ts'
import { checkCommand, openCommand } from '../../source/protocol/command.ts'
import { decodeDevice, encodeDevice } from '../../source/protocol/device.ts'
import { replay } from '../../source/protocol/device-log.ts'
import { checkEpoch, openGrant } from '../../source/protocol/epoch.ts'
import {
	decodeJson,
	encodeJson,
	epochNumber,
	isoTime,
	isShallow,
	maxDepth,
	sequence,
	uuid,
	version,
} from '../../source/protocol/json.ts'
import { openLabel } from '../../source/protocol/label.ts'
import { checkHeartbeat, openTextFrame } from '../../source/protocol/live.ts'
import { openMessage } from '../../source/protocol/message.ts'
import { pad } from '../../source/protocol/padding.ts'
import { checkBody } from '../../source/protocol/parts.ts'
import { signFor } from '../../source/protocol/sign.ts'
import { codeOf } from './_tamper.ts'
import { host, laptop, logAfter, text, utf8, vectors } from './_vectors.ts'

const key = new Uint8Array(32).fill(1)
const nonce = new Uint8Array(nonceSize).fill(2)
const hostSign = host.signSecret.subarray(32)
const { session } = vectors.session
const [, sessionEpoch] = vectors.epochs
if (!sessionEpoch) throw new Error('the vectors lack an epoch')
const log = logAfter(2)
const { scope } = sessionEpoch
const record = checkEpoch(
	{
		record: utf8(sessionEpoch.record),
		signature: signFor('epoch', host.signSecret, utf8(sessionEpoch.record)),
	},
	log,
	{ scope, epoch: 0 },
)

type Decoder = [what: string, good: string, decode: (bytes: Uint8Array) => unknown]

/** Every decoder: given bytes that are signed or sealed as they should be, whatever they say. */
const decoders: Decoder[] = [
	['device_key', text(encodeDevice(host)), decodeDevice],
	[
		'log_entry',
		vectors.log.entries[2]?.entry ?? '',
		(bytes) => {
			const signature = signFor('log-entry', laptop.signSecret, bytes)
			return replay(log, [{ seq: 2, entry: bytes, signature }])
		},
	],
	[
		'epoch_record',
		sessionEpoch.record,
		(bytes) => {
			const signature = signFor('epoch', host.signSecret, bytes)
			return checkEpoch({ record: bytes, signature }, log, { scope, epoch: 0 })
		},
	],
	[
		'grant',
		`{"v":1,"scope":"${scope}","epoch":0,"key":"${toBase64(Buffer.from(sessionEpoch.key, 'hex'))}"}`,
		(bytes) => openGrant({ nonce, ciphertext: seal(pad(bytes), nonce, key) }, record, key),
	],
	[
		'label',
		vectors.labels[0]?.json ?? '',
		(bytes) =>
			openLabel(
				`device:${host.record.id}`,
				{
					epoch: 0,
					nonce: toBase64(nonce),
					ciphertext: toBase64(seal(pad(bytes), nonce, key)),
				},
				key,
			),
	],
	[
		'message',
		vectors.session.messages[0]?.json ?? '',
		(bytes) => {
			const ciphertext = seal(pad(bytes), nonce, key)
			const signature = new Uint8Array(64)
			return openMessage({ session, seq: 1, epoch: 0, nonce, ciphertext, signature }, key)
		},
	],
	[
		'frame',
		JSON.stringify({ v: 1, ...vectors.live.text_frame.frame }),
		(bytes) => {
			const ciphertext = seal(pad(bytes), nonce, key)
			const signature = signFor('frame', host.signSecret, nonce, ciphertext)
			return openTextFrame({ nonce, ciphertext, signature }, session, key, hostSign)
		},
	],
	[
		'heartbeat',
		vectors.live.heartbeat.bytes,
		(bytes) => {
			const signature = signFor('heartbeat', host.signSecret, bytes)
			return checkHeartbeat({ bytes, signature }, session, hostSign)
		},
	],
	...vectors.commands.map(
		({ bytes: good }): Decoder => [
			'command',
			good,
			(bytes) => {
				const signature = signFor('command', laptop.signSecret, bytes)
				const ciphertext = seal(concat(signature, pad(bytes)), nonce, key)
				const signed = openCommand({ nonce, ciphertext }, key)
				return checkCommand(signed, laptop.record.id, laptop.signSecret.subarray(32))
			},
		],
	),
]

const deep = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`

describe.each(decoders)('%s', (what, good, decode) => {
	const malformed = `malformed_${what}`
	const value: Record<string, unknown> = JSON.parse(good)
	const withV = (v: string) => good.replace('"v":1', `"v":${v}`)

	test('what is well formed is taken', () => {
		expect(() => decode(utf8(good))).not.toThrow()
	})

	test.each(['2', '1.5', '1e3', '1e999', '99999999999999999999'])('v %s is newer', (v) => {
		expect(codeOf(() => decode(utf8(withV(v))))).toBe('newer_version')
		expect(() => decode(utf8(withV(v)))).toThrow('made by a newer version: update styrby-tui')
	})

	test.each(['0', '-1', '0.5', '"1"', '"2"', 'null', 'true', '[1]', '{}', '-1e999'])(
		'v %s is malformed',
		(v) => {
			expect(codeOf(() => decode(utf8(withV(v))))).toBe(malformed)
		},
	)

	test.each([
		'',
		' ',
		'null',
		'1',
		'"text"',
		'[]',
		'{}',
		'[{"v":1}]',
		'{',
		`${good},`,
		`${good}{}`,
	])('%s is malformed', (json) => {
		expect(codeOf(() => decode(utf8(json)))).toBe(malformed)
	})

	test.each(['NaN', 'Infinity', '-Infinity', '01', '0x1', "'a'", '.5', '1.', '+1', 'undefined'])(
		'%s is no JSON',
		(literal) => {
			expect(codeOf(() => decode(utf8(good.replace(/\}$/, `,"x":${literal}}`))))).toBe(malformed)
		},
	)

	test('every member is needed, and none may be of another type', () => {
		for (const name of Object.keys(value)) {
			const { [name]: _, ...without } = value
			const code = codeOf(() => decode(encodeJson(without)))
			expect([name, code]).toEqual([name, malformed])
			for (const wrong of [true, [[]], -1, 0.5, Number.MAX_VALUE]) {
				// A body is checked against its kind later, once its parts are together.
				if (what === 'message' && name === 'body') continue
				if (name === 'v') continue
				const changed = codeOf(() => decode(encodeJson({ ...value, [name]: wrong })))
				expect([name, wrong, changed]).toEqual([name, wrong, malformed])
			}
		}
	})

	test('bytes that are no UTF-8, a BOM, and a lone surrogate written as bytes', () => {
		expect(codeOf(() => decode(concat(utf8(good), new Uint8Array([0xff]))))).toBe(malformed)
		expect(codeOf(() => decode(concat(new Uint8Array([0xef, 0xbb, 0xbf]), utf8(good))))).toBe(
			malformed,
		)
		const surrogate = new Uint8Array([0xed, 0xa0, 0x80])
		const before = utf8(good.replace(/\}$/, ',"x":"'))
		expect(codeOf(() => decode(concat(before, surrogate, utf8('"}'))))).toBe(malformed)
	})

	test('nesting that would end the stack of whoever writes it again', () => {
		for (const depth of [maxDepth, 10_000, 100_000]) {
			const json = good.replace(/\}$/, `,"x":${deep(depth)}}`)
			expect(codeOf(() => decode(utf8(json)))).toBe(malformed)
			expect(codeOf(() => decode(utf8(deep(depth))))).toBe(malformed)
		}
		expect(() => decode(utf8(good.replace(/\}$/, `,"x":${deep(maxDepth - 1)}}`)))).not.toThrow()
	})

	test('of a name that is there twice the last counts, for the version too', () => {
		expect(codeOf(() => decode(utf8(good.replace(/\}$/, ',"v":2}'))))).toBe('newer_version')
		expect(() => decode(utf8(good.replace('{', '{"v":2,')))).not.toThrow()
	})

	test('names that mean something to JavaScript change nothing', () => {
		const json = good.replace(/\}$/, ',"__proto__":{"v":2},"constructor":1,"toString":2}')
		expect(() => decode(utf8(json))).not.toThrow()
		expect(({} as { v?: unknown }).v).toBeUndefined()
	})

	test('garbage is refused', () => {
		fc.assert(
			fc.property(fc.oneof(fc.uint8Array(), fc.json().map(utf8)), (bytes) => {
				expect(codeOf(() => decode(bytes))).toMatch(/^(malformed_|newer_version)/)
			}),
			{ numRuns: 50 },
		)
	})

	test('megabytes of it too', () => {
		expect(codeOf(() => decode(new Uint8Array(2_000_000).fill(0x20)))).toBe(malformed)
		expect(codeOf(() => decode(utf8(`[${'1,'.repeat(100_000)}1]`)))).toBe(malformed)
	})
})

describe('what is sealed or signed wrongly', () => {
	const sizes = [0, 1, 15, 16, 63, 64, 255, 256, 1000]

	test.each(sizes)('%i bytes instead of a ciphertext', (size) => {
		const ciphertext = new Uint8Array(size).fill(3)
		const signature = new Uint8Array(64)
		expect(codeOf(() => openGrant({ nonce, ciphertext }, record, key))).toBe('grant_altered')
		expect(codeOf(() => openCommand({ nonce, ciphertext }, key))).toBe('command_altered')
		const row = { session, seq: 1, epoch: 0, nonce, ciphertext, signature }
		expect(codeOf(() => openMessage(row, key))).toBe('message_altered')
		const sealed = { epoch: 0, nonce: toBase64(nonce), ciphertext: toBase64(ciphertext) }
		expect(codeOf(() => openLabel('device:x', sealed, key))).toBe('label_altered')
		expect(
			codeOf(() => openTextFrame({ nonce, ciphertext, signature }, session, key, hostSign)),
		).toBe('frame_bad_signature')
	})

	test.each([0, 1, 23, 25, 48])('a nonce of %i bytes', (size) => {
		const wrong = new Uint8Array(size)
		const ciphertext = seal(pad(utf8('{}')), nonce, key)
		const signature = new Uint8Array(64)
		expect(codeOf(() => openGrant({ nonce: wrong, ciphertext }, record, key))).toBe('grant_altered')
		expect(codeOf(() => openCommand({ nonce: wrong, ciphertext }, key))).toBe('command_altered')
		const row = { session, seq: 1, epoch: 0, nonce: wrong, ciphertext, signature }
		expect(codeOf(() => openMessage(row, key))).toBe('message_altered')
		const sealed = { epoch: 0, nonce: toBase64(wrong), ciphertext: toBase64(ciphertext) }
		expect(codeOf(() => openLabel('device:x', sealed, key))).toBe('malformed_base64')
	})

	test('a plaintext that is no frame', () => {
		const bare = seal(utf8('{"v":1}'), nonce, key)
		expect(codeOf(() => openGrant({ nonce, ciphertext: bare }, record, key))).toBe(
			'malformed_padding',
		)
		const row = { session, seq: 1, epoch: 0, nonce, ciphertext: bare, signature: key }
		expect(codeOf(() => openMessage(row, key))).toBe('malformed_padding')
		const long = seal(new Uint8Array(100), nonce, key)
		expect(codeOf(() => openCommand({ nonce, ciphertext: long }, key))).toBe('malformed_padding')
	})
})

describe('the values inside', () => {
	const takes = (schema: v.GenericSchema, value: unknown) => v.safeParse(schema, value).success

	test('a UUID has one text', () => {
		expect(takes(uuid, session)).toBe(true)
		for (const wrong of [session.toUpperCase(), `{${session}}`, session.slice(1), `${session}\n`]) {
			expect(takes(uuid, wrong)).toBe(false)
		}
	})

	test('a time is a moment that there is, with its zone', () => {
		for (const good of [
			'2026-03-01T12:00:00Z',
			'2026-03-01T12:00:00.123+01:00',
			'2024-02-29T12:00:00Z',
			'2000-02-29T12:00:00Z',
		]) {
			expect(takes(isoTime, good)).toBe(true)
		}
		const wrong = [
			'2026-03-01',
			'2026-03-01T12:00:00',
			'2026-13-01T12:00:00Z',
			'2026-03-01T12:00:00 +01',
			'2026-03-01T12:00:00+01',
			'2026-03-01T12:00:00+0100',
			'2026-03-01 12:00:00Z',
			'2026-02-29T12:00:00Z',
			'2100-02-29T12:00:00Z',
			'2026-04-31T12:00:00Z',
			'2026-04-00T12:00:00Z',
			'2026-04-30T24:00:00Z',
			'2026-04-30T12:00:00.Z',
			'2026-04-30T12:00:00+24:00',
		]
		for (const text of [...wrong, '', 'now', '2026-03-01T12:00:60Z']) {
			expect([text, takes(isoTime, text)]).toEqual([text, false])
		}
	})

	test('what was wrong is said without what was there', () => {
		const schema = v.object({
			v: version,
			key: v.pipe(v.string(), v.base64()),
			code: v.literal('x'),
		})
		const secrets = ['not base64 hunter2', 'hunter2']
		const bytes = encodeJson({ v: 1, key: secrets[0], code: secrets[1] })
		for (const wrong of [bytes, bytes.subarray(0, 40), concat(utf8('hunter2'), bytes)]) {
			try {
				decodeJson(wrong, schema, 'thing')
				expect.fail('it was taken')
			} catch (error) {
				expect(error).toMatchObject({ code: 'malformed_thing' })
				expect(inspect(error, { depth: 9 })).not.toContain('hunter2')
				if (wrong === bytes) expect(inspect(error)).toContain('key, code')
			}
		}
	})

	test('sequence numbers and epochs fit where they are hashed', () => {
		for (const good of [0, 1, 2 ** 32 - 1]) expect(takes(epochNumber, good)).toBe(true)
		expect(takes(epochNumber, 2 ** 32)).toBe(false)
		expect(takes(sequence, 2 ** 53 - 1)).toBe(true)
		for (const wrong of [2 ** 53, -1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, '1', null]) {
			expect(takes(sequence, wrong)).toBe(false)
		}
		// Negative zero is zero to every reader.
		expect(takes(sequence, -0)).toBe(true)
	})

	test('an escaped lone surrogate in text becomes what UTF-8 can carry, and is the same to all', () => {
		const schema = v.object({ v: version, text: v.string() })
		const read = decodeJson(utf8('{"v":1,"text":"a\\ud800b"}'), schema, 'test')
		expect(read.text).toBe('a\ud800b')
		expect(text(encodeJson(read))).toBe('{"v":1,"text":"a\\ud800b"}')
	})

	test('depth', () => {
		expect(isShallow(1, 0)).toBe(true)
		expect(isShallow([], 0)).toBe(false)
		expect(isShallow({ a: [{}] }, 3)).toBe(true)
		expect(isShallow({ a: [{}] }, 2)).toBe(false)
		const input: unknown = JSON.parse(deep(10_000))
		const body = { tool_use: 'x', name: 'x', input, parent: null }
		expect(codeOf(() => checkBody('tool_use', body))).toBe('malformed_body')
	})
})
