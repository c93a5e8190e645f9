import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Home, resolveHome } from '../../source/config/paths.ts'

/** A home folder of its own, removed when the test is done with it. */
export async function temporaryHome(): Promise<{ root: string; home: Home } & AsyncDisposable> {
	const root = await mkdtemp(join(tmpdir(), 'styrby-test-'))
	return {
		root,
		home: resolveHome({ STYRBY_HOME: root }),
		[Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }),
	}
}
