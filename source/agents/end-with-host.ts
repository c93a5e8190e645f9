/** An agent that nobody can answer or watch any more has to end. */
import { type ChildProcess, spawn } from 'node:child_process'

/** Seconds between asking the agent to end and killing it. */
const graceSeconds = 5

/**
 * Ends `child` when this process dies without a chance to do it itself: killed, or out of memory.
 * `leftover` is a folder of ours that is then removed. `group`: the child leads a process group, and all of
 * it is ended.
 */
export function endWithHost(child: ChildProcess, leftover = '', group = false): void {
	const { pid } = child
	if (pid === undefined) return
	const ended = new Promise<void>((resolve) => {
		child.once('exit', () => resolve())
		if (child.exitCode !== null || child.signalCode !== null) resolve()
	})
	endProcessWithHost(pid, ended, leftover, group)
}

/**
 * The same for a process that is known by its id, until `ended`. Beside the agent waits a shell for the end
 * of a pipe that only this process holds. It has a session of its own, so that what ends this process's
 * group leaves it alone. Windows has no such shell; there the agent stays.
 */
export function endProcessWithHost(
	pid: number,
	ended: Promise<unknown>,
	leftover = '',
	group = false,
): void {
	if (process.platform === 'win32') return
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
	void ended.then(() => guard.stdin.end('over\n'))
}
