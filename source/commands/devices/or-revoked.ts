import type { Account } from '../../account/account.ts'
import { ownRevocation } from '../../host/own-revocation.ts'
import { StyrbyError } from '../../protocol/errors.ts'

/**
 * What `work` gives. Where it is refused because another device was faster and revoked this one, that is told as
 * the verified log has it, by whom and when: the server's word is none.
 */
export async function orRevoked<T>(account: Account, work: () => Promise<T>): Promise<T> {
	try {
		return await work()
	} catch (error) {
		if (!(error instanceof StyrbyError) || error.code !== 'device_revoked') throw error
		await account.log.refresh()
		throw ownRevocation(account, 'it can change and read nothing any more') ?? error
	}
}
