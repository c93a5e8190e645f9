import { readFileSync } from 'node:fs'

/** Number of the system call that reads a file, by the machine's kind. */
const readCalls = new Map([
	['x64', '0'],
	['arm64', '63'],
])

/**
 * Whether a process, or one that it has started, does nothing else now than read its standard input. Linux
 * says so to whoever started it; elsewhere the answer is no.
 */
export function readsItsTerminal(pid: number): boolean {
	const call = readCalls.get(process.arch)
	if (process.platform !== 'linux' || call === undefined) return false
	try {
		if (readFileSync(`/proc/${pid}/syscall`, 'latin1').startsWith(`${call} 0x0 `)) return true
		const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1')
		return children.split(' ').some((child) => child !== '' && readsItsTerminal(Number(child)))
	} catch {
		// It has ended, or the system keeps it to itself.
		return false
	}
}
