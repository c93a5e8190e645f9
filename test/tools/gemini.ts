/** A home in which Gemini CLI knows one scripted model and nobody else, for tests with the real agent. */
import { mkdir, realpath, writeFile } from 'node:fs/promises'
import { delimiter, dirname, join } from 'node:path'

export interface GeminiHomeOptions {
	/** Folders that are trusted: it starts there without asking. */
	projects: readonly string[]
	/** More of its settings. */
	more?: Record<string, unknown>
}

export async function seedGeminiHome(
	home: string,
	{ projects, more = {} }: GeminiHomeOptions,
): Promise<void> {
	const folder = join(home, '.gemini')
	await mkdir(folder, { recursive: true })
	const trusted = await Promise.all(projects.map((project) => realpath(project)))
	await writeFile(
		join(folder, 'trustedFolders.json'),
		JSON.stringify(Object.fromEntries(trusted.map((path) => [path, 'TRUST_FOLDER']))),
	)
	const settings = {
		security: { auth: { selectedType: 'gemini-api-key' } },
		general: { enableAutoUpdate: false, enableAutoUpdateNotification: false },
		privacy: { usageStatisticsEnabled: false },
		telemetry: { enabled: false },
		// Else another model is asked first which one is to answer.
		model: { name: 'gemini-2.5-pro' },
		...more,
	}
	await writeFile(join(folder, 'settings.json'), JSON.stringify(settings))
}

/** `program`: the real one; its folder comes first on the PATH. */
export function geminiEnvironment(home: string, program: string, url: string): NodeJS.ProcessEnv {
	const env: NodeJS.ProcessEnv = { ...process.env }
	for (const name of Object.keys(env)) {
		if (/^(?:GEMINI|GOOGLE|STYRBY|XDG_)/.test(name)) delete env[name]
	}
	delete env.CI
	return {
		...env,
		HOME: home,
		PATH: `${dirname(program)}${delimiter}${env.PATH}`,
		GEMINI_API_KEY: 'opens-no-door',
		GOOGLE_GEMINI_BASE_URL: url,
	}
}
