/** Whether a process of this user runs. */
export function isAlive(pid: number): boolean {
	try {
		process.kill(pid, 0)
		return true
	} catch {
		// Ended, or somebody else's by now.
		return false
	}
}
