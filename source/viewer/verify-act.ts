import type { Account } from '../account/account.ts'
import { verifyLog } from '../account/history.ts'
import type { VerifyAct } from './devices.ts'

/** Checks the whole log and the server's list. Throws the errors of `verifyLog`. */
export async function verified(account: Account): Promise<NonNullable<VerifyAct['report']>> {
	const { entries, head, faults } = await verifyLog(account)
	return { entries, head: head.hash, faults }
}
