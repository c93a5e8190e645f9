/** What happens between two steps of one device, while another one acts. */
import { describe, expect, test } from 'vitest'
import { addDevice } from '../../source/account/adding.ts'
import { revokeDevice } from '../../source/account/revoking.ts'
import { shareHistory } from '../../source/account/sharing.ts'
import { createDevice } from '../../source/protocol/device.ts'
import { signJoin } from '../../source/protocol/device-log.ts'
import { sessionScope } from '../../source/protocol/scope.ts'
import { TestSession } from '../tools/account.ts'
import type { MemoryBackend } from '../tools/memory-gateway.ts'
import { firstHome, newHome, pair } from './_devices.ts'

/** Does something once, after the backend has done the first call of this name. */
function onceAfter(backend: MemoryBackend, name: string, work: () => Promise<unknown>) {
	backend.faults.after = async (called) => {
		if (called !== name) return
		backend.faults.after = undefined
		await work()
	}
}

const given = (backend: MemoryBackend, to: string) =>
	[...backend.grants.values()].filter((grant) => grant.to === to)

describe('a device that is revoked', () => {
	test('while it is added gets no account key that was made after', async () => {
		const { backend, gateway, account } = await firstHome()
		const laptop = await pair(account, newHome(gateway, 'laptop'))
		const device = createDevice()
		const joining = { record: device.record, name: 'x', join: signJoin(account.id, device) }
		onceAfter(backend, 'append_log', async () => {
			await laptop.log.refresh()
			await revokeDevice(laptop, device.record.id, { waitMs: 0 })
		})
		await expect(addDevice(account, joining)).rejects.toMatchObject({ code: 'device_taken' })
		expect(laptop.accountKey().epoch).toBe(1)
		expect(given(backend, device.record.id).filter(({ epoch }) => epoch > 0)).toEqual([])
	})

	test('while history is shared with it gets no key of a session that was made after', async () => {
		const { backend, gateway, account } = await firstHome()
		const laptop = await pair(account, newHome(gateway, 'laptop'))
		const device = createDevice()
		const session = await new TestSession(laptop).create()
		const joining = { record: device.record, name: 'x', join: signJoin(account.id, device) }
		await addDevice(account, joining)
		onceAfter(backend, 'list_key_gaps', async () => {
			await laptop.log.refresh()
			await revokeDevice(laptop, device.record.id, { waitMs: 0 })
			const place = { epoch: 1, from: 1, prev: session.chain.chain, at: new Date().toISOString() }
			const made = laptop.keys.newEpoch(sessionScope(session.id), place)
			await laptop.gateway.putEpoch(made.epoch, made.grants)
		})
		await expect(shareHistory(account, device.record)).rejects.toMatchObject({
			code: 'device_taken',
		})
		expect(given(backend, device.record.id).filter(({ epoch }) => epoch > 0)).toEqual([])
	})
})
