/** From a signed-in backend to this device in its account. */
import { Account } from '../account/account.ts'
import { StyrbyError } from '../protocol/errors.ts'
import type { Vault } from '../vault/vault.ts'
import { openViewer } from '../viewer/open-viewer.ts'
import { connectBackend } from './connect-backend.ts'
import type { Context, ContextOptions, Place, SignedIn } from './context.ts'
import { rememberDevice } from './own-device.ts'
import { forgetSearch, searchFolder } from './search-folder.ts'

/** As `connectBackend`; on first use this makes the account's first device. */
export async function connectAccount(
	place: Place,
	vault: Vault,
	options: ContextOptions,
): Promise<Context> {
	const signedIn = await connectBackend(place, vault, options)
	try {
		return await openAccount(signedIn)
	} catch (error) {
		await signedIn[Symbol.asyncDispose]()
		throw error
	}
}

/** This home's device in its account, over a backend that it is signed in to. Throws what `Account.open` does. */
export async function openAccount(signedIn: SignedIn): Promise<Context> {
	const { backend, vault, vaultName, base, home, io } = signedIn
	const account = await openOwn(signedIn)
	await rememberDevice(home, account)
	const { now } = io
	return {
		...signedIn,
		account,
		viewer: (options = {}) =>
			openViewer({
				account,
				backend,
				vault,
				now,
				searchFolder: searchFolder(base, vaultName),
				...options,
			}),
	}
}

/** A device that was revoked keeps no index of what it may not read any more. */
async function openOwn(signedIn: SignedIn): Promise<Account> {
	try {
		return await Account.open(signedIn.accountOptions)
	} catch (error) {
		if (error instanceof StyrbyError && error.code === 'device_revoked')
			await forgetSearch(signedIn)
		throw error
	}
}
