import { resolve } from 'node:path'
import { writeExport } from '../config/export-file.ts'
import { type ExitCode, exit, refused, StyrbyError } from '../protocol/errors.ts'
import { displayText } from '../text/safe-text.ts'
import { type ExportFormat, exportParts, formatOf } from '../viewer/export-session.ts'
import { StoredPages } from '../viewer/session-pages.ts'
import { summarise } from '../viewer/session-summary.ts'
import type { Invocation } from './command.ts'
import { openContext } from './context.ts'
import { findSession, sessionWithheld } from './find.ts'
import { finishDead } from './finish-dead.ts'
import { writeOut } from './write-out.ts'

/** Writes a session out in the clear, to stdout or to a file. Exit code 4 when some of it did not verify. */
export async function run({ args, flags, io }: Invocation): Promise<ExitCode> {
	const output = flags.text('output')
	const force = flags.has('force')
	if (force && output === undefined) {
		throw new StyrbyError('bad_usage', '--force overwrites a file, so it goes with --output.', {
			exitCode: exit.usage,
		})
	}
	await using context = await openContext(io)
	await finishDead(context)
	const { account, gateway } = context
	const id = await findSession(account, args[0] ?? '')
	const row = await gateway.readSession(id)
	if (!row) throw sessionWithheld()
	const format = formatAsked(flags.text('format'), output)
	const session = summarise(account, row, false)
	let problems = 0
	let messages = 0
	async function* texts(): AsyncGenerator<string> {
		const parts = exportParts({
			pages: new StoredPages(account, id),
			session,
			format,
			nameOf: (device) => account.deviceName(device),
		})
		for await (const part of parts) {
			problems += part.problems
			messages += part.messages
			yield part.text
		}
	}
	if (output === undefined) for await (const text of texts()) await writeOut(io.stdout, text)
	else {
		const path = resolve(output)
		await writeExport(path, texts(), { force })
		io.stderr.write(`${messages} messages written to ${displayText(path)}, in the clear.\n`)
	}
	account.log.assertTrusted()
	if (problems > 0) {
		throw refused(
			'session_not_verified',
			`${problems} of the messages of this session did not verify; they are marked where they stand.`,
		)
	}
	return exit.done
}

function formatAsked(asked: string | undefined, output: string | undefined): ExportFormat {
	if (asked === 'markdown' || asked === 'jsonl') return asked
	return output === undefined ? 'markdown' : formatOf(output)
}
