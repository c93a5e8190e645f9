/** A home in which the real Codex knows one scripted API and nobody else. */
import { mkdir, readdir, readFile, realpath, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Opens no door: the scripted API takes any key. */
const dummyKey = 'sk-test-0123456789abcdefghijklmnop'

export interface CodexHome {
	/** Base of the scripted API. */
	apiUrl: string
	/** Folders that are trusted, so that nothing is asked about them. */
	projects: readonly string[]
	sandbox?: 'read-only' | 'workspace-write'
	/** More of config.toml, as tables. */
	more?: string
}

/** Makes `CODEX_HOME` at `folder`. */
export async function seedCodexHome(folder: string, home: CodexHome): Promise<void> {
	const { apiUrl, projects, sandbox = 'workspace-write', more = '' } = home
	const trusted = await Promise.all(projects.map((project) => realpath(project)))
	const config = `
model = "gpt-5.5"
model_provider = "scripted"
approval_policy = "on-request"
sandbox_mode = "${sandbox}"
check_for_update_on_startup = false
suppress_unstable_features_warning = true

[model_providers.scripted]
name = "scripted"
base_url = "${apiUrl}"
wire_api = "responses"
env_key = "SCRIPTED_API_KEY"
request_max_retries = 0
stream_max_retries = 0

[notice.model_migrations]
"gpt-5.5" = "gpt-6-sol"

[analytics]
enabled = false

[features]
default_mode_request_user_input = true
request_permissions_tool = true

${[...new Set(trusted)].map((project) => `[projects."${project}"]\ntrust_level = "trusted"\n`).join('\n')}
${more}`
	await mkdir(folder, { recursive: true, mode: 0o700 })
	await writeFile(join(folder, 'config.toml'), config, { mode: 0o600 })
}

/** The environment of a Codex with that home. */
export function codexEnvironment(folder: string): NodeJS.ProcessEnv {
	const env: NodeJS.ProcessEnv = { ...process.env }
	for (const name of Object.keys(env)) {
		if (/^(?:OPENAI|CODEX|STYRBY)|^(?:https?|all)_proxy$/i.test(name)) delete env[name]
	}
	return { ...env, HOME: folder, CODEX_HOME: folder, SCRIPTED_API_KEY: dummyKey }
}

/** The processes that run with that home, as Linux knows them. */
export async function codexProcesses(folder: string): Promise<{ pid: number; args: string[] }[]> {
	const found: { pid: number; args: string[] }[] = []
	for (const name of await readdir('/proc')) {
		if (!/^\d+$/.test(name)) continue
		const read = (file: string) => readFile(`/proc/${name}/${file}`, 'utf8').catch(() => '')
		const environment = (await read('environ')).split('\0')
		if (!environment.includes(`CODEX_HOME=${folder}`)) continue
		found.push({ pid: Number(name), args: (await read('cmdline')).split('\0') })
	}
	return found
}
