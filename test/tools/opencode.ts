/** A home in which OpenCode knows one scripted model and nobody else, for tests with the real agent. */
import { mkdir, writeFile } from 'node:fs/promises'
import { delimiter, dirname, join } from 'node:path'

/** USD per million tokens. */
export const prices = { input: 3, output: 15, cache_read: 0.3, cache_write: 3.75 }

export async function seedOpencodeHome(
	home: string,
	url: string,
	more: Record<string, unknown> = {},
): Promise<void> {
	const folder = join(home, '.config', 'opencode')
	await mkdir(folder, { recursive: true })
	const config = {
		model: 'scripted/big',
		small_model: 'scripted/big',
		autoupdate: false,
		share: 'disabled',
		provider: {
			scripted: {
				npm: '@ai-sdk/openai-compatible',
				name: 'Scripted',
				options: { baseURL: url, apiKey: 'opens-no-door' },
				models: {
					big: {
						name: 'Big',
						reasoning: true,
						tool_call: true,
						cost: prices,
						limit: { context: 200_000, output: 8000 },
					},
				},
			},
		},
		...more,
	}
	await writeFile(join(folder, 'opencode.json'), JSON.stringify(config))
}

/** `program`: the real one; its folder comes first on the PATH. */
export function opencodeEnvironment(home: string, program: string): NodeJS.ProcessEnv {
	const env: NodeJS.ProcessEnv = { ...process.env }
	for (const name of Object.keys(env)) {
		if (/^(?:OPENCODE|STYRBY|OPENAI|ANTHROPIC|XDG_)/.test(name)) delete env[name]
	}
	delete env.CI
	return {
		...env,
		HOME: home,
		PATH: `${dirname(program)}${delimiter}${env.PATH}`,
		OPENCODE_DISABLE_MODELS_FETCH: '1',
		OPENCODE_DISABLE_AUTOUPDATE: '1',
		// It would install a package into its settings' folder.
		npm_config_offline: 'true',
	}
}
