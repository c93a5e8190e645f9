/**
 * What we add to OpenCode while it runs, as a plugin in a file of its own that is gone with the session:
 * nothing is installed, and the person's own settings stay in force.
 */
import { access, chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

/**
 * By itself OpenCode edits files and runs commands without asking. Asks for those, for what goes to the
 * network and for the tools of MCP servers, wherever the person has not chosen otherwise. Planning keeps
 * its own rule, by which it edits nothing but plans.
 */
const askConfig = `
	config: async (config) => {
		const own = config.permission ?? {}
		if (typeof own !== 'object' || Object.hasOwn(own, '*')) return
		const asked = { edit: 'ask', bash: 'ask', webfetch: 'ask', websearch: 'ask', codesearch: 'ask' }
		for (const server of Object.keys(config.mcp ?? {})) {
			asked[server.replace(/[^a-zA-Z0-9_-]/g, '_') + '_*'] = 'ask'
		}
		config.permission = { ...asked, ...own }
		if (Object.hasOwn(own, 'edit')) return
		const edit = { '*': 'deny', '.opencode/plans/*.md': 'allow', '*/opencode/plans/*.md': 'allow' }
		const plan = config.agent?.plan ?? {}
		const permission = typeof plan.permission === 'string' ? plan.permission : { edit, ...plan.permission }
		config.agent = { ...config.agent, plan: { ...plan, permission } }
	},`

/** The server has read its password before: commands that it runs need not inherit it. */
export function pluginSource(asks: boolean): string {
	return `import { writeFileSync } from 'node:fs'
export const Host = async () => {
	delete process.env.OPENCODE_SERVER_PASSWORD
	writeFileSync(new URL('loaded', import.meta.url), '')
	return {${asks ? askConfig : ''} }
}
`
}

export class PluginFile implements AsyncDisposable {
	readonly folder: string

	private constructor(folder: string) {
		this.folder = folder
	}

	static async write(asks: boolean): Promise<PluginFile> {
		const file = new PluginFile(await mkdtemp(join(tmpdir(), 'styrby-opencode-')))
		await chmod(file.folder, 0o700)
		const options = { mode: 0o600, flag: 'wx' }
		await writeFile(join(file.folder, 'host.js'), pluginSource(asks), options)
		return file
	}

	get url(): string {
		return pathToFileURL(join(this.folder, 'host.js')).href
	}

	/** Whether OpenCode has run it. */
	async loaded(): Promise<boolean> {
		try {
			await access(join(this.folder, 'loaded'))
			return true
		} catch {
			return false
		}
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await rm(this.folder, { recursive: true, force: true })
	}
}
