import { Account } from '../../source/account/account.ts'
import { addDevice } from '../../source/account/adding.ts'
import { logStoreInMemory } from '../../source/account/log-store.ts'
import { shareHistory } from '../../source/account/sharing.ts'
import { connectGateway } from '../../source/backend/connect-gateway.ts'
import type { Gateway, GrantRow } from '../../source/backend/gateway.ts'
import { signUpAnonymously } from '../../source/backend/sign-in.ts'
import { randomBytes } from '../../source/protocol/box.ts'
import { toBase64 } from '../../source/protocol/bytes.ts'
import { createDevice, type DeviceRecord, randomId } from '../../source/protocol/device.ts'
import { signJoin } from '../../source/protocol/device-log.ts'
import { chainStart } from '../../source/protocol/message.ts'
import { sessionScope } from '../../source/protocol/scope.ts'
import { memoryVault } from '../../source/vault/memory.ts'
import type { Benchmark } from '../harness/benchmark.ts'
import { openProfile } from '../harness/profile.ts'
import { runProgram } from '../harness/program.ts'
import { takeTurns } from '../harness/sample.ts'
import { median, spread } from '../harness/statistics.ts'

const sessions = 10_000
/** Sessions that are made at once. */
const lanes = 16

/**
 * All of an account's history for a device that was just added: its keys read, checked, opened, sealed for
 * it, stored.
 */
export const sharing: Benchmark = {
	name: 'share-history',
	summary: 'giving a new device the keys of 10,000 sessions',
	async run({ note }) {
		await using profile = await openProfile()
		runProgram(['sessions'], profile.env)
		const endpoint = await profile.backend()
		const tokens = await signUpAnonymously(endpoint)
		const accessToken = async () => tokens.access_token
		const { user_id: account } = tokens
		await using gateway = connectGateway({ ...endpoint, account, accessToken })
		const own = await Account.open({
			gateway,
			vault: memoryVault(),
			vaultName: 'sharing',
			logStore: logStoreInMemory(),
			deviceName: 'build-box',
			exclusively: (work) => work(),
			now: () => new Date(),
		})
		note(`making ${sessions.toLocaleString('en')} sessions`)
		await makeSessions(own, gateway)
		const samples = await takeTurns(
			{
				shared: async () => {
					const to = await newDevice(own)
					const before = performance.now()
					const { granted } = await shareHistory(own, to)
					const ms = performance.now() - before
					if (granted !== sessions) throw new Error(`${granted} keys were granted`)
					return ms
				},
				floor: async () => bareCalls(own, await newDevice(own)),
			},
			{ least: 3, most: 6, limitMs: 120_000 },
		)
		const taken = samples.of('shared')
		return [
			{
				what: `keys of ${sessions.toLocaleString('en')} sessions for a new device`,
				value: median(taken),
				unit: 'ms',
				floor: {
					what: 'the same calls to the backend, nothing checked, opened or sealed',
					value: median(samples.of('floor')),
					ratio: samples.ratio('shared', 'floor'),
				},
				goal: null,
				samples: taken.length,
				spread: spread(taken),
			},
		]
	},
}

async function makeSessions(own: Account, gateway: Gateway): Promise<void> {
	let left = sessions
	const lane = async () => {
		while (left-- > 0) {
			const id = randomId()
			const started_at = new Date().toISOString()
			const place = { epoch: 0, from: 1, prev: chainStart(id).chain, at: started_at }
			const { epoch, grants } = own.keys.newEpoch(sessionScope(id), place)
			const host = own.device.record.id
			const row = { id, agent: 'claude', host, project: null, label: null, started_at }
			await gateway.createSession({ ...row, epoch, grants })
		}
	}
	await Promise.all(Array.from({ length: lanes }, lane))
}

async function newDevice(own: Account): Promise<DeviceRecord> {
	const device = createDevice()
	const join = signJoin(own.id, device)
	await addDevice(own, { record: device.record, name: 'laptop', join })
	return device.record
}

/** ms */
async function bareCalls({ gateway, device }: Account, to: DeviceRecord): Promise<number> {
	const by = device.record.id
	const nonce = toBase64(randomBytes(24))
	const ciphertext = toBase64(randomBytes(272))
	const created_at = new Date().toISOString()
	let after: string | null = null
	const before = performance.now()
	for (;;) {
		const page: { scopes: string[] } = await gateway.listKeyGaps({ to: to.id, by, after })
		if (page.scopes.length === 0) return performance.now() - before
		await gateway.readKeys(page.scopes, by)
		const grants: GrantRow[] = page.scopes.map((scope) => ({
			scope,
			epoch: 0,
			to: to.id,
			by,
			nonce,
			ciphertext,
			created_at,
		}))
		await gateway.putGrants(grants)
		after = page.scopes.at(-1) ?? null
	}
}
