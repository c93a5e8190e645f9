/** A command as the program runs it, in this process: a start of Node costs more than most commands do. */
import { Readable, Writable } from 'node:stream'
import { type Io, processIo } from '../../source/commands/io.ts'
import { main } from '../../source/commands/main.ts'

/** An output that is no terminal, and keeps what is written to it. */
class Captured extends Writable {
	text = ''
	readonly columns = 100
	readonly isTTY = false

	override _write(chunk: Buffer, _: BufferEncoding, done: () => void): void {
		this.text += chunk.toString()
		done()
	}
}

export interface RanHere {
	code: number
	signal: null
	stdout: string
	stderr: string
}

/** The outside world of a command in that place. `input` is all that its stdin holds. */
export function ioIn(env: NodeJS.ProcessEnv, cwd: string, input = '') {
	const stdout = new Captured()
	const stderr = new Captured()
	const streams = { stdin: Readable.from([Buffer.from(input)]), stdout, stderr }
	const io: Io = { ...processIo(), ...(streams as unknown as Pick<Io, 'stdin'>), env, cwd }
	return { io, stdout, stderr }
}

/** The command to its end, by the same `main`. */
export async function mainHere(
	args: readonly string[],
	env: NodeJS.ProcessEnv,
	cwd: string,
	input = '',
): Promise<RanHere> {
	const { io, stdout, stderr } = ioIn(env, cwd, input)
	const code = await main(args, import.meta, io)
	return { code, signal: null, stdout: stdout.text, stderr: stderr.text }
}
