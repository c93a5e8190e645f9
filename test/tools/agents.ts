/**
 * The real agents, for system tests: pinned versions, installed from the npm registry into a cache of
 * their own. Run it as a script to install them all: `node test/tools/agents.ts`.
 */
import { execFile } from 'node:child_process'
import { access, mkdir, mkdtemp, realpath, rename, rm, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import pinned from './agents.json' with { type: 'json' }

export type PinnedAgent = keyof typeof pinned

const run = promisify(execFile)

/** Path of an agent's program, installed first where it is missing; the pinned version, or another. */
export async function findAgent(
	name: PinnedAgent,
	version: string = pinned[name].version,
): Promise<string> {
	const agent = pinned[name]
	const folder = join(cacheFolder(), `${name}-${version}`)
	const program = join(folder, 'node_modules', '.bin', agent.bin)
	if (!(await exists(program))) await install(`${agent.package}@${version}`, folder)
	return program
}

export async function installAgents(): Promise<void> {
	for (const name of Object.keys(pinned)) {
		if (isPinned(name)) process.stdout.write(`${name} ${await findAgent(name)}\n`)
	}
}

/** The environment of a Claude Code that knows one scripted API and nobody else. */
export function claudeEnvironment(home: string, apiUrl: string): NodeJS.ProcessEnv {
	const env: NodeJS.ProcessEnv = { ...process.env }
	for (const name of Object.keys(env)) {
		if (/^(?:ANTHROPIC|CLAUDE|STYRBY)/.test(name)) delete env[name]
	}
	// With CI set, the native interface does not start.
	delete env.CI
	return {
		...env,
		HOME: home,
		ANTHROPIC_BASE_URL: apiUrl,
		ANTHROPIC_API_KEY: dummyKey,
		CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
		CLAUDE_CODE_MAX_RETRIES: '1',
		DISABLE_AUTOUPDATER: '1',
		DISABLE_TELEMETRY: '1',
		DISABLE_ERROR_REPORTING: '1',
	}
}

/** Opens no door: the scripted API takes any key. */
export const dummyKey = 'sk-ant-test-0123456789abcdefghijklmnop'

/**
 * Makes a home in which Claude Code starts straight to its prompt, without onboarding, and trusts the given
 * projects.
 */
export async function seedClaudeHome(
	home: string,
	projects: readonly string[],
	key: string = dummyKey,
): Promise<void> {
	const trusted = await Promise.all(projects.map((project) => realpath(project)))
	const settings = {
		hasCompletedOnboarding: true,
		theme: 'dark',
		customApiKeyResponses: { approved: [key.slice(-20)] },
		projects: Object.fromEntries(
			[...projects, ...trusted].map((project) => [project, { hasTrustDialogAccepted: true }]),
		),
	}
	await mkdir(home, { recursive: true })
	await writeFile(join(home, '.claude.json'), JSON.stringify(settings), { mode: 0o600 })
}

function cacheFolder(): string {
	const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache')
	return join(cache, 'styrby-tui', 'agents')
}

/** Installs beside its place and moves it there, so that a broken install is never taken for a whole one. */
async function install(spec: string, folder: string): Promise<void> {
	await mkdir(cacheFolder(), { recursive: true })
	const work = await mkdtemp(`${folder}.`)
	try {
		await writeFile(join(work, 'package.json'), '{"private":true}')
		await run('npm', ['install', '--no-audit', '--no-fund', spec], { cwd: work })
		await rename(work, folder)
	} catch (error) {
		await rm(work, { recursive: true, force: true })
		// Another process may have been faster.
		if (!(await exists(folder))) throw error
	}
}

export function isPinned(name: string): name is PinnedAgent {
	return name in pinned
}

async function exists(path: string): Promise<boolean> {
	try {
		await access(path)
		return true
	} catch {
		return false
	}
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
	await installAgents()
}
