/** The contract of all agents, with Gemini CLI. */
import { join } from 'node:path'
import { gemini } from '../../source/agents/gemini/index.ts'
import type { AgentDriver, Plan, Say } from './agent-driver.ts'
import { findAgent } from './agents.ts'
import { geminiEnvironment, seedGeminiHome } from './gemini.ts'
import { type Block, startScriptedGemini, type Turn } from './scripted-gemini.ts'

/** Of gemini-2.5-pro, USD per million tokens. */
const prices = { input: 1.25, output: 10, cache_read: 0.125 }

export const geminiDriver: AgentDriver = {
	adapter: gemini,
	find: () => findAgent('gemini'),
	async open({ home, cwd, program }, plans) {
		const api = await startScriptedGemini({
			rules: [
				...plans.map((plan) => ({
					match: new RegExp(`^${plan.word}\\b`),
					turns: turnsOf(plan, cwd),
				})),
				// In its own interface a denial ends the turn, and its reason is the next prompt.
				{ match: /^Denied by the user: /, turns: [[{ text: 'left alone' }]] },
			],
		})
		await seedGeminiHome(home, { projects: [cwd] })
		return {
			env: geminiEnvironment(home, program, api.url),
			bodies: () => api.requests.map(({ body }) => JSON.stringify(body)),
			[Symbol.asyncDispose]: () => api[Symbol.asyncDispose](),
		}
	},
	resume: (session) => ['--resume', session],
	process: /gemini/,
	exitCodes: true,
	cost: ({ input, output, cache_read }) =>
		(input * prices.input + output * prices.output + cache_read * prices.cache_read) / 1e6,
	native: {
		ready: /Type your message/,
		asked: /Allow execution|Apply this change/,
		approve: ['\r'],
		deny: ['\u001B'],
		quit: ['\u0003', '\u0003'],
	},
}

/** In its own interface text is told when a response is whole. */
export const geminiNativeDriver: AgentDriver = {
	...geminiDriver,
	cannot: { stream: 'Its chat file has only whole responses' },
}

function turnsOf({ responses }: Plan, cwd: string): Turn[] {
	return responses.map(({ say, tokens = {} }) => {
		const { input, output, cache_read = 0 } = tokens
		return {
			blocks: say.map((one) => blockOf(one, cwd)),
			usage: {
				...(input === undefined ? {} : { prompt: input + cache_read, cached: cache_read }),
				// Thoughts are counted apart, and are output.
				...(output === undefined ? {} : { candidates: output - 3, thoughts: 3 }),
			},
		}
	})
}

function blockOf(say: Say, cwd: string): Block {
	if ('run' in say) {
		const input = { command: say.run, description: 'A command' }
		return { tool: 'run_shell_command', input }
	}
	if ('edit' in say) {
		const { file, from, to } = say.edit
		const input = {
			file_path: join(cwd, file),
			instruction: 'Change the greeting',
			old_string: from,
			new_string: to,
		}
		return { tool: 'replace', input }
	}
	return 'error' in say ? { error: { status: 400, message: say.error } } : say
}
