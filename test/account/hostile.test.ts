/** A server, or a device, that plays false with the device log and the keys. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readAccess } from '../../source/account/access.ts'
import type { Account } from '../../source/account/account.ts'
import { addDevice as register } from '../../source/account/adding.ts'
import { revokeDevice } from '../../source/account/revoking.ts'
import { shareHistory } from '../../source/account/sharing.ts'
import type { EpochRow, GrantRow } from '../../source/backend/gateway.ts'
import { randomBytes } from '../../source/protocol/box.ts'
import { toBase64 } from '../../source/protocol/bytes.ts'
import { createDevice, randomId } from '../../source/protocol/device.ts'
import { emptyLog, headOf, makeEntry, signJoin } from '../../source/protocol/device-log.ts'
import { makeEpoch } from '../../source/protocol/epoch.ts'
import { sessionScope } from '../../source/protocol/scope.ts'
import {
	addDevice,
	openAccount,
	storeInMemory,
	TestSession,
	vaultInMemory,
} from '../tools/account.ts'
import { MemoryBackend } from '../tools/memory-gateway.ts'

async function twoDevices() {
	const backend = new MemoryBackend()
	const gateway = backend.gateway(randomId())
	const host = await openAccount(gateway)
	const laptop = await addDevice(host, gateway, 'laptop')
	await host.log.refresh()
	return { backend, gateway, host, laptop }
}

async function add(account: Account) {
	const device = createDevice()
	const { state } = await account.log.append(account.device, {
		type: 'add',
		at: new Date().toISOString(),
		device: device.record,
		label: account.sealLabel(`device:${device.record.id}`, { name: 'tablet' }),
		join: toBase64(signJoin(account.id, device)),
	})
	return state
}

describe('a head that somebody signed and the server does not show', () => {
	test('makes the log a problem, which ends when the server shows it', async () => {
		const { backend, host, laptop } = await twoDevices()
		const heard: (string | null)[] = []
		host.log.onChange(() => heard.push(host.log.problem?.code ?? null))
		const ahead = headOf(await add(laptop))
		const rows = backend.logs.get(host.id)
		const hidden = rows?.pop()
		if (!rows || !hidden) throw new Error('no log')
		await expect(host.log.reach(ahead)).rejects.toMatchObject({ code: 'log_rolled_back' })
		expect(() => host.log.assertTrusted()).toThrow('hiding or inventing')
		await expect(host.log.refresh()).rejects.toMatchObject({ code: 'log_rolled_back' })
		const device = createDevice()
		const adding = register(host, {
			record: device.record,
			name: 'x',
			join: signJoin(host.id, device),
		})
		await expect(adding).rejects.toMatchObject({ code: 'log_rolled_back' })
		rows.push(hidden)
		await host.log.refresh()
		expect(host.log.problem).toBeNull()
		expect(headOf(host.log.state)).toEqual(ahead)
		expect(heard[0]).toBe('log_rolled_back')
		expect(heard.at(-1)).toBeNull()
	})

	test('by a device that is revoked for it is owed no longer', async () => {
		const { backend, gateway, host, laptop } = await twoDevices()
		const third = await addDevice(host, gateway, 'tablet')
		const fork = { seq: 9, hash: toBase64(randomBytes(32)) }
		const { id } = laptop.device.record
		await expect(host.log.reach(fork, id)).rejects.toMatchObject({ code: 'log_rolled_back' })
		const waitMs = 0
		await expect(revokeDevice(host, third.device.record.id, { waitMs })).rejects.toMatchObject({
			code: 'log_rolled_back',
		})
		expect(host.log.problem).not.toBeNull()
		await revokeDevice(host, id, { waitMs })
		expect(host.log.problem).toBeNull()
		expect(host.accountKey().epoch).toBe(1)
		expect(backend.logs.get(host.id)).toHaveLength(4)
	})

	test('is not forgotten for the many that another one makes up', async () => {
		const { gateway, host, laptop } = await twoDevices()
		const third = await addDevice(host, gateway, 'tablet')
		const refusal = { code: 'log_rolled_back' }
		for (let seq = 9; seq < 209; seq++) {
			const made = { seq, hash: toBase64(randomBytes(32)) }
			await expect(host.log.reach(made, laptop.device.record.id)).rejects.toMatchObject(refusal)
		}
		const told = { seq: 9, hash: toBase64(randomBytes(32)) }
		await expect(host.log.reach(told, third.device.record.id)).rejects.toMatchObject(refusal)
		expect(() => host.log.assertTrusted(laptop.device.record.id)).toThrow('hiding or inventing')
	})

	test('stays owed where another device revokes the one that signed it', async () => {
		const { gateway, host, laptop } = await twoDevices()
		const third = await addDevice(host, gateway, 'tablet')
		const { id } = laptop.device.record
		const fork = { seq: 9, hash: toBase64(randomBytes(32)) }
		await expect(host.log.reach(fork, id)).rejects.toMatchObject({ code: 'log_rolled_back' })
		await revokeDevice(third, id, { waitMs: 0 })
		await expect(host.log.refresh()).rejects.toMatchObject({ code: 'log_rolled_back' })
		expect(host.log.state.devices.get(id)?.revoked).not.toBeNull()
		expect(host.log.problem).not.toBeNull()
	})

	test('that contradicts an entry we have stays a problem', async () => {
		const { host } = await twoDevices()
		const fork = { seq: 1, hash: toBase64(randomBytes(32)) }
		await expect(host.log.reach(fork)).rejects.toMatchObject({ code: 'log_rolled_back' })
		await expect(host.log.refresh()).rejects.toMatchObject({ code: 'log_rolled_back' })
		expect(host.log.problem).not.toBeNull()
	})

	test('being out of reach is no problem of the log', async () => {
		const { backend, host } = await twoDevices()
		backend.cut()
		await expect(host.log.refresh()).rejects.toMatchObject({ code: 'backend_unreachable' })
		expect(host.log.problem).toBeNull()
	})
})

test('a server that takes our entry, and shows us another in its place, is refused', async () => {
	const { backend, host, laptop } = await twoDevices()
	const device = createDevice()
	const label = laptop.sealLabel(`device:${device.record.id}`, { name: 'x' })
	const join = toBase64(signJoin(host.id, device))
	const act = {
		type: 'add',
		at: new Date().toISOString(),
		device: device.record,
		label,
		join,
	} as const
	const other = makeEntry(laptop.log.state, laptop.device, act)
	backend.faults.after = async (name) => {
		if (name !== 'append_log') return
		backend.faults.after = undefined
		const { seq, entry, signature } = other
		const before = backend.logs.get(host.id)?.slice(0, seq) ?? []
		const shown = { seq, entry: toBase64(entry), signature: toBase64(signature) }
		backend.logs.set(host.id, [...before, shown])
	}
	await add(host)
	await expect(host.log.refresh()).rejects.toMatchObject({ code: 'log_rolled_back' })
	expect(host.log.problem).toMatchObject({ code: 'log_rolled_back' })
})

describe('keys', () => {
	test('of a log that has grown since are read after it was pulled', async () => {
		const { backend, host, laptop } = await twoDevices()
		await add(host)
		const session = await new TestSession(host).create()
		const known = laptop.log.state.hashes.length
		const keys = await laptop.keys.load(sessionScope(session.id))
		expect(keys.keyOf(0)).toBeInstanceOf(Uint8Array)
		expect(laptop.log.state.hashes.length).toBe(known + 1)
		expect(backend.logs.get(host.id)).toHaveLength(known + 1)
	})

	test('that a revoked device dates back are not taken', async () => {
		const { gateway, host, laptop } = await twoDevices()
		const before = headOf(host.log.state)
		const thief = laptop.device
		await host.log.append(host.device, {
			type: 'revoke',
			at: new Date().toISOString(),
			device: thief.record.id,
			reason: 'stolen',
		})
		const at = new Date().toISOString()
		const rotated = host.keys.newEpoch(host.scope, {
			epoch: 1,
			from: 0,
			prev: new Uint8Array(32),
			at,
		})
		await gateway.putEpoch(rotated.epoch, rotated.grants)
		// The thief still has its keys, and a server that helps it.
		const key = randomBytes(32)
		const made = makeEpoch(thief, {
			scope: host.scope,
			epoch: 2,
			key,
			log: before,
			from: 0,
			prev: new Uint8Array(32),
		})
		const epoch: EpochRow = {
			scope: host.scope,
			epoch: 2,
			record: toBase64(made.record),
			signature: toBase64(made.signature),
		}
		const grant: GrantRow = laptop.keys.grant(
			{ scope: host.scope, epoch: 2, key },
			host.device.record,
			at,
		)
		await gateway.putEpoch(epoch, [grant])
		const keys = await host.keys.load(host.scope, { again: true })
		expect(keys.newest).toBe(1)
		expect(keys.keyOf(2)).toMatchObject({ code: 'epoch_outdated' })
		expect(host.accountKey()).toMatchObject({ epoch: 1, key: rotated.key })
	})

	test('of which the server shows two for one epoch: the first good one stays', async () => {
		const { backend, host, laptop } = await twoDevices()
		const session = await new TestSession(host).create()
		const scope = sessionScope(session.id)
		const forged = laptop.keys.newEpoch(scope, {
			epoch: 0,
			from: 1,
			prev: session.chain.chain,
			at: new Date().toISOString(),
		})
		backend.epochs.set('a second one', { ...forged.epoch, account: host.id })
		for (const [index, grant] of forged.grants.entries()) {
			backend.grants.set(`second ${index}`, { ...grant, account: host.id })
		}
		const keys = await laptop.keys.load(scope)
		expect(keys.by).toBe(host.device.record.id)
		expect(keys.keyOf(0)).toBeInstanceOf(Uint8Array)
		expect(keys.keyOf(0)).not.toEqual(forged.key)
	})
})

describe('whatever a server makes up', () => {
	const text = fc.oneof(
		fc.uint8Array({ maxLength: 300 }).map(toBase64),
		fc.json().map((json) => toBase64(new Uint8Array(Buffer.from(json)))),
		fc.string({ maxLength: 40 }),
	)

	test('of the device log is refused, and leaves what was verified', async () => {
		const { backend, host } = await twoDevices()
		const genuine = backend.logs.get(host.id) ?? []
		const before = headOf(host.log.state)
		const row = fc.record({ seq: fc.nat(4), entry: text, signature: text })
		await fc.assert(
			fc.asyncProperty(
				fc.array(row, { minLength: 1, maxLength: 4 }),
				fc.boolean(),
				async (rows, after) => {
					backend.logs.set(host.id, after ? [...genuine, ...rows] : rows)
					// Rows that say they are old ones are not even asked for.
					const fresh = rows.some(({ seq }) => seq >= genuine.length)
					if (after && !fresh) return
					await expect(host.log.refresh()).rejects.toMatchObject({ exitCode: 4 })
					expect(headOf(host.log.state)).toEqual(before)
					expect(host.log.problem).not.toBeNull()
				},
			),
			{ numRuns: 60 },
		)
		backend.logs.set(host.id, genuine)
		await host.log.refresh()
		expect(host.log.problem).toBeNull()
	})

	test('of keys gives none, and takes none away', async () => {
		const { backend, host, laptop } = await twoDevices()
		const session = await new TestSession(host).create()
		const scope = sessionScope(session.id)
		const { epochs, grants } = backend
		const genuine = { epochs: [...epochs], grants: [...grants] }
		const key = (await laptop.keys.load(scope)).keyOf(0)
		const epoch = fc.record({ epoch: fc.nat(3), record: text, signature: text })
		const grant = fc.record({
			epoch: fc.nat(3),
			by: fc.constantFrom(host.device.record.id, laptop.device.record.id),
			nonce: text,
			ciphertext: text,
		})
		const made = fc.record({
			epochs: fc.array(epoch, { maxLength: 4 }),
			grants: fc.array(grant, { maxLength: 4 }),
			first: fc.boolean(),
		})
		const at = new Date().toISOString()
		await fc.assert(
			fc.asyncProperty(made, async ({ epochs: rows, grants: boxes, first }) => {
				epochs.clear()
				grants.clear()
				const put = () => {
					for (const [name, row] of genuine.epochs) epochs.set(name, row)
					for (const [name, row] of genuine.grants) grants.set(name, row)
				}
				if (first) put()
				for (const [index, row] of rows.entries()) {
					epochs.set(`made ${index}`, { ...row, scope, account: host.id })
				}
				for (const [index, row] of boxes.entries()) {
					const whole = { ...row, scope, to: laptop.device.record.id, created_at: at }
					grants.set(`made ${index}`, { ...whole, account: host.id })
				}
				if (!first) put()
				const keys = await laptop.keys.load(scope, { again: true })
				expect(keys.by).toBe(host.device.record.id)
				expect(keys.keyOf(0)).toEqual(key)
				for (const other of [1, 2, 3]) expect(keys.keyOf(other)).toMatchObject({ exitCode: 4 })
			}),
			{ numRuns: 60 },
		)
	})
})

test('a log that has other keys for this device is not pinned', async () => {
	const backend = new MemoryBackend()
	const gateway = backend.gateway(randomId())
	const vault = vaultInMemory()
	const own = await openAccount(gateway, { vault })
	const genuine = backend.logs.get(own.id) ?? []
	const ghost = createDevice()
	const record = { ...ghost.record, id: own.device.record.id }
	const made = makeEntry(
		emptyLog(own.id),
		{ ...ghost, record },
		{
			type: 'genesis',
			at: new Date().toISOString(),
			device: record,
			label: own.sealLabel(`device:${record.id}`, { name: 'x' }),
		},
	)
	const { seq, entry, signature } = made
	backend.logs.set(own.id, [{ seq, entry: toBase64(entry), signature: toBase64(signature) }])
	// A home that has lost its pin, but not its keys.
	const logStore = storeInMemory()
	await expect(openAccount(gateway, { vault, logStore })).rejects.toMatchObject({
		code: 'device_not_registered',
	})
	expect(await logStore.load()).toBeNull()
	backend.logs.set(own.id, genuine)
	expect((await openAccount(gateway, { vault, logStore })).device.record).toEqual(own.device.record)
})

test('a server that makes up sessions without end is not listened to without end', async () => {
	const { gateway, host, laptop } = await twoDevices()
	let named = 0
	const page = (size: number) =>
		Array.from({ length: size }, () => sessionScope(randomId(() => count(named++))))
	gateway.listKeyGaps = async () => ({ scopes: page(20_000), left: 1 })
	gateway.listAccess = async () => ({
		scopes: page(20_000).map((scope) => ({ scope, epochs: 1, grants: [] })),
		more: true,
	})
	gateway.readKeys = async () => ({ epochs: [], grants: [] })
	const endless = { code: 'backend_malformed', exitCode: 4 }
	await expect(shareHistory(host, laptop.device.record)).rejects.toMatchObject(endless)
	const reading = (async () => {
		for await (const _ of readAccess(host));
	})()
	await expect(reading).rejects.toMatchObject(endless)
})

/** 16 bytes that count up, for ids that are all different. */
function count(n: number): Uint8Array {
	const bytes = new Uint8Array(16)
	new DataView(bytes.buffer).setUint32(0, n)
	return bytes
}
