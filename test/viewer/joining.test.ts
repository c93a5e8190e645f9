/** How a home becomes a device, as its screen is told. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import { approvePairing, findPairing } from '../../source/account/pairing.ts'
import { registerRecovery } from '../../source/account/recovery.ts'
import { revokeDevice } from '../../source/account/revoking.ts'
import { randomBytes } from '../../source/protocol/box.ts'
import { exit, StyrbyError } from '../../source/protocol/errors.ts'
import { makeRecoveryWords } from '../../source/protocol/recovery.ts'
import {
	type Joining,
	type JoiningOptions,
	type JoinState,
	openJoining,
} from '../../source/viewer/joining.ts'
import { firstHome, newHome, pair, type TestHome } from '../account/_devices.ts'
import { openAccount, TestSession } from '../tools/account.ts'
import { reaches } from './_until.ts'

let first: Awaited<ReturnType<typeof firstHome>>
let home: TestHome
let clock: number
let joining: Joining | null = null
const crashes: unknown[] = []

beforeEach(async () => {
	first = await firstHome()
	clock = Date.now()
	home = newHome(first.gateway, 'laptop', () => new Date(clock))
})
afterEach(async () => {
	await joining?.[Symbol.asyncDispose]()
	joining = null
	expect(crashes.splice(0)).toEqual([])
})

function open(change: Partial<JoiningOptions> = {}): Joining {
	const crashed = (error: unknown) => crashes.push(error)
	joining = openJoining({ ...home, revoked: null, retryMs: 5, crashed, ...change })
	return joining
}

const reach = async <S extends JoinState['step']>(one: Joining, step: S) => {
	const state = await reaches(one.state, (now) => now.step === step)
	return state as Extract<JoinState, { step: S }>
}

test('shows a code, and goes on by itself once it was approved', async () => {
	const one = open()
	const { code, fingerprint, expiresAt } = await reach(one, 'waiting')
	expect(expiresAt - clock).toBeGreaterThan(9 * 60_000)
	const found = await findPairing(first.account, code)
	expect(found.fingerprint).toBe(fingerprint)
	await approvePairing(first.account, found)
	await reach(one, 'joined')
	const account = await openAccount(first.gateway, home)
	expect(account.deviceName(account.device.record.id)).toBe('laptop')
})

test('shows another code when one has expired, and when it is asked for one', async () => {
	const one = open()
	const before = await reach(one, 'waiting')
	clock += 11 * 60_000
	const after = await reaches(
		one.state,
		(now) => now.step === 'waiting' && now.code !== before.code,
	)
	if (after.step !== 'waiting') throw new Error('not waiting')
	one.newCode()
	await reaches(one.state, (now) => now.step === 'waiting' && now.code !== after.code)
	await expect(findPairing(first.account, after.code)).rejects.toMatchObject({
		code: 'no_such_pairing',
	})
})

test('a backend that is away for a while is said, and asked again', async () => {
	const one = open()
	const { code } = await reach(one, 'waiting')
	const { readPairing } = first.gateway
	first.gateway.readPairing = () =>
		Promise.reject(
			new StyrbyError('backend_unreachable', 'The backend does not answer.', {
				exitCode: exit.unreachable,
			}),
		)
	await reaches(one.state, (now) => now.step === 'waiting' && now.trouble !== null)
	first.gateway.readPairing = readPairing
	await approvePairing(first.account, await findPairing(first.account, code))
	await reach(one, 'joined')
})

test('the recovery words let it in as well, and the code is taken back', async () => {
	const words = makeRecoveryWords(randomBytes)
	await registerRecovery(first.account, words)
	await new TestSession(first.account).create()
	const one = open()
	const { code } = await reach(one, 'waiting')
	expect(one.wordsProblem('abandon')).toContain('24 words')
	expect(one.wordsProblem('sesame open')).toMatch(/Word 1 /)
	expect(one.wordsProblem('sesame open')).not.toContain('sesame')
	const numbered = words.map((word, index) => `${index + 1}. ${word.toUpperCase()}`).join('\n')
	expect(one.wordsProblem(numbered)).toBeNull()
	one.recover(numbered)
	await reach(one, 'joined')
	const account = await openAccount(first.gateway, home)
	expect(account.device.record.kind).toBe('device')
	expect(first.backend.pairings.size).toBe(0)
	await expect(findPairing(first.account, code)).rejects.toMatchObject({ code: 'no_such_pairing' })
})

test('words of another account are refused, and then a new code can be asked for', async () => {
	const one = open()
	await reach(one, 'waiting')
	one.recover(makeRecoveryWords(randomBytes).join(' '))
	expect((await reach(one, 'failed')).problem).toContain('no recovery key of this account')
	one.newCode()
	await reach(one, 'waiting')
})

test('left, it takes its request back', async () => {
	const one = open()
	const { code } = await reach(one, 'waiting')
	await one[Symbol.asyncDispose]()
	await expect(findPairing(first.account, code)).rejects.toMatchObject({ code: 'no_such_pairing' })
})

test('a home that was revoked asks for nothing until it is told to, and then as a new device', async () => {
	const account = await pair(first.account, home)
	const before = account.device.record.id
	await revokeDevice(first.account, before, { waitMs: 0 })
	const revoked = {
		by: first.account.device.record.id,
		byName: null,
		at: '',
		reason: null,
		fingerprint: null,
	}
	const one = open({ revoked })
	expect(one.state.get()).toEqual({ step: 'revoked', revoked })
	expect(first.backend.pairings.size).toBe(0)
	one.newCode()
	const { code } = await reach(one, 'waiting')
	await approvePairing(first.account, await findPairing(first.account, code))
	await reach(one, 'joined')
	expect((await openAccount(first.gateway, home)).device.record.id).not.toBe(before)
})
