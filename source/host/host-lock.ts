import { holdLock } from '../config/lock.ts'
import { hostLockName, outboxFolder } from './outbox-paths.ts'

/** Takes the lock of a session; it is given back when its holder dies. `null`: its host lives. */
export type TakeLock = (session: string) => Promise<AsyncDisposable | null>

export function locksIn(dataFolder: string): TakeLock {
	return (session) => holdLock(outboxFolder(dataFolder), hostLockName(session))
}
