/** A throw-away home folder with one small real project in it, under git. */
import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const projects = join(import.meta.dirname, 'projects')

/**
 * @returns the home folder, the project's folder, and the environment of commands in it: nothing of
 * the caller's environment but the way to `node`, `npm`, `git` and `curl`.
 */
export async function makeWorkspace(story, webOrigin) {
	const home = await realpath(await mkdtemp(join(tmpdir(), 'demo-home-')))
	const cwd = join(home, story.project)
	await cp(join(projects, story.project), cwd, { recursive: true })
	const bin = join(home, '.local', 'bin')
	await mkdir(bin, { recursive: true })
	await symlink(process.execPath, join(bin, 'node'))
	await mkdir(join(home, '.tmp'))
	await writeFile(
		join(home, '.npmrc'),
		`registry=${webOrigin}/\naudit=false\nfund=false\nupdate-notifier=false\n`,
	)
	await writeFile(join(home, '.curlrc'), `proxy = ${webOrigin}\n`)
	const env = {
		HOME: home,
		PATH: `${bin}:/usr/local/bin:/usr/bin:/bin`,
		TMPDIR: join(home, '.tmp'),
		LANG: 'C.UTF-8',
		TZ: 'UTC',
		USER: 'dev',
		LOGNAME: 'dev',
		NO_COLOR: '1',
		GIT_CONFIG_NOSYSTEM: '1',
		GIT_AUTHOR_NAME: 'dev',
		GIT_AUTHOR_EMAIL: 'dev@example.com',
		GIT_COMMITTER_NAME: 'dev',
		GIT_COMMITTER_EMAIL: 'dev@example.com',
	}
	// Fixed dates give the same commit hashes each time.
	const date = '2026-01-05T09:00:00Z'
	const dated = { ...env, GIT_AUTHOR_DATE: date, GIT_COMMITTER_DATE: date }
	const shell = (command, at = cwd) => run('sh', ['-euc', command], { cwd: at, env: dated })
	await shell(
		'git config --global init.defaultBranch main && git config --global advice.detachedHead false',
	)
	await shell('git init -q && git add -A && git commit -qm "Start"')
	if (story.branch !== 'main') await shell(`git switch -qc ${story.branch}`)
	if (story.setup) await shell(story.setup)
	if (story.allowed) {
		await mkdir(join(home, '.claude'), { recursive: true })
		await writeFile(
			join(home, '.claude', 'settings.json'),
			JSON.stringify({ permissions: { allow: story.allowed } }),
		)
	}
	return {
		home,
		cwd,
		env,
		async [Symbol.asyncDispose]() {
			await rm(home, { recursive: true, force: true })
		},
	}
}

export const nameOf = (path) => dirname(path)
