/** The contract of all agents, with Claude Code. */
import { delimiter, dirname, join } from 'node:path'
import { claude } from '../../source/agents/claude/index.ts'
import type { AgentDriver, Plan, Say } from './agent-driver.ts'
import { claudeEnvironment, findAgent, seedClaudeHome } from './agents.ts'
import { type Block, startScriptedAnthropic, type Turn } from './scripted-anthropic.mjs'

const model = 'claude-sonnet-4-5-20250929'

export const claudeDriver: AgentDriver = {
	adapter: claude,
	find: () => findAgent('claude'),
	async open({ home, cwd, program }, plans) {
		const rules = plans.map((plan) => ({
			// A prompt after one that failed comes in the same message, below it.
			match: `(?:^|\\n)${plan.word}\\b[^\\n]*$`,
			turns: turnsOf(plan, cwd),
		}))
		const api = await startScriptedAnthropic({ script: { rules }, keepBodies: true })
		await seedClaudeHome(home, [cwd])
		const env = claudeEnvironment(home, api.url)
		return {
			env: { ...env, PATH: `${dirname(program)}${delimiter}${env.PATH}` },
			args: ['--model', model],
			bodies: () =>
				api.requests.flatMap(({ body }) => (body === undefined ? [] : [JSON.stringify(body)])),
			[Symbol.asyncDispose]: () => api.close(),
		}
	},
	resume: (session) => ['--resume', session],
	process: /claude(?:\.exe)? .*--model/,
	exitCodes: true,
	// USD per million tokens of the model.
	cost: ({ input, output, cache_read, cache_write }) =>
		(input * 3 + output * 15 + cache_read * 0.3 + cache_write * 3.75) / 1e6,
	native: {
		ready: /\? for shortcuts|Try "|manual mode/,
		asked: /Do you want/,
		approve: ['\r'],
		deny: ['\u001B'],
		quit: ['/exit', '\r'],
		interrupt: ['\u001B'],
	},
}

function turnsOf({ responses }: Plan, cwd: string): Turn[] {
	return responses.flatMap(({ say, tokens = {} }) => {
		const blocks = say.map((one) => blockOf(one, cwd))
		const usage = Object.fromEntries(
			[
				['input_tokens', tokens.input] as const,
				['output_tokens', tokens.output] as const,
				['cache_read_input_tokens', tokens.cache_read] as const,
				['cache_creation_input_tokens', tokens.cache_write] as const,
			].filter(([, count]) => count !== undefined),
		)
		// It edits only what it has read.
		const read = say.flatMap((one): Turn[] =>
			'edit' in one
				? [{ blocks: [{ tool: 'Read', input: { file_path: join(cwd, one.edit.file) } }] }]
				: [],
		)
		return [...read, { blocks, usage }]
	})
}

function blockOf(say: Say, cwd: string): Block {
	if ('run' in say) {
		return { tool: 'Bash', input: { command: say.run, description: 'A command' } }
	}
	if ('edit' in say) {
		const { file, from, to } = say.edit
		const input = { file_path: join(cwd, file), old_string: from, new_string: to }
		return { tool: 'Edit', input }
	}
	if ('error' in say) {
		return { error: { status: 400, type: 'invalid_request_error', message: say.error } }
	}
	return say
}
