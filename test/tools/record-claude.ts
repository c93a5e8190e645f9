/**
 * Records what the real Claude Code says in the runs that the unit tests replay:
 * `npm run record-agents -- --agent claude`. Each recording of a headless run (`stream-*`) in
 * test/fixtures/agents/claude is one line of JSON a step: how it was started (`spawn`), what it was told
 * (`in`), what it said (`out`), how it ended (`exit`), with ms since the start. Names of folders of this
 * machine are replaced.
 */
import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readLines } from '../../source/agents/lines.ts'
import { claudeEnvironment, seedClaudeHome } from './agents.ts'
import { claudeQuestion, claudeRecordingScript } from './claude-recording-script.ts'
import { recordingPlace } from './recording-place.ts'
import { startScriptedAnthropic } from './scripted-anthropic.mjs'

type Json = Record<string, unknown>

interface Run {
	name: string
	/** What it is told before the prompt, and after its turn. */
	before?: Json[]
	prompt: string
	after?: Json[]
	/** Pieces of messages while they are written. */
	partial?: boolean
	/** The answer to what it asks for, given the input of that. */
	answer?: (input: unknown) => Json
	/** Interrupted when it asks. */
	interrupt?: boolean
	/** Turns until it is over. */
	turns?: number
}

const allow = (input: unknown): Json => ({ behavior: 'allow', updatedInput: input })
const mode = (name: string): Json => ({ subtype: 'set_permission_mode', mode: name })
const runs: Run[] = [
	{
		name: 'text-only',
		prompt: 'TEXTONLY say hello',
		before: [{ subtype: 'initialize' }],
		partial: true,
	},
	{ name: 'bash-allow', prompt: 'BASHALLOW run the script', answer: allow },
	{
		name: 'bash-deny',
		prompt: 'BASHDENY clean',
		answer: () => ({
			behavior: 'deny',
			message: 'The user denied this from the phone: keep the build folder.',
		}),
	},
	{
		name: 'allow-updated-input',
		prompt: 'BASHALLOW one',
		answer: () => allow({ command: 'echo changed by the approver', description: 'changed' }),
	},
	{ name: 'edit-approve', prompt: 'EDITAPPROVE change the greeting', answer: allow },
	{ name: 'multi-tool', prompt: 'MULTITOOL go', answer: allow, partial: true },
	{
		name: 'ask-user-question',
		prompt: 'ASKUSER go',
		answer: () =>
			allow({ ...claudeQuestion, answers: { 'Which database should I use?': 'SQLite' } }),
	},
	{ name: 'api-error-400', prompt: 'APIERR400 go' },
	{ name: 'interrupt-while-permission-open', prompt: 'BASHALLOW one', interrupt: true },
	{
		name: 'set-permission-mode',
		before: [{ subtype: 'initialize' }, mode('acceptEdits')],
		prompt: 'EDITAPPROVE go',
		after: [mode('bypassPermissions'), mode('plan')],
	},
	// Its helper works in the background: a second turn tells of it.
	{ name: 'subagent', prompt: 'SUBAGENT go', answer: allow, turns: 2 },
]

/** Long lists of what comes with the agent, of which a few are enough. */
const lists: ReadonlySet<string> = new Set([
	'agents',
	'commands',
	'plugins',
	'skills',
	'slash_commands',
	'terminal_slash_commands',
])

const { fixtures, program } = await recordingPlace('claude')
const folder = await realpath(await mkdtemp(join(tmpdir(), 'styrby-record-')))
const cwd = join(folder, 'project')
const home = join(folder, 'home')
const api = await startScriptedAnthropic({ script: claudeRecordingScript, vars: { cwd } })
await mkdir(cwd)
await seedClaudeHome(home, [cwd])
try {
	for (const run of runs) {
		await rm(cwd, { recursive: true, force: true })
		await mkdir(join(cwd, 'src'), { recursive: true })
		await mkdir(join(cwd, 'build'))
		await writeFile(join(cwd, 'notes.txt'), 'one\ntwo\nthree\n')
		const greet = "export function greet(name) {\n  return 'Hello ' + name\n}\n"
		await writeFile(join(cwd, 'src/greet.js'), greet)
		const steps = await record(run)
		const text = steps.map((step) => JSON.stringify(step)).join('\n')
		await writeFile(join(fixtures, `stream-${run.name}.jsonl`), `${plain(text)}\n`)
		process.stdout.write(`${run.name}: ${steps.length} lines\n`)
	}
} finally {
	await api.close()
	await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 })
}

/** One run with an agent of its own, to its end. */
async function record(run: Run): Promise<Json[]> {
	const start = performance.now()
	const steps: Json[] = []
	const keep = (dir: string, line: Json) => {
		steps.push({ t: Math.round(performance.now() - start), dir, line })
	}
	const args = [
		...['-p', '--output-format', 'stream-json', '--input-format', 'stream-json', '--verbose'],
		...(run.partial ? ['--include-partial-messages'] : []),
		...['--permission-prompt-tool', 'stdio'],
	]
	keep('spawn', { args })
	const env = claudeEnvironment(home, api.url)
	const child = spawn(program, args, { cwd, env, stdio: 'pipe' })
	child.stderr.resume()
	const ended = new Promise<Json>((resolve) => {
		child.once('close', (code, sig) => resolve({ code, sig }))
	})
	let requests = 0
	/** Ours that have no reply yet. */
	const open = new Set<unknown>()
	const tell = (line: Json) => {
		keep('in', line)
		child.stdin.write(`${JSON.stringify(line)}\n`)
	}
	const control = (request: Json) => {
		const request_id = `req_${++requests}`
		open.add(request_id)
		tell({ type: 'control_request', request_id, request })
	}
	const queue = [
		...(run.before ?? []).map((request) => () => control(request)),
		() => tell({ type: 'user', message: { role: 'user', content: run.prompt } }),
	]
	let turns = run.turns ?? 1
	const next = () => {
		if (open.size > 0) return
		queue.shift()?.()
	}
	next()
	for await (const { text } of readLines(child.stdout, 32 * 1024 * 1024)) {
		const line: Json = JSON.parse(text ?? '{}')
		keep('out', line)
		if (line.type === 'control_response') {
			open.delete(Object(line.response).request_id)
			next()
		}
		if (line.type === 'control_request') {
			const { subtype, input } = Object(line.request)
			if (subtype !== 'can_use_tool') throw new Error(`It asks for ${subtype}`)
			if (run.interrupt) control({ subtype: 'interrupt' })
			else {
				const response = {
					subtype: 'success',
					request_id: line.request_id,
					response: run.answer?.(input),
				}
				tell({ type: 'control_response', response })
			}
		}
		if (line.type === 'result' && --turns === 0) {
			queue.push(...(run.after ?? []).map((request) => () => control(request)))
			next()
		}
		if (turns === 0 && queue.length === 0 && open.size === 0) child.stdin.end()
	}
	keep('exit', await ended)
	return steps
}

function plain(text: string): string {
	const short = text
		.split('\n')
		.map((line) =>
			JSON.stringify(
				JSON.parse(line, (key, value) =>
					lists.has(key) && Array.isArray(value) ? value.slice(0, 3) : value,
				),
			),
		)
	return short
		.join('\n')
		.replaceAll(cwd, '/home/dev/project')
		.replaceAll(cwd.replaceAll('/', '-'), '-home-dev-project')
		.replaceAll(folder, '/home/dev')
		.replaceAll(api.url, 'http://127.0.0.1:8080')
		.replace(/(Async agent launched successfully\.) (?:[^"\\]|\\.)*/g, '$1 (cut)')
}
