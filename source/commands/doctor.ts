/** `doctor`: each thing that is needed, whether it is there, and how to mend it. */

import * as v from 'valibot'
import { type Home, resolveHome } from '../config/paths.ts'
import { chosenProfile, homeOf, type Profile } from '../config/profiles.ts'
import { loadSettings, type Settings, settingsSchema } from '../config/settings.ts'
import { type ExitCode, exit, StyrbyError } from '../protocol/errors.ts'
import { jsonText } from '../text/json-text.ts'
import { revealText } from '../text/safe-text.ts'
import { textWidth } from '../text/width.ts'
import type { Invocation } from './command.ts'
import { checkAccount } from './doctor/account.ts'
import { checkAgents, checkHooks } from './doctor/agents.ts'
import { checkBackend, checkOutbox } from './doctor/backend.ts'
import { type Check, checking, ok } from './doctor/check.ts'
import { checkFolders, checkSettings, checkVault } from './doctor/home.ts'
import { checkDisk, checkNode, checkTerminal } from './doctor/machine.ts'
import { checkPolicy } from './doctor/policy.ts'
import { checkRemoteBackend } from './doctor/remote-backend.ts'
import { hanging, widthOf } from './hanging.ts'
import type { Io } from './io.ts'
import { knownDevice } from './own-device.ts'

const marks = { ok: '✓', warn: '!', fail: '✗' } as const
const nameWidth = 14

/** Exit code 1 when a check failed; a warning is none. */
export async function run({ flags, io }: Invocation): Promise<ExitCode> {
	const json = flags.has('json')
	const checks: Check[] = []
	for await (const check of examine(io)) {
		checks.push(check)
		if (!json) io.stdout.write(checkText(check, widthOf(io.stdout)))
	}
	const failed = checks.filter(({ state }) => state === 'fail').length
	const warned = checks.filter(({ state }) => state === 'warn').length
	if (json) io.stdout.write(`${jsonText({ checks })}\n`)
	else io.stdout.write(`\n${summary(checks.length, failed, warned)}\n`)
	return failed > 0 ? exit.failed : exit.done
}

/** In an order in which each rests on those before it. */
async function* examine(io: Io): AsyncGenerator<Check> {
	const base = resolveHome(io.env, io.platform)
	yield checkNode()
	yield checkTerminal(io)
	const folders = await checkFolders(base)
	yield folders
	yield await checkDisk(base.data)
	yield await checkSettings(base)
	yield checkPolicy(base)
	yield await checkVault({ io, home: base, settings: await settingsOrDefaults(base) })
	// What can't be written can't be started.
	const usable = folders.state !== 'fail'
	const { profile, problem } = await profileOrProblem(base, io)
	if (problem !== null) {
		yield problem
	} else {
		const home = homeOf(base, profile)
		if (profile === null) yield* await checkBackend(base, usable && (await hasAccount(base)))
		else yield* await checkRemoteBackend(profile)
		yield await checkOutbox(home)
		if (usable) yield* await checkAccount(io, home, profile)
	}
	yield* await checkAgents(io)
	yield* await checkHooks(io)
}

/** Which backend is in use; a list of sign-ins that can't be read leaves nothing to look at. */
async function profileOrProblem(base: Home, io: Io) {
	const chosen = { profile: null as Profile | null }
	const check = await checking('backend', async () => {
		chosen.profile = await chosenProfile(base, io.env)
		return ok('backend', '')
	})
	return { ...chosen, problem: check.state === 'ok' ? null : check }
}

async function settingsOrDefaults(home: Home): Promise<Settings> {
	try {
		return await loadSettings(home)
	} catch (error) {
		// Told by the check of the settings.
		if (error instanceof StyrbyError) return v.parse(settingsSchema, {})
		throw error
	}
}

async function hasAccount(home: Home): Promise<boolean> {
	try {
		return (await knownDevice(home)) !== null
	} catch (error) {
		// Told by the check of the account.
		if (error instanceof StyrbyError) return false
		throw error
	}
}

function checkText({ id, state, detail, mend }: Check, width: number): string {
	const lines = hanging(
		`${marks[state]} ${id.padEnd(nameWidth)} `,
		revealText(detail),
		width,
		textWidth,
	)
	const arrow = `${' '.repeat(nameWidth + 3)}→ `
	for (const line of mend?.split('\n') ?? [])
		lines.push(...hanging(arrow, revealText(line), width, textWidth))
	return `${lines.join('\n')}\n`
}

function summary(all: number, failed: number, warned: number): string {
	if (failed === 0 && warned === 0) return `All ${all} checks are good.`
	const parts = [
		...(failed > 0 ? [`${failed} failed`] : []),
		...(warned > 0 ? [`${warned} could be better`] : []),
	]
	return `${all} checks: ${parts.join(', ')}.`
}
