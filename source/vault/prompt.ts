/** Questions at the terminal before any interface is up. They go to stderr: stdout belongs to results. */
import { StringDecoder } from 'node:string_decoder'
import { exit, StyrbyError } from '../protocol/errors.ts'
import { type AskPassphrase, checkNewPassphrase } from './passphrase.ts'

export interface Terminal {
	input: NodeJS.ReadStream
	output: NodeJS.WriteStream
}

/** Asks a person, without echo; a new passphrase twice, until both are the same and long enough. */
export function passphrasePrompt(terminal: Terminal, path: string): AskPassphrase {
	const say = (text: string) => terminal.output.write(`${text}\n`)
	return async (purpose, attempt) => {
		if (purpose === 'unlock') {
			if (attempt > 1) say('That passphrase is wrong.')
			return askHidden(terminal, 'Passphrase of the key file: ')
		}
		say(`Your keys will be kept in ${path}, protected by a passphrase. Nothing can restore it.`)
		for (;;) {
			const chosen = await askHidden(terminal, 'New passphrase: ')
			try {
				checkNewPassphrase(chosen)
			} catch (error) {
				if (!(error instanceof StyrbyError)) throw error
				say(error.message)
				continue
			}
			if (chosen === (await askHidden(terminal, 'Once more: '))) return chosen
			say('The two differ.')
		}
	}
}

/** One line, of which nothing is shown. Throws `interrupted` (exit 130) on Ctrl-C, Ctrl-D or a closed input. */
export function askHidden(terminal: Terminal, question: string): Promise<string> {
	return readLine(terminal, question, false)
}

/** One line, shown as it is typed. Throws as `askHidden` does. */
export function ask(terminal: Terminal, question: string): Promise<string> {
	return readLine(terminal, question, true)
}

/** A yes or no; return alone means yes. Throws as `askHidden` does. */
export async function confirm(terminal: Terminal, question: string): Promise<boolean> {
	for (;;) {
		const answer = (await readLine(terminal, `${question} [Y/n] `, true)).trim()
		if (/^(?:y|yes)?$/i.test(answer)) return true
		if (/^no?$/i.test(answer)) return false
	}
}

async function readLine({ input, output }: Terminal, question: string, echo: boolean) {
	const decoder = new StringDecoder('utf8')
	const wasRaw = input.isRaw
	// First of all: an answer that comes fast must not be shown by the terminal itself.
	input.setRawMode(true)
	output.write(question)
	try {
		return await new Promise<string>((resolve, reject) => {
			let line = ''
			const stop = () => {
				input.off('data', take)
				input.off('end', closed)
				input.pause()
			}
			const closed = () => {
				stop()
				reject(interrupted())
			}
			const take = (chunk: Buffer | string) => {
				const typed = typeof chunk === 'string' ? chunk : decoder.write(chunk)
				const result = edit(line, typed)
				if (echo) output.write(shownChange(line, result.line))
				line = result.line
				if (result.end === null) return
				stop()
				// What was typed ahead belongs to the next question.
				if (result.rest) input.unshift(Buffer.from(result.rest))
				if (result.end === 'line') resolve(line)
				else reject(interrupted())
			}
			input.on('data', take)
			input.once('end', closed)
			input.resume()
		})
	} finally {
		input.setRawMode(wasRaw)
		output.write('\n')
	}
}

/** Takes typed text into a line, as a terminal's own line editing would. */
export function edit(
	before: string,
	typed: string,
): { line: string; end: 'line' | 'interrupt' | null; rest: string } {
	let line = before
	// Escape sequences (arrow keys and the like) count as one, and do nothing.
	const sequence = String.raw`\u001b(?:\[[0-?]*[ -/]*[@-~]|O.|[^[O])?`
	for (const match of typed.matchAll(new RegExp(`${sequence}|[^]`, 'gu'))) {
		const [key] = match
		const rest = typed.slice(match.index + key.length)
		if (key === '\r' || key === '\n') return { line, end: 'line', rest }
		if (key === '\u0003' || (key === '\u0004' && line === ''))
			return { line, end: 'interrupt', rest }
		if (key === '\u007f' || key === '\b') line = [...line].slice(0, -1).join('')
		else if (key === '\u0015') line = ''
		else if (!/^\p{Cc}/u.test(key)) line += key
	}
	return { line, end: null, rest: '' }
}

function shownChange(before: string, after: string): string {
	if (after.startsWith(before)) return after.slice(before.length)
	return '\b \b'.repeat([...before].length - [...after].length)
}

function interrupted(): StyrbyError {
	return new StyrbyError('interrupted', 'Interrupted before the question was answered.', {
		exitCode: exit.interrupted,
	})
}
