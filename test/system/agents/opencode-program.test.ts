/** The whole program with the real OpenCode: decided by commands, counted, imported. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { resolveHome } from '../../../source/config/paths.ts'
import { stopEmbedded } from '../../../source/server/discover.ts'
import { findAgent } from '../../tools/agents.ts'
import { Lab, type Started, until } from '../../tools/lab.ts'
import { opencodeEnvironment, prices, seedOpencodeHome } from '../../tools/opencode.ts'
import { opencodeScript } from '../../tools/opencode-script.ts'
import {
	type ScriptedOpenaiChat,
	startScriptedOpenaiChat,
} from '../../tools/scripted-openai-chat.ts'

let lab: Lab
let api: ScriptedOpenaiChat

beforeAll(async () => {
	lab = await Lab.make({ rules: [] })
	api = await startScriptedOpenaiChat(opencodeScript(lab.cwd))
	const home = join(lab.folder, 'home')
	await seedOpencodeHome(home, api.url)
	const { PATH, HOME, ...env } = opencodeEnvironment(home, await findAgent('opencode'))
	Object.assign(lab.env, { HOME, PATH: `${PATH}:${lab.env.PATH}` })
	for (const name of ['OPENCODE_DISABLE_MODELS_FETCH', 'OPENCODE_DISABLE_AUTOUPDATE']) {
		lab.env[name] = env[name]
	}
}, 300_000)

afterAll(async () => {
	await api[Symbol.asyncDispose]()
	await lab[Symbol.asyncDispose]()
})

async function headless(prompt: string, args: string[] = []) {
	const rest = args.length > 0 ? ['--', ...args] : []
	const host = lab.start(['run', 'opencode', '--headless', prompt, '--json', ...rest])
	await until(() => host.printed().some((line) => 'session' in line) || host.result, host, 120_000)
	return { host, id: String(host.printed()[0]?.session) }
}

async function request(host: Started): Promise<string> {
	const asked = () => host.printed().find(({ kind }) => kind === 'permission_request')
	await until(() => asked() || host.result, host, 120_000)
	return String(Object(asked()?.body).request)
}

const bodyOf = (host: Started, kind: string) =>
	Object(host.printed().find((line) => line.kind === kind)?.body)

test('approved by a command: it runs, and tokens and cost are exactly those of the model', async () => {
	const { host, id } = await headless('RUN it')
	const asked = await request(host)
	await lab.done(['approve', asked, '--yes'])
	expect((await host.done).code).toBe(0)
	expect(existsSync(join(lab.cwd, 'made.txt'))).toBe(true)
	const session = await lab.session(id)
	expect(session).toMatchObject({
		agent: 'opencode',
		status: 'stopped',
		title: 'RUN it',
		pending: 0,
		tokens: { input: 1100, output: 74, cache_read: 1400, cache_write: 0 },
	})
	const cost = (1100 * prices.input + 74 * prices.output + 1400 * prices.cache_read) / 1e6
	expect(session.cost_usd).toBeCloseTo(cost, 12)
	const shown = await lab.show(id)
	expect(shown.every(({ verified }) => verified)).toBe(true)
	expect(shown.filter(({ body }) => body?.applied === asked)).toHaveLength(1)
}, 240_000)

test('denied by a command: the agent gets the reason', async () => {
	const { host } = await headless('WRITE it')
	const asked = await request(host)
	expect(bodyOf(host, 'permission_request')).toMatchObject({
		tool: 'write',
		changes: [{ path: join(lab.cwd, 'new.txt'), hunks: [{ lines: ['+one', '+two'] }] }],
	})
	await lab.done(['deny', asked, '--yes', '--reason', 'not now'])
	expect((await host.done).code).toBe(0)
	expect(bodyOf(host, 'tool_result')).toMatchObject({ ok: false })
	expect(bodyOf(host, 'tool_result').text).toContain('not now')
	expect(existsSync(join(lab.cwd, 'new.txt'))).toBe(false)
}, 240_000)

test('in its own interface: approved by a command, and it ends as it should', async () => {
	await using terminal = lab.terminal(['run', 'opencode'], { columns: 100, rows: 40 })
	await terminal.until('Ask anything', 120_000)
	await terminal.type('TWO')
	await terminal.until('TWO')
	await terminal.press('\r')
	await terminal.until('Permission required', 120_000)
	const [waiting] = (await lab.requests()).filter(({ status }) => status === 'pending')
	await lab.done(['approve', waiting?.id ?? '', '--yes'])
	await terminal.until(/touch two\.txt(?:.|\n)*Permission required/, 120_000)
	expect(existsSync(join(lab.cwd, 'one.txt'))).toBe(true)
	// A quit while it waits: nothing is allowed by that.
	terminal.kill('SIGTERM')
	await terminal.exited
	expect(terminal.modes).toEqual({ alternate: false, cursor: true, paste: false })
	const session = await lab.session(waiting?.session ?? '')
	expect(session).toMatchObject({ agent: 'opencode', status: 'stopped', title: 'TWO', pending: 0 })
	expect(existsSync(join(lab.cwd, 'two.txt'))).toBe(false)
}, 240_000)

test('the history is imported, once, and not what this home has hosted itself', async () => {
	const data = join(lab.folder, 'home/.local/share/opencode')
	const env = { STYRBY_HOME: join(lab.folder, 'other') }
	const read = async (more: NodeJS.ProcessEnv) => {
		const { code, stdout, stderr } = await lab.run(['import', data, '--json'], more)
		expect([code, stderr]).toEqual([0, ''])
		return stdout
			.trim()
			.split('\n')
			.map((line) => JSON.parse(line))
	}
	try {
		const first = await read(env)
		expect(first.length).toBeGreaterThanOrEqual(3)
		expect(first.every(({ messages }) => messages > 0)).toBe(true)
		expect((await read(env)).map(({ messages }) => messages)).toEqual(first.map(() => 0))
		expect((await read({})).map(({ messages }) => messages)).toEqual(first.map(() => 0))
	} finally {
		const home = resolveHome({ ...lab.env, ...env }, process.platform)
		await stopEmbedded({ data: home.data, run: home.run })
	}
}, 240_000)
