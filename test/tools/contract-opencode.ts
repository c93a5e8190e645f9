/** The contract of all agents, with OpenCode. */
import { join } from 'node:path'
import { opencode } from '../../source/agents/opencode/index.ts'
import type { AgentDriver, Plan, Say } from './agent-driver.ts'
import { findAgent } from './agents.ts'
import { opencodeEnvironment, prices, seedOpencodeHome } from './opencode.ts'
import { type Block, startScriptedOpenaiChat, type Turn } from './scripted-openai-chat.ts'

export const opencodeDriver: AgentDriver = {
	adapter: opencode,
	find: () => findAgent('opencode'),
	async open({ home, cwd, program }, plans) {
		const api = await startScriptedOpenaiChat({
			rules: plans.map((plan) => ({
				match: new RegExp(`^${plan.word}\\b`),
				turns: turnsOf(plan, cwd),
			})),
		})
		await seedOpencodeHome(home, api.url)
		return {
			env: opencodeEnvironment(home, program),
			bodies: () => api.requests.map((body) => JSON.stringify(body)),
			[Symbol.asyncDispose]: () => api[Symbol.asyncDispose](),
		}
	},
	resume: (session) => ['--session', session],
	process: / serve /,
	exitCodes: true,
	cost: ({ input, output, cache_read }) =>
		(input * prices.input + output * prices.output + cache_read * prices.cache_read) / 1e6,
	native: {
		ready: /Ask anything|ctrl\+p commands/,
		asked: /Permission required/,
		approve: ['\r'],
		// The third of its choices.
		deny: ['\u001B[C', '\u001B[C', '\r'],
		quit: ['\u0003'],
	},
}

function turnsOf({ responses }: Plan, cwd: string): Turn[] {
	return responses.flatMap(({ say, tokens = {} }) => {
		const blocks = say.map((one) => blockOf(one, cwd))
		const usage = {
			...(tokens.input === undefined
				? {}
				: { prompt: tokens.input + (tokens.cache_read ?? 0), cached: tokens.cache_read ?? 0 }),
			...(tokens.output === undefined ? {} : { completion: tokens.output }),
		}
		// It edits only what it has read.
		const read = say.flatMap((one): Turn[] =>
			'edit' in one
				? [{ blocks: [{ tool: 'read', input: { filePath: join(cwd, one.edit.file) } }] }]
				: [],
		)
		return [...read, { blocks, usage }]
	})
}

function blockOf(say: Say, cwd: string): Block {
	if ('run' in say) {
		return { tool: 'bash', input: { command: say.run, description: 'A command' } }
	}
	if ('edit' in say) {
		const { file, from, to } = say.edit
		const input = { filePath: join(cwd, file), oldString: from, newString: to }
		return { tool: 'edit', input }
	}
	return 'error' in say ? { error: { status: 400, message: say.error } } : say
}
