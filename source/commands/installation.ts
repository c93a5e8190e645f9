/** The name of this home's entries in a keychain that other homes share. */
import { join } from 'node:path'
import * as v from 'valibot'
import type { Home } from '../config/paths.ts'
import { readState, writeState } from '../config/state.ts'
import { randomId } from '../protocol/device.ts'
import { alone } from './alone.ts'

const schema = v.object({ id: v.pipe(v.string(), v.uuid()) })

const fileOf = (home: Home) => join(home.data, 'installation.json')

/** `null` where this home was never used. Throws `state_corrupt`. */
export async function knownInstallation(home: Home): Promise<string | null> {
	return (await readState(fileOf(home), schema))?.id ?? null
}

/** Made at first use. */
export async function installationId(home: Home): Promise<string> {
	const known = await knownInstallation(home)
	if (known !== null) return known
	const exclusively = alone(home, 'installation')
	return exclusively(async () => {
		const meanwhile = await knownInstallation(home)
		if (meanwhile !== null) return meanwhile
		const id = randomId()
		await writeState(fileOf(home), schema, { id })
		return id
	})
}

/** What the vault's entries for an installation's account on the embedded backend begin with. */
export const embeddedVaultName = (installation: string) => `embedded-${installation}`
