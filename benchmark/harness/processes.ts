/** What the system says of processes. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'

/** Resident memory of a process, MB (10⁶ bytes). */
export function residentMegabytes(pid: number): number {
	const kilobytes = Number(
		execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' }),
	)
	return (kilobytes * 1024) / 1e6
}

export const hasProc = existsSync('/proc/self/stat')

/** Clock ticks a second of `/proc`; on Linux 100 for every architecture that Node runs on. */
const ticks = 100

/** Time on a processor so far, ms, of all threads. Linux only. */
export function processorMs(pid: number): number {
	const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
	// The name in parentheses may have spaces.
	const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
	return ((Number(fields[11]) + Number(fields[12])) * 1000) / ticks
}

/** A process and all that it started, by their parents. */
export function childrenOf(pid: number): number[] {
	const table = execFileSync('ps', ['-e', '-o', 'pid=,ppid='], { encoding: 'utf8' })
	return table
		.trim()
		.split('\n')
		.map((line) => line.trim().split(/\s+/).map(Number))
		.filter(([, parent]) => parent === pid)
		.flatMap(([child]) => (child === undefined ? [] : [child]))
}

/** Monotonic time, ms: the same clock in every process of this machine. */
export const monotonicMs = (): number => Number(process.hrtime.bigint()) / 1e6
