/** A server that takes the device log back is caught by what hosts have signed, live or long ago. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Account } from '../../source/account/account.ts'
import { randomBytes } from '../../source/protocol/box.ts'
import { toBase64 } from '../../source/protocol/bytes.ts'
import { randomId } from '../../source/protocol/device.ts'
import { headOf } from '../../source/protocol/device-log.ts'
import type { LogHead } from '../../source/protocol/json.ts'
import { signHeartbeat } from '../../source/protocol/live.ts'
import { openViewer } from '../../source/viewer/open-viewer.ts'
import { FeedPool } from '../../source/viewer/session-feed.ts'
import { SessionReader } from '../../source/viewer/session-reader.ts'
import { Tail } from '../../source/viewer/tail.ts'
import { addDevice, openAccount, TestSession } from '../tools/account.ts'
import { MemoryBackend } from '../tools/memory-gateway.ts'

let backend: MemoryBackend
let host: Account
let laptop: Account
let thief: Account
let session: TestSession

beforeEach(async () => {
	backend = new MemoryBackend()
	const gateway = backend.gateway(randomId())
	host = await openAccount(gateway)
	thief = await addDevice(host, gateway, 'tablet')
	laptop = await addDevice(host, gateway, 'laptop')
	session = await new TestSession(host).create()
	await session.say('before')
})
afterEach(() => {
	backend.faults.silent = false
})

/** The host revokes the thief, and the server keeps that to itself. Returns how it shows it after all. */
async function hideRevocation(): Promise<() => void> {
	backend.faults.silent = true
	const { id } = thief.device.record
	const at = new Date().toISOString()
	await host.log.append(host.device, () => ({ type: 'revoke', at, device: id, reason: null }))
	const rows = backend.logs.get(host.id) ?? []
	backend.logs.set(host.id, rows.slice(0, -1))
	backend.faults.silent = false
	return () => backend.logs.set(host.id, rows)
}

async function read(account: Account): Promise<(string | null)[]> {
	const reader = new SessionReader(account, session.id)
	const row = await account.gateway.readSession(session.id)
	const problems: (string | null)[] = []
	for await (const { problem } of reader.all(0, reader.through(row))) problems.push(problem)
	return problems
}

describe('a message that names a head', () => {
	test('which the log has is read like any other', async () => {
		await session.say('and after', headOf(host.log.state))
		expect(await read(laptop)).toEqual([null, null])
		expect(laptop.log.problem).toBeNull()
	})

	test('which this device has not seen yet makes it look', async () => {
		const show = await hideRevocation()
		show()
		await session.say('and after', headOf(host.log.state))
		expect(await read(laptop)).toEqual([null, null])
		expect(headOf(laptop.log.state)).toEqual(headOf(host.log.state))
		expect(laptop.log.problem).toBeNull()
	})

	test('which the server hides makes the log a problem, until it shows it; the message holds', async () => {
		const show = await hideRevocation()
		await session.say('and after', headOf(host.log.state))
		expect(await read(laptop)).toEqual([null, null])
		expect(laptop.log.problem).toMatchObject({ code: 'log_rolled_back', exitCode: 4 })
		show()
		await laptop.log.refresh()
		expect(laptop.log.problem).toBeNull()
	})

	test('is looked at as it comes over the live channel, and is in the viewer as an alarm', async () => {
		await using viewer = openViewer({
			account: laptop,
			backend: { kind: 'embedded', url: 'memory://' },
			vault: { kind: 'memory', detail: '' },
			now: () => new Date(),
		})
		await viewer.ready
		await using view = viewer.open(session.id)
		await expect.poll(() => view.state.get().messages.length).toBe(1)
		await hideRevocation()
		expect(viewer.info.get().alarm).toBeNull()
		await session.say('and after', headOf(host.log.state))
		await expect.poll(() => viewer.info.get().alarm).toContain('hiding or inventing devices')
		expect(view.state.get().messages.at(-1)?.problem).toBeNull()
	})

	test('with an old head that the log does not have is caught as well', async () => {
		await session.say('forked', { seq: 1, hash: toBase64(randomBytes(32)) })
		await read(laptop)
		expect(laptop.log.problem).toMatchObject({ code: 'log_rolled_back' })
	})

	test('counts for nothing when its host was revoked: it could make everybody hold', async () => {
		await thief.log.refresh()
		const lying = await new TestSession(thief).create()
		const at = new Date().toISOString()
		const { id } = thief.device.record
		await host.log.append(host.device, () => ({ type: 'revoke', at, device: id, reason: null }))
		await laptop.log.refresh()
		await lying.say('look', { seq: 50, hash: toBase64(randomBytes(32)) })
		for await (const { problem } of new SessionReader(laptop, lying.id).all(0, 1)) {
			expect(problem).toBeNull()
		}
		expect(laptop.log.problem).toBeNull()
	})

	test('that the server altered names nothing', async () => {
		await session.say('and after', { seq: 50, hash: toBase64(randomBytes(32)) })
		const row = backend.sessions.get(session.id)?.messages[1]
		if (!row) throw new Error('no row')
		row.signature = toBase64(randomBytes(64))
		expect(await read(laptop)).toEqual([null, expect.stringContaining('not signed')])
		expect(laptop.log.problem).toBeNull()
	})

	test('of a tail is looked at without a viewer', async () => {
		await using feeds = new FeedPool(laptop)
		const delivered: (string | null)[] = []
		using _tail = new Tail({
			reader: new SessionReader(laptop, session.id),
			feeds,
			after: 0,
			before: null,
			deliver: (messages) => delivered.push(...messages.map(({ problem }) => problem)),
			failed: () => undefined,
		})
		await expect.poll(() => delivered.length).toBe(1)
		await hideRevocation()
		await session.say('and after', headOf(host.log.state))
		await expect.poll(() => laptop.log.problem?.code).toBe('log_rolled_back')
	})
})

test('who has revoked a device sees which live hosts have not followed', async () => {
	await using feeds = new FeedPool(laptop)
	let heard = 0
	feeds.listen(session.id, { heartbeat: () => heard++ })
	const beat = async (log: LogHead) => {
		const { seq, chain } = session.chain
		const at = new Date().toISOString()
		const { bytes, signature } = signHeartbeat(
			{ session: session.id, seq, chain: toBase64(chain), log, at },
			host.device.signSecret,
		)
		const before = heard
		const hint = { bytes: toBase64(bytes), signature: toBase64(signature) }
		backend.tellSession(session.id, { type: 'heartbeat', ...hint })
		await expect.poll(() => heard).toBe(before + 1)
	}
	const behind = () => laptop.heads.hostsBehind(laptop.log.state)
	await beat(headOf(host.log.state))
	expect(behind()).toEqual([])
	const { id } = thief.device.record
	const at = new Date().toISOString()
	const known = headOf(host.log.state)
	await laptop.log.append(laptop.device, () => ({ type: 'revoke', at, device: id, reason: null }))
	expect(behind()).toEqual([
		{ host: host.device.record.id, seq: known.seq, sessions: [session.id] },
	])
	await new Promise((resolve) => setTimeout(resolve, 2))
	await beat(headOf(laptop.log.state))
	expect(behind()).toEqual([])
})

test('messages before the newest key are proved by its record, though the server shows none', async () => {
	await session.say('the second')
	const scope = `session:${session.id}` as const
	const place = { epoch: 1, from: 3, prev: session.chain.chain, at: new Date().toISOString() }
	const made = host.keys.newEpoch(scope, place)
	await host.gateway.putEpoch(made.epoch, made.grants)
	const stored = backend.sessions.get(session.id)
	if (!stored) throw new Error('no session')
	stored.messages.splice(1)
	stored.row = { ...stored.row, last_seq: 1 }
	await laptop.keys.load(scope)
	expect(await read(laptop)).toEqual([null, expect.stringContaining('withheld')])
})
