/** The whole program with the real Codex: decided by commands, counted, imported. */
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { resolveHome } from '../../../source/config/paths.ts'
import { stopEmbedded } from '../../../source/server/discover.ts'
import { findAgent } from '../../tools/agents.ts'
import { codexEnvironment, seedCodexHome } from '../../tools/codex-home.ts'
import { Lab, type Started, until } from '../../tools/lab.ts'
import { codexScript } from '../../tools/scripted-codex.ts'
import { type ScriptedOpenai, startScriptedOpenai } from '../../tools/scripted-openai.ts'

let lab: Lab
let api: ScriptedOpenai
let home = ''

beforeAll(async () => {
	lab = await Lab.make({ rules: [] }, { requestTimeoutMinutes: 1 })
	api = await startScriptedOpenai({ script: codexScript, vars: { cwd: lab.cwd } })
	home = join(lab.folder, 'home')
	await seedCodexHome(home, { apiUrl: api.url, projects: [lab.cwd] })
	const { HOME, CODEX_HOME, SCRIPTED_API_KEY } = codexEnvironment(home)
	const PATH = `${dirname(await findAgent('codex'))}:${lab.env.PATH}`
	Object.assign(lab.env, { HOME, CODEX_HOME, SCRIPTED_API_KEY, PATH })
}, 300_000)

afterAll(async () => {
	await api.close()
	await lab[Symbol.asyncDispose]()
})

async function request(host: Started): Promise<string> {
	const asked = () => host.printed().find(({ kind }) => kind === 'permission_request')
	await until(() => asked() || host.result, host, 120_000)
	return String(Object(asked()?.body).request)
}

test('approved by a command: it runs, and tokens and cost are exactly those of the model', async () => {
	const host = lab.start(['run', 'codex', '--headless', 'RUN it', '--json'])
	const asked = await request(host)
	const [waiting] = await lab.requests()
	expect(waiting).toMatchObject({
		tool: 'exec_command',
		input: { command: ['/bin/bash', '-lc', 'touch made.txt; echo done'] },
	})
	await lab.done(['approve', asked, '--yes'])
	expect((await host.done).code).toBe(0)
	expect(existsSync(join(lab.cwd, 'made.txt'))).toBe(true)
	const session = await lab.session(String(host.printed()[0]?.session))
	expect(session).toMatchObject({
		agent: 'codex',
		status: 'stopped',
		title: 'RUN it',
		pending: 0,
		tokens: { input: 900, output: 35, cache_read: 950, cache_write: 0 },
	})
	expect(session.cost_usd).toBeCloseTo((900 * 5 + 35 * 30 + 950 * 0.5) / 1e6, 12)
	const shown = await lab.show(session.id)
	expect(shown.every(({ verified }) => verified)).toBe(true)
	expect(shown.filter(({ body }) => body?.applied === asked)).toHaveLength(1)
}, 240_000)

test('in its own interface: approved by a command, and it ends as it should', async () => {
	await using terminal = lab.terminal(['run', 'codex'], { columns: 100, rows: 40 })
	await terminal.until('Ask Codex to do anything', 120_000)
	await terminal.type('TWO')
	await terminal.until('TWO')
	await terminal.press('\r')
	await terminal.until('Would you like to run', 120_000)
	const [waiting] = (await lab.requests()).filter(({ status }) => status === 'pending')
	await lab.done(['approve', waiting?.id ?? '', '--yes'])
	await terminal.until(/touch two\.txt(?:.|\n)*Press enter to confirm/, 120_000)
	expect(existsSync(join(lab.cwd, 'one.txt'))).toBe(true)
	// A quit while it waits: nothing is allowed by that.
	terminal.kill('SIGTERM')
	await terminal.exited
	expect(terminal.modes).toEqual({ alternate: false, cursor: true, paste: false })
	const session = await lab.session(waiting?.session ?? '')
	expect(session).toMatchObject({ agent: 'codex', status: 'stopped', title: 'TWO', pending: 0 })
	expect(existsSync(join(lab.cwd, 'two.txt'))).toBe(false)
}, 240_000)

test('the history is imported, once, and not what this home has hosted itself', async () => {
	const env = { STYRBY_HOME: join(lab.folder, 'other') }
	const read = async (more: NodeJS.ProcessEnv) => {
		const { code, stdout, stderr } = await lab.run(['import', home, '--json'], more)
		expect([code, stderr]).toEqual([0, ''])
		return stdout
			.trim()
			.split('\n')
			.map((line) => JSON.parse(line))
	}
	try {
		const first = await read(env)
		expect(first.map(({ agent }) => agent)).toEqual(['codex', 'codex'])
		expect(first.every(({ messages, problem }) => messages > 0 && problem === null)).toBe(true)
		expect((await read(env)).map(({ messages }) => messages)).toEqual([0, 0])
		expect((await read({})).map(({ messages }) => messages)).toEqual([0, 0])
	} finally {
		const other = resolveHome({ ...lab.env, ...env }, process.platform)
		await stopEmbedded({ data: other.data, run: other.run })
	}
}, 240_000)
