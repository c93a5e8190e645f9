import { describe, expect, test } from 'vitest'
import {
	checkRecovery,
	recoverDevice,
	recoveryKeys,
	registerRecovery,
} from '../../source/account/recovery.ts'
import { revokeDevice } from '../../source/account/revoking.ts'
import { randomBytes } from '../../source/protocol/box.ts'
import { toBase64 } from '../../source/protocol/bytes.ts'
import { makeEntry, signJoin } from '../../source/protocol/device-log.ts'
import { makeRecoveryWords, recoveryDevice } from '../../source/protocol/recovery.ts'
import { sessionScope } from '../../source/protocol/scope.ts'
import { openAccount, TestSession } from '../tools/account.ts'
import { MemoryBackend } from '../tools/memory-gateway.ts'
import { firstHome, newHome } from './_devices.ts'

const newWords = () => makeRecoveryWords(randomBytes)

describe('a recovery key', () => {
	test('brings back all history, before and after it was made, with nothing else left', async () => {
		const { backend, gateway, account } = await firstHome()
		const before = await new TestSession(account).create()
		const words = newWords()
		expect(await registerRecovery(account, words)).toMatchObject({ unreadable: 0 })
		const after = await new TestSession(account).create()
		const home = newHome(gateway, 'new box')
		const { account: back, shared } = await recoverDevice(home, words)
		expect(shared).toMatchObject({ sessions: 2, unreadable: 0 })
		for (const session of [before, after]) {
			const keys = await back.keys.load(sessionScope(session.id))
			expect(keys.keyOf(0)).toEqual((await account.keys.load(sessionScope(session.id))).keyOf(0))
		}
		expect(back.deviceName(account.device.record.id)).toBe('build-box')
		expect(back.device.record.kind).toBe('device')
		expect(back.log.state.devices.get(back.device.record.id)?.addedBy).toBe(
			recoveryDevice(words).record.id,
		)
		expect((await openAccount(gateway, home)).device.record).toEqual(back.device.record)
		expect(backend.pairings.size).toBe(0)
	})

	test('is given the keys of later revocations too', async () => {
		const { gateway, account } = await firstHome()
		const words = newWords()
		await registerRecovery(account, words)
		const { account: second } = await recoverDevice(newHome(gateway, 'second'), words)
		await account.log.refresh()
		await revokeDevice(account, second.device.record.id, { waitMs: 0 })
		const { account: third } = await recoverDevice(newHome(gateway, 'third'), words)
		expect(third.accountKey()).toEqual(account.accountKey())
	})

	test('can be told from any other words', async () => {
		const { account } = await firstHome()
		const words = newWords()
		expect(checkRecovery(account, words)).toBeNull()
		await registerRecovery(account, words)
		expect(checkRecovery(account, words)).toMatchObject({ revoked: null })
		expect(checkRecovery(account, newWords())).toBeNull()
		expect(recoveryKeys(account)).toHaveLength(1)
	})

	test('can be replaced, after which the old words bring nothing back', async () => {
		const { gateway, account } = await firstHome()
		const [old, fresh] = [newWords(), newWords()]
		await registerRecovery(account, old)
		await expect(registerRecovery(account, fresh)).rejects.toMatchObject({
			code: 'recovery_key_exists',
		})
		await registerRecovery(account, fresh, { replace: true })
		expect(recoveryKeys(account).map(({ record }) => record.id)).toEqual([
			recoveryDevice(fresh).record.id,
		])
		expect(checkRecovery(account, old)?.revoked).toMatchObject({ reason: 'replaced' })
		const wrong = { code: 'wrong_recovery_key', exitCode: 3 }
		await expect(recoverDevice(newHome(gateway, 'x'), old)).rejects.toMatchObject(wrong)
		await recoverDevice(newHome(gateway, 'y'), fresh)
	})

	test.each(['append_log', 'put_grants'])(
		'whose registration is cut off after %s is finished with the same words',
		async (step) => {
			const { backend, gateway, account } = await firstHome()
			await new TestSession(account).create()
			const words = newWords()
			let cut = false
			backend.faults.after = (name) => {
				if (name !== step || cut) return
				cut = true
				throw new Error('cut off')
			}
			await expect(registerRecovery(account, words)).rejects.toThrow('cut off')
			await registerRecovery(account, words)
			const { shared } = await recoverDevice(newHome(gateway, 'x'), words)
			expect(shared.unreadable).toBe(0)
		},
	)

	test.each(['append_log', 'put_grants', 'read_keys'])(
		'whose use is cut off after %s is finished with the same device',
		async (step) => {
			const { backend, gateway, account } = await firstHome()
			await new TestSession(account).create()
			const words = newWords()
			await registerRecovery(account, words)
			const home = newHome(gateway, 'x')
			let cut = false
			backend.faults.after = (name) => {
				if (name !== step || cut) return
				cut = true
				throw new Error('cut off')
			}
			await expect(recoverDevice(home, words)).rejects.toThrow('cut off')
			const { account: back } = await recoverDevice(home, words)
			expect([...back.log.state.devices.keys()]).toHaveLength(3)
		},
	)

	test('that never signed the log which the server shows is not used', async () => {
		const { backend, gateway, account } = await firstHome()
		const words = newWords()
		await registerRecovery(account, words)
		// A log that a server makes up around the public record, with the consent it has seen.
		const recovery = recoveryDevice(words)
		const evil = new MemoryBackend()
		const ghost = await openAccount(evil.gateway(account.id))
		await ghost.log.append(ghost.device, {
			type: 'add',
			at: new Date().toISOString(),
			device: recovery.record,
			label: ghost.sealLabel(`device:${recovery.record.id}`, { name: 'recovery key' }),
			join: toBase64(signJoin(account.id, recovery)),
		})
		backend.logs.set(account.id, evil.logs.get(account.id) ?? [])
		const home = newHome(gateway, 'x')
		const unproved = { code: 'recovery_unproved', exitCode: 4 }
		await expect(recoverDevice(home, words)).rejects.toMatchObject(unproved)
		expect(await home.logStore.load()).toBeNull()

		// The proof is looked for in what was verified, not in what the server shows a second time.
		const fake = backend.logs.get(account.id) ?? []
		const made = makeEntry(ghost.log.state, recovery, {
			type: 'rename',
			at: new Date().toISOString(),
			device: recovery.record.id,
			label: ghost.sealLabel(`device:${recovery.record.id}`, { name: 'x' }),
		})
		const forged = { ...made, entry: toBase64(made.entry), signature: toBase64(randomBytes(64)) }
		let reads = 0
		backend.faults.before = (name) => {
			if (name !== 'read_log') return
			reads++
			backend.logs.set(account.id, reads === 2 ? [...fake, forged] : fake)
		}
		await expect(recoverDevice(home, words)).rejects.toMatchObject(unproved)
		expect(await home.logStore.load()).toBeNull()
		expect(await home.vault.get('test:device')).toBeNull()
	})

	test('is not used on a log that lacks what this home has seen', async () => {
		const { backend, gateway, account } = await firstHome()
		const words = newWords()
		await registerRecovery(account, words)
		const home = newHome(gateway, 'x')
		const shorter = backend.logs.get(account.id) ?? []
		await new TestSession(account).create()
		const { account: other } = await recoverDevice(newHome(gateway, 'y'), words)
		await home.logStore.save(other.log.state)
		backend.logs.set(account.id, shorter)
		await expect(recoverDevice(home, words)).rejects.toMatchObject({ code: 'log_rolled_back' })
		expect(backend.logs.get(account.id)).toHaveLength(shorter.length)
	})
})
