/** The words of a recovery key, from a person or from stdin; never from the command line, which others can see. */

import { exit, StyrbyError } from '../../protocol/errors.ts'
import { parseRecoveryWords } from '../../protocol/recovery.ts'
import { askHidden } from '../../vault/prompt.ts'
import { type Io, isInteractive } from '../io.ts'

const attempts = 3
const maxBytes = 4096

/**
 * The 24 words. At a terminal they are not shown, and may be typed again. Throws `bad_recovery_words` (exit
 * 2), `interrupted`, `no_recovery_words` (exit 2) where stdin is empty.
 */
export async function readWords(io: Io): Promise<string[]> {
	if (!isInteractive(io)) return parseRecoveryWords(await readAll(io))
	const terminal = { input: io.stdin, output: io.stderr }
	for (let attempt = 1; ; attempt++) {
		const typed = await askHidden(terminal, 'The 24 words of the recovery key (not shown): ')
		try {
			return parseRecoveryWords(typed)
		} catch (error) {
			if (!(error instanceof StyrbyError) || attempt === attempts) throw error
			io.stderr.write(`${error.message}\n`)
		}
	}
}

async function readAll({ stdin }: Io): Promise<string> {
	const chunks: Buffer[] = []
	let size = 0
	if (!stdin.isTTY) {
		for await (const chunk of stdin) {
			const bytes = Buffer.from(chunk)
			size += bytes.length
			if (size > maxBytes) break
			chunks.push(bytes)
		}
	}
	const text = Buffer.concat(chunks).toString('utf8')
	if (text.trim() !== '') return text
	throw new StyrbyError(
		'no_recovery_words',
		'The words of the recovery key are read from standard input, and nothing came: pipe them in, or run this in a terminal.',
		{ exitCode: exit.usage },
	)
}
