/** From a signed-in backend to this device in its account. */
import { Account } from '../account/account.ts'
import type { Vault } from '../vault/vault.ts'
import { openViewer } from '../viewer/open-viewer.ts'
import { connectBackend } from './connect-backend.ts'
import type { Context, ContextOptions, Place, SignedIn } from './context.ts'
import { rememberDevice } from './own-device.ts'

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
	const { backend, vault, accountOptions, home, io } = signedIn
	const account = await Account.open(accountOptions)
	await rememberDevice(home, account)
	const { now } = io
	return {
		...signedIn,
		account,
		viewer: (options = {}) => openViewer({ account, backend, vault, now, ...options }),
	}
}
