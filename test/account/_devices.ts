/** Homes of one account over the backend in memory, each with a vault and a pinned log of its own. */
import type { Account, AccountOptions } from '../../source/account/account.ts'
import { type Offer, offerPairing } from '../../source/account/joining.ts'
import { approvePairing, findPairing } from '../../source/account/pairing.ts'
import type { Gateway } from '../../source/backend/gateway.ts'
import { randomId } from '../../source/protocol/device.ts'
import type { Vault } from '../../source/vault/vault.ts'
import { openAccount, storeInMemory, vaultInMemory } from '../tools/account.ts'
import { MemoryBackend } from '../tools/memory-gateway.ts'

export interface TestHome extends AccountOptions {
	vault: Vault
	platform: string
	lookEvery: number
}

export function newHome(gateway: Gateway, name: string, now = () => new Date()): TestHome {
	return {
		gateway,
		vault: vaultInMemory(),
		vaultName: 'test',
		logStore: storeInMemory(),
		deviceName: name,
		platform: 'linux',
		lookEvery: 5,
		exclusively: (work) => work(),
		now,
	}
}

export async function firstHome() {
	const backend = new MemoryBackend()
	const gateway = backend.gateway(randomId())
	const home = newHome(gateway, 'build-box')
	const account = await openAccount(gateway, home)
	return { backend, gateway, home, account }
}

/** Pairs a new home with a registered device, as two people would. */
export async function pair(approver: Account, home: TestHome): Promise<Account> {
	const offer = await offerPairing(home)
	return (await letIn(approver, offer))[1]
}

export async function letIn(approver: Account, offer: Offer) {
	const entering = offer.wait()
	const approval = await approvePairing(approver, await findPairing(approver, offer.code))
	return [approval, await entering] as const
}
