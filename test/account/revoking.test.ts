import { describe, expect, test } from 'vitest'
import { addDevice } from '../../source/account/adding.ts'
import { keepUp } from '../../source/account/keep-up.ts'
import { planRevocation, revokeDevice } from '../../source/account/revoking.ts'
import { shareHistory } from '../../source/account/sharing.ts'
import { createDevice } from '../../source/protocol/device.ts'
import { signJoin } from '../../source/protocol/device-log.ts'
import { sessionScope } from '../../source/protocol/scope.ts'
import { openAccount, TestSession } from '../tools/account.ts'
import { firstHome, newHome, pair } from './_devices.ts'

async function threeDevices() {
	const first = await firstHome()
	const homes = [newHome(first.gateway, 'laptop'), newHome(first.gateway, 'tablet')] as const
	const laptop = await pair(first.account, homes[0])
	const tablet = await pair(first.account, homes[1])
	await laptop.log.refresh()
	return { ...first, laptop, tablet, homes }
}

const idOf = ({ device }: Awaited<ReturnType<typeof pair>>) => device.record.id

describe('a revocation', () => {
	test('says before what it will do', async () => {
		const { account, laptop } = await threeDevices()
		const session = await new TestSession(account).create()
		const ended = await new TestSession(account).create()
		await account.gateway.updateSession(ended.id, { status: 'stopped' })
		const own = await new TestSession(laptop).create()
		const plan = await planRevocation(account, idOf(laptop))
		expect(plan).toMatchObject({ self: false, last: false, readable: 3 })
		expect(plan.live.toSorted((a, b) => Number(a.own) - Number(b.own))).toEqual([
			{ session: session.id, host: idOf(account), own: false },
			{ session: own.id, host: idOf(laptop), own: true },
		])
	})

	test('makes an account key that the device is not given, and the others are', async () => {
		const { backend, account, laptop, tablet } = await threeDevices()
		const report = await revokeDevice(account, idOf(laptop), { reason: 'lost', waitMs: 0 })
		expect(report).toMatchObject({
			own: true,
			by: idOf(account),
			reason: 'lost',
			accountEpoch: 1,
			grantsAfter: 0,
			complete: true,
		})
		const given = [...backend.grants.values()].filter(
			({ scope, epoch }) => scope === account.scope && epoch === 1,
		)
		expect(given.map(({ to }) => to).toSorted()).toEqual([idOf(account), idOf(tablet)].toSorted())
		await tablet.log.refresh()
		await tablet.rotateKey()
		expect(tablet.accountKey()).toEqual(account.accountKey())
	})

	test('is not complete while a session that goes on has the old key', async () => {
		const { account, laptop } = await threeDevices()
		const session = await new TestSession(account).create()
		const report = await revokeDevice(account, idOf(laptop), { waitMs: 0 })
		expect(report.complete).toBe(false)
		expect(report.sessions).toMatchObject([{ session: session.id, epoch: 0, rekeyed: false }])
		const place = { epoch: 1, from: 1, prev: session.chain.chain, at: new Date().toISOString() }
		const made = account.keys.newEpoch(sessionScope(session.id), place)
		await account.gateway.putEpoch(made.epoch, made.grants)
		const again = await revokeDevice(account, idOf(laptop), { waitMs: 0 })
		expect(again).toMatchObject({ entry: report.entry, complete: true, grantsAfter: 0 })
	})

	test('is not complete where more sessions go on than were looked at', async () => {
		const { account, laptop } = await threeDevices()
		await revokeDevice(account, idOf(laptop), { waitMs: 0 })
		await new TestSession(account).create()
		const { gateway } = account
		const rows = await gateway.listSessions({ limit: 1 })
		for (const [most, complete] of [
			[499, true],
			[500, false],
		] as const) {
			gateway.listSessions = async () => Array.from({ length: most }, () => rows).flat()
			expect(await revokeDevice(account, idOf(laptop), { waitMs: 0 })).toMatchObject({ complete })
		}
	})

	test('counts a grant of a new key for the device as what it is: a failure', async () => {
		const { account, laptop, tablet } = await threeDevices()
		const session = await new TestSession(account).create()
		await revokeDevice(account, idOf(laptop), { waitMs: 0 })
		const place = { epoch: 1, from: 1, prev: session.chain.chain, at: new Date().toISOString() }
		const scope = sessionScope(session.id)
		const made = account.keys.newEpoch(scope, place)
		await account.gateway.putEpoch(made.epoch, made.grants)
		const betrayal = tablet.keys.grant(
			{ scope, epoch: 1, key: made.key },
			laptop.device.record,
			place.at,
		)
		await account.gateway.putGrants([betrayal])
		const report = await revokeDevice(account, idOf(laptop), { waitMs: 0 })
		expect(report).toMatchObject({ grantsAfter: 1, complete: false })
	})

	test('ends the device: it says so, with when and by whom, and seals nothing', async () => {
		const { gateway, account, laptop, homes } = await threeDevices()
		await revokeDevice(account, idOf(laptop), { waitMs: 0 })
		await laptop.log.refresh()
		const revoked = { code: 'device_revoked', exitCode: 3 }
		await expect(openAccount(gateway, homes[0])).rejects.toMatchObject(revoked)
		await expect(openAccount(gateway, homes[0])).rejects.toThrow(idOf(account).slice(0, 8))
		await expect(revokeDevice(laptop, idOf(account))).rejects.toMatchObject(revoked)
		const device = createDevice()
		const joining = { record: device.record, name: 'x', join: signJoin(laptop.id, device) }
		await expect(addDevice(laptop, joining)).rejects.toMatchObject(revoked)
	})

	test('gives nothing more to the device, whoever tries', async () => {
		const { account, laptop, tablet } = await threeDevices()
		await revokeDevice(account, idOf(laptop), { waitMs: 0 })
		await tablet.log.refresh()
		for (const one of [account, tablet]) {
			await expect(shareHistory(one, laptop.device.record)).rejects.toMatchObject({
				code: 'device_taken',
			})
		}
	})

	test('of the last device, or of one that is not there, is refused', async () => {
		const { account } = await firstHome()
		await expect(revokeDevice(account, idOf(account))).rejects.toMatchObject({
			code: 'last_device',
		})
		const unknown = createDevice().record.id
		await expect(revokeDevice(account, unknown)).rejects.toMatchObject({ code: 'no_such_device' })
		expect((await planRevocation(account, idOf(account))).last).toBe(true)
	})

	test('of itself is possible while there is another', async () => {
		const { account, laptop } = await threeDevices()
		const report = await revokeDevice(laptop, idOf(laptop))
		expect(report).toMatchObject({ own: true, complete: false })
		await account.log.refresh()
		expect(account.keyOutdated).toBe(true)
		expect(() => account.sealLabel('x', {})).toThrow(/revoked/)
		expect(await account.rotateKey()).toBe(1)
		expect(account.keyOutdated).toBe(false)
	})

	test('of each other: the first in the log stands, and the other is told', async () => {
		const { account, laptop } = await threeDevices()
		const outcomes = await Promise.allSettled([
			revokeDevice(account, idOf(laptop), { waitMs: 0 }),
			revokeDevice(laptop, idOf(account), { waitMs: 0 }),
		])
		const lost = outcomes.filter((outcome) => outcome.status === 'rejected')
		expect(lost).toHaveLength(1)
		expect(lost[0]?.reason).toMatchObject({ code: 'device_revoked' })
		const { devices, hashes } = await account.log.refresh()
		expect(hashes).toHaveLength(4)
		expect([...devices.values()].filter(({ revoked }) => revoked)).toHaveLength(1)
	})

	test('of one device by two at once is one entry, and both say whose', async () => {
		const { account, laptop, tablet } = await threeDevices()
		const reports = await Promise.all(
			[account, tablet].map((by) => revokeDevice(by, idOf(laptop), { waitMs: 0 })),
		)
		expect(reports[0]?.by).toBe(reports[1]?.by)
		expect(reports.map(({ own }) => own).toSorted()).toEqual([false, true])
		expect(reports.map(({ accountEpoch }) => accountEpoch)).toEqual([1, 1])
		expect((await account.log.refresh()).hashes).toHaveLength(4)
	})
})

describe('the account key', () => {
	test('is renewed by the next device to come when the one that revoked did not get to it', async () => {
		const { backend, gateway, home, account, laptop, tablet, homes } = await threeDevices()
		backend.faults.before = (name) => {
			if (name === 'put_epoch') throw new Error('cut off')
		}
		await expect(revokeDevice(account, idOf(laptop))).rejects.toThrow('cut off')
		backend.faults.before = undefined
		expect(tablet.accountKey().epoch).toBe(0)
		const again = await openAccount(gateway, homes[1])
		expect(again.accountKey().epoch).toBe(1)
		expect((await openAccount(gateway, home)).accountKey()).toEqual(again.accountKey())
	})

	test('is renewed by a device that is running', async () => {
		const { backend, account, laptop, tablet } = await threeDevices()
		const failures: string[] = []
		using _keeping = keepUp(tablet, (code) => failures.push(code))
		backend.faults.before = (name) => {
			if (name === 'put_epoch') throw new Error('cut off')
		}
		await expect(revokeDevice(account, idOf(laptop))).rejects.toThrow('cut off')
		backend.faults.before = undefined
		await tablet.log.refresh()
		await expect.poll(() => tablet.accountKey().epoch, { timeout: 10_000 }).toBe(1)
		expect(failures).toEqual([])
	})

	test('reaches a device that was added while it was on its way', async () => {
		const { backend, gateway, account, laptop, tablet } = await threeDevices()
		const phone = newHome(gateway, 'phone')
		let added: Promise<unknown> | null = null
		backend.faults.before = async (name) => {
			if (name !== 'put_epoch' || added) return
			added = pair(tablet, phone)
			await added
		}
		await revokeDevice(account, idOf(laptop), { waitMs: 0 })
		const opened = await openAccount(gateway, phone)
		expect(opened.accountKey()).toEqual(account.accountKey())
	})

	test('that the server withholds is refused, not made again and again', async () => {
		const { backend, account, laptop, tablet } = await threeDevices()
		await revokeDevice(account, idOf(laptop), { waitMs: 0 })
		const hidden = backend.epochs.get(`${account.scope}/1`)
		if (!hidden) throw new Error('no epoch')
		// What is there is not shown, and nothing else is taken in its place.
		const gateway = tablet.gateway
		const real = gateway.readKeys.bind(gateway)
		gateway.readKeys = async (scopes, device) => {
			const keys = await real(scopes, device)
			return { ...keys, epochs: keys.epochs.filter(({ epoch }) => epoch === 0) }
		}
		await tablet.log.refresh()
		await expect(tablet.rotateKey()).rejects.toMatchObject({ code: 'account_key_withheld' })
	})
})
