/** The list that a viewer starts with: as the last one left it (`viewer/last-list.ts`), in the cache folder. */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { deviceEntry } from '../account/device-entry.ts'
import { readOwnFile, replaceFile } from '../config/atomic-file.ts'
import type { Home } from '../config/paths.ts'
import { StyrbyError } from '../protocol/errors.ts'
import type { Vault } from '../vault/vault.ts'
import { type LastList, lastListKey, openLastList, sealLastList } from '../viewer/last-list.ts'
import type { Viewer } from '../viewer/viewer.ts'
import type { Place, SignedIn } from './context.ts'
import { knownVaultName } from './vault-name.ts'

const maxBytes = 4 * 2 ** 20
/** A keychain may ask a person for its password first: the list does not wait for that, ms. */
const keyMs = 500
/** A list that changes is written this often at most, and once more at the end, ms. */
const saveEvery = 60_000

const fileOf = (home: Home, vaultName: string) => join(home.cache, `sessions-${vaultName}`)

/** `null` where there is none that this device can open. */
export async function readLastList(
	{ base, profile }: Place,
	vault: Vault,
): Promise<LastList | null> {
	const vaultName = await knownVaultName(base, profile)
	if (vaultName === null) return null
	try {
		const bytes = await readOwnFile(fileOf(base, vaultName), maxBytes)
		if (!bytes) return null
		const secrets = await Promise.race([
			vault.get(deviceEntry(vaultName)),
			sleep(keyMs, null, { ref: false }),
		])
		return secrets && openLastList(bytes, lastListKey(secrets))
	} catch (error) {
		// What is wrong is told when the account is opened.
		if (error instanceof StyrbyError) return null
		throw error
	}
}

/** Where the sign-in has ended, or this device was revoked. */
export async function forgetLastList({
	base,
	profile,
}: Pick<Place, 'base' | 'profile'>): Promise<void> {
	const vaultName = await knownVaultName(base, profile)
	if (vaultName !== null) await rm(fileOf(base, vaultName), { force: true })
}

/** What is kept: of a viewer, when its first list was read. */
export interface Listing extends Pick<Viewer, 'info' | 'sessions'> {
	readonly ready: Promise<void>
}

/**
 * Keeps the viewer's list for the next start, from when it was first read until it is disposed of; deletes it
 * where this device was revoked.
 */
export function keepLastList(signedIn: SignedIn, viewer: Listing): AsyncDisposable {
	const { base, io, log, vault, vaultName } = signedIn
	const secrets = vault.get(deviceEntry(vaultName))
	// Told where it is waited for.
	secrets.catch(() => undefined)
	/** It was read at least once. */
	let listed = false
	let saved: LastList['sessions'] | null = null
	let timer: NodeJS.Timeout | undefined
	let closed = false
	let saving: Promise<void> = Promise.resolve()

	async function save(): Promise<void> {
		const info = viewer.info.get()
		if (info.revoked) return await forgetLastList(signedIn)
		const sessions = viewer.sessions.get()
		const own = await secrets
		if (!listed || own === null || sessions === saved) return
		const at = io.now().toISOString()
		const bytes = sealLastList({ at, info, sessions }, lastListKey(own))
		await replaceFile(fileOf(base, vaultName), bytes)
		saved = sessions
	}

	function saveInTurn(): Promise<void> {
		saving = saving.then(save).catch((error: unknown) => {
			// The next start is slower for it, and nothing else.
			log.write('last_list.not_saved', {
				code: error instanceof StyrbyError ? error.code : 'unknown',
			})
		})
		return saving
	}

	async function begin(): Promise<void> {
		await viewer.ready
		listed = true
		await saveInTurn()
		if (!closed) timer = setInterval(saveInTurn, saveEvery).unref()
	}

	// Without a list there is nothing to keep; why there is none is told elsewhere.
	begin().catch(() => undefined)
	return {
		async [Symbol.asyncDispose]() {
			closed = true
			clearInterval(timer)
			await saveInTurn()
		},
	}
}
