/** Codex as a person starts it, with our hooks in its `hooks.json` and nothing of ours around it. */
import { existsSync } from 'node:fs'
import { mkdir, readFile, realpath, writeFile } from 'node:fs/promises'
import { delimiter, dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { findAgent } from '../../tools/agents.ts'
import { codexEnvironment, codexProcesses, seedCodexHome } from '../../tools/codex-home.ts'
import { press, until } from '../../tools/lab.ts'
import { makeHome, type TestHome } from '../../tools/program.ts'
import { codexScript } from '../../tools/scripted-codex.ts'
import { type ScriptedOpenai, startScriptedOpenai } from '../../tools/scripted-openai.ts'
import { Terminal } from '../../tools/terminal.ts'

let home: TestHome
let folder = ''
let cwd = ''
let env: NodeJS.ProcessEnv
let api: ScriptedOpenai
let terminal: Terminal

beforeAll(async () => {
	const program = await findAgent('codex')
	home = await makeHome()
	folder = await realpath(home.folder)
	cwd = join(folder, 'project')
	await mkdir(join(cwd, 'build'), { recursive: true })
	api = await startScriptedOpenai({ script: codexScript, vars: { cwd } })
	await seedCodexHome(join(folder, 'codex'), { apiUrl: api.url, projects: [cwd] })
	await mkdir(join(home.home, 'config'), { recursive: true, mode: 0o700 })
	await writeFile(join(home.home, 'config', 'config.json'), '{"hookHoldSeconds": 40}')
	env = codexEnvironment(join(folder, 'codex'))
	env.PATH = `${dirname(program)}${delimiter}${env.PATH}`
	terminal = new Terminal({ command: 'true', env })
}, 300_000)

afterAll(async () => {
	await terminal[Symbol.asyncDispose]()
	await cli('hooks', 'remove')
	// Codex leaves a server of its own running.
	for (const { pid } of await codexProcesses(join(folder, 'codex'))) process.kill(pid, 'SIGKILL')
	await api.close()
	await home[Symbol.asyncDispose]()
})

async function cli(...args: string[]): Promise<string> {
	const { code, stdout, stderr } = await home.cli(args, { env: { CODEX_HOME: env.CODEX_HOME } })
	if (code !== 0) throw new Error(`${args.join(' ')}: ${code} ${stderr}`)
	return stdout
}

const json = async (...args: string[]) => JSON.parse(await cli(...args, '--json'))

async function prompt(text: string): Promise<void> {
	await terminal.type(text)
	await terminal.until(text)
	await terminal.type('\r')
}

async function request(command: string): Promise<string> {
	let id = ''
	await until(async () => {
		const { permissions } = await json('permissions')
		const found = permissions.find((one: { input: { command: string } }) =>
			one.input.command.includes(command),
		)
		id = found?.id ?? ''
		return found
	})
	return id
}

it('is installed, and trusted by the person', async () => {
	const { installed } = await json('hooks', 'install', 'codex')
	const file = join(folder, 'codex', 'hooks.json')
	expect(installed).toMatchObject([{ agent: 'codex', file, changed: true, backup: null }])
	expect(installed[0].next).toContain('Trust all')
	await terminal[Symbol.asyncDispose]()
	terminal = new Terminal({ command: 'codex', env, cwd, columns: 110, rows: 40 })
	await terminal.until('Hooks need review')
	await terminal.until('Trust all and continue')
	// It takes no key in its first moment.
	await until(async () => {
		if (terminal.text().includes('› 2.')) return true
		await terminal.type(press.down)
		return false
	})
	await terminal.type(press.enter)
	await terminal.until((text) => !text.includes('Hooks need review'))
	await terminal.until('Ask Codex to do anything')
})

it('is answered from elsewhere, with yes and with no', async () => {
	await prompt('RUN it')
	const first = await request('touch made.txt')
	expect(existsSync(join(cwd, 'made.txt'))).toBe(false)
	expect(terminal.text()).not.toContain('Would you like')
	await cli('approve', first, '--yes')
	await until(() => existsSync(join(cwd, 'made.txt')))
	await until(async () => (await json('permissions')).permissions.length === 0)

	await prompt('REMOVE it')
	const second = await request('rm -rf build')
	await cli('deny', second, '--yes', '--reason', 'keep the build')
	await until(() => JSON.stringify(api.requests.at(-1)?.body).includes('keep the build'))
	expect(existsSync(join(cwd, 'build'))).toBe(true)
})

it('has its own prompt at once when the host is killed', async () => {
	await prompt('RUN again')
	await request('touch made.txt')
	const { host } = await json('hooks', 'list')
	process.kill(host.pid, 'SIGKILL')
	await terminal.until('Would you like')
	await terminal.type('y')
	await until(async () => (await json('hooks', 'list')).host === null)
	const oldest = (await json('sessions')).sessions.at(-1)
	const lines = (await cli('show', oldest.id, '--json')).trim().split('\n')
	const events = lines.map((line) => JSON.parse(line))
	expect(events.every(({ verified }) => verified)).toBe(true)
	const prompts = events.filter(({ kind }) => kind === 'user_prompt')
	expect(prompts.map(({ body }) => body.text)).toEqual(['RUN it', 'REMOVE it', 'RUN again'])
	const results = events.filter(({ kind }) => kind === 'permission_response')
	expect(results.map(({ body }) => body.result)).toEqual(['approved', 'denied', 'cancelled'])
	const asked = events.filter(({ kind }) => kind === 'permission_request')
	const calls = events.filter(({ kind }) => kind === 'tool_use')
	expect(asked[0].body.tool_use).toBe(calls[0].body.tool_use)
	expect(events.some(({ kind }) => kind === 'usage')).toBe(true)
})

it('is not published twice inside "run"', async () => {
	await cli('hooks', 'install', 'codex')
	const path = {
		CODEX_HOME: env.CODEX_HOME,
		PATH: env.PATH,
		SCRIPTED_API_KEY: env.SCRIPTED_API_KEY,
	}
	const ran = await home.cli(['run', 'codex', '--headless', 'TEXT'], { cwd, env: path })
	expect(ran.code).toBe(0)
	const { sessions } = await json('sessions')
	expect(sessions.filter(({ title }: { title: string }) => title === 'TEXT')).toHaveLength(1)
})

it('is removed: there is no file again', async () => {
	expect((await json('hooks', 'remove')).removed).toContainEqual({
		agent: 'codex',
		file: join(folder, 'codex', 'hooks.json'),
		changed: true,
	})
	await expect(readFile(join(folder, 'codex', 'hooks.json'))).rejects.toThrow('ENOENT')
})
