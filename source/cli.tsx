/** Entry of the command line: parses by the command table and runs one command. */
import { helpOf, overview } from './commands/help.ts'
import { processIo } from './commands/io.ts'
import { loaders } from './commands/load.ts'
import { parseArguments, splitArguments } from './commands/parse.ts'
import { reportError } from './commands/report.ts'
import { viewerCommand } from './commands/table.ts'
import { version } from './config/version.ts'

const argv = process.argv.slice(2)
const io = processIo()
/** What an agent is given behind `--` is not for us. */
const json = splitArguments(argv)[0].includes('--json')

// A reader that goes away (such as `| head`) is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
	if (error.code === 'EPIPE') process.exit(0)
	process.exit(reportError(error, io, json))
})

try {
	const { command, args, rest, flags, ...asked } = parseArguments(argv, import.meta)
	if (asked.version) io.stdout.write(`${version}\n`)
	else if (asked.help)
		io.stdout.write(command === viewerCommand ? overview(version) : helpOf(command))
	else process.exitCode = await (await loaders[command.name]?.())?.run({ args, rest, flags, io })
} catch (error) {
	process.exitCode = reportError(error, io, json)
}
// The command is over. supabase-js leaves a timer of 10 s behind when it hangs up: nobody waits for that.
await Promise.all([written(process.stdout), written(process.stderr)])
process.exit()

/** Resolves when what was written has left this process, or can no longer. */
function written(stream: NodeJS.WriteStream): Promise<void> {
	return new Promise((resolve) => stream.write('', () => resolve()))
}
