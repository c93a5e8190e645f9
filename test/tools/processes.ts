import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)

export interface ChildProcessInfo {
	pid: number
	command: string
}

/** The children of a process, as `ps` knows them. */
export async function childProcesses(parent: number): Promise<ChildProcessInfo[]> {
	const { stdout } = await run('ps', ['-eo', 'pid=,ppid=,args='])
	return stdout.split('\n').flatMap((line) => {
		const [, pid, ppid, command] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? []
		return Number(ppid) === parent ? [{ pid: Number(pid), command: command ?? '' }] : []
	})
}
