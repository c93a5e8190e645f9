/** Every byte layout of docs/protocol.md against golden vectors that a second implementation made. */
import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { sharedKey } from '../../source/protocol/box.ts'
import { fromBase64, toBase64 } from '../../source/protocol/bytes.ts'
import {
	checkCommand,
	openCommand,
	requestDigest,
	sealCommand,
	signCommand,
	type UnsignedCommand,
} from '../../source/protocol/command.ts'
import { decodeDevice, encodeDevice, fingerprint } from '../../source/protocol/device.ts'
import {
	emptyLog,
	headOf,
	type LogAct,
	makeEntry,
	replay,
	signJoin,
} from '../../source/protocol/device-log.ts'
import {
	checkEpoch,
	keyHash,
	makeEpoch,
	openGrant,
	sealGrant,
} from '../../source/protocol/epoch.ts'
import type { SessionEvent } from '../../source/protocol/events.ts'
import { openLabel, sealLabel } from '../../source/protocol/label.ts'
import {
	checkHeartbeat,
	openTextFrame,
	sealTextFrame,
	signHeartbeat,
} from '../../source/protocol/live.ts'
import {
	type ChainState,
	type Content,
	chainStart,
	openMessage,
	type SealedMessage,
	sealMessage,
} from '../../source/protocol/message.ts'
import { pad, padme, unpad } from '../../source/protocol/padding.ts'
import { join, split } from '../../source/protocol/parts.ts'
import type { Scope } from '../../source/protocol/scope.ts'
import { checkWindow } from '../../source/protocol/window.ts'
import { makeVectors } from '../tools/make-vectors.ts'
import {
	account,
	entries,
	hex,
	host,
	laptop,
	logAfter,
	recovery,
	text,
	unhex,
	utf8,
	vectors,
} from './_vectors.ts'

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
const devices = { host, laptop, recovery }
const hostSign = fromBase64(host.record.sign, 32)

test('the file is what its script makes', () => {
	expect(makeVectors()).toEqual(vectors)
})

describe('padding', () => {
	test.each(vectors.padding.padme)('padmé of %i is %i', (length, padded) => {
		expect(padme(length ?? -1)).toBe(padded)
	})

	test.each(vectors.padding.frames)('frame of "$text"', ({ text: inside, frame }) => {
		expect(hex(pad(utf8(inside)))).toBe(frame)
		expect(text(unpad(unhex(frame)))).toBe(inside)
	})
})

describe.each(['host', 'laptop', 'recovery'] as const)('device %s', (name) => {
	const vector = vectors.devices[name]
	const device = devices[name]

	test('record, vault entry, fingerprint', () => {
		expect(JSON.stringify(device.record)).toBe(vector.record)
		expect(text(encodeDevice(device))).toBe(vector.vault)
		expect(decodeDevice(utf8(vector.vault))).toEqual(device)
		expect(fingerprint(device.record)).toBe(vector.fingerprint)
	})
})

test.each(vectors.labels)('label of $subject', ({ subject, label, json, key, sealed }) => {
	const nonce = fromBase64(sealed.nonce, 24)
	expect(sealLabel(subject, label, { epoch: 0, key: unhex(key), nonce })).toEqual(sealed)
	expect(openLabel(subject, sealed, unhex(key))).toEqual(label)
	expect(json).toContain(subject)
})

describe('device log', () => {
	const acts: [typeof host, LogAct][] = entries.map(({ entry }) => {
		const { v: _, account: __, seq: ___, prev: ____, by, ...act } = JSON.parse(text(entry))
		const signer = [host, laptop, recovery].find((device) => device.record.id === by)
		if (!signer) throw new Error('an entry is by a device that the vectors lack')
		return [signer, act]
	})

	test('entries and hashes, made and replayed', () => {
		let state = emptyLog(account)
		for (const [index, [device, act]] of acts.entries()) {
			const made = makeEntry(state, device, act)
			expect(made).toEqual(entries[index])
			state = replay(state, [made])
			expect(headOf(state)).toEqual({ seq: index, hash: vectors.log.entries[index]?.hash })
		}
		expect(state).toEqual(logAfter(entries.length))
		expect(state.devices.get(laptop.record.id)?.revoked?.reason).toBe('lost on a train')
	})

	test("a new device's consent", () => {
		const [, , third] = acts
		if (third?.[1].type !== 'add') throw new Error('the third entry adds a device')
		expect(toBase64(signJoin(account, recovery))).toBe(third[1].join)
	})
})

describe.each(vectors.epochs)('epoch $epoch of $scope', (vector) => {
	// The script writes only scopes.
	const scope = vector.scope as Scope
	const key = unhex(vector.key)
	const log = logAfter(vector.log_seq + 1)

	test('record', () => {
		const place = { scope, epoch: vector.epoch, key, from: vector.from, prev: unhex(vector.prev) }
		const made = makeEpoch(host, { ...place, log: headOf(log) })
		expect(text(made.record)).toBe(vector.record)
		expect(hex(made.signature)).toBe(vector.signature)
		const record = checkEpoch(made, log, { scope, epoch: vector.epoch })
		expect(record.key).toBe(keyHash(key))
	})

	test('grant', () => {
		const { grant } = vector
		const shared = sharedKey(fromBase64(host.record.box, 32), laptop.boxSecret)
		expect(hex(shared)).toBe(grant.shared)
		const sealed = sealGrant({ scope, epoch: vector.epoch, key }, shared, unhex(grant.nonce))
		expect(hex(sealed.ciphertext)).toBe(grant.ciphertext)
		const signed = { record: utf8(vector.record), signature: unhex(vector.signature) }
		const record = checkEpoch(signed, log, { scope, epoch: vector.epoch })
		expect(hex(openGrant(sealed, record, shared))).toBe(vector.key)
	})
})

describe('messages', () => {
	const { session, keys, messages } = vectors.session
	const large = vectors.session.large_piece.repeat(vectors.session.large_repeated)
	const events: [string, unknown][] = [
		['user_prompt', vectors.session.user_prompt],
		['permission_request', vectors.session.permission_request],
		['agent_response', { text: large, block: null, model: null, parent: null }],
		['status', vectors.session.status],
	]
	// The script's bodies fit their kinds; the window below checks that again.
	const contents: Content[] = events.flatMap(([kind, body], index) =>
		split({ kind, body } as SessionEvent, `2026-03-01T12:00:${10 + index}.000Z`),
	)
	let state: ChainState = chainStart(session)
	const made = contents.map((content, index) => {
		const vector = messages[index]
		if (!vector) throw new Error('there are more messages than vectors')
		const { epoch } = vector
		const key = unhex(keys[epoch] ?? '')
		const nonce = unhex(vector.nonce)
		const sealed = sealMessage(session, state, content, {
			epoch,
			key,
			nonce,
			signSecret: host.signSecret,
		})
		state = sealed.chain
		return { vector, ...sealed }
	})

	test('the start of the chain', () => {
		expect(hex(chainStart(session).chain)).toBe(vectors.session.chain_start)
	})

	test('there is one for each vector, in parts and in two epochs', () => {
		expect(made.map(({ message }) => message.seq)).toEqual(messages.map(({ seq }) => seq))
		expect(new Set(messages.map(({ epoch }) => epoch)).size).toBe(2)
		expect(messages.length).toBeGreaterThan(events.length + 1)
	})

	test.each(made)('frame, ciphertext, chain, signature of #$vector.seq', (one) => {
		const { vector, message, chain, json } = one
		if (vector.json === undefined) expect(sha256(json)).toBe(vector.json_sha256)
		else expect(text(json)).toBe(vector.json)
		if (vector.ciphertext === undefined) {
			expect(sha256(message.ciphertext)).toBe(vector.ciphertext_sha256)
		} else expect(hex(message.ciphertext)).toBe(vector.ciphertext)
		expect(hex(chain.chain)).toBe(vector.chain)
		expect(hex(message.signature)).toBe(vector.signature)
		expect(text(openMessage(message, unhex(keys[message.epoch] ?? '')).json)).toBe(text(json))
	})

	test('what the vectors say checks as one window, and the parts join', () => {
		const rows: SealedMessage[] = made.map(({ message }) => message)
		const checked = checkWindow(rows, {
			session,
			signPublic: hostSign,
			keyOf: (epoch) => unhex(keys[epoch] ?? ''),
			from: 1,
			to: rows.length,
		})
		const frames = checked.rows.map((row) => {
			if (!row.ok) throw new Error(`#${row.seq}: ${row.problem}`)
			return row.message.frame
		})
		expect(checked.end).toEqual(state)
		const parts = frames.filter((frame) => frame.kind === 'agent_response')
		expect(join(parts)).toMatchObject({ body: { text: large } })
	})

	test('a message that names the head of the log', () => {
		const { notice, message: vector } = vectors.log_head
		const { seq, hash } = headOf(logAfter(entries.length))
		const sealed = sealMessage(
			session,
			state,
			{ at: '2026-03-01T12:00:14.000Z', kind: 'system', log: { seq, hash }, body: notice },
			{
				epoch: vector.epoch,
				key: unhex(keys[vector.epoch] ?? ''),
				nonce: unhex(vector.nonce),
				signSecret: host.signSecret,
			},
		)
		expect(text(sealed.json)).toBe(vector.json)
		expect(hex(sealed.message.ciphertext)).toBe(vector.ciphertext)
		expect(hex(sealed.message.signature)).toBe(vector.signature)
		const { frame } = openMessage(sealed.message, unhex(keys[vector.epoch] ?? ''))
		expect(frame.log).toEqual({ seq, hash })
	})

	test('digest of a request, of one part and of several', () => {
		const jsons = made.map(({ json }) => json)
		expect(requestDigest(jsons.slice(1, 2))).toBe(vectors.session.request_digest)
		expect(requestDigest(jsons.slice(2, -1))).toBe(vectors.session.parts_digest)
	})
})

describe('live', () => {
	test('text frame', () => {
		const { frame, nonce, ciphertext, signature } = vectors.live.text_frame
		const key = unhex(vectors.session.keys[0] ?? '')
		const kind = 'agent_response' as const
		const sealed = sealTextFrame({ ...frame, kind }, key, host.signSecret, unhex(nonce))
		expect(hex(sealed.ciphertext)).toBe(ciphertext)
		expect(hex(sealed.signature)).toBe(signature)
		expect(openTextFrame(sealed, frame.session, key, hostSign)).toEqual({ v: 1, ...frame })
	})

	test('heartbeat', () => {
		const { bytes, signature } = vectors.live.heartbeat
		const signed = { bytes: utf8(bytes), signature: unhex(signature) }
		const { v: _, ...heartbeat } = checkHeartbeat(signed, vectors.session.session, hostSign)
		const made = signHeartbeat(heartbeat, host.signSecret)
		expect(text(made.bytes)).toBe(bytes)
		expect(hex(made.signature)).toBe(signature)
	})
})

describe.each(vectors.commands)('command $kind', (vector) => {
	const { v: _, ...command } = JSON.parse(vector.bytes)

	test('signed and boxed, opened and checked', () => {
		const signed = signCommand(command as UnsignedCommand, laptop.signSecret)
		expect(text(signed.bytes)).toBe(vector.bytes)
		expect(hex(signed.signature)).toBe(vector.signature)
		const shared = sharedKey(fromBase64(host.record.box, 32), laptop.boxSecret)
		const sealed = sealCommand(signed, shared, unhex(vector.nonce))
		expect(hex(sealed.ciphertext)).toBe(vector.ciphertext)
		const opened = openCommand(sealed, sharedKey(fromBase64(laptop.record.box), host.boxSecret))
		const signPublic = fromBase64(laptop.record.sign, 32)
		expect(checkCommand(opened, laptop.record.id, signPublic)).toEqual({ v: 1, ...command })
	})
})
