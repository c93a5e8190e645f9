import { withLock } from '../config/lock.ts'
import type { Home } from '../config/paths.ts'

/** Runs alone among all processes of this home that name the same lock. Throws `lock_timeout`. */
export function alone(home: Home, name: string) {
	return <T>(work: () => Promise<T>): Promise<T> =>
		withLock(home.run, name, work, { timeoutMs: 30_000 })
}
