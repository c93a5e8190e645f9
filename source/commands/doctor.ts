/** `doctor`: each thing that is needed, whether it is there, and how to mend it. */

import * as v from 'valibot'
import { type Home, resolveHome } from '../config/paths.ts'
import { loadSettings, type Settings, settingsSchema } from '../config/settings.ts'
import { type ExitCode, exit, StyrbyError } from '../protocol/errors.ts'
import { revealText } from '../text/safe-text.ts'
import { textWidth } from '../text/width.ts'
import type { Invocation } from './command.ts'
import { checkAccount } from './doctor/account.ts'
import { checkAgents } from './doctor/agents.ts'
import { checkBackend, checkOutbox } from './doctor/backend.ts'
import type { Check } from './doctor/check.ts'
import { checkFolders, checkSettings, checkVault } from './doctor/home.ts'
import { checkDisk, checkNode, checkTerminal } from './doctor/machine.ts'
import { hanging, widthOf } from './hanging.ts'
import type { Io } from './io.ts'
import { knownDevice } from './own-device.ts'

const marks = { ok: '✓', warn: '!', fail: '✗' } as const
const nameWidth = 13

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
	if (json) io.stdout.write(`${JSON.stringify({ checks })}\n`)
	else io.stdout.write(`\n${summary(checks.length, failed, warned)}\n`)
	return failed > 0 ? exit.failed : exit.done
}

/** In an order in which each rests on those before it. */
async function* examine(io: Io): AsyncGenerator<Check> {
	const home = resolveHome(io.env, io.platform)
	yield checkNode()
	yield checkTerminal(io)
	const folders = await checkFolders(home)
	yield folders
	yield await checkDisk(home.data)
	yield await checkSettings(home)
	yield await checkVault({ io, home, settings: await settingsOrDefaults(home) })
	// What can't be written can't be started.
	const usable = folders.state !== 'fail'
	yield* await checkBackend(home, usable && (await hasAccount(home)))
	yield await checkOutbox(home)
	if (usable) yield* await checkAccount(io, home)
	yield* await checkAgents(io)
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
