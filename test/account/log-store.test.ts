import { readdirSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { DeviceLog } from '../../source/account/device-log.ts'
import { logStoreIn } from '../../source/account/log-store.ts'
import { toBase64 } from '../../source/protocol/bytes.ts'
import { createDevice, type Device } from '../../source/protocol/device.ts'
import {
	activeDevices,
	entryHash,
	type LogAct,
	type LogState,
	makeEntry,
	signJoin,
} from '../../source/protocol/device-log.ts'
import { noLabel, sealLabel } from '../../source/protocol/label.ts'
import { addDevice, openAccount, vaultInMemory } from '../tools/account.ts'
import { MemoryBackend } from '../tools/memory-gateway.ts'

let folder: string
beforeEach(async () => {
	folder = await mkdtemp(join(tmpdir(), 'styrby-log-store-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

async function grown(): Promise<{ account: string; short: LogState; long: LogState }> {
	const gateway = new MemoryBackend().gateway(crypto.randomUUID())
	const first = await openAccount(gateway)
	const short = first.log.state
	const second = await addDevice(first, gateway, 'laptop')
	const { id } = second.device.record
	const at = new Date().toISOString()
	await first.log.append(first.device, { type: 'revoke', at, device: id, reason: 'lost' })
	return { account: gateway.account, short, long: first.log.state }
}

test('a verified log is found again as it was, in a file of its own', async () => {
	const { account, long } = await grown()
	await logStoreIn(folder, account).save(long)
	expect(await logStoreIn(folder, account).load()).toEqual(long)
	expect(await logStoreIn(folder, crypto.randomUUID()).load()).toBeNull()
	const [file] = readdirSync(folder).filter((name) => name.includes(account))
	if (process.platform !== 'win32') {
		expect(statSync(join(folder, file ?? '')).mode & 0o777).toBe(0o600)
	}
})

test('a process that is behind does not take the pin back', async () => {
	const { account, short, long } = await grown()
	const [ahead, behind] = [logStoreIn(folder, account), logStoreIn(folder, account)]
	await Promise.all([ahead.save(long), behind.save(short)])
	await behind.save(short)
	expect(await behind.load()).toEqual(long)
})

test('a damaged pin is said, and never taken for none', async () => {
	const { account, long } = await grown()
	const store = logStoreIn(folder, account)
	await store.save(long)
	const file = join(folder, `device-log-${account}.json`)
	truncateSync(file, 100)
	await expect(store.load()).rejects.toMatchObject({ code: 'state_corrupt' })
	await expect(store.save(long)).rejects.toMatchObject({ code: 'state_corrupt' })
	writeFileSync(file, '{"account":"x"}')
	await expect(store.load()).rejects.toMatchObject({ code: 'state_corrupt' })
})

test('of two logs that part, shown to two processes at once, the second is refused', async () => {
	const backend = new MemoryBackend()
	const gateway = backend.gateway(crypto.randomUUID())
	const vault = vaultInMemory()
	const first = await openAccount(gateway, { vault })
	const before = backend.logs.get(gateway.account) ?? []
	const store = logStoreIn(folder, gateway.account)
	await addDevice(first, gateway, 'laptop')
	const { state } = first.log
	backend.logs.set(gateway.account, before)
	const again = await openAccount(gateway, { vault })
	await addDevice(again, gateway, 'ghost')
	const forks = [state, again.log.state]
	expect(forks[0]?.hashes[1]).not.toBe(forks[1]?.hashes[1])
	for (const [one, other] of [forks, forks.toReversed()]) {
		if (!one || !other) throw new Error('no logs')
		await rm(join(folder, `device-log-${gateway.account}.json`), { force: true })
		await store.save(one)
		await expect(store.save(other)).rejects.toMatchObject({ code: 'log_rolled_back', exitCode: 4 })
		expect(await store.load()).toEqual(one)
	}
})

describe('a log of 10,000 entries', () => {
	const count = 10_000

	/** Devices that come and go, and are called anew, as the first one writes it down. */
	function longLog(account: string, first: Device) {
		const at = '2026-03-01T12:00:00.000Z'
		const label = (id: string) =>
			sealLabel(`device:${id}`, { ...noLabel, name: 'x' }, { epoch: 0, key, nonce })
		const [key, nonce] = [new Uint8Array(32), new Uint8Array(24)]
		const rows: { seq: number; entry: string; signature: string }[] = []
		const hashes: string[] = []
		const append = (act: LogAct) => {
			const made = makeEntry({ account, hashes, devices: new Map() }, first, act)
			hashes.push(toBase64(entryHash(made.entry, made.signature)))
			const { seq } = made
			rows.push({ seq, entry: toBase64(made.entry), signature: toBase64(made.signature) })
		}
		const { record } = first
		append({ type: 'genesis', at, device: record, label: label(record.id) })
		// To make a device takes longer than all that a log does with it.
		while (rows.length < 600) {
			const device = createDevice()
			const { id } = device.record
			const join = toBase64(signJoin(account, device))
			append({ type: 'add', at, device: device.record, label: label(id), join })
			append({ type: 'rename', at, device: id, label: label(id) })
			append({ type: 'revoke', at, device: id, reason: null })
		}
		while (rows.length < count) {
			append({ type: 'rename', at, device: record.id, label: label(record.id) })
		}
		return rows
	}

	test('is verified once: a second start reads and verifies what is new', async () => {
		const backend = new MemoryBackend()
		const account = crypto.randomUUID()
		const first = createDevice()
		backend.logs.set(account, longLog(account, first))
		let read = 0
		const counting = () => {
			const gateway = backend.gateway(account)
			const readLog = gateway.readLog.bind(gateway)
			gateway.readLog = async (after) => {
				const rows = await readLog(after)
				read += rows.length
				return rows
			}
			return gateway
		}
		const open = () => DeviceLog.open(counting(), logStoreIn(folder, account))
		const { state } = await open()
		expect(state.hashes).toHaveLength(count)
		expect(activeDevices(state).map(({ record }) => record.id)).toEqual([first.record.id])
		expect(read).toBe(count)
		const again = await open()
		// Only the last known entry is asked for, and compared.
		expect(read).toBe(count + 1)
		expect(again.state).toEqual(state)
		const at = '2026-03-01T12:00:00.000Z'
		const { label } = state.devices.get(first.record.id) ?? { label: null }
		if (!label) throw new Error('no label')
		await again.append(first, { type: 'rename', at, device: first.record.id, label })
		const third = await open()
		expect(read).toBe(count + 2)
		expect(third.state.hashes).toEqual(again.state.hashes)
	}, 60_000)

	test('is parsed once while nobody changes the file, and anew when somebody does', async () => {
		const { account, short, long } = await grown()
		const [one, other] = [logStoreIn(folder, account), logStoreIn(folder, account)]
		await one.save(short)
		const loaded = await other.load()
		expect(loaded).toEqual(short)
		expect(await other.load()).toBe(loaded)
		await one.save(long)
		expect(await other.load()).toEqual(long)
		expect(await one.load()).toBe(await one.load())
		await rm(join(folder, `device-log-${account}.json`))
		expect(await one.load()).toBeNull()
	})
})
