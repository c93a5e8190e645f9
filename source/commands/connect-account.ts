/** From a signed-in backend to this device in its account. */
import { Account } from '../account/account.ts'
import type { Vault } from '../vault/vault.ts'
import { openViewer } from '../viewer/open-viewer.ts'
import { connectBackend } from './connect-backend.ts'
import type { Context, ContextOptions, Place } from './context.ts'
import { rememberDevice } from './own-device.ts'

/** As `connectBackend`; on first use this makes the account's first device. */
export async function connectAccount(
	place: Place,
	vault: Vault,
	options: ContextOptions,
): Promise<Context> {
	const signedIn = await connectBackend(place, vault, options)
	const { backend, accountOptions } = signedIn
	try {
		const account = await Account.open(accountOptions)
		await rememberDevice(place.home, account)
		const { now } = place.io
		return {
			...signedIn,
			account,
			viewer: (options = {}) => openViewer({ account, backend, vault, now, ...options }),
		}
	} catch (error) {
		await signedIn[Symbol.asyncDispose]()
		throw error
	}
}
