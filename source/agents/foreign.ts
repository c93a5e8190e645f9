/** Checks of what an agent says that are the same for every agent. */

/** A type name from outside, short and plain enough to be a name. */
export function typeName(name: string | null): string {
	return (name ?? 'unknown').replace(/[^\w.-]/gu, '?').slice(0, 64)
}

const maxDepth = 100

/** Whether JSON is nested so deeply that writing it again could overflow the stack. */
export function tooDeep(value: unknown, depth = 0): boolean {
	if (value === null || typeof value !== 'object') return false
	if (depth >= maxDepth) return true
	return Object.values(value).some((item) => tooDeep(item, depth + 1))
}
