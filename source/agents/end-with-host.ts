/** An agent that nobody can answer or watch any more has to end. */
import { type ChildProcess, spawn } from 'node:child_process'

/** Seconds between asking the agent to end and killing it. */
const graceSeconds = 5

/**
 * Ends `child` when this process dies without a chance to do it itself: killed, or out of memory. Beside
 * the agent waits a shell for the end of a pipe that only this process holds. It has a session of its own,
 * so that what ends this process's group leaves it alone. `leftover` is a folder of ours that is then
 * removed. `group`: the child leads a process group, and all of it is ended. Windows has no such shell;
 * there the agent stays.
 */
export function endWithHost(child: ChildProcess, leftover = '', group = false): void {
	const { pid } = child
	if (pid === undefined || process.platform === 'win32') return
	const target = group ? `-- -${pid}` : `${pid}`
	const kill = (signal: string) => `kill -s ${signal} ${target}`
	const end = `${kill('TERM')}; sleep ${graceSeconds}; ${kill('KILL')}; rm -rf -- "$1"`
	const guard = spawn('/bin/sh', ['-c', `read -r over || { ${end}; }`, 'sh', leftover], {
		cwd: '/',
		detached: true,
		env: { PATH: '/usr/bin:/bin' },
		stdio: ['pipe', 'ignore', 'ignore'],
	})
	guard.unref()
	// A guard that could not start, or was ended by someone, guards nothing; the session goes on without.
	guard.on('error', () => {})
	guard.stdin.on('error', () => {})
	child.once('exit', () => guard.stdin.end('over\n'))
	if (child.exitCode !== null || child.signalCode !== null) guard.stdin.end('over\n')
}
