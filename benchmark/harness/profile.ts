/** A throw-away home with a backend of its own. */
import { readFileSync, rmSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as v from 'valibot'
import { type Home, resolveHome } from '../../source/config/paths.ts'
import { statusEmbedded, stopEmbedded } from '../../source/server/discover.ts'
import { onExit } from './on-exit.ts'

export interface Profile extends AsyncDisposable {
	folder: string
	home: Home
	/** For programs that run in it. */
	env: NodeJS.ProcessEnv
	/** Process id of its backend, which must run. */
	backend(): Promise<{ pid: number; url: string; anonKey: string }>
}

/** Where keys of a throw-away home lie: in a key file, unless a keychain is there for it. */
export type VaultKind = 'file' | 'keychain'

/** `env` is added to what its programs get. */
export async function openProfile(
	vault: VaultKind = 'file',
	more: NodeJS.ProcessEnv = {},
): Promise<Profile> {
	const folder = await mkdtemp(join(tmpdir(), 'styrby-benchmark-'))
	const passphrase = join(folder, 'passphrase')
	await writeFile(passphrase, 'a passphrase of this benchmark alone\n', { mode: 0o600 })
	const env: NodeJS.ProcessEnv = {
		...process.env,
		...more,
		STYRBY_HOME: join(folder, 'home'),
		STYRBY_VAULT: vault,
		STYRBY_PASSPHRASE_FILE: passphrase,
		TERM: 'xterm-256color',
	}
	for (const name of ['NO_COLOR', 'FORCE_COLOR', 'CI', 'SSH_CONNECTION', 'SSH_TTY'])
		delete env[name]
	const home = resolveHome(env)
	const kept = onExit(() => {
		killBackend(home)
		rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
	})
	return {
		folder,
		home,
		env,
		async backend() {
			const running = await statusEmbedded(home)
			if (!running) throw new Error('the backend of the benchmark does not run')
			return running
		},
		async [Symbol.asyncDispose]() {
			await stopEmbedded(home)
			kept[Symbol.dispose]()
			await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
		},
	}
}

const runtime = v.object({ pid: v.number() })

/** Where there is no time to ask it. */
function killBackend(home: Home): void {
	try {
		const text = readFileSync(join(home.run, 'backend.json'), 'utf8')
		process.kill(v.parse(runtime, JSON.parse(text)).pid, 'SIGKILL')
	} catch {
		// It never ran, or has ended.
	}
}
