/**
 * The background process: started by whichever command comes first, with the channel to it as file
 * descriptor and its output going to a log file.
 */
import * as v from 'valibot'
import { redact } from '../config/redact.ts'
import { keepHeapSmall } from '../config/small-heap.ts'
import { exit, StyrbyError } from '../protocol/errors.ts'
import { type DaemonReport, daemonInput } from './daemon-messages.ts'
import { runDaemon } from './run-daemon.ts'

const longestLine = 500

function log(line: string): void {
	const short = redact(line.replaceAll(/\s+/g, ' ')).slice(0, longestLine)
	process.stderr.write(`${new Date().toISOString()} ${process.pid} ${short}\n`)
}

/** Tells the starter how it went, and lets it go: it must not wait for us, nor we for it. */
function report(message: DaemonReport): void {
	if (process.send === undefined || !process.connected) return
	process.send(message, () => {
		if (process.connected) process.disconnect()
	})
}

/** A crash is one line in the log, never the bundle's source; the next command starts anew. */
function crash(error: unknown): never {
	log(`crashed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
	process.exit(exit.failed)
}

// Whatever is written from here on is this user's alone, the engine's files too.
process.umask(0o077)
process.on('uncaughtException', crash)
process.on('unhandledRejection', crash)
// The terminal of the command that started us may close; we go on.
process.on('SIGHUP', () => log('ignored SIGHUP'))

try {
	const input = v.parse(daemonInput, JSON.parse(process.argv[2] ?? 'null'))
	await runDaemon({
		...input,
		log,
		onReady: ({ port }) => {
			report({ type: 'ready', port })
			keepHeapSmall()
		},
	})
	process.exit(exit.done)
} catch (error) {
	const known = error instanceof StyrbyError
	const message = error instanceof Error ? error.message : String(error)
	const code = known ? error.code : 'backend_start_failed'
	log(`${code}: ${message}`)
	report({ type: 'failed', code, message, exitCode: known ? error.exitCode : exit.failed })
	process.exitCode = exit.failed
	// The report needs a moment to leave; nothing else keeps this process.
	setTimeout(() => process.exit(exit.failed), 1000).unref()
}
