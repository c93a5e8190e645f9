/** Aider for tests: the stand-in for it, in a folder of its own, with a scripted model. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { type Script, startScriptedOpenaiChat } from './scripted-openai-chat.ts'

const standIn = join(import.meta.dirname, 'aider-stand-in')

export interface AiderPlace extends AsyncDisposable {
	folder: string
	env: NodeJS.ProcessEnv
	/** Bodies of all that the model was sent. */
	requests: unknown[]
}

/** A folder with files, and the environment of an Aider that knows one scripted model and nobody else. */
export async function aiderPlace(
	rules: Script['rules'],
	files: Record<string, string> = {},
): Promise<AiderPlace> {
	const folder = await mkdtemp(join(tmpdir(), 'styrby-test-'))
	for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text)
	const server = await startScriptedOpenaiChat({ rules, toolless: true })
	const env: NodeJS.ProcessEnv = {
		HOME: folder,
		PATH: [standIn, dirname(process.execPath), process.env.PATH].join(delimiter),
		TERM: 'xterm-256color',
		OPENAI_API_BASE: server.url,
		OPENAI_API_KEY: 'test-key',
	}
	return {
		folder,
		env,
		requests: server.requests,
		async [Symbol.asyncDispose]() {
			await server[Symbol.asyncDispose]()
			await rm(folder, { recursive: true, force: true })
		},
	}
}

/** An edit of one file, in the form in which models give it to Aider. */
export function editBlock(path: string, search: string, replace: string): string {
	return `${path}\n\`\`\`text\n<<<<<<< SEARCH\n${search}=======\n${replace}>>>>>>> REPLACE\n\`\`\`\n`
}

export function shellBlock(command: string): string {
	return `\`\`\`bash\n${command}\n\`\`\`\n`
}
