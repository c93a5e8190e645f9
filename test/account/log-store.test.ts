import { readdirSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { logStoreIn } from '../../source/account/log-store.ts'
import type { LogState } from '../../source/protocol/device-log.ts'
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
