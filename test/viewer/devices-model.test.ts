/** What the screens about devices are told, with real accounts over the backend in memory. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Account } from '../../source/account/account.ts'
import { renameDevice } from '../../source/account/devices.ts'
import { type Offer, offerPairing } from '../../source/account/joining.ts'
import { checkRecovery } from '../../source/account/recovery.ts'
import { planRevocation, revokeDevice } from '../../source/account/revoking.ts'
import type { LogRow } from '../../source/backend/gateway.ts'
import { toBase64 } from '../../source/protocol/bytes.ts'
import type { DeviceAct } from '../../source/viewer/devices.ts'
import { DevicesModel } from '../../source/viewer/devices-model.ts'
import { openViewer } from '../../source/viewer/open-viewer.ts'
import { firstHome, letIn, newHome, pair } from '../account/_devices.ts'
import { TestSession } from '../tools/account.ts'
import { reaches } from './_until.ts'

let first: Awaited<ReturnType<typeof firstHome>>
let account: Account
let model: DevicesModel
const crashes: unknown[] = []

beforeEach(async () => {
	first = await firstHome()
	account = first.account
	model = new DevicesModel({ account, crashed: (error) => crashes.push(error) })
	await model.refresh()
})
afterEach(() => {
	model[Symbol.dispose]()
	expect(crashes.splice(0)).toEqual([])
})

const step = (name: DeviceAct['step']) => reaches(model.act, (act) => act?.step === name)
const home = (name: string) => newHome(first.gateway, name)
const names = () => model.state.get().devices.map(({ name }) => name)

const viewerOf = (of: Account) =>
	openViewer({
		account: of,
		backend: { kind: 'embedded', url: 'memory://' },
		vault: { kind: 'memory', detail: '' },
		now: () => new Date(),
	})

async function found(offer: Offer): Promise<void> {
	model.look(offer.code)
	await step('found')
}

describe('the list', () => {
	test('has this device, and says that it is the only one until there are two', async () => {
		expect(model.state.get()).toMatchObject({ single: true, known: true, intruders: [] })
		expect(names()).toEqual(['build-box'])
		await pair(account, home('laptop'))
		await model.refresh()
		expect(model.state.get().single).toBe(false)
		expect(names()).toEqual(['build-box', 'laptop'])
	})

	test('names a key that only the server has as an intruder', async () => {
		const rows = await first.gateway.machineKeys()
		const ghosts = rows.map((row) => ({ ...row, device: '00000000-0000-4000-8000-0000000000aa' }))
		first.gateway.machineKeys = async () => [...rows, ...ghosts]
		await model.refresh()
		expect(model.state.get().intruders).toMatchObject([
			{ device: ghosts[0]?.device, what: 'unknown' },
		])
		model.verify()
		expect(await step('done')).toMatchObject({
			report: { entries: 1, faults: [{ what: 'unknown' }] },
		})
	})

	test('what can not be read is said, and what was known stays', async () => {
		first.gateway.machineKeys = () => Promise.reject(new TypeError('a mistake'))
		await model.refresh()
		expect(model.state.get().error).toContain('styrby-tui itself')
		expect(names()).toEqual(['build-box'])
		expect(crashes.splice(0)).toHaveLength(1)
	})

	test('says which hosts have not learned of a revocation', async () => {
		const laptop = await pair(account, home('laptop'))
		const phone = await pair(account, home('phone'))
		await account.log.refresh()
		const { id } = laptop.device.record
		const beat = (seq: number) => {
			const hash = account.log.state.hashes[seq] ?? ''
			account.heads.saw(id, { session: 'one', log: { seq, hash } })
		}
		beat(2)
		await revokeDevice(account, phone.device.record.id, { waitMs: 0 })
		await reaches(model.state, ({ behind }) => behind.length > 0)
		expect(model.state.get().behind).toEqual([{ host: id, name: 'laptop' }])
		beat(3)
		await reaches(model.state, ({ behind }) => behind.length === 0)
	})
})

describe('approving a code', () => {
	test('finds the device that shows it, adds it, and gives it what this one can read', async () => {
		await new TestSession(account).create()
		const offer = await offerPairing(home('laptop'))
		const entering = offer.wait()
		await found(offer)
		expect(model.act.get()).toMatchObject({
			request: { name: 'laptop', platform: 'linux', fingerprint: offer.fingerprint, already: null },
		})
		model.approve('another fingerprint')
		expect(model.act.get()?.step).toBe('found')
		model.approve(offer.fingerprint)
		expect(model.act.get()?.step).toBe('sharing')
		expect(await step('done')).toMatchObject({ result: { own: true, sessions: 1, unreadable: 0 } })
		expect((await entering).device.record.kind).toBe('device')
		await reaches(model.state, ({ devices }) => devices.length === 2)
	})

	test('one that is called as another gets a name of its own', async () => {
		const offer = await offerPairing(home('build-box'))
		await found(offer)
		expect(model.act.get()).toMatchObject({ request: { name: 'build-box', as: 'build-box 2' } })
		model.approve(offer.fingerprint)
		await step('done')
		await reaches(model.state, ({ devices }) => devices.length === 2)
		expect(names()).toEqual(['build-box', 'build-box 2'])
	})

	test('another device was faster: it is said by whom, before and after', async () => {
		const laptop = await pair(account, home('laptop'))
		const offer = await offerPairing(home('phone'))
		await found(offer)
		await letIn(laptop, offer)
		model.approve(offer.fingerprint)
		const by = { by: laptop.device.record.id, byName: 'laptop', own: false }
		expect(await step('done')).toMatchObject({ result: by })
	})

	test('a typing error is told of without asking the backend', async () => {
		const offer = await offerPairing(home('laptop'))
		expect(model.codeProblem(offer.code)).toBeNull()
		expect(model.codeProblem(` ${offer.code.toLowerCase().replaceAll('-', ' ')}\n`)).toBeNull()
		expect(model.codeProblem(offer.code.slice(1))).toContain('17 characters')
		expect(model.codeProblem(`${offer.code.slice(0, -3)}!!!`)).toContain('Character 15')
		model.look(offer.code.replace(/^./, (digit) => (digit === '0' ? '1' : '0')))
		expect(await step('failed')).toMatchObject({ problem: expect.stringContaining('code') })
	})

	test('what is found after it was given up is not shown', async () => {
		const offer = await offerPairing(home('laptop'))
		model.look(offer.code)
		model.dismiss()
		expect(model.act.get()).toBeNull()
		model.verify()
		await step('done')
		expect(model.act.get()?.type).toBe('verify')
	})
})

describe('revoking', () => {
	test('shows what it does, does it, and proves it', async () => {
		const laptop = await pair(account, home('laptop'))
		await new TestSession(laptop).create()
		await new TestSession(account).create()
		await model.refresh()
		const { id } = laptop.device.record
		model.plan(id)
		expect(await step('planned')).toMatchObject({
			plan: { last: false, readable: 2, live: [{ own: expect.any(Boolean) }, {}] },
		})
		expect(model.revoke(account.device.record.id, null)).toBe(false)
		for (const { session } of (await planRevocation(account, id)).live) {
			await first.gateway.updateSession(session, { status: 'stopped' })
		}
		expect(model.revoke(id, 'lost it')).toBe(true)
		// It goes on, whatever is pressed.
		model.dismiss()
		model.verify()
		expect(model.act.get()?.step).toBe('revoking')
		expect(await step('done')).toMatchObject({
			report: { own: true, grantsAfter: 0, complete: true, accountEpoch: 1 },
		})
		expect(account.log.state.devices.get(id)?.revoked).toMatchObject({ reason: 'lost it' })
	})

	test('two devices that revoke each other: the log has one, and the other is told by whom', async () => {
		const laptop = await pair(account, home('laptop'))
		const other = viewerOf(laptop)
		await using _ = other
		await other.ready
		await reaches(other.devices.state, ({ devices }) => devices.length === 2)
		await model.refresh()
		model.plan(laptop.device.record.id)
		other.devices.plan(account.device.record.id)
		await step('planned')
		await reaches(other.devices.act, (act) => act?.step === 'planned')
		// It hears of nothing by itself until it acts.
		model.revoke(laptop.device.record.id, null)
		other.devices.revoke(account.device.record.id, null)
		await step('done')
		const { revoked } = await reaches(other.info, (info) => info.revoked !== null)
		expect(revoked).toMatchObject({ by: account.device.record.id, byName: 'build-box' })
		expect(account.log.state.devices.get(account.device.record.id)?.revoked).toBeNull()
	})

	test('revoked by another device first: by whom, and the proof all the same', async () => {
		const laptop = await pair(account, home('laptop'))
		const phone = await pair(account, home('phone'))
		await model.refresh()
		const { id } = phone.device.record
		model.plan(id)
		await step('planned')
		await laptop.log.refresh()
		await revokeDevice(laptop, id, { waitMs: 0 })
		model.revoke(id, null)
		const by = { own: false, by: laptop.device.record.id, byName: 'laptop', complete: true }
		expect(await step('done')).toMatchObject({ report: by })
	})

	test('the last device can not be revoked', async () => {
		model.plan(account.device.record.id)
		expect(await step('planned')).toMatchObject({ plan: { last: true } })
		model.revoke(account.device.record.id, null)
		expect(await step('failed')).toMatchObject({ problem: expect.stringContaining('last') })
	})
})

describe('the recovery key', () => {
	test('is in the log when two of its words were confirmed, and its words are forgotten', async () => {
		await new TestSession(account).create()
		model.makeRecovery()
		const shown = await step('shown')
		if (shown?.type !== 'recovery') throw new Error('no words')
		expect(shown.words).toHaveLength(24)
		expect(shown.asked[0]).toBeLessThan(12)
		expect(shown.asked[1]).toBeGreaterThanOrEqual(12)
		model.registerRecovery()
		expect(model.act.get()?.step).toBe('shown')
		model.showWords(false)
		model.registerRecovery()
		expect(model.act.get()).toMatchObject({ step: 'registering', words: [] })
		await step('done')
		expect(checkRecovery(account, shown.words)).toMatchObject({ revoked: null })
		await reaches(model.state, ({ single }) => !single)
	})

	test('a second one replaces the first', async () => {
		for (const replaces of [false, true]) {
			model.makeRecovery()
			expect(await step('shown')).toMatchObject({ replaces })
			model.showWords(false)
			model.registerRecovery()
			await step('done')
		}
		await reaches(model.state, ({ devices }) => devices.length === 3)
		expect(model.state.get().devices.map(({ state }) => state)).toEqual([
			'active',
			'revoked',
			'active',
		])
	})
})

describe('names, the log and access', () => {
	test('renaming resolves when the log has it, and rejects with the reason', async () => {
		await model.rename(account.device.record.id, 'attic')
		await reaches(model.state, ({ devices }) => devices[0]?.name === 'attic')
		await expect(model.rename(account.device.record.id, ' ')).rejects.toMatchObject({
			code: 'bad_device_name',
		})
	})

	test('the history is newest first, with the name that each entry gave', async () => {
		await renameDevice(account, account.device.record.id, 'attic')
		model.readHistory()
		const { events } = await reaches(model.history, ({ loading }) => !loading)
		expect(events.map(({ seq, type, label }) => [seq, type, label])).toEqual([
			[1, 'rename', 'attic'],
			[0, 'genesis', 'build-box'],
		])
		first.gateway.readLog = async () => []
		model.readHistory()
		const failed = await reaches(model.history, ({ error }) => error !== null)
		expect(failed.error).toContain('older than, or different from')
		expect(failed.events).toHaveLength(2)
	})

	test('access comes in parts, each session once with all its devices', async () => {
		const laptop = await pair(account, home('laptop'))
		for (let count = 0; count < 230; count++) await new TestSession(account).create()
		model.readAccess()
		const part = await reaches(model.access, ({ loading }) => !loading)
		expect(part.complete).toBe(false)
		expect(part.rows.length).toBeLessThan(230)
		model.moreAccess()
		const all = await reaches(model.access, ({ complete }) => complete)
		expect(new Set(all.rows.map(({ session }) => session)).size).toBe(230)
		expect(all.rows).toHaveLength(230)
		for (const { cells, epochs } of all.rows) {
			expect(epochs).toBe(1)
			expect(cells.get(account.device.record.id)).toMatchObject({ epochs: 1, opens: true })
			expect(cells.get(laptop.device.record.id)).toMatchObject({ epochs: 1, opens: null })
		}
	})
})

describe('the banner', () => {
	/** The log of this account as another history has it, from entry 1 on. */
	const falseRows: Record<string, (rows: LogRow[]) => LogRow[]> = {
		'rolled back': (rows) => rows.slice(0, -1),
		forked: (rows) => rows.toSpliced(-1, 1, { ...other(rows), seq: rows.length - 1 }),
		unverifiable: (rows) => [
			...rows,
			{ ...other(rows), seq: rows.length, signature: toBase64(new Uint8Array(64)) },
		],
	}
	const other = (rows: LogRow[]) => rows[1] ?? { seq: 0, entry: '', signature: '' }

	test.each(Object.entries(falseRows))(
		'says that the log is %s, until it is right again',
		async (_, lie) => {
			await pair(account, home('laptop'))
			await renameDevice(account, account.device.record.id, 'attic')
			await using viewer = viewerOf(account)
			await viewer.ready
			expect(viewer.info.get().alarm).toBeNull()
			const { gateway } = first
			const right = gateway.readLog.bind(gateway)
			gateway.readLog = async (after) => lie(await right(-1)).filter(({ seq }) => seq > after)
			await account.log.refresh().catch(() => undefined)
			const { alarm } = await reaches(viewer.info, (info) => info.alarm !== null)
			expect(alarm).toMatch(/device log/i)
			gateway.readLog = right
			await account.log.refresh()
			await reaches(viewer.info, (info) => info.alarm === null)
		},
	)
})

test('a viewer whose device is revoked says by whom, and then reads and sends nothing', async () => {
	const laptop = await pair(account, home('laptop'))
	await using viewer = viewerOf(laptop)
	await viewer.ready
	expect(viewer.info.get()).toMatchObject({ revoked: null, devices: 2 })
	await revokeDevice(account, laptop.device.record.id, { reason: 'lost', waitMs: 0 })
	const { revoked } = await reaches(viewer.info, (info) => info.revoked !== null)
	expect(revoked).toMatchObject({
		by: account.device.record.id,
		byName: 'build-box',
		reason: 'lost',
	})
	const asked: string[] = []
	laptop.gateway.listSessions = async () => {
		asked.push('listSessions')
		return []
	}
	laptop.gateway.postMail = async () => {
		asked.push('postMail')
	}
	await new TestSession(account).create()
	await new Promise((resolve) => setTimeout(resolve, 300))
	expect(asked).toEqual([])
	expect(viewer.sessions.get()).toEqual([])
})
