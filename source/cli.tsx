/** Entry of the command line. What needs no parser is answered without loading one. */
import { widthOf } from './commands/hanging.ts'
import { overview } from './commands/help.ts'
import { version } from './config/version.ts'

const argv = process.argv.slice(2)
const [only] = argv.length === 1 ? argv : []

if (only === '--help' || only === '-h') print(overview(version, widthOf(process.stdout)))
else if (only === '--version' || only === '-v') print(`${version}\n`)
else {
	const { main } = await import('./commands/main.ts')
	process.exitCode = await main(argv, import.meta)
	// The command is over. supabase-js leaves a timer of 10 s behind when it hangs up: nobody waits for that.
	await Promise.all([written(process.stdout), written(process.stderr)])
	process.exit()
}

function print(text: string): void {
	process.stdout.on('error', async (error: NodeJS.ErrnoException) => {
		if (error.code === 'EPIPE') return
		const { reportError } = await import('./commands/report.ts')
		process.exitCode = reportError(error, process, false)
	})
	process.stdout.write(text)
}

/** Resolves when what was written has left this process, or can no longer. */
function written(stream: NodeJS.WriteStream): Promise<void> {
	return new Promise((resolve) => stream.write('', () => resolve()))
}
