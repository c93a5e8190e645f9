import { describe, expect, test } from 'vitest'
import { Account } from '../../source/account/account.ts'
import { revokeDevice } from '../../source/account/revoking.ts'
import { keySize, randomBytes } from '../../source/protocol/box.ts'
import { toBase64 } from '../../source/protocol/bytes.ts'
import { sessionScope } from '../../source/protocol/scope.ts'
import { addDevice, openAccount, TestSession } from '../tools/account.ts'
import { MemoryBackend } from '../tools/memory-gateway.ts'

const at = () => new Date().toISOString()

async function hostAndViewer() {
	const backend = new MemoryBackend()
	const gateway = backend.gateway(crypto.randomUUID())
	const host = await openAccount(gateway)
	const viewer = await addDevice(host, gateway, 'laptop')
	return { backend, gateway, host, viewer }
}

/** The next epoch of a session, made and stored by `maker`. */
async function openEpoch(maker: Account, session: TestSession, epoch: number) {
	const scope = sessionScope(session.id)
	const place = { epoch, from: session.chain.seq + 1, prev: session.chain.chain, at: at() }
	const made = maker.keys.newEpoch(scope, place)
	await maker.gateway.putEpoch(made.epoch, made.grants)
	return { ...made, scope }
}

describe('a key that names a log head', () => {
	test('which this device has not seen yet is used after a look at the log', async () => {
		const { gateway, host, viewer } = await hostAndViewer()
		await addDevice(host, gateway, 'tablet')
		const session = await new TestSession(host).create()
		const keys = await viewer.keys.load(sessionScope(session.id))
		expect(keys.keyOf(0)).toBeInstanceOf(Uint8Array)
		expect(keys.by).toBe(host.device.record.id)
		expect(viewer.log.state.hashes).toEqual(host.log.state.hashes)
	})

	test('that the server hides is not used, and why is said', async () => {
		const { backend, gateway, host, viewer } = await hostAndViewer()
		await addDevice(host, gateway, 'tablet')
		const session = await new TestSession(host).create()
		backend.logs.get(gateway.account)?.pop()
		const keys = await viewer.keys.load(sessionScope(session.id))
		expect(keys.keyOf(0)).toMatchObject({ code: 'log_rolled_back' })
		expect(keys).toMatchObject({ newest: -1, by: null, signPublic: null })
	})

	test('that the server hides is a problem of the log, and takes no other session away', async () => {
		const { backend, gateway, host, viewer } = await hostAndViewer()
		const before = await new TestSession(host).create()
		await addDevice(host, gateway, 'tablet')
		const session = await new TestSession(host).create()
		const hidden = backend.logs.get(gateway.account)?.pop()
		if (!hidden) throw new Error('no log')
		const scopes = [before, session].map(({ id }) => sessionScope(id))
		for (let time = 1; time <= 2; time++) {
			const [good, bad] = await viewer.keys.loadAll(scopes)
			expect(good?.keyOf(0)).toBeInstanceOf(Uint8Array)
			expect(bad?.keyOf(0)).toMatchObject({ code: 'log_rolled_back' })
			expect(() => viewer.log.assertTrusted()).toThrow('hiding or inventing')
		}
		backend.logs.get(gateway.account)?.push(hidden)
		const [, shown] = await viewer.keys.loadAll(scopes)
		expect(shown?.keyOf(0)).toBeInstanceOf(Uint8Array)
		expect(viewer.log.problem).toBeNull()
	})

	test('of a device that is new to this one is used', async () => {
		const { gateway, host, viewer } = await hostAndViewer()
		const third = await addDevice(host, gateway, 'tablet')
		const session = await new TestSession(third).create()
		const keys = await viewer.keys.load(sessionScope(session.id))
		expect(keys.keyOf(0)).toBeInstanceOf(Uint8Array)
		expect(keys.by).toBe(third.device.record.id)
	})
})

describe('a key made for another place', () => {
	const stored = async (place: { epoch: number; from: number; prev: Uint8Array }[]) => {
		const { host, viewer } = await hostAndViewer()
		const session = await new TestSession(host).create()
		const scope = sessionScope(session.id)
		for (const one of place) {
			const made = host.keys.newEpoch(scope, { ...one, at: at() })
			await host.gateway.putEpoch(made.epoch, made.grants)
		}
		return viewer.keys.load(scope)
	}
	const some = new Uint8Array(32).fill(7)

	test('than the end of the one before is not used', async () => {
		const keys = await stored([
			{ epoch: 1, from: 5, prev: some },
			{ epoch: 2, from: 4, prev: some },
			{ epoch: 3, from: 5, prev: some },
		])
		expect(keys.keyOf(2)).toMatchObject({ code: 'epoch_misplaced' })
		expect(keys.keyOf(1)).toBeInstanceOf(Uint8Array)
	})

	test('may have the place of the one before only with its chain', async () => {
		const keys = await stored([
			{ epoch: 1, from: 5, prev: some },
			{ epoch: 2, from: 5, prev: some },
			{ epoch: 3, from: 5, prev: new Uint8Array(32) },
		])
		expect(keys.keyOf(2)).toBeInstanceOf(Uint8Array)
		expect(keys.keyOf(3)).toMatchObject({ code: 'epoch_misplaced' })
	})

	test('than the start of the session or the account is not used', async () => {
		const { gateway, host, viewer } = await hostAndViewer()
		const session = new TestSession(host)
		const scope = sessionScope(session.id)
		for (const place of [
			{ from: 2, prev: session.chain.chain },
			{ from: 1, prev: some },
		]) {
			const made = host.keys.newEpoch(scope, { epoch: 0, ...place, at: at() })
			expect(host.keys.remember(scope, made.epoch, made.grants).keyOf(0)).toMatchObject({
				code: 'epoch_misplaced',
			})
		}
		const made = host.keys.newEpoch(host.scope, { epoch: 1, from: 1, prev: some, at: at() })
		await gateway.putEpoch(made.epoch, made.grants)
		const keys = await viewer.keys.load(viewer.scope, { again: true })
		expect(keys.keyOf(1)).toMatchObject({ code: 'epoch_misplaced' })
		expect(keys.newest).toBe(0)
	})
})

describe('the keys of a session', () => {
	test('come from its host only: a later one by another device is refused, the others stay', async () => {
		const { host, viewer } = await hostAndViewer()
		const session = await new TestSession(host).create()
		await openEpoch(viewer, session, 1)
		const keys = await host.keys.load(sessionScope(session.id), { again: true })
		expect(keys.keyOf(0)).toBeInstanceOf(Uint8Array)
		expect(keys.keyOf(1)).toMatchObject({ code: 'epoch_foreign' })
		expect(keys.newest).toBe(0)
	})

	test('stay good though one of another device, that knew more, is shown before', async () => {
		const { backend, gateway, host, viewer } = await hostAndViewer()
		const session = await new TestSession(host).create()
		const { scope, epoch } = await openEpoch(host, session, 1)
		await addDevice(viewer, gateway, 'tablet')
		const place = { epoch: 1, from: 1, prev: session.chain.chain, at: at() }
		const foreign = viewer.keys.newEpoch(scope, place).epoch
		const stored = backend.epochs.get(`${scope}/1`)
		expect(stored).toMatchObject(epoch)
		backend.epochs.delete(`${scope}/1`)
		backend.epochs.set('foreign', { ...foreign, account: gateway.account })
		backend.epochs.set(`${scope}/1`, { ...epoch, account: gateway.account })
		const keys = await viewer.keys.load(scope)
		expect(keys.keyOf(1)).toBeInstanceOf(Uint8Array)
	})

	test('stay those of the host that was found first, also for the next process', async () => {
		const { backend, gateway, host, viewer } = await hostAndViewer()
		const session = await new TestSession(host).create()
		const scope = sessionScope(session.id)
		const reader = await addDevice(host, gateway, 'tablet')
		expect((await reader.keys.load(scope)).by).toBe(host.device.record.id)
		// The laptop has the key, could write all anew, and has a server that helps.
		const place = { epoch: 0, from: 1, prev: session.chain.chain, at: at() }
		const made = viewer.keys.newEpoch(scope, place)
		backend.epochs.set(`${scope}/0`, { ...made.epoch, account: gateway.account })
		for (const [index, grant] of made.grants.entries()) {
			backend.grants.set(`made ${index}`, { ...grant, account: gateway.account })
		}
		const next = Account.as(
			{ gateway, now: () => new Date(), seen: reader.seen },
			reader.device,
			reader.log,
		)
		for (const account of [reader, next]) {
			const keys = await account.keys.load(scope, { again: true })
			expect(keys.by).toBe(host.device.record.id)
			expect(keys.keyOf(0)).toMatchObject({ code: 'epoch_foreign' })
		}
	})

	test('whose host is revoked already are nobody’s in particular', async () => {
		const { gateway, host, viewer } = await hostAndViewer()
		const session = await new TestSession(viewer).create()
		const reader = await addDevice(host, gateway, 'tablet')
		await revokeDevice(host, viewer.device.record.id, { waitMs: 0 })
		await reader.log.refresh()
		const keys = await reader.keys.load(sessionScope(session.id))
		expect(keys.by).toBe(viewer.device.record.id)
		expect(reader.seen.host(session.id)).toBeNull()
	})

	test('whose first was withheld are nobody’s', async () => {
		const { backend, host, viewer } = await hostAndViewer()
		const session = await new TestSession(host).create()
		const { scope } = await openEpoch(host, session, 1)
		backend.epochs.delete(`${scope}/0`)
		const keys = await viewer.keys.load(scope)
		expect(keys).toMatchObject({ by: null, signPublic: null, newest: -1 })
		expect(keys.keyOf(1)).toMatchObject({ code: 'epoch_foreign' })
	})

	test('of one session are of no use in another', async () => {
		const { backend, gateway, host, viewer } = await hostAndViewer()
		const [one, two] = [await new TestSession(host).create(), await new TestSession(host).create()]
		const moved = backend.epochs.get(`session:${one.id}/0`)
		if (!moved) throw new Error('no epoch')
		const scope = sessionScope(two.id)
		backend.epochs.set(`${scope}/0`, { ...moved, scope, account: gateway.account })
		const keys = await viewer.keys.load(scope)
		expect(keys.keyOf(0)).toMatchObject({ code: 'epoch_moved' })
	})

	test('with one good grant among bad ones are there', async () => {
		const { backend, gateway, host, viewer } = await hostAndViewer()
		const session = await new TestSession(host).create()
		const scope = sessionScope(session.id)
		const forged = { scope, epoch: 0, key: randomBytes(keySize) }
		const bad = viewer.keys.grant(forged, viewer.device.record, at())
		const torn = { ...bad, by: host.device.record.id, nonce: toBase64(new Uint8Array(23)) }
		const good = [...backend.grants.values()].find(
			(grant) => grant.scope === scope && grant.to === viewer.device.record.id,
		)
		if (!good) throw new Error('no grant')
		backend.grants.clear()
		for (const [name, grant] of Object.entries({ bad, torn, good })) {
			backend.grants.set(name, { ...grant, account: gateway.account })
		}
		expect((await viewer.keys.load(scope)).keyOf(0)).toBeInstanceOf(Uint8Array)
	})

	test('that were just made are known without asking, beside the older ones', async () => {
		const { backend, host } = await hostAndViewer()
		const session = await new TestSession(host).create()
		const scope = sessionScope(session.id)
		const before = (await host.keys.load(scope)).keyOf(0)
		const made = await openEpoch(host, session, 1)
		const asked = backend.calls.filter((name) => name === 'read_keys').length
		const keys = host.keys.remember(scope, made.epoch, made.grants)
		expect(host.keys.known(scope)).toBe(keys)
		expect(keys.newest).toBe(1)
		expect(keys.keyOf(0)).toEqual(before)
		expect(keys.keyOf(1)).toEqual(made.key)
		expect(backend.calls.filter((name) => name === 'read_keys')).toHaveLength(asked)
	})

	test('leave out a revoked device, which then has a reason instead of a key', async () => {
		const { host, viewer } = await hostAndViewer()
		const session = await new TestSession(host).create()
		const { id } = viewer.device.record
		await host.log.append(host.device, { type: 'revoke', at: at(), device: id, reason: null })
		const { grants, scope } = await openEpoch(host, session, 1)
		expect(grants.map(({ to }) => to)).toEqual([host.device.record.id])
		const keys = await viewer.keys.load(scope)
		expect(keys.keyOf(0)).toBeInstanceOf(Uint8Array)
		expect(keys.keyOf(1)).toMatchObject({ code: 'key_missing' })
	})
})
