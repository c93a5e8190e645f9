/** `logout`: ends the sign-in in use, on its server and here. The keys of this device stay. */
import { signOut } from '../backend/sign-in.ts'
import type { Profile } from '../config/profiles.ts'
import { type ExitCode, exit, StyrbyError } from '../protocol/errors.ts'
import { jsonText } from '../text/json-text.ts'
import { revealText } from '../text/safe-text.ts'
import { openVault } from '../vault/choose.ts'
import type { Vault } from '../vault/vault.ts'
import { alone } from './alone.ts'
import { endpointOf } from './backend-of.ts'
import type { Invocation } from './command.ts'
import { openPlace, type Place } from './context.ts'
import { isInteractive } from './io.ts'
import { forgetLastList } from './last-list.ts'
import { forgetSearch } from './search-folder.ts'
import { forgetTokens, loginLine, openTokens } from './tokens.ts'
import { profileVaultName } from './vault-name.ts'

/** What `--json` prints; a shape that scripts depend on. */
export interface LogoutReport {
	backend: { kind: 'embedded' | 'supabase'; url: string }
	account: string
	/** Whether it was this call that ended the sign-in; it may have ended before. */
	ended: boolean
}

export async function run({ flags, io }: Invocation): Promise<ExitCode> {
	const place = await openPlace(io)
	const { base, profile, settings } = place
	if (profile === null) throw noWayBack()
	const interactive = isInteractive(io)
	const vault = await openVault({ home: base, env: io.env, settings, interactive })
	const ended = await leave(place, profile, vault)
	const { kind, url, account } = profile
	const report: LogoutReport = { backend: { kind, url }, account, ended }
	const done = ended ? 'Signed out of' : 'This home was signed out already of'
	const text = revealText(`${done} ${url}. ${wayBack(profile)}`)
	io.stdout.write(flags.has('json') ? `${jsonText(report)}\n` : `${text}\n`)
	return exit.done
}

/** Throws `backend_unreachable`: a sign-in that nobody ended would stand for good. */
async function leave({ base }: Place, profile: Profile, vault: Vault): Promise<boolean> {
	const endpoint = await endpointOf(profile)
	const vaultName = profileVaultName(profile)
	let ended = true
	try {
		const tokens = await openTokens({ base, vault, vaultName, endpoint, profile })
		await signOut(endpoint, await tokens.accessToken())
	} catch (error) {
		const gone =
			error instanceof StyrbyError && ['not_signed_in', 'sign_in_refused'].includes(error.code)
		if (!gone) throw error
		ended = false
	}
	await alone(base, 'sign-in')(() => forgetTokens({ base, vault, vaultName }))
	await forgetLastList({ base, profile })
	await forgetSearch({ base, profile })
	return ended
}

function wayBack(profile: Profile): string {
	const again =
		profile.kind === 'embedded'
			? `a new join token ("styrby-tui serve --join-token" on that machine) and "${loginLine(profile)}"`
			: `"${loginLine(profile)}"`
	return `The keys of this device stay here: come back with ${again}, or use the embedded backend of this machine with "styrby-tui login".`
}

function noWayBack(): StyrbyError {
	return new StyrbyError(
		'embedded_logout',
		'The embedded backend of this machine has no sign-in to end: nothing could sign in to its account again, and only this user can open it; to use another backend, run "styrby-tui login --url URL --anon-key KEY".',
	)
}
