import { describe, expect, test } from 'vitest'
import type { Account } from '../../source/account/account.ts'
import { addDevice as registerDevice } from '../../source/account/adding.ts'
import { randomBytes } from '../../source/protocol/box.ts'
import { toBase64 } from '../../source/protocol/bytes.ts'
import { createDevice, type Device, encodeDevice, randomId } from '../../source/protocol/device.ts'
import { headOf, signJoin } from '../../source/protocol/device-log.ts'
import {
	addDevice,
	openAccount,
	storeInMemory,
	TestSession,
	vaultInMemory,
} from '../tools/account.ts'
import { MemoryBackend } from '../tools/memory-gateway.ts'

describe('first use', () => {
	test('makes a device, a log with its genesis, and the account key', async () => {
		const backend = new MemoryBackend()
		const account = await openAccount(backend.gateway(randomId()))
		expect(headOf(account.log.state).seq).toBe(0)
		expect(account.deviceName(account.device.record.id)).toBe('build-box')
		expect(account.accountKey().key).toHaveLength(32)
	})

	test('a second start finds the same device and key', async () => {
		const backend = new MemoryBackend()
		const gateway = backend.gateway(randomId())
		const kept = { vault: vaultInMemory(), logStore: storeInMemory() }
		const first = await openAccount(gateway, kept)
		const second = await openAccount(gateway, kept)
		expect(second.device.record).toEqual(first.device.record)
		expect(toBase64(second.accountKey().key)).toBe(toBase64(first.accountKey().key))
		expect(backend.logs.get(gateway.account)).toHaveLength(1)
	})

	test('can be cut off after any step, and is finished by the next start', async () => {
		for (let step = 1; step <= 12; step++) {
			const backend = new MemoryBackend()
			const gateway = backend.gateway(randomId())
			const kept = { vault: vaultInMemory(), logStore: storeInMemory() }
			let calls = 0
			backend.faults.after = () => {
				if (++calls === step) throw new Error('cut off')
			}
			await openAccount(gateway, kept).catch((error: Error) => {
				expect(error.message).toBe('cut off')
			})
			backend.faults.after = undefined
			const account = await openAccount(gateway, kept)
			expect(account.deviceName(account.device.record.id)).toBe('build-box')
			expect(backend.logs.get(gateway.account)).toHaveLength(1)
		}
	})

	test('an account whose keys are elsewhere is not taken over', async () => {
		const backend = new MemoryBackend()
		const gateway = backend.gateway(randomId())
		await openAccount(gateway)
		await expect(openAccount(gateway)).rejects.toMatchObject({ code: 'no_device_key', exitCode: 3 })
	})
})

describe('the log on this device', () => {
	test('a server that forgets entries is refused', async () => {
		const backend = new MemoryBackend()
		const gateway = backend.gateway(randomId())
		const kept = { vault: vaultInMemory(), logStore: storeInMemory() }
		const account = await openAccount(gateway, kept)
		await addDevice(account, gateway, 'laptop')
		backend.logs.get(gateway.account)?.pop()
		await expect(openAccount(gateway, kept)).rejects.toMatchObject({
			code: 'log_rolled_back',
			exitCode: 4,
		})
	})

	test('another log under the same account is refused', async () => {
		const backend = new MemoryBackend()
		const gateway = backend.gateway(randomId())
		const kept = { vault: vaultInMemory(), logStore: storeInMemory() }
		await openAccount(gateway, kept)
		backend.logs.delete(gateway.account)
		backend.epochs.clear()
		backend.grants.clear()
		await openAccount(gateway)
		await expect(openAccount(gateway, kept)).rejects.toMatchObject({ code: 'log_rolled_back' })
	})

	test('appending at the same time keeps both entries', async () => {
		const backend = new MemoryBackend()
		const gateway = backend.gateway(randomId())
		const first = await openAccount(gateway)
		const second = await addDevice(first, gateway, 'laptop')
		const at = new Date().toISOString()
		const rename = (account: typeof first, name: string) =>
			account.log.append(account.device, {
				type: 'rename',
				at,
				device: account.device.record.id,
				label: account.sealLabel(`device:${account.device.record.id}`, { name }),
			})
		await Promise.all([rename(first, 'one'), rename(second, 'two')])
		await first.log.refresh()
		expect(first.deviceName(first.device.record.id)).toBe('one')
		expect(first.deviceName(second.device.record.id)).toBe('two')
	})
})

function joining(account: Account, device: Device) {
	return { record: device.record, name: 'laptop', join: signJoin(account.id, device) }
}

describe('adding a device', () => {
	test('can be cut off after any step, and is finished by doing it again', async () => {
		for (const step of ['append_log', 'put_grants']) {
			const backend = new MemoryBackend()
			const gateway = backend.gateway(randomId())
			const first = await openAccount(gateway)
			const device = createDevice()
			const join = signJoin(first.id, device)
			backend.faults.after = (name) => {
				if (name === step) throw new Error('cut off')
			}
			await expect(
				registerDevice(first, { record: device.record, name: 'laptop', join }),
			).rejects.toThrow('cut off')
			backend.faults.after = undefined
			await registerDevice(first, { record: device.record, name: 'laptop', join })
			const vault = vaultInMemory()
			await vault.set('test:device', encodeDevice(device))
			const added = await openAccount(gateway, { vault })
			expect(added.deviceName(device.record.id)).toBe('laptop')
			expect(added.log.state.hashes).toHaveLength(2)
		}
	})

	test('that is there with another key under the same id is refused', async () => {
		const gateway = new MemoryBackend().gateway(randomId())
		const first = await openAccount(gateway)
		const device = createDevice()
		await registerDevice(first, joining(first, device))
		const other = { ...createDevice() }
		const forged = { ...other, record: { ...other.record, id: device.record.id } }
		await expect(registerDevice(first, joining(first, forged))).rejects.toMatchObject({
			code: 'device_taken',
		})
	})
})

describe('keys', () => {
	test('a second device reads what it was granted', async () => {
		const backend = new MemoryBackend()
		const gateway = backend.gateway(randomId())
		const host = await openAccount(gateway)
		const viewer = await addDevice(host, gateway, 'laptop')
		const session = await new TestSession(host).create()
		const keys = await viewer.keys.load(`session:${session.id}`)
		expect(keys.by).toBe(host.device.record.id)
		expect(keys.keyOf(0)).toBeInstanceOf(Uint8Array)
	})

	test('without a grant there is a reason instead of a key', async () => {
		const backend = new MemoryBackend()
		const gateway = backend.gateway(randomId())
		const host = await openAccount(gateway)
		const session = await new TestSession(host).create()
		const viewer = await addDevice(host, gateway, 'laptop')
		const keys = await viewer.keys.load(`session:${session.id}`)
		expect(keys.keyOf(0)).toMatchObject({ code: 'key_missing' })
	})

	test('a grant with another key, or from a stranger, is not used', async () => {
		const backend = new MemoryBackend()
		const gateway = backend.gateway(randomId())
		const host = await openAccount(gateway)
		const viewer = await addDevice(host, gateway, 'laptop')
		const session = await new TestSession(host).create()
		const scope = `session:${session.id}` as const
		const at = new Date().toISOString()
		const forged = { scope, epoch: 0, key: randomBytes(32) }
		for (const [name, grant] of backend.grants) {
			if (grant.scope !== scope || grant.to !== viewer.device.record.id) continue
			const wrong = host.keys.grant(forged, viewer.device.record, at)
			backend.grants.set(name, { ...wrong, account: gateway.account })
		}
		const keys = await viewer.keys.load(scope)
		expect(keys.keyOf(0)).toMatchObject({ code: 'grant_wrong_key' })
		for (const [name, grant] of backend.grants) {
			if (grant.scope === scope)
				backend.grants.set(name, { ...grant, by: createDevice().record.id })
		}
		const again = await viewer.keys.load(scope, { again: true })
		expect(again.keyOf(0)).toMatchObject({ code: 'grant_unknown_device' })
	})
})
