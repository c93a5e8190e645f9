import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { SessionKeys } from '../../source/host/session-keys.ts'
import { createDevice, randomId } from '../../source/protocol/device.ts'
import { chainStart } from '../../source/protocol/message.ts'
import { sessionScope } from '../../source/protocol/scope.ts'
import { TestSession } from '../tools/account.ts'
import { addDevice, makeHost, type TestHost } from './_host.ts'

let host: TestHost
beforeEach(async () => {
	host = await makeHost()
})
afterEach(() => host[Symbol.asyncDispose]())

const at = () => new Date().toISOString()

async function revoke(id: string) {
	const { account } = host
	await account.log.append(account.device, { type: 'revoke', at: at(), device: id, reason: null })
}

function started() {
	const session = randomId()
	const keys = new SessionKeys(host.account, session)
	const open = () => {
		const opened = keys.next(chainStart(session), at())
		keys.accept(opened)
		return opened
	}
	return { session, keys, open, first: open() }
}

describe('the keys of a hosted session', () => {
	it('are there from the first epoch on, for every active device', () => {
		const { keys, first } = started()
		const own = host.account.device.record.id
		expect(first.grants.map(({ to }) => to).sort()).toEqual([own, host.viewer.record.id].sort())
		expect(keys.newest()).toEqual({ epoch: 0, key: first.key })
		expect(keys.changes()).toEqual({ revoked: false, added: [] })
		const none = new SessionKeys(host.account, randomId())
		expect(() => none.newest()).toThrow(expect.objectContaining({ code: 'key_missing' }))
	})

	it('of every epoch go to a device that is added, once', async () => {
		const { keys, open } = started()
		open()
		const late = createDevice()
		await addDevice(host.account, late)
		const { revoked, added } = keys.changes()
		expect(revoked).toBe(false)
		expect(added.map(({ to, epoch }) => ({ to, epoch }))).toEqual([
			{ to: late.record.id, epoch: 0 },
			{ to: late.record.id, epoch: 1 },
		])
		// The disk was full: asked again, the same is due.
		expect(keys.changes().added).toHaveLength(2)
		keys.followed(added, host.account.log.state)
		expect(keys.changes()).toEqual({ revoked: false, added: [] })
	})

	it('ask for a fresh one until there is one, after a revocation', async () => {
		const { keys, open } = started()
		await revoke(host.viewer.record.id)
		expect(keys.changes().revoked).toBe(true)
		expect(keys.changes().revoked).toBe(true)
		const opened = open()
		expect(opened.number).toBe(1)
		expect(opened.grants.map(({ to }) => to)).toEqual([host.account.device.record.id])
		expect(keys.changes()).toEqual({ revoked: false, added: [] })
	})

	it('ask for one, too, when a device came and went between two looks: who let it in gave it the key', async () => {
		const { keys, open } = started()
		const late = createDevice()
		await addDevice(host.account, late)
		await revoke(late.record.id)
		expect(keys.changes()).toEqual({ revoked: true, added: [] })
		expect(keys.outdated).toBe(true)
		open()
		expect(keys.changes()).toEqual({ revoked: false, added: [] })
	})

	it('go to one device and leave another in the same look at the log', async () => {
		const { keys } = started()
		const late = createDevice()
		await addDevice(host.account, late)
		await revoke(host.viewer.record.id)
		const { revoked, added } = keys.changes()
		expect(revoked).toBe(true)
		expect(added.map(({ to }) => to)).toEqual([late.record.id])
	})
})

describe('the keys of a session that another process hosted', () => {
	it('are restored, and what the log asks for since then is due', async () => {
		const session = await new TestSession(host.account).create()
		const late = createDevice()
		await addDevice(host.account, late)
		await revoke(host.viewer.record.id)
		const keys = await SessionKeys.restore(host.account, session.id)
		expect(keys.newest().epoch).toBe(0)
		const { revoked, added } = keys.changes()
		expect(revoked).toBe(true)
		expect(added.map(({ to }) => to)).toEqual([late.record.id])
		const next = keys.next(session.chain, at())
		expect(next.grants.map(({ to }) => to).sort()).toEqual(
			[host.account.device.record.id, late.record.id].sort(),
		)
	})

	it('are due anew when a device came and went meanwhile', async () => {
		const session = await new TestSession(host.account).create()
		const late = createDevice()
		await addDevice(host.account, late)
		await revoke(late.record.id)
		const keys = await SessionKeys.restore(host.account, session.id)
		expect(keys.changes()).toEqual({ revoked: true, added: [] })
	})

	it('are refused where one is missing, or the session is not of this device', async () => {
		const session = await new TestSession(host.account).create()
		const scope = sessionScope(session.id)
		for (const [name, grant] of host.backend.grants) {
			if (grant.scope === scope) host.backend.grants.delete(name)
		}
		const missing = expect.objectContaining({ code: 'key_missing' })
		await expect(SessionKeys.restore(host.account, session.id)).rejects.toEqual(missing)
		await expect(SessionKeys.restore(host.account, randomId())).rejects.toEqual(missing)
	})
})
