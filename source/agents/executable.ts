import { execFile } from 'node:child_process'
import { constants } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { delimiter, isAbsolute, join, resolve } from 'node:path'

/**
 * The path of a program by the rules of PATH, or `null`. Only regular files that may be executed count.
 * Relative entries of PATH are resolved against `cwd`.
 */
export async function findExecutable(
	name: string,
	env: NodeJS.ProcessEnv,
	cwd: string = process.cwd(),
): Promise<string | null> {
	const folders = (env.PATH ?? env.Path ?? '').split(delimiter).filter((folder) => folder !== '')
	const endings = process.platform === 'win32' ? (env.PATHEXT ?? '.EXE;.CMD;.BAT').split(';') : ['']
	for (const folder of folders) {
		for (const ending of endings) {
			const path = join(isAbsolute(folder) ? folder : resolve(cwd, folder), name + ending)
			if (await isExecutable(path)) return path
		}
	}
	return null
}

/** What `path --version` says, as `1.2.3`; `null` when it says nothing usable within `timeoutMs`. */
export function readVersion(
	path: string,
	env: NodeJS.ProcessEnv,
	timeoutMs = 5000,
): Promise<string | null> {
	return new Promise((resolve) => {
		const options = {
			env,
			timeout: timeoutMs,
			killSignal: 'SIGKILL' as const,
			maxBuffer: 64 * 1024,
		}
		execFile(path, ['--version'], options, (_error, stdout) => {
			resolve(/\d+\.\d+\.\d+/.exec(stdout)?.[0] ?? null)
		})
	})
}

async function isExecutable(path: string): Promise<boolean> {
	try {
		await access(path, constants.X_OK)
		return (await stat(path)).isFile()
	} catch {
		// Not there, or not for us to run: the next folder may have it.
		return false
	}
}
