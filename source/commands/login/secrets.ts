/** What a person types or lays out to sign in. Nothing of it is ever an argument, where others could read it. */
import { readFile } from 'node:fs/promises'
import { exit, StyrbyError } from '../../protocol/errors.ts'
import { ask, askHidden, type Terminal } from '../../vault/prompt.ts'
import type { Io } from '../io.ts'

const maxBytes = 8192

/** Where a person is asked, or `null` where nobody is there. Questions go to stderr where that is shown. */
export function terminalOf({ stdin, stdout, stderr }: Io): Terminal | null {
	if (!stdin.isTTY) return null
	if (stderr.isTTY) return { input: stdin, output: stderr }
	return stdout.isTTY ? { input: stdin, output: stdout } : null
}

/** From the file, a hidden prompt, or one line of stdin. Throws `no_secret` (exit 2). */
export async function readPassword(io: Io, file: string | undefined): Promise<string> {
	if (file !== undefined) return oneLine(await readSecretFile(file), `the file ${file}`)
	const terminal = terminalOf(io)
	if (terminal !== null) return given(await askHidden(terminal, 'Password: '), 'the password')
	return stdinLine(io, 'Give the password with --password-file FILE, or on stdin')
}

/** What was sent by e-mail: typed, or one line of stdin. Throws `no_secret` (exit 2). */
export async function readCode(io: Io, email: string): Promise<string> {
	const terminal = terminalOf(io)
	if (terminal === null) return stdinLine(io, `Give the code that was sent to ${email} on stdin`)
	return given((await ask(terminal, `Code sent to ${email}: `)).trim(), 'the code')
}

/** Typed without being shown, or one line of stdin. Throws `no_secret` (exit 2). */
export async function readJoinToken(io: Io): Promise<string> {
	const terminal = terminalOf(io)
	if (terminal !== null) return given(await askHidden(terminal, 'Join token: '), 'the join token')
	return stdinLine(io, 'Give the join token on stdin')
}

/** Throws `bad_usage` where nobody can be asked. */
export async function readEmail(io: Io): Promise<string> {
	const terminal = terminalOf(io)
	if (terminal !== null) return given((await ask(terminal, 'E-mail: ')).trim(), 'the address')
	throw new StyrbyError('bad_usage', 'Say whose account it is: --email ADDRESS.', {
		exitCode: exit.usage,
	})
}

async function stdinLine({ stdin }: Io, what: string): Promise<string> {
	if (stdin.isTTY) throw noSecret(`${what}: it is not typed where it would be shown.`)
	const chunks: Buffer[] = []
	let size = 0
	for await (const chunk of stdin) {
		const bytes = Buffer.from(chunk)
		chunks.push(bytes)
		size += bytes.length
		if (bytes.includes(0x0a) || size > maxBytes) break
	}
	const [line = ''] = Buffer.concat(chunks).toString('utf8').split('\n', 1)
	const text = line.replace(/\r$/, '')
	if (text === '' || size > maxBytes) throw noSecret(`${what}, as one line.`)
	return text
}

async function readSecretFile(file: string): Promise<Buffer> {
	try {
		return await readFile(file)
	} catch (cause) {
		throw noSecret(`The file ${file} can not be read: check its name and who may read it.`, cause)
	}
}

/** The line's end does not belong to it. */
function oneLine(bytes: Buffer, where: string): string {
	const text = bytes.toString('utf8').replace(/\r?\n$/, '')
	if (text !== '' && bytes.length <= maxBytes && !/[\r\n\uFFFD]/.test(text)) return text
	throw noSecret(`There is more or less than one line of text in ${where}: put the password there.`)
}

function given(text: string, what: string): string {
	if (text !== '') return text
	throw noSecret(`Nothing was typed for ${what}: run it again.`)
}

function noSecret(message: string, cause?: unknown): StyrbyError {
	return new StyrbyError('no_secret', message, { exitCode: exit.usage, cause })
}
