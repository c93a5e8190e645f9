/** Parses by the command table and runs one command. */
import { version } from '../config/version.ts'
import { Flags } from './command.ts'
import { widthOf } from './hanging.ts'
import { helpOf, overview } from './help.ts'
import { type Io, processIo } from './io.ts'
import { loaders } from './load.ts'
import type { Parsed } from './parse.ts'
import { reportError } from './report.ts'
import { viewerCommand } from './table.ts'

const viewerAlone: Parsed = {
	command: viewerCommand,
	args: [],
	rest: [],
	flags: new Flags({}),
	help: false,
	version: false,
}

/**
 * Runs what `argv` asks for, and returns the exit code. `importMeta`: of the program's entry. `io`: the
 * outside world, this process's own by default.
 */
export async function main(
	argv: readonly string[],
	importMeta: ImportMeta,
	io: Io = processIo(),
): Promise<number> {
	// The viewer alone needs no parser, and is to be there soon.
	const parser = argv.length === 0 ? null : await import('./parse.ts')
	// What an agent is given behind `--` is not for us.
	const json = parser?.splitArguments(argv)[0].includes('--json') ?? false
	// A reader that goes away (such as `| head`) is no error.
	io.stdout.on('error', (error: NodeJS.ErrnoException) => {
		process.exit(error.code === 'EPIPE' ? 0 : reportError(error, io, json))
	})
	try {
		const parsed = parser?.parseArguments(argv, importMeta) ?? viewerAlone
		const { command, args, rest, flags, ...asked } = parsed
		if (asked.version) io.stdout.write(`${version}\n`)
		else if (asked.help) {
			const width = widthOf(io.stdout)
			const text = command === viewerCommand ? overview(version, width) : helpOf(command, width)
			io.stdout.write(text)
		} else return (await (await loaders[command.name]?.())?.run({ args, rest, flags, io })) ?? 0
		return 0
	} catch (error) {
		return reportError(error, io, json)
	}
}
