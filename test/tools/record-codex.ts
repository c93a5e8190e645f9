/**
 * Records what the real Codex says in the runs that the unit tests replay: `npm run record-agents -- --agent codex`.
 * Each recording in test/fixtures/agents/codex is one line of JSON a step: the thread as it was opened
 * (`opened`), a prompt of ours (`sent`), a message of the app-server as it came (`message`), or an answer of
 * ours (`answer`). Names of folders, ids and times of this machine are replaced.
 */
import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import * as v from 'valibot'
import type { AgentAnswer } from '../../source/agents/agent.ts'
import { AppServer } from '../../source/agents/codex/app-server.ts'
import { openedSchema, type RpcMessage } from '../../source/agents/codex/schema.ts'
import { ThreadReader } from '../../source/agents/codex/thread-reader.ts'
import { codexEnvironment, seedCodexHome } from './codex-home.ts'
import { recordingPlace } from './recording-place.ts'
import { codexScript } from './scripted-codex.ts'
import { startScriptedOpenai } from './scripted-openai.ts'

const threadSchema = v.object({ id: v.string(), path: v.string() })

interface Run {
	name: string
	prompt: string
	answer?: AgentAnswer
	interrupt?: 'text' | 'request'
	sandbox?: string
}

const allow: AgentAnswer = { decision: 'allow', scope: 'once' }
const deny: AgentAnswer = { decision: 'deny', reason: 'keep the build' }
const answers = { 'Which database?': 'SQLite' }
const filledIn = { Colour: 'blue', count: '3' }
const runs: Run[] = [
	{ name: 'text-only', prompt: 'TEXT please' },
	{ name: 'command-allow', prompt: 'RUN it', answer: allow },
	{ name: 'command-deny', prompt: 'REMOVE it', answer: deny },
	{ name: 'command-fails', prompt: 'EXIT', answer: allow },
	{ name: 'command-session', prompt: 'AGAIN', answer: { decision: 'allow', scope: 'session' } },
	{ name: 'command-scripted', prompt: 'CODE', answer: allow },
	{ name: 'edit-allow', prompt: 'EDIT', answer: allow, sandbox: 'read-only' },
	{ name: 'edit-deny', prompt: 'EDIT', answer: deny, sandbox: 'read-only' },
	{ name: 'question', prompt: 'ASK', answer: { ...allow, input: { answers } } },
	{ name: 'more-permissions', prompt: 'ALLOWANCE', answer: allow },
	{ name: 'tool-of-a-server', prompt: 'POKE', answer: allow },
	{ name: 'form-of-a-server', prompt: 'FORM', answer: { ...allow, input: { answers: filledIn } } },
	{ name: 'web-search', prompt: 'SEARCH' },
	{ name: 'api-error-400', prompt: 'FAIL' },
	{ name: 'interrupt', prompt: 'WAIT', interrupt: 'text' },
	{ name: 'interrupt-while-request-open', prompt: 'RUN it', interrupt: 'request' },
]

/** What a kept history is made of: a turn of each kind, then a fork, and a summary of it all. */
const prompts = ['TEXT one', 'RUN it', 'EXIT', 'EDIT', 'REMOVE it', 'ASK', 'SEARCH', 'CODE', 'FAIL']

const { fixtures, program } = await recordingPlace('codex')
const folder = await realpath(await mkdtemp(join(tmpdir(), 'styrby-record-')))
const cwd = join(folder, 'project')
const home = join(folder, 'home')
await mkdir(cwd)
const api = await startScriptedOpenai({ script: codexScript, vars: { cwd } })
const server = join(import.meta.dirname, 'bench-mcp-server.mjs')
const more = `[mcp_servers.bench]\ncommand = "${process.execPath}"\nargs = ["${server}"]\n`
await seedCodexHome(home, { apiUrl: api.url, projects: [cwd], more })
const env = codexEnvironment(home)
env.PATH = `${dirname(program)}${delimiter}${env.PATH}`
try {
	for (const run of runs) {
		await writeFile(join(cwd, 'greet.js'), 'function greet() {\n  return "hello"\n}\n')
		await mkdir(join(cwd, 'build'), { recursive: true })
		const steps = await record(run)
		const text = steps.map((step) => JSON.stringify(step)).join('\n')
		await writeFile(join(fixtures, `${run.name}.jsonl`), `${plain(text)}\n`)
		process.stdout.write(`${run.name}: ${steps.length} lines\n`)
	}
	await mkdir(join(fixtures, 'rollouts'), { recursive: true })
	for (const mode of ['paginated', 'legacy']) {
		for (const [name, path] of Object.entries(await recordHistory(mode))) {
			const lines = (await readFile(path, 'utf8')).trim().split('\n').map(shortened)
			const file = join(fixtures, 'rollouts', `${mode}${name}.jsonl`)
			await writeFile(file, `${plain(lines.join('\n'))}\n`)
			process.stdout.write(`${mode}${name}: ${lines.length} lines\n`)
		}
	}
} finally {
	await api.close()
	await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 })
}

/** One run with an app-server of its own, to its end. */
async function record({ prompt, answer, interrupt, sandbox }: Run): Promise<unknown[]> {
	const steps: unknown[] = []
	const reader = new ThreadReader()
	const over = Promise.withResolvers<void>()
	let interrupted = false
	const app = await AppServer.start(program, {
		cwd,
		env,
		args: [],
		onLine: async ({ text }, message) => {
			if (text === null || message === null) throw new Error('no message')
			// Of this machine, not of Codex.
			if (message.type === 'notification' && message.method === 'configWarning') return
			steps.push({ message: JSON.parse(text) })
			await read(message)
		},
	})

	async function read(message: RpcMessage): Promise<void> {
		for (const output of reader.read(message, new Date().toISOString())) {
			if (output.type === interrupt && !interrupted) {
				interrupted = true
				void app.call('turn/interrupt', { threadId: reader.thread, turnId: reader.turn })
			}
			if (output.type === 'request' && answer !== undefined) {
				steps.push({ answer: { id: output.id, answer } })
				const taken = reader.requests.take(output.id, answer)
				if (taken === null) throw new Error('an answer that is not taken')
				await app.respond(taken.rpc, taken.result)
			}
			if (output.type === 'status' && output.status === 'idle') over.resolve()
		}
	}

	const clientInfo = { name: 'styrby-tui', title: null, version: '1' }
	await app.call('initialize', { clientInfo, capabilities: { experimentalApi: true } })
	await app.notify('initialized')
	const model = prompt === 'CODE' ? 'gpt-6.1-sol' : 'gpt-5.5'
	const params = { cwd, model, ...(sandbox === undefined ? {} : { sandbox }) }
	const { result } = await app.call('thread/start', params)
	steps.push({ opened: result })
	reader.opened(v.parse(openedSchema, result))
	const id = 'prompt-1'
	steps.push({ sent: { id, source: 'agent' } })
	reader.sending(id, 'agent')
	const input = [{ type: 'text', text: prompt, text_elements: [] }]
	await app.call('turn/start', { threadId: reader.thread, clientUserMessageId: id, input })
	await over.promise
	await app.stop()
	return steps
}

/** A history as Codex keeps it (`mode`), and that of a fork of it: the paths of the two. */
async function recordHistory(mode: string): Promise<{ '': string; '-fork': string }> {
	await writeFile(join(cwd, 'greet.js'), 'function greet() {\n  return "hello"\n}\n')
	let over = Promise.withResolvers<void>()
	const app = await AppServer.start(program, {
		cwd,
		env,
		args: [],
		onLine: async (_line, message) => {
			if (message?.type === 'notification' && message.method === 'turn/completed') over.resolve()
			if (message?.type !== 'request') return
			const denied = JSON.stringify(message.params).includes('rm -rf')
			const answers = { database: { answers: ['SQLite'] } }
			await app.respond(message.id, { decision: denied ? 'decline' : 'accept', answers })
		},
	})
	const clientInfo = { name: 'styrby-tui', title: null, version: '1' }
	await app.call('initialize', { clientInfo, capabilities: { experimentalApi: true } })
	await app.notify('initialized')
	const call = async (method: string, params: object) => {
		over = Promise.withResolvers()
		const { result, error } = await app.call(method, params)
		if (error !== null) throw new Error(error)
		return v.parse(v.object({ thread: v.optional(threadSchema) }), result).thread
	}
	const turn = async (threadId: string, text: string) => {
		const model = text === 'CODE' ? 'gpt-6.1-sol' : 'gpt-5.5'
		const input = [{ type: 'text', text, text_elements: [] }]
		await call('turn/start', { threadId, model, input })
		await over.promise
	}
	const main = await call('thread/start', { cwd, model: 'gpt-5.5', historyMode: mode })
	if (main === undefined) throw new Error('no thread')
	for (const text of prompts) await turn(main.id, text)
	const fork = await call('thread/fork', { threadId: main.id })
	if (fork === undefined) throw new Error('no fork')
	await turn(fork.id, 'TEXT forked')
	await call('thread/compact/start', { threadId: main.id })
	await over.promise
	await turn(main.id, 'TEXT after')
	await app.stop()
	return { '': main.path, '-fork': fork.path }
}

/** A line of a rollout without Codex's own instructions and the settings of this machine. */
function shortened(line: string): string {
	const { timestamp, ordinal, type, payload } = JSON.parse(line)
	const cut = '(cut)'
	for (const key of ['base_instructions', 'state', 'thread_settings', 'replacement_history']) {
		if (key in payload) payload[key] = cut
	}
	if (payload.role === 'developer') payload.content = [{ type: 'input_text', text: cut }]
	const { turn_id, cwd, model } = payload
	const kept = type === 'turn_context' ? { turn_id, cwd, model } : payload
	return JSON.stringify({ timestamp, ordinal, type, payload: kept })
}

/** Without what differs from one recording to the next. */
function plain(text: string): string {
	const ids = new Map<string, string>()
	const named = (id: string) => {
		const known = ids.get(id) ?? `00000000-0000-7000-8000-${String(ids.size + 1).padStart(12, '0')}`
		ids.set(id, known)
		return known
	}
	let time = 0
	let seconds = 0
	return text
		.replaceAll(cwd, '/home/user/project')
		.replaceAll(folder, '/home/user')
		.replaceAll(server, '/home/user/bench-mcp-server.mjs')
		.replaceAll(process.execPath, 'node')
		.replaceAll(api.url, 'http://127.0.0.1:8080/v1')
		.replaceAll(`"serverName":"${hostname()}"`, '"serverName":"host"')
		.replace(/\b[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}\b/g, named)
		.replace(/\b\d{13}\b/g, () => String(1_764_028_800_000 + time++))
		.replace(/(?<=[:,])1[78]\d{8}\b/g, '1764028800')
		.replace(/\b\d{4}-\d\d-\d\dT[\d:]{8}\.\d{3}Z/g, () =>
			new Date(1_764_028_800_000 + 1000 * seconds++).toISOString(),
		)
}
