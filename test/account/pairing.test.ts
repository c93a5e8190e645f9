import { describe, expect, test } from 'vitest'
import { offerPairing } from '../../source/account/joining.ts'
import { approvePairing, findPairing } from '../../source/account/pairing.ts'
import { revokeDevice } from '../../source/account/revoking.ts'
import { fingerprint } from '../../source/protocol/device.ts'
import { isActive } from '../../source/protocol/device-log.ts'
import { StyrbyError } from '../../source/protocol/errors.ts'
import { sessionScope } from '../../source/protocol/scope.ts'
import { openAccount, TestSession } from '../tools/account.ts'
import { firstHome, letIn, newHome, pair } from './_devices.ts'

describe('pairing', () => {
	test('lets a device in that then reads everything its approver can', async () => {
		const { gateway, account } = await firstHome()
		const sessions = [
			await new TestSession(account).create(),
			await new TestSession(account).create(),
		]
		const home = newHome(gateway, 'laptop')
		const offer = await offerPairing(home)
		const waiting = await findPairing(account, offer.code)
		expect(waiting).toMatchObject({ name: 'laptop', platform: 'linux', registered: null })
		expect(waiting.fingerprint).toBe(offer.fingerprint)
		const [approval, laptop] = await letIn(account, offer)
		expect(approval).toMatchObject({ own: true, by: account.device.record.id, unreadable: 0 })
		expect(fingerprint(laptop.device.record)).toBe(offer.fingerprint)
		expect(laptop.deviceName(laptop.device.record.id)).toBe('laptop')
		for (const session of sessions) {
			const keys = await laptop.keys.load(sessionScope(session.id))
			expect(keys.keyOf(0)).toEqual((await account.keys.load(sessionScope(session.id))).keyOf(0))
		}
		expect((await openAccount(gateway, home)).device.record).toEqual(laptop.device.record)
	})

	test('keeps nothing of the offer afterwards', async () => {
		const { backend, gateway, account } = await firstHome()
		const home = newHome(gateway, 'laptop')
		await pair(account, home)
		expect(backend.pairings.size).toBe(0)
		expect(await home.vault.get('test:joining')).toBeNull()
	})

	test('needs a code that was offered, and was not taken back', async () => {
		const { gateway, account } = await firstHome()
		await expect(findPairing(account, '0000-0000-0000-00000')).rejects.toMatchObject({
			code: 'no_such_pairing',
		})
		const offer = await offerPairing(newHome(gateway, 'laptop'))
		await offer.cancel()
		await expect(findPairing(account, offer.code)).rejects.toMatchObject({
			code: 'no_such_pairing',
		})
		await expect(offer.wait()).rejects.toMatchObject({ code: 'pairing_expired' })
	})

	test('is not taken back once it was answered: this is a device then', async () => {
		const { gateway, account } = await firstHome()
		const home = newHome(gateway, 'laptop')
		const offer = await offerPairing(home)
		await approvePairing(account, await findPairing(account, offer.code))
		const laptop = await offer.cancel()
		if (typeof laptop === 'string') throw new Error(laptop)
		expect(isActive(laptop.log.state, laptop.device.record.id)).toBe(true)
		expect((await openAccount(gateway, home)).device.record).toEqual(laptop.device.record)
	})

	test('stands while a device is letting this one in, and is gone on with', async () => {
		const { gateway, account } = await firstHome()
		const home = newHome(gateway, 'laptop')
		const offer = await offerPairing(home)
		const asked = Promise.withResolvers<void>()
		const answering = Promise.withResolvers<void>()
		const { answerPairing } = gateway
		gateway.answerPairing = async (answer) => {
			asked.resolve()
			await answering.promise
			await answerPairing.call(gateway, answer)
		}
		const approving = approvePairing(account, await findPairing(account, offer.code))
		await asked.promise
		expect(await offer.cancel()).toBe('under way')
		answering.resolve()
		expect((await approving).answered).toBe(true)
		const again = await offerPairing(home)
		expect(again.code).toBe(offer.code)
		const laptop = await again.wait()
		expect(isActive(laptop.log.state, laptop.device.record.id)).toBe(true)
	})

	test('says when it was taken back while a device let this one in', async () => {
		const { gateway, account } = await firstHome()
		const offer = await offerPairing(newHome(gateway, 'laptop'))
		const waiting = await findPairing(account, offer.code)
		const { deletePairing } = gateway
		gateway.deletePairing = async (id) => {
			await deletePairing.call(gateway, id)
			expect((await approvePairing(account, waiting)).answered).toBe(false)
		}
		expect(await offer.cancel()).toBe('too late')
	})

	test('that is cut off on the new device goes on with the same code and keys', async () => {
		const { gateway, account } = await firstHome()
		const home = newHome(gateway, 'laptop')
		const first = await offerPairing(home)
		await approvePairing(account, await findPairing(account, first.code))
		const second = await offerPairing(home)
		expect(second.code).toBe(first.code)
		const laptop = await second.wait()
		expect(isActive(laptop.log.state, laptop.device.record.id)).toBe(true)
	})

	test('that is nearly over gives a new code and new keys', async () => {
		const { gateway } = await firstHome()
		let now = Date.now()
		const home = newHome(gateway, 'laptop', () => new Date(now))
		const first = await offerPairing(home)
		now += 9 * 60_000
		const second = await offerPairing(home)
		expect(second.code).not.toBe(first.code)
		expect(second.fingerprint).not.toBe(first.fingerprint)
	})

	test.each(['append_log', 'put_grants', 'answer_pairing'])(
		'that is cut off after %s is finished by approving the code again',
		async (step) => {
			const { backend, gateway, account } = await firstHome()
			const session = await new TestSession(account).create()
			const offer = await offerPairing(newHome(gateway, 'laptop'))
			backend.faults.after = (name) => {
				if (name === step) throw new StyrbyError('backend_unreachable', 'cut off')
			}
			const waiting = await findPairing(account, offer.code)
			await expect(approvePairing(account, waiting)).rejects.toThrow('cut off')
			backend.faults.after = undefined
			const [approval, laptop] = await letIn(account, offer)
			expect(approval.own).toBe(true)
			if (step !== 'answer_pairing') expect(approval.answered).toBe(true)
			const keys = await laptop.keys.load(sessionScope(session.id))
			expect(keys.keyOf(0)).toBeInstanceOf(Uint8Array)
			expect(laptop.log.state.hashes).toHaveLength(2)
		},
	)

	test('approved on two devices at once is done once, and both say by whom', async () => {
		const { gateway, account } = await firstHome()
		const tablet = await pair(account, newHome(gateway, 'tablet'))
		const offer = await offerPairing(newHome(gateway, 'laptop'))
		const [one, two] = await Promise.all(
			[account, tablet].map(async (approver) =>
				approvePairing(approver, await findPairing(approver, offer.code)),
			),
		)
		expect(one?.by).toBe(two?.by)
		expect([one?.own, two?.own].sort()).toEqual([false, true])
		const laptop = await offer.wait()
		expect(laptop.log.state.hashes).toHaveLength(3)
	})

	test('is no way back for a device that was revoked', async () => {
		const { gateway, account } = await firstHome()
		const offer = await offerPairing(newHome(gateway, 'laptop'))
		const waiting = await findPairing(account, offer.code)
		await approvePairing(account, waiting)
		await revokeDevice(account, waiting.record.id)
		await expect(approvePairing(account, waiting)).rejects.toMatchObject({ code: 'device_taken' })
		await expect(findPairing(account, offer.code)).rejects.toMatchObject({ code: 'device_taken' })
	})

	test('is not offered where there is nothing to join, or it has been done', async () => {
		const { backend, gateway, account } = await firstHome()
		const nobody = newHome(backend.gateway('00000000-0000-4000-8000-000000000000'), 'x')
		await expect(offerPairing(nobody)).rejects.toMatchObject({ code: 'nothing_to_join' })
		const home = newHome(gateway, 'laptop')
		await pair(account, home)
		await expect(offerPairing(home)).rejects.toMatchObject({ code: 'already_registered' })
	})
})

describe('a hostile server', () => {
	test('can not put another request in the place of the real one', async () => {
		const { backend, gateway, account } = await firstHome()
		const [real, other] = [newHome(gateway, 'laptop'), newHome(gateway, 'ghost')]
		const [offer, ghost] = [await offerPairing(real), await offerPairing(other)]
		const [a, b] = [...backend.pairings.values()]
		if (!a || !b) throw new Error('no pairings')
		backend.pairings.set(a.id, { ...b, id: a.id })
		await expect(findPairing(account, offer.code)).rejects.toMatchObject({
			code: 'pairing_altered',
		})
		expect((await findPairing(account, ghost.code)).name).toBe('ghost')
	})

	test('that shows the new device an older log, or another, is not believed, and nothing is pinned', async () => {
		const { backend, gateway, account } = await firstHome()
		const home = newHome(gateway, 'laptop')
		const offer = await offerPairing(home)
		await approvePairing(account, await findPairing(account, offer.code))
		const log = backend.logs.get(account.id) ?? []
		const foreign = await firstHome()
		const lies = [log.slice(0, 1), foreign.backend.logs.get(foreign.account.id) ?? []]
		for (const lie of lies) {
			backend.logs.set(account.id, lie)
			await expect(offer.wait()).rejects.toMatchObject({ exitCode: 4 })
			expect(await home.logStore.load()).toBeNull()
			expect(await home.vault.get('test:device')).toBeNull()
		}
		backend.logs.set(account.id, log)
		expect((await offer.wait()).log.state.hashes).toHaveLength(2)
	})

	test('can not keep an answer for later than the code was to be kept secret', async () => {
		const { backend, gateway, account } = await firstHome()
		let now = Date.now()
		const home = newHome(gateway, 'laptop', () => new Date(now))
		const offer = await offerPairing(home)
		await approvePairing(account, await findPairing(account, offer.code))
		now += 11 * 60_000
		expect([...backend.pairings.values()]).toMatchObject([{ answer: {} }])
		const again = await offerPairing(home)
		expect(again.code).not.toBe(offer.code)
		await expect(offer.wait()).rejects.toMatchObject({ code: 'pairing_expired' })
		expect(await home.logStore.load()).toBeNull()
	})

	test('that changes or repeats the answer of another pairing is not believed', async () => {
		const { backend, gateway, account } = await firstHome()
		const first = await offerPairing(newHome(gateway, 'one'))
		await approvePairing(account, await findPairing(account, first.code))
		const [answered] = [...backend.pairings.values()]
		const second = await offerPairing(newHome(gateway, 'two'))
		const open = [...backend.pairings.values()].find((row) => row.answer === null)
		if (!answered || !open) throw new Error('no pairings')
		backend.pairings.set(open.id, { ...open, answer: answered.answer })
		await expect(second.wait()).rejects.toMatchObject({ code: 'pairing_altered', exitCode: 4 })
	})
})
