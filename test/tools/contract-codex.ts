/** The contract of all agents, with Codex. */
import { readFile } from 'node:fs/promises'
import { delimiter, dirname, join } from 'node:path'
import { structuredPatch } from 'diff'
import { codex } from '../../source/agents/codex/index.ts'
import type { AgentDriver, Plan, Say } from './agent-driver.ts'
import { findAgent } from './agents.ts'
import { codexEnvironment, seedCodexHome } from './codex-home.ts'
import { command } from './scripted-codex.ts'
import { type Block, startScriptedOpenai, type Turn } from './scripted-openai.ts'

export const codexDriver: AgentDriver = {
	adapter: codex,
	find: () => findAgent('codex'),
	async open({ home, cwd, program }, plans) {
		const rules = await Promise.all(
			plans.map(async (plan) => ({ match: `^${plan.word}\\b`, turns: await turnsOf(plan, cwd) })),
		)
		const api = await startScriptedOpenai({ script: { rules } })
		await seedCodexHome(home, { apiUrl: api.url, projects: [cwd] })
		const env = codexEnvironment(home)
		return {
			env: { ...env, PATH: `${dirname(program)}${delimiter}${env.PATH}` },
			// It asks for what the sandbox does not allow.
			args: ['--sandbox', 'read-only'],
			bodies: () =>
				api.requests
					.map(({ body }) => JSON.stringify(body))
					.filter((body) => !body.includes('Generate a concise, single-line task title')),
			[Symbol.asyncDispose]: () => api.close(),
		}
	},
	resume: (session) => ['resume', session],
	// In its own interface the one that is killed is that; the app-server behind it is started again.
	process: /app-server|--remote/,
	exitCodes: true,
	// USD per million tokens of gpt-5.5.
	cost: ({ input, output, cache_read }) => (input * 5 + output * 30 + cache_read * 0.5) / 1e6,
	native: {
		ready: /Ask Codex to do anything/,
		asked: /Would you like to/,
		approve: ['y'],
		deny: ['\u001B'],
		quit: ['/quit', '\r'],
	},
}

function turnsOf({ responses }: Plan, cwd: string): Promise<Turn[]> {
	return Promise.all(
		responses.map(async ({ say, tokens = {} }): Promise<Turn> => {
			const blocks = await Promise.all(say.map((one) => blockOf(one, cwd)))
			const { input = 90, cache_read = 10, output = 20 } = tokens
			return { blocks, usage: { input: input + cache_read, cached: cache_read, output } }
		}),
	)
}

async function blockOf(say: Say, cwd: string): Promise<Block> {
	if ('run' in say) return command(say.run)
	if ('error' in say) return { error: { status: 400, code: 'invalid_request', message: say.error } }
	if (!('edit' in say)) return say
	const { file, from, to } = say.edit
	const before = await readFile(join(cwd, file), 'utf8')
	const [hunk] = structuredPatch(file, file, before, before.replace(from, to)).hunks
	const lines = ['*** Begin Patch', `*** Update File: ${file}`, '@@', ...(hunk?.lines ?? [])]
	return { custom: 'apply_patch', text: [...lines, '*** End Patch'].join('\n') }
}
