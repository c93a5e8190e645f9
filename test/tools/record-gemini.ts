/**
 * Records what the real Gemini CLI says in the runs that the unit tests replay:
 * `npm run record-agents -- --agent gemini`. Each recording in test/fixtures/agents/gemini is one line of JSON a
 * step: a line of the agent as it came (`line`), what its chat file had by then (`chat`), or what it was told
 * (`prompt`, `answer`, `interrupt`). Names of folders of this machine are replaced.
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as v from 'valibot'
import type { AgentAnswer } from '../../source/agents/agent.ts'
import { sessionSchema } from '../../source/agents/gemini/acp-schema.ts'
import { ChatFile, geminiFolder } from '../../source/agents/gemini/chat-file.ts'
import { AcpReader } from '../../source/agents/gemini/reader.ts'
import { Rpc } from '../../source/agents/gemini/rpc.ts'
import { readLines } from '../../source/agents/lines.ts'
import { geminiEnvironment, seedGeminiHome } from './gemini.ts'
import { geminiScript } from './gemini-script.ts'
import { recordingPlace } from './recording-place.ts'
import { startScriptedGemini } from './scripted-gemini.ts'

const allow: AgentAnswer = { decision: 'allow', scope: 'once' }
const session: AgentAnswer = { decision: 'allow', scope: 'session' }
const deny: AgentAnswer = { decision: 'deny', reason: 'keep the build' }
const runs: {
	name: string
	prompt: string
	answer?: AgentAnswer
	interrupt?: 'text' | 'request'
}[] = [
	{ name: 'text-only', prompt: 'HELLO' },
	{ name: 'command-allow', prompt: 'RUN it', answer: allow },
	{ name: 'command-fails', prompt: 'CODE', answer: allow },
	{ name: 'command-deny', prompt: 'REMOVE it', answer: deny },
	{ name: 'command-session', prompt: 'AGAIN', answer: session },
	{ name: 'edit-approve', prompt: 'EDIT', answer: allow },
	{ name: 'edit-session', prompt: 'WRITE', answer: session },
	{ name: 'todo', prompt: 'TODO', answer: allow },
	{ name: 'api-error-400', prompt: 'FAIL' },
	{ name: 'interrupt', prompt: 'WAIT', interrupt: 'text' },
	{ name: 'interrupt-while-permission-open', prompt: 'REMOVE it', interrupt: 'request' },
]

const { fixtures, program } = await recordingPlace('gemini')
const folder = await realpath(await mkdtemp(join(tmpdir(), 'styrby-record-')))
const cwd = join(folder, 'project')
const home = join(folder, 'home')
await mkdir(cwd)
await using api = await startScriptedGemini(geminiScript(cwd))
await seedGeminiHome(home, { projects: [cwd] })
const env: NodeJS.ProcessEnv = {
	...geminiEnvironment(home, program, api.url),
	GEMINI_CLI_NO_RELAUNCH: 'true',
}
const child = spawn(program, ['--acp'], { cwd, env, stdio: 'pipe' })
child.stderr.resume()
const rpc = new Rpc(
	(line) => new Promise((resolve) => child.stdin.write(`${line}\n`, (error) => resolve(!error))),
)
const lines = readLines(child.stdout, 32 * 1024 * 1024)
try {
	await reply(rpc.request('initialize', { protocolVersion: 1, clientCapabilities: {} }))
	for (const run of runs) {
		await writeFile(join(cwd, 'greet.js'), 'function greet() {\n  return "hello"\n}\n')
		await mkdir(join(cwd, 'build'), { recursive: true })
		const steps = await record(run, child)
		const text = steps.map((step) => JSON.stringify(step)).join('\n')
		await writeFile(join(fixtures, `${run.name}.jsonl`), `${plain(text)}\n`)
		process.stdout.write(`${run.name}: ${steps.length} steps\n`)
	}
} finally {
	child.kill()
	await rm(folder, { recursive: true, force: true, maxRetries: 5 })
}

/** Reads on until a request of ours has its reply. */
async function reply(asked: ReturnType<Rpc['request']>): Promise<unknown> {
	let done: Awaited<typeof asked> | null = null
	void asked.then((said) => {
		done = said
	})
	while (done === null) {
		rpc.receive((await next()) ?? '')
		await new Promise((resolve) => setImmediate(resolve))
	}
	const said = await asked
	if (!said.ok) throw new Error(said.error.message)
	return said.result
}

async function next(): Promise<string | null> {
	const line = await lines.next()
	if (line.done) throw new Error('The agent has ended')
	return line.value.text
}

/** One run in a session of its own, to its end. */
async function record(
	{ prompt, answer, interrupt }: (typeof runs)[number],
	{ stdin }: ChildProcessWithoutNullStreams,
): Promise<unknown[]> {
	const opened = await reply(rpc.request('session/new', { cwd, mcpServers: [] }))
	const { sessionId = '' } = v.parse(sessionSchema, opened)
	const chat = new ChatFile(geminiFolder(env), sessionId)
	const reader = new AcpReader(cwd)
	const steps: unknown[] = [{ prompt }]
	void rpc.request('session/prompt', { sessionId, prompt: [{ type: 'text', text: prompt }] })
	let interrupted = false
	const stop = async () => {
		if (interrupted) return
		interrupted = true
		steps.push({ interrupt: true })
		await rpc.notify('session/cancel', { sessionId })
		for (const id of reader.drop().rpcs) {
			await rpc.respond(id, { outcome: { outcome: 'cancelled' } })
		}
	}
	while (stdin.writable) {
		const line = await next()
		if (line === null) throw new Error('a line over the cap')
		const messages = (await chat.read()).filter(({ type }) => type === 'gemini')
		if (messages.length > 0) {
			steps.push({ chat: messages })
			reader.chat(messages, now())
		}
		steps.push({ line: JSON.parse(line) })
		const message = rpc.receive(line)
		if (message.type === 'notification') {
			const outputs = reader.update(message.params, now())
			if (interrupt === 'text' && outputs.some(({ type }) => type === 'text')) await stop()
		} else if (message.type === 'request') {
			const outputs = reader.asked(message.id, message.params, now()) ?? []
			for (const output of outputs) {
				if (output.type !== 'request') continue
				if (interrupt === 'request') await stop()
				if (answer === undefined) continue
				const given = reader.answer(output.id, answer)
				if (given === null) throw new Error('a request that is not open')
				steps.push({ answer })
				const { rpc: id, optionId } = given
				await rpc.respond(id, { outcome: { outcome: 'selected', optionId } })
			}
		} else if (message.type === 'reply') return steps
	}
	return steps
}

function plain(text: string): string {
	return text
		.replaceAll(cwd, '/home/user/project')
		.replaceAll(folder, '/home/user')
		.replaceAll(api.url, 'http://127.0.0.1:8080')
}

function now(): string {
	return new Date().toISOString()
}
