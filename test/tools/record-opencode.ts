/**
 * Records what the real OpenCode says in the runs that the unit tests replay:
 * `npm run record-agents -- --agent opencode`. Each recording in test/fixtures/agents/opencode is one line of JSON
 * a step: an event as it came (`event`), or an answer of ours and whether it was taken (`answer`). Names of
 * folders of this machine are replaced.
 */
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as v from 'valibot'
import type { AgentAnswer } from '../../source/agents/agent.ts'
import { agentsSchema } from '../../source/agents/opencode/modes.ts'
import { PluginFile } from '../../source/agents/opencode/plugin.ts'
import { EventReader } from '../../source/agents/opencode/reader.ts'
import { replyTo } from '../../source/agents/opencode/request.ts'
import { sessionSchema } from '../../source/agents/opencode/schema.ts'
import { OpencodeServer } from '../../source/agents/opencode/server.ts'
import { opencodeEnvironment, seedOpencodeHome } from './opencode.ts'
import { opencodeScript } from './opencode-script.ts'
import { recordingPlace } from './recording-place.ts'
import { startScriptedOpenaiChat } from './scripted-openai-chat.ts'

const allow: AgentAnswer = { decision: 'allow', scope: 'once' }
const deny: AgentAnswer = { decision: 'deny', reason: 'keep the build' }
const runs: {
	name: string
	prompt: string
	answer?: AgentAnswer
	interrupt?: 'text' | 'request'
}[] = [
	{ name: 'text-only', prompt: 'HELLO' },
	{ name: 'bash-allow', prompt: 'RUN it', answer: allow },
	{ name: 'bash-deny', prompt: 'REMOVE it', answer: deny },
	{ name: 'bash-fails', prompt: 'CODE', answer: allow },
	{ name: 'edit-approve', prompt: 'EDIT', answer: allow },
	{ name: 'write-deny', prompt: 'WRITE', answer: deny },
	{ name: 'todo', prompt: 'TODO' },
	{
		name: 'question',
		prompt: 'ASK',
		answer: {
			decision: 'allow',
			scope: 'once',
			input: { answers: { 'Which database?': 'SQLite' } },
		},
	},
	{ name: 'question-refused', prompt: 'ASK', answer: deny },
	{ name: 'subagent', prompt: 'HELPER', answer: allow },
	{ name: 'api-error-400', prompt: 'FAIL' },
	{ name: 'interrupt', prompt: 'WAIT', interrupt: 'text' },
	{ name: 'interrupt-while-permission-open', prompt: 'REMOVE it', interrupt: 'request' },
	// The last one: it holds for as long as the server runs.
	{ name: 'bash-session', prompt: 'AGAIN', answer: { decision: 'allow', scope: 'session' } },
]

const { fixtures, program } = await recordingPlace('opencode')
const folder = await realpath(await mkdtemp(join(tmpdir(), 'styrby-record-')))
const cwd = join(folder, 'project')
const home = join(folder, 'home')
await mkdir(cwd)
await using api = await startScriptedOpenaiChat(opencodeScript(cwd))
await seedOpencodeHome(home, api.url)
await using plugin = await PluginFile.write(true)
const settings = { plugin: [plugin.url] }
const env = opencodeEnvironment(home, program)
const server = await OpencodeServer.start(program, {
	cwd,
	env,
	settings,
	folder: plugin.folder,
})
try {
	await server.read('/agent', agentsSchema)
	for (const run of runs) {
		await writeFile(join(cwd, 'greet.js'), 'function greet() {\n  return "hello"\n}\n')
		await mkdir(join(cwd, 'build'), { recursive: true })
		const lines = await record(run)
		const text = lines.map((line) => JSON.stringify(line)).join('\n')
		await writeFile(join(fixtures, `${run.name}.jsonl`), `${plain(text)}\n`)
		process.stdout.write(`${run.name}: ${lines.length} lines\n`)
	}
} finally {
	await server.stop()
	await rm(folder, { recursive: true, force: true })
}

/** One run in a session of its own, to its end. */
async function record({ prompt, answer, interrupt }: (typeof runs)[number]): Promise<unknown[]> {
	const lines: unknown[] = []
	const reader = new EventReader()
	const listening = new AbortController()
	const events = await server.events(listening.signal)
	const made = await server.call('POST', '/session', {})
	const { id: session } = v.parse(sessionSchema, made.body)
	reader.prompted(prompt, 'agent')
	lines.push({ prompt })
	const parts = [{ type: 'text', text: prompt }]
	await server.call('POST', `/session/${session}/prompt_async`, { parts })
	let interrupted = false
	try {
		for await (const event of events) {
			if (event === null) throw new Error('an event over the cap')
			const { type } = JSON.parse(event)
			// Of the start of a server, a hundred lines that say nothing of a session.
			if (/^(?:plugin|catalog|integration|reference)\./.test(type)) continue
			lines.push({ event: JSON.parse(event) })
			const step = reader.read(event, new Date().toISOString())
			const due = step.outputs.some((output) => output.type === interrupt)
			if (due && !interrupted) {
				interrupted = true
				await server.call('POST', `/session/${session}/abort`)
			}
			for (const output of step.outputs) {
				if (output.type !== 'request' || answer === undefined) continue
				const request = reader.request(output.id)
				if (request === null) throw new Error('a request that is not open')
				const { reply } = replyTo(output.id, request, answer)
				reader.answering(output.id)
				const { ok } = await server.call('POST', reply.path, reply.body)
				reader.answered(output.id, ok)
				lines.push({ answer: { id: output.id, ok } })
			}
			if (step.idle) setTimeout(() => listening.abort(), 1000)
		}
	} catch (error) {
		if (!listening.signal.aborted) throw error
	}
	return lines
}

function plain(text: string): string {
	return text
		.replaceAll(cwd, '/home/user/project')
		.replaceAll(cwd.slice(1), 'home/user/project')
		.replaceAll(folder, '/home/user')
		.replaceAll(api.url, 'http://127.0.0.1:8080/v1')
}
