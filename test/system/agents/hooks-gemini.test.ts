/** Gemini CLI as a person starts it, with our hooks in its settings and nothing of ours around it. */
import { existsSync } from 'node:fs'
import { mkdir, readFile, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { findAgent } from '../../tools/agents.ts'
import { geminiEnvironment, seedGeminiHome } from '../../tools/gemini.ts'
import { geminiScript } from '../../tools/gemini-script.ts'
import { until } from '../../tools/lab.ts'
import { makeHome, type TestHome } from '../../tools/program.ts'
import { type ScriptedGemini, startScriptedGemini } from '../../tools/scripted-gemini.ts'
import { Terminal } from '../../tools/terminal.ts'

let home: TestHome
let cwd = ''
let settings = ''
let before = ''
let env: NodeJS.ProcessEnv
let api: ScriptedGemini
let terminal: Terminal | null = null

beforeAll(async () => {
	const program = await findAgent('gemini')
	home = await makeHome()
	const folder = await realpath(home.folder)
	cwd = join(folder, 'project')
	await mkdir(cwd)
	api = await startScriptedGemini(geminiScript(cwd))
	await seedGeminiHome(join(folder, 'person'), { projects: [cwd] })
	settings = join(folder, 'person', '.gemini', 'settings.json')
	before = await readFile(settings, 'utf8')
	env = geminiEnvironment(join(folder, 'person'), program, api.url)
}, 300_000)

afterAll(async () => {
	await terminal?.[Symbol.asyncDispose]()
	await home.cli(['hooks', 'remove'], { env: { HOME: env.HOME } })
	await api[Symbol.asyncDispose]()
	await home[Symbol.asyncDispose]()
})

async function json(...args: string[]) {
	const ran = await home.cli([...args, '--json'], { env: { HOME: env.HOME } })
	if (ran.code !== 0) throw new Error(`${args.join(' ')}: ${ran.code} ${ran.stderr}`)
	return ran.stdout
}

async function events(session: string) {
	const lines = (await json('show', session)).trim().split('\n')
	return lines.map((line) => JSON.parse(line))
}

it('is published, and says that its request is answered where it runs', async () => {
	const { installed } = JSON.parse(await json('hooks', 'install', 'gemini'))
	expect(installed).toMatchObject([{ agent: 'gemini', file: settings, changed: true, next: null }])
	terminal = new Terminal({ command: 'gemini', env, cwd, columns: 110, rows: 40 })
	await terminal.until('Type your message')
	await terminal.type('RUN it')
	await terminal.until('RUN it')
	await terminal.type('\r')
	await terminal.until('Allow once')
	let session = ''
	await until(async () => {
		const { sessions } = JSON.parse(await json('sessions'))
		session = sessions[0]?.id ?? ''
		return session
	})
	const asked = 'which can be given only where it runs: touch made.txt'
	await until(async () =>
		(await events(session)).some(({ body }) => String(body?.text).includes(asked)),
	)
	expect(JSON.parse(await json('permissions')).permissions).toEqual([])
	expect(existsSync(join(cwd, 'made.txt'))).toBe(false)
	await terminal.type('\r')
	await terminal.until('made')
	await until(async () =>
		(await events(session)).some(
			({ kind, body }) => kind === 'agent_response' && body.text === 'made',
		),
	)
	const all = await events(session)
	expect(all.every(({ verified }) => verified)).toBe(true)
	const kinds = all.map(({ kind }) => kind)
	for (const kind of ['user_prompt', 'agent_thinking', 'tool_use', 'tool_result']) {
		expect(kinds.filter((one) => one === kind)).toHaveLength(1)
	}
	expect(kinds.filter((kind) => kind === 'usage')).toHaveLength(2)
	await terminal.type('/quit')
	await terminal.type('\r')
	await terminal.exited
	await until(async () => JSON.parse(await json('sessions')).sessions[0]?.status === 'stopped')
})

it('is not published twice inside "run"', async () => {
	const { HOME, PATH, GEMINI_API_KEY, GOOGLE_GEMINI_BASE_URL } = env
	const run = ['run', 'gemini', '--headless', 'HELLO']
	const more = { HOME, PATH, GEMINI_API_KEY, GOOGLE_GEMINI_BASE_URL }
	expect((await home.cli(run, { cwd, env: more })).code).toBe(0)
	expect(JSON.parse(await json('sessions')).sessions).toHaveLength(2)
})

it('is removed: the file is what it was', async () => {
	await json('hooks', 'remove', 'gemini')
	expect(await readFile(settings, 'utf8')).toBe(before)
})
