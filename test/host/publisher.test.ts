import { readFileSync, statSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { outboxError } from '../../source/host/outbox-errors.ts'
import { statusUpdate } from '../../source/host/outbox-operations.ts'
import { outboxFile } from '../../source/host/outbox-paths.ts'
import type { Publisher } from '../../source/host/publisher.ts'
import { fromBase64 } from '../../source/protocol/bytes.ts'
import { createDevice } from '../../source/protocol/device.ts'
import type { SessionEvent } from '../../source/protocol/events.ts'
import { checkHeartbeat, openTextFrame } from '../../source/protocol/live.ts'
import { sessionScope } from '../../source/protocol/scope.ts'
import { addDevice, bodiesOf, makeHost, readSession, type TestHost, until } from './_host.ts'

let host: TestHost
beforeEach(async () => {
	host = await makeHost()
})
afterEach(() => host[Symbol.asyncDispose]())

function said(text: string): SessionEvent {
	return { kind: 'agent_response', body: { text, block: null, model: null, parent: null } }
}

const at = () => new Date().toISOString()

/** From now on the disk of the outbox takes no more. */
function fillDisk({ outbox }: Publisher): { free(): void } {
	const commit = outbox.commit
	outbox.commit = () => {
		throw outboxError(Object.assign(new Error('database or disk is full'), { errcode: 13 }))
	}
	return {
		free() {
			outbox.commit = commit
		},
	}
}

describe('publisher', () => {
	it('publishes events in order, sealed, with their own times', async () => {
		const publisher = host.publisher()
		const when = '2026-03-01T10:00:00.5Z'
		for (let n = 0; n < 20; n++) void publisher.publish({ at: when, event: said(`line ${n}`) })
		const last = await publisher.publish({ at: 'no time', event: said('the end') })
		expect(last.seq).toBe(21)
		expect(await publisher.delivered(5000)).toBe(true)
		const events = await readSession(host, publisher.session)
		expect(bodiesOf(events, 'agent_response').map((body) => body.text)).toEqual([
			...Array.from({ length: 20 }, (_, n) => `line ${n}`),
			'the end',
		])
		expect(events[0]?.at).toBe('2026-03-01T10:00:00.500Z')
		for (const event of events) expect(event.created_at).toBe(event.at)
	})

	it('sends what comes at once in one call', async () => {
		const publisher = host.publisher()
		for (let n = 0; n < 100; n++) void publisher.publish({ at: at(), event: said(`${n}`) })
		await publisher.delivered(5000)
		expect(host.backend.calls.filter((name) => name === 'append_messages').length).toBeLessThan(4)
	})

	it('splits large bodies and puts counts into the row of usage only', async () => {
		const publisher = host.publisher()
		const large = 'ä'.repeat(100_000)
		await publisher.publish({ at: at(), event: said(large) })
		const usage = { message: 'm', model: 'x', input: 7, output: 8, cache_read: 9, cache_write: 10 }
		await publisher.publish({
			at: at(),
			event: { kind: 'usage', body: { ...usage, cost_usd: 0.25, cost_source: 'agent' } },
		})
		await publisher.delivered(5000)
		const events = await readSession(host, publisher.session)
		expect(bodiesOf(events, 'agent_response')[0]?.text).toBe(large)
		const row = await host.gateway.readSession(publisher.session)
		expect(row?.tokens).toEqual({ input: 7, output: 8, cache_read: 9, cache_write: 10 })
		expect(row?.cost_usd).toBe(0.25)
	})

	it('keeps going through a cut, and sends all of it afterwards, once', async () => {
		const troubles: string[] = []
		let recovered = 0
		const publisher = host.publisher({
			onTrouble: (error) => troubles.push(error.code),
			onRecovered: () => recovered++,
		})
		await publisher.publish({ at: at(), event: said('before') })
		await publisher.delivered(5000)
		host.backend.cut()
		for (let n = 0; n < 30; n++) await publisher.publish({ at: at(), event: said(`${n}`) })
		expect(await publisher.delivered(50)).toBe(false)
		expect(troubles).toEqual(['backend_unreachable'])
		host.backend.mend()
		publisher.retryNow()
		expect(await publisher.delivered(5000)).toBe(true)
		expect(recovered).toBe(1)
		expect(await readSession(host, publisher.session)).toHaveLength(31)
	})

	it('repeats what was done but not heard, without doubling it', async () => {
		const publisher = host.publisher()
		let fails = 5
		host.backend.faults.after = () => {
			if (fails-- > 0) host.backend.faults.offline = true
			setImmediate(() => {
				host.backend.faults.offline = false
				publisher.retryNow()
			})
		}
		for (let n = 0; n < 10; n++) await publisher.publish({ at: at(), event: said(`${n}`) })
		expect(await publisher.delivered(10_000)).toBe(true)
		host.backend.faults.after = undefined
		expect(await readSession(host, publisher.session)).toHaveLength(10)
	})

	it('leaves neither plaintext nor keys in its file, which others can not read', async () => {
		host.backend.cut()
		const publisher = host.publisher()
		await publisher.publish({ at: at(), event: said('a sentence that must not be found') })
		const { key } = publisher.epochKey()
		const file = outboxFile(host.dataFolder, publisher.session)
		for (const suffix of ['', '-wal', '-shm']) {
			expect(statSync(file + suffix).mode & 0o777).toBe(0o600)
			const bytes = readFileSync(file + suffix)
			expect(bytes.includes('a sentence that')).toBe(false)
			expect(bytes.includes(Buffer.from(key))).toBe(false)
			expect(bytes.includes(Buffer.from(key).toString('base64'))).toBe(false)
			expect(bytes.includes(Buffer.from(host.account.device.boxSecret))).toBe(false)
		}
	})

	it('calls nothing delivered that a full disk keeps in memory, and keeps it when there is room', async () => {
		const troubles: string[] = []
		const publisher = host.publisher({ onTrouble: (error) => troubles.push(error.code) })
		await publisher.publish({ at: at(), event: said('one') })
		const disk = fillDisk(publisher)
		let kept = false
		const late = publisher.publish({ at: at(), event: said('two') }).then(() => {
			kept = true
		})
		expect(await publisher.delivered(50)).toBe(false)
		expect(kept).toBe(false)
		expect(troubles).toEqual(['outbox_full'])
		disk.free()
		expect(await publisher.delivered(10_000)).toBe(true)
		await late
		const events = await readSession(host, publisher.session)
		expect(bodiesOf(events, 'agent_response').map((body) => body.text)).toEqual(['one', 'two'])
	})

	it('says which events were lost when it ends on a full disk', async () => {
		const publisher = host.publisher()
		await publisher.publish({ at: at(), event: said('one') })
		fillDisk(publisher)
		const lost = publisher.publish({ at: at(), event: said('two') }).catch((error) => error)
		await publisher[Symbol.asyncDispose]()
		expect(await lost).toMatchObject({ code: 'events_lost' })
		expect((await lost).message).toMatch(/events: 1\b/)
	})

	it('deletes its file when the session has ended and all of it is confirmed', async () => {
		const publisher = host.publisher()
		const file = outboxFile(host.dataFolder, publisher.session)
		const ended = at()
		const event: SessionEvent = {
			kind: 'status',
			body: { status: 'stopped', detail: null, applied: null },
		}
		await publisher.publish(
			{ at: ended, event },
			{ afterwards: [statusUpdate('stopped', ended)], ended: true },
		)
		await publisher.delivered(5000)
		await publisher[Symbol.asyncDispose]()
		expect(() => statSync(file)).toThrow()
		const row = await host.gateway.readSession(publisher.session)
		expect(row?.status).toBe('stopped')
		expect(row?.ended_at).toBe(ended)
	})

	it('keeps events of a form that it does not know as a notice', async () => {
		const publisher = host.publisher()
		const broken = { kind: 'agent_response', body: { text: 5 } } as unknown as SessionEvent
		await publisher.publish({ at: at(), event: broken })
		await publisher.publish({ at: at(), event: said('x'.repeat(17 * 1024 * 1024)) })
		await publisher.delivered(5000)
		const events = await readSession(host, publisher.session)
		expect(bodiesOf(events, 'system').map((body) => body.type)).toEqual(['notice', 'notice'])
	})
})

describe('epochs', () => {
	it('are granted to every active device, and to those that come later', async () => {
		const publisher = host.publisher()
		await publisher.publish({ at: at(), event: said('one') })
		await publisher.delivered(5000)
		const scope = sessionScope(publisher.session)
		const granted = async (device: string) =>
			(await host.gateway.readKeys([scope], device)).grants.length
		expect(await granted(host.viewer.record.id)).toBe(1)
		const later = createDevice()
		await addDevice(host.account, later)
		await until(async () => (await granted(later.record.id)) === 1)
	})

	it('change after a revocation, without the revoked device', async () => {
		const publisher = host.publisher()
		await publisher.publish({ at: at(), event: said('one') })
		const { viewer, account } = host
		await account.log.append(account.device, {
			type: 'revoke',
			at: at(),
			device: viewer.record.id,
			reason: null,
		})
		await publisher.publish({ at: at(), event: said('two') })
		await publisher.delivered(5000)
		const events = await readSession(host, publisher.session)
		expect(events.map((event) => event.epoch)).toEqual([0, 1])
		const { grants } = await host.gateway.readKeys(
			[sessionScope(publisher.session)],
			viewer.record.id,
		)
		expect(grants.map((grant) => grant.epoch)).toEqual([0])
	})

	it('change at once after a revocation for text that is being written, too', async () => {
		const publisher = host.publisher()
		await publisher.publish({ at: at(), event: said('one') })
		await publisher.delivered(5000)
		const scope = sessionScope(publisher.session)
		const old = publisher.epochKey().key
		const { viewer, account } = host
		const signPublic = fromBase64(account.device.record.sign, 32)
		const opened: boolean[] = []
		let joined = false
		await using _channel = host.gateway.followSession(publisher.session, (hint) => {
			if (hint.type === 'joined') joined = true
			if (hint.type !== 'frame') return
			const sealed = {
				nonce: fromBase64(hint.nonce),
				ciphertext: fromBase64(hint.ciphertext),
				signature: fromBase64(hint.signature),
			}
			try {
				openTextFrame(sealed, publisher.session, old, signPublic)
				opened.push(true)
			} catch {
				opened.push(false)
			}
		})
		await until(() => joined)
		const text = (offset: number) =>
			publisher.text({ block: 'b', kind: 'agent_response', offset, text: 'word' })
		text(0)
		await until(() => opened.length === 1)
		const { id } = viewer.record
		await account.log.append(account.device, {
			type: 'revoke',
			at: at(),
			device: id,
			reason: null,
		})
		// Nothing is published after it: the agent is in the middle of a long answer.
		await until(async () => (await host.gateway.readKeys([scope], id)).epochs.length === 2)
		text(4)
		await until(() => opened.length === 2)
		expect(opened).toEqual([true, false])
		await publisher.publish({ at: at(), event: said('two') })
		await publisher.delivered(5000)
		const events = await readSession(host, publisher.session)
		expect(events.map((event) => event.epoch)).toEqual([0, 1])
		const keys = await account.keys.load(scope, { again: true })
		expect(keys.records.get(1)?.from).toBe(2)
	})

	it('are not opened by a device that was revoked itself: nothing more leaves it', async () => {
		const publisher = host.publisher()
		await publisher.publish({ at: at(), event: said('one') })
		const { viewer, account } = host
		await account.log.append(viewer, {
			type: 'revoke',
			at: at(),
			device: account.device.record.id,
			reason: null,
		})
		await expect(publisher.publish({ at: at(), event: said('two') })).rejects.toThrow(
			expect.objectContaining({ code: 'device_revoked' }),
		)
	})
})

describe('the live channel', () => {
	it('carries text while it is written, sealed and signed, and heartbeats that prove the end', async () => {
		const publisher = host.publisher()
		await publisher.publish({ at: at(), event: said('one') })
		await publisher.delivered(5000)
		const key = publisher.epochKey().key
		const signPublic = fromBase64(host.account.device.record.sign, 32)
		let text = ''
		const beats: number[] = []
		let frames = 0
		await using _channel = host.gateway.followSession(publisher.session, (hint) => {
			if (hint.type === 'frame') {
				frames++
				const sealed = {
					nonce: fromBase64(hint.nonce),
					ciphertext: fromBase64(hint.ciphertext),
					signature: fromBase64(hint.signature),
				}
				const frame = openTextFrame(sealed, publisher.session, key, signPublic)
				text = text.slice(0, frame.offset) + frame.text
			}
			if (hint.type === 'heartbeat') {
				const { bytes, signature } = hint
				const signed = { bytes: fromBase64(bytes), signature: fromBase64(signature) }
				beats.push(checkHeartbeat(signed, publisher.session, signPublic).seq)
			}
		})
		await new Promise((resolve) => setTimeout(resolve, 20))
		const words = Array.from({ length: 40 }, (_, n) => `word${n} `)
		let offset = 0
		for (const word of words) {
			publisher.text({ block: 'b', kind: 'agent_response', offset, text: word })
			offset += word.length
			await new Promise((resolve) => setTimeout(resolve, 5))
		}
		await until(() => text === words.join(''))
		expect(frames).toBeLessThan(20)
		host.backend.cut()
		host.backend.mend()
		await until(() => beats.at(-1) === 1)
	})
})
