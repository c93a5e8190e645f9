import { describe, expect, test } from 'vitest'
import type { Account } from '../../source/account/account.ts'
import { toBase64 } from '../../source/protocol/bytes.ts'
import { headOf, makeEntry } from '../../source/protocol/device-log.ts'
import { addDevice, openAccount, storeInMemory, vaultInMemory } from '../tools/account.ts'
import { MemoryBackend } from '../tools/memory-gateway.ts'

async function twoDevices() {
	const backend = new MemoryBackend()
	const gateway = backend.gateway(crypto.randomUUID())
	const kept = { vault: vaultInMemory(), logStore: storeInMemory() }
	const first = await openAccount(gateway, kept)
	const second = await addDevice(first, gateway, 'laptop')
	return { backend, gateway, kept, first, second }
}

function renaming(account: Account, name: string) {
	const { id } = account.device.record
	const label = account.sealLabel(`device:${id}`, { name })
	return { type: 'rename', at: new Date().toISOString(), device: id, label } as const
}

const rename = (account: Account, name: string) =>
	account.log.append(account.device, renaming(account, name))

/** Holds the answer of the next call of this name back, after the backend has done it. */
function holdAnswer(backend: MemoryBackend, name: string) {
	const done = Promise.withResolvers<void>()
	const released = Promise.withResolvers<void>()
	backend.faults.after = async (called) => {
		if (called !== name) return
		backend.faults.after = undefined
		done.resolve()
		await released.promise
	}
	return { done: done.promise, release: () => released.resolve() }
}

describe('an entry of another device', () => {
	test('that comes while a pull is on its way is found by who asks then', async () => {
		const { backend, first, second } = await twoDevices()
		const answer = holdAnswer(backend, 'read_log')
		const early = first.log.refresh()
		await answer.done
		await rename(second, 'moved')
		const asked = first.log.refresh()
		answer.release()
		await Promise.all([early, asked])
		expect(first.log.state.hashes).toEqual(second.log.state.hashes)
	})

	test('is reached by its head, though an older pull is on its way', async () => {
		const { backend, first, second } = await twoDevices()
		const answer = holdAnswer(backend, 'read_log')
		const early = first.log.refresh()
		await answer.done
		await rename(second, 'moved')
		const reached = first.log.reach(headOf(second.log.state))
		answer.release()
		await early
		expect((await reached).hashes).toEqual(second.log.state.hashes)
	})
})

describe('an entry of our own', () => {
	test('that is appended while a pull is on its way is no other history', async () => {
		const { backend, first } = await twoDevices()
		const answer = holdAnswer(backend, 'read_log')
		const early = first.log.refresh()
		await answer.done
		const renamed = rename(first, 'mine')
		setImmediate(answer.release)
		await Promise.all([early, renamed])
		expect(first.deviceName(first.device.record.id)).toBe('mine')
	})

	test('that is confirmed late does not take back what was pulled meanwhile', async () => {
		const { backend, first, second, kept } = await twoDevices()
		const answer = holdAnswer(backend, 'append_log')
		const renamed = rename(first, 'mine')
		await answer.done
		const asked = first.log.refresh()
		await rename(second, 'theirs')
		setTimeout(answer.release, 20)
		await Promise.all([renamed, asked])
		expect(first.log.state.hashes).toEqual(second.log.state.hashes)
		expect((await kept.logStore.load())?.hashes).toEqual(second.log.state.hashes)
	})

	test('whose confirmation was lost is there once', async () => {
		const { backend, gateway, first } = await twoDevices()
		backend.faults.after = (name) => {
			if (name === 'append_log') throw new Error('cut off')
		}
		await expect(rename(first, 'one')).rejects.toThrow('cut off')
		backend.faults.after = undefined
		await rename(first, 'two')
		expect(first.deviceName(first.device.record.id)).toBe('two')
		await first.log.refresh()
		expect(first.log.state.hashes).toHaveLength(backend.logs.get(gateway.account)?.length ?? 0)
	})
})

describe('the pin of a home', () => {
	test('is respected by a process that had not seen it yet', async () => {
		const { backend, gateway, kept, first, second } = await twoDevices()
		await rename(second, 'moved')
		// Another process of the same home sees the entry and pins it; then the server hides it again.
		await openAccount(gateway, kept)
		backend.logs.get(gateway.account)?.pop()
		await expect(first.log.refresh()).rejects.toMatchObject({
			code: 'log_rolled_back',
			exitCode: 4,
		})
	})

	test('a fork behind it is refused, though it is as long', async () => {
		const { backend, gateway, first, second } = await twoDevices()
		const before = first.log.state
		await rename(first, 'seen')
		const other = makeEntry(before, second.device, renaming(second, 'forked'))
		const log = backend.logs.get(gateway.account) ?? []
		log[other.seq] = {
			seq: other.seq,
			entry: toBase64(other.entry),
			signature: toBase64(other.signature),
		}
		await expect(first.log.refresh()).rejects.toMatchObject({ code: 'log_rolled_back' })
		await expect(first.log.reach(headOf(before))).resolves.toBeDefined()
		expect(first.deviceName(first.device.record.id)).toBe('seen')
	})
})

test('a start that finds nothing new writes nothing', async () => {
	const { gateway, kept } = await twoDevices()
	let saved = 0
	const logStore = {
		...kept.logStore,
		save: async (state: Parameters<typeof kept.logStore.save>[0]) => {
			saved += 1
			await kept.logStore.save(state)
		},
	}
	const again = await openAccount(gateway, { ...kept, logStore })
	expect(saved).toBe(0)
	await rename(again, 'server room')
	expect(saved).toBe(1)
})
