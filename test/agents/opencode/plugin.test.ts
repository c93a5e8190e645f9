import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { PluginFile } from '../../../source/agents/opencode/plugin.ts'

interface Loaded {
	config?: (config: Record<string, unknown>) => Promise<void>
}

let file: PluginFile

beforeEach(() => vi.stubEnv('OPENCODE_SERVER_PASSWORD', 'secret'))
afterEach(async () => {
	vi.unstubAllEnvs()
	await file[Symbol.asyncDispose]()
})

async function load(asks: boolean): Promise<Loaded> {
	file = await PluginFile.write(asks)
	expect(await file.loaded()).toBe(false)
	const module: { Host: () => Promise<Loaded> } = await import(/* @vite-ignore */ file.url)
	return module.Host()
}

async function configured(config: Record<string, unknown>): Promise<Record<string, unknown>> {
	await (await load(true)).config?.(config)
	return config
}

const asked = { edit: 'ask', bash: 'ask', webfetch: 'ask', websearch: 'ask', codesearch: 'ask' }
const planning = { '*': 'deny', '.opencode/plans/*.md': 'allow', '*/opencode/plans/*.md': 'allow' }

describe('who has chosen nothing is asked', () => {
	test('for what changes something and what goes to the network', async () => {
		expect(await configured({ model: 'p/m' })).toEqual({
			model: 'p/m',
			permission: asked,
			agent: { plan: { permission: { edit: planning } } },
		})
	})

	test("for the tools of MCP servers, before the person's own rules for them", async () => {
		const { permission } = await configured({
			mcp: { 'my server': {}, git: {} },
			permission: { git_status: 'allow' },
		})
		expect(Object.entries(Object(permission))).toEqual([
			...Object.entries(asked),
			['my_server_*', 'ask'],
			['git_*', 'ask'],
			['git_status', 'allow'],
		])
	})
})

describe('who has chosen', () => {
	test.each(['allow', 'ask', 'deny', { '*': 'allow', bash: 'ask' }])('%o stays', async (own) => {
		expect(await configured({ permission: own })).toEqual({ permission: own })
	})

	test('a rule for one tool stays, and the others are asked for', async () => {
		const bash = { '*': 'ask', 'git *': 'allow' }
		const { permission } = await configured({ permission: { bash } })
		expect(permission).toEqual({ ...asked, bash })
	})

	test('a rule for edits is one for planning, too', async () => {
		expect(await configured({ permission: { edit: 'allow' } })).toEqual({
			permission: { ...asked, edit: 'allow' },
		})
	})

	test('rules of the planning agent stay', async () => {
		const own = { plan: { model: 'p/m', permission: { edit: 'ask', bash: 'deny' } } }
		const { agent } = await configured({ agent: own })
		expect(agent).toEqual(own)
	})
})

test('left to OpenCode, it changes no rule; the password is taken from what it runs', async () => {
	expect((await load(false)).config).toBeUndefined()
	expect(process.env.OPENCODE_SERVER_PASSWORD).toBeUndefined()
	expect(await file.loaded()).toBe(true)
})
