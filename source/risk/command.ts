/** Assesses a shell command: every program in it, every file it writes to. */

import { downloaders, interpreters, writtenPaths } from './call.ts'
import type { Findings } from './findings.ts'
import { harmless } from './harmless.ts'
import { isSecret, isTrigger, type Place, whereIs } from './paths.ts'
import { rules } from './rules.ts'
import { type Call, type Target, type Walk, walkShell } from './shell.ts'
import { baseName, operands } from './word.ts'

const most = 500

/** `place`: where the command starts. */
export function assessCommand(findings: Findings, command: string, place: Place): void {
	const walk = walkShell(command, place)
	for (const problem of walk.problems) findings.add('high', `the command ${problem}`)
	if (walk.calls.length > most) findings.add('high', 'the command runs too many programs to check')
	for (const call of walk.calls.slice(0, most)) assessCall(findings, call)
	for (const target of walk.writes) assessWrite(findings, target)
	const fetched = runsFetched(walk)
	if (fetched !== null) findings.add('high', `runs what it downloads: ${fetched}`)
	for (const { text } of walk.words) {
		if (isSecret(text)) findings.add('high', `touches keys or passwords: ${text}`)
	}
	// A command of nothing but redirections still creates files.
	if (walk.calls.length === 0 && walk.writes.length === 0) findings.add('low', 'runs nothing')
}

/** A file that one part of the command downloads and another one runs, by its name. */
function runsFetched({ calls, writes }: Walk): string | null {
	const loaders = calls.filter(({ name }) => name !== null && downloaders.has(name))
	if (loaders.length === 0) return null
	const names = [
		...loaders.flatMap((call) => [...writtenPaths(call), ...operands(call.args)]),
		...writes.map(({ path }) => path),
	].map(({ text }) => baseName(text.replace(/[?#].*$/, '')))
	const run = calls
		.filter((call) => !loaders.includes(call))
		.flatMap((call) => {
			const script = interpreters.has(call.name ?? '') ? operands(call.args).slice(0, 1) : []
			return [
				...(call.program.includes('/') ? [call.program] : []),
				...script.map(({ text }) => text),
			]
		})
	return run.find((program) => names.includes(baseName(program))) ?? null
}

function assessCall(findings: Findings, call: Call): void {
	let matched = false
	for (const rule of rules) {
		const reason = rule.check(call)
		if (reason === null) continue
		matched = true
		findings.add(rule.level, reason)
	}
	if (matched || call.defined) return
	const kind = harmless(call)
	if (kind === null) findings.add('medium', `runs ${call.program}, whose effect is not known here`)
	else findings.add('low', kind === 'tests' ? 'runs tests or checks' : 'only reads')
}

export function assessWrite(findings: Findings, { path, place }: Target): void {
	const where = whereIs(path.text, place)
	if (where === 'nowhere') return
	if (isSecret(path.text)) findings.add('high', `touches keys or passwords: ${path.text}`)
	if (isTrigger(path.text)) findings.add('high', `changes what is run without asking: ${path.text}`)
	if (where === 'unknown' || (!path.known && where !== 'outside' && where !== 'temporary')) {
		findings.add('high', 'writes to a place that is only known when it runs')
	} else if (where === 'outside' || where === 'project') {
		findings.add('high', `writes outside of the project: ${path.text}`)
	} else findings.add('medium', 'writes files')
}
