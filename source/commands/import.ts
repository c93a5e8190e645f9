/** `import <file or folder>`: an agent's own history as sessions. */
import { basename } from 'node:path'
import type { ImportedSession } from '../agents/agent.ts'
import { holdLock } from '../config/lock.ts'
import { loadHistoryReader } from '../host/history-readers.ts'
import { HostedSessions } from '../host/hosted-sessions.ts'
import { type ImportResult, importSession } from '../host/import-session.ts'
import { exit, StyrbyError } from '../protocol/errors.ts'
import { jsonText } from '../text/json-text.ts'
import { revealText } from '../text/safe-text.ts'
import type { Invocation } from './command.ts'
import { type Context, openContext } from './context.ts'

export interface ImportCommandOptions {
	path: string
	/** Whose history it is; told by its content otherwise. */
	agent?: string
	json: boolean
}

/** Problems named in full for one file; more are counted. */
const maxProblems = 20

export async function run({ args, flags, io }: Invocation): Promise<number> {
	const agent = flags.text('agent')
	const path = args[0] ?? ''
	await using context = await openContext(io)
	return await importCommand(context, {
		path,
		json: flags.has('json'),
		...(agent === undefined ? {} : { agent }),
	})
}

/** Imports all that is found. Exit code 1 when a line of it could not be read. */
export async function importCommand(
	context: Context,
	{ path, agent, json }: ImportCommandOptions,
): Promise<number> {
	const { account, gateway, home, settings, io } = context
	const readHistory = await loadHistoryReader(path, agent)
	await using lock = await holdLock(home.run, 'import')
	if (!lock) {
		throw new StyrbyError(
			'import_running',
			'Another import is running in this home: wait until it has ended, then try again.',
		)
	}
	using hosted = HostedSessions.open(home.data)
	let problems = 0
	for await (const imported of readHistory(path)) {
		const options = { account, gateway, hosted, project: settings.project }
		const result = await importSession(imported, options)
		problems += result.problems.length
		io.stdout.write(json ? jsonLine(path, imported, result) : plainLine(path, imported, result))
	}
	return problems > 0 ? exit.failed : exit.done
}

const reasons: Readonly<Record<NonNullable<ImportResult['reason']>, string>> = {
	hosted_live: 'it was published live, so it is there already',
	other_device: 'another device of this account has imported it',
}

function problemText({ problems }: ImportResult): string | null {
	if (problems.length === 0) return null
	const named = problems
		.slice(0, maxProblems)
		.map(({ line, problem }) => (line > 0 ? `line ${line}: ${problem}` : problem))
	const more = problems.length - named.length
	return [...named, ...(more > 0 ? [`${more} more`] : [])].join('; ')
}

function jsonLine(path: string, { file }: ImportedSession, result: ImportResult): string {
	const { agent, session, messages, skipped, reason } = result
	const problem = problemText(result)
	return `${jsonText({ file: file ?? path, agent, session, messages, skipped, problem, reason })}\n`
}

function plainLine(path: string, { file }: ImportedSession, result: ImportResult): string {
	const { session, messages, skipped, reason } = result
	const problem = problemText(result)
	const name = basename(file ?? path)
	const what = reason
		? `skipped, since ${reasons[reason]}`
		: `${messages} messages added, ${skipped} there already`
	const lines = [`${name}: ${what} (session ${session.slice(0, 8)})`]
	if (problem !== null) lines.push(`  not all of it could be read: ${problem}`)
	return lines.map((line) => `${revealText(line)}\n`).join('')
}
