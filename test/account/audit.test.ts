/** What a device can know of all devices: the list, the log's history, who has which key. */
import { describe, expect, test } from 'vitest'
import { type Access, readAccess } from '../../source/account/access.ts'
import type { Account } from '../../source/account/account.ts'
import { listDevices, renameDevice } from '../../source/account/devices.ts'
import { readLogHistory, verifyLog } from '../../source/account/history.ts'
import { registerRecovery } from '../../source/account/recovery.ts'
import { revokeDevice } from '../../source/account/revoking.ts'
import { shareHistory } from '../../source/account/sharing.ts'
import type { MachineKeyRow } from '../../source/backend/gateway.ts'
import { randomBytes } from '../../source/protocol/box.ts'
import { createDevice } from '../../source/protocol/device.ts'
import { makeRecoveryWords } from '../../source/protocol/recovery.ts'
import { addDevice, TestSession } from '../tools/account.ts'
import { firstHome, newHome, pair } from './_devices.ts'

async function twoDevices() {
	const first = await firstHome()
	const laptop = await pair(first.account, newHome(first.gateway, 'laptop'))
	return { ...first, laptop }
}

const idOf = ({ device }: Account) => device.record.id

/** What the server says of keys, changed. */
function lie(account: Account, change: (rows: MachineKeyRow[]) => MachineKeyRow[]): void {
	const { gateway } = account
	const real = gateway.machineKeys.bind(gateway)
	gateway.machineKeys = async () => change(await real())
}

describe('the list of devices', () => {
	test('says who added and revoked whom, and of how many sessions each has a key', async () => {
		const { account, laptop } = await twoDevices()
		await new TestSession(account).create()
		await shareHistory(account, laptop.device.record)
		await new TestSession(account).create()
		await revokeDevice(account, idOf(laptop), { reason: 'lost', waitMs: 0 })
		const list = await listDevices(account)
		expect(list.devices).toMatchObject([
			{ name: 'build-box', own: true, state: 'active', addedBy: idOf(account), sessions: 2 },
			{
				name: 'laptop',
				own: false,
				state: 'revoked',
				addedByName: 'build-box',
				revoked: { by: idOf(account), byName: 'build-box', reason: 'lost' },
				sessions: 2,
			},
		])
		expect(list).toMatchObject({ log: { entries: 3, problem: null }, intruders: [], faults: [] })
	})

	test('warns while there is only one, until there are two or a recovery key', async () => {
		const { account } = await firstHome()
		expect((await listDevices(account)).single).toBe(true)
		await registerRecovery(account, makeRecoveryWords(randomBytes))
		expect((await listDevices(account)).single).toBe(false)
	})

	test('takes what the server shows beside the log for what it is', async () => {
		const { account, laptop } = await twoDevices()
		const ghost = createDevice().record
		const row = { added_at: new Date().toISOString(), revoked_at: null, last_seen_at: null }
		lie(account, (rows) =>
			rows.map((one) => (one.device === idOf(laptop) ? { ...one, box: ghost.box } : one)),
		)
		expect((await listDevices(account)).intruders).toEqual([
			{ device: idOf(laptop), publicKey: ghost.box, what: 'other_key' },
		])
		lie(account, (rows) => [
			...rows.map((one) => ({ ...one, revoked_at: row.added_at })).slice(1),
			{ device: ghost.id, box: ghost.box, sign: ghost.sign, kind: 'device', ...row },
		])
		const list = await listDevices(account)
		expect(list.intruders.map(({ what }) => what)).toEqual(['other_key', 'unknown'])
		expect(list.faults.map(({ what }) => what)).toEqual(['missing'])
		await expect(verifyLog(account)).resolves.toMatchObject({ faults: [{}, {}, {}] })
	})

	test.each([
		['not_revoked', true, null],
		['revoked', false, '2026-01-01T00:00:00.000Z'],
	])('sees a key that is said to be %s and is not', async (what, revoke, revoked_at) => {
		const { account, laptop } = await twoDevices()
		if (revoke) await revokeDevice(account, idOf(laptop), { waitMs: 0 })
		lie(account, (rows) =>
			rows.map((one) => (one.device === idOf(laptop) ? { ...one, revoked_at } : one)),
		)
		expect((await listDevices(account)).faults).toMatchObject([{ device: idOf(laptop), what }])
	})

	test('takes a device that was revoked just now, by another one, for no lie', async () => {
		const { account, gateway, laptop } = await twoDevices()
		const tablet = await addDevice(laptop, gateway, 'tablet')
		await account.log.refresh()
		await revokeDevice(laptop, idOf(tablet), { waitMs: 0 })
		const list = await listDevices(account)
		expect(list.faults).toEqual([])
		expect(list.devices.map(({ state }) => state)).toEqual(['active', 'active', 'revoked'])
		await revokeDevice(laptop, idOf(account), { waitMs: 0 })
		expect((await verifyLog(laptop)).faults).toEqual([])
	})

	test('takes a device that was added just now for no intruder', async () => {
		const { account, gateway, laptop } = await twoDevices()
		await addDevice(laptop, gateway, 'tablet')
		const list = await listDevices(account)
		expect(list.devices.map(({ name }) => name)).toEqual(['build-box', 'laptop', 'tablet'])
		expect(list.intruders).toEqual([])
	})
})

describe('a name', () => {
	test('is changed for everybody, by any device', async () => {
		const { account, laptop } = await twoDevices()
		await renameDevice(laptop, idOf(account), ' server room ')
		await account.log.refresh()
		expect(account.deviceName(idOf(account))).toBe('server room')
		await renameDevice(account, idOf(account), 'server room')
		expect(account.log.state.hashes).toHaveLength(3)
	})

	test.each(['', '  ', 'x'.repeat(101)])('that is %j is refused', async (name) => {
		const { account } = await firstHome()
		await expect(renameDevice(account, idOf(account), name)).rejects.toMatchObject({
			code: 'bad_device_name',
			exitCode: 2,
		})
	})
})

describe('the history', () => {
	test('says who did what when, from the first entry on', async () => {
		const { account, laptop } = await twoDevices()
		await renameDevice(account, idOf(laptop), 'old laptop')
		await revokeDevice(account, idOf(laptop), { reason: 'sold', waitMs: 0 })
		const events = await readLogHistory(account)
		expect(events).toMatchObject([
			{ seq: 0, type: 'genesis', byName: 'build-box', name: 'build-box' },
			{ seq: 1, type: 'add', device: idOf(laptop), name: 'laptop', deviceName: 'old laptop' },
			{ seq: 2, type: 'rename', name: 'old laptop', reason: null },
			{ seq: 3, type: 'revoke', name: null, reason: 'sold' },
		])
		expect(events.map(({ hash }) => hash)).toEqual(account.log.state.hashes)
	})

	test.each([
		['cut short', (rows: unknown[]) => rows.slice(0, -1)],
		['empty', () => []],
	])('that is %s is refused', async (_, change) => {
		const { account } = await twoDevices()
		const { gateway } = account
		const real = gateway.readLog.bind(gateway)
		gateway.readLog = async (after) => {
			const rows = await real(after)
			return after < 0 ? rows.slice(0, change(rows).length) : rows
		}
		const refused = { code: 'log_rolled_back', exitCode: 4 }
		await expect(readLogHistory(account)).rejects.toMatchObject(refused)
		await expect(verifyLog(account)).rejects.toMatchObject(refused)
	})
})

describe('access', () => {
	async function all(account: Account, query = {}): Promise<Access[]> {
		const rows: Access[] = []
		for await (const row of readAccess(account, query)) rows.push(row)
		return rows
	}

	test('says who was given which key by whom, and of its own that they open', async () => {
		const { account, laptop } = await twoDevices()
		const session = await new TestSession(laptop).create()
		const rows = (await all(account)).toSorted((a, b) => (a.device < b.device ? -1 : 1))
		expect(rows.filter(({ session: id }) => id === session.id)).toMatchObject(
			[idOf(account), idOf(laptop)].toSorted().map((device) => ({
				device,
				by: idOf(laptop),
				opens: device === idOf(account) ? true : null,
				known: true,
				epoch: 0,
				newest: 0,
			})),
		)
		expect(await all(account, { device: idOf(laptop), session: session.id })).toHaveLength(1)
		expect(rows.filter(({ session: id }) => id === null)).toHaveLength(2)
	})

	test('of a key that does not open, or is by nobody known, says so', async () => {
		const { backend, account } = await twoDevices()
		const session = await new TestSession(account).create()
		const scope = `session:${session.id}`
		for (const [name, grant] of backend.grants) {
			if (grant.scope !== scope || grant.to !== idOf(account)) continue
			backend.grants.set(name, { ...grant, by: createDevice().record.id })
		}
		const [row] = await all(account, { session: session.id, device: idOf(account) })
		expect(row).toMatchObject({ opens: false, known: false })
	})

	test('of thousands of sessions is read in pages, and a server that repeats itself is left', async () => {
		const { backend, account } = await firstHome()
		for (let made = 0; made < 450; made++) await new TestSession(account).create()
		const { calls } = backend
		calls.length = 0
		expect(await all(account)).toHaveLength(451)
		expect(calls.filter((name) => name === 'list_access')).toHaveLength(3)
		const { gateway } = account
		const real = gateway.listAccess.bind(gateway)
		gateway.listAccess = async (query) => ({
			...(await real({ ...query, after: null })),
			more: true,
		})
		expect(await all(account)).toHaveLength(200)
	})
})

describe('sharing', () => {
	test('goes on where it was cut off, and says how far it is', async () => {
		const { backend, account, gateway } = await firstHome()
		for (let made = 0; made < 1200; made++) await new TestSession(account).create()
		const record = (await addDevice(account, gateway, 'laptop')).device.record
		let puts = 0
		backend.faults.before = (name) => {
			if (name === 'put_grants' && ++puts === 2) throw new Error('cut off')
		}
		await expect(shareHistory(account, record)).rejects.toThrow('cut off')
		backend.faults.before = undefined
		const heard: string[] = []
		const shared = await shareHistory(account, record, {
			onProgress: ({ done, total }) => heard.push(`${done}/${total}`),
		})
		expect(shared).toEqual({ sessions: 700, granted: 700, unreadable: 0 })
		expect([...new Set(heard)]).toEqual(['0/700', '500/700', '700/700'])
		expect(await shareHistory(account, record)).toEqual({ sessions: 0, granted: 0, unreadable: 0 })
	})

	test('again grants what others have granted, or a server says that they have', async () => {
		const { account, laptop, gateway } = await twoDevices()
		await new TestSession(account).create()
		const tablet = await addDevice(account, gateway, 'tablet')
		await laptop.log.refresh()
		await shareHistory(account, tablet.device.record)
		expect(await shareHistory(laptop, tablet.device.record)).toMatchObject({ granted: 0 })
		const again = await shareHistory(laptop, tablet.device.record, { again: true })
		expect(again.granted).toBeGreaterThan(0)
	})

	test('stops when it is told to', async () => {
		const { account, gateway } = await firstHome()
		await new TestSession(account).create()
		const { device } = await addDevice(account, gateway, 'laptop')
		const signal = AbortSignal.abort(new Error('enough'))
		await expect(shareHistory(account, device.record, { signal })).rejects.toThrow('enough')
	})

	test('of what this device can not read itself counts it', async () => {
		const { backend, account, gateway } = await firstHome()
		const session = await new TestSession(account).create()
		const { device } = await addDevice(account, gateway, 'laptop')
		const name = [...backend.grants.keys()].find((key) => key.startsWith(`session:${session.id}`))
		const grant = backend.grants.get(name ?? '')
		if (!name || !grant) throw new Error('no grant')
		backend.grants.set(name, { ...grant, ciphertext: grant.nonce })
		expect(await shareHistory(account, device.record)).toEqual({
			sessions: 1,
			granted: 0,
			unreadable: 1,
		})
	})

	test('with a device that the log does not have is refused', async () => {
		const { account } = await firstHome()
		const sharing = shareHistory(account, createDevice().record)
		await expect(sharing).rejects.toMatchObject({ code: 'no_such_device' })
	})
})
