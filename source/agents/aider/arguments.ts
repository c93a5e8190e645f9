/** Where Aider keeps its files, by its own rules: arguments, environment, configuration files, defaults. */
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join, resolve } from 'node:path'

export interface Places {
	/** What the names of files are relative to: the repository, or the folder. */
	root: string
	history: string
	/** The person's own log of analytics, where they keep one. */
	analytics: string | null
	/** Whether it answers its own questions with yes. */
	alwaysYes: boolean
}

export async function placesOf(
	args: readonly string[],
	env: NodeJS.ProcessEnv,
	cwd: string,
): Promise<Places> {
	const root = args.includes('--no-git') ? cwd : (repositoryOf(cwd) ?? cwd)
	const home = env.HOME ?? homedir()
	const configured = await Promise.all([cwd, root, home].map((folder) => settingsIn(folder)))
	const setting = (name: string): string | null =>
		argument(args, `--${name}`) ??
		env[`AIDER_${name.toUpperCase().replaceAll('-', '_')}`] ??
		configured.map((settings) => settings.get(name)).find((value) => value !== undefined) ??
		null
	const history = setting('chat-history-file')
	const analytics = setting('analytics-log')
	const flagged = args.includes('--yes-always') || args.includes('--yes')
	return {
		root,
		history: history === null ? join(root, '.aider.chat.history.md') : resolve(cwd, history),
		analytics: analytics === null ? null : resolve(cwd, analytics),
		alwaysYes: flagged || /^(?:true|yes|1|on)$/i.test(setting('yes-always') ?? ''),
	}
}

function argument(args: readonly string[], name: string): string | null {
	let value: string | null = null
	for (const [index, arg] of args.entries()) {
		if (arg === name) value = args[index + 1] ?? value
		else if (arg.startsWith(`${name}=`)) value = arg.slice(name.length + 1)
	}
	return value
}

function repositoryOf(cwd: string): string | null {
	for (let folder = cwd; ; folder = dirname(folder)) {
		if (existsSync(join(folder, '.git'))) return folder
		if (dirname(folder) === folder) return null
	}
}

/** Plain `name: value` lines of a configuration file, which is all that its paths are. */
async function settingsIn(folder: string): Promise<Map<string, string>> {
	const settings = new Map<string, string>()
	try {
		const text = await readFile(join(folder, '.aider.conf.yml'), 'utf8')
		for (const line of text.split('\n')) {
			const [, name, value] = /^([a-z-]+):\s*["']?(.*?)["']?\s*(?:#.*)?$/.exec(line) ?? []
			if (name !== undefined && value !== undefined && value !== '') settings.set(name, value)
		}
	} catch {
		// There is none, which is usual.
	}
	return settings
}
