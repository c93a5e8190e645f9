import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { claude } from '../../../source/agents/claude/index.ts'
import { NativeSession } from '../../tools/agent-session.ts'
import { claudeEnvironment, findAgent, seedClaudeHome } from '../../tools/agents.ts'
import { type ScriptedAnthropic, startScriptedAnthropic } from '../../tools/scripted-anthropic.mjs'

let program = ''
let folder = ''
let cwd = ''
let home = ''
let api: ScriptedAnthropic
let session: NativeSession

beforeAll(async () => {
	program = await findAgent('claude')
}, 300_000)

beforeEach(async () => {
	folder = await realpath(await mkdtemp(join(tmpdir(), 'styrby-test-')))
	cwd = join(folder, 'project')
	home = join(folder, 'home')
	await mkdir(join(cwd, 'build'), { recursive: true })
	await mkdir(join(folder, 'tmp'))
	await seedClaudeHome(home, [cwd])
	const bash = (command: string) => ({ tool: 'Bash', input: { command, description: 'A command' } })
	api = await startScriptedAnthropic({
		script: {
			rules: [
				{
					match: '(?:^|\\n)RUN',
					turns: [
						[{ text: 'One line.\n\nAnd one more.' }, bash('touch made.txt')],
						[{ text: 'made' }],
					],
				},
				{
					match: '^SLOW',
					turns: [[bash('touch begun.txt && sleep 4')], [{ text: 'slept' }]],
				},
			],
			fallback: 'fine',
		},
	})
	const env = claudeEnvironment(home, api.url)
	env.PATH = `${dirname(program)}${delimiter}${env.PATH}`
	env.TMPDIR = join(folder, 'tmp')
	const ready = /\? for shortcuts|Try "|manual mode/
	session = await NativeSession.start({ adapter: claude, cwd, env, args: [] }, folder, ready)
	// Before the first prompt it is said that the interface stands.
	await session.until(() => session.of('status')[0]?.status === 'idle')
})

afterEach(async () => {
	await session[Symbol.asyncDispose]()
	await api.close()
	await rm(folder, { recursive: true, force: true, maxRetries: 5 })
})

test('answered with yes on the screen: withdrawn at once, and an answer is too late', async () => {
	await session.prompt('SLOW')
	const { id } = await session.request(/Do you want/)
	await session.press('\r')
	await session.until(() => session.of('withdrawn').length === 1)
	// The command still runs.
	expect(session.events().filter(({ kind }) => kind === 'tool_result')).toEqual([])
	expect(session.of('withdrawn')).toEqual([{ type: 'withdrawn', id, result: 'approved' }])
	expect(await session.answer(id, { decision: 'deny', reason: 'too late' })).toBe(false)
	await session.said('slept')
	expect(existsSync(join(cwd, 'begun.txt'))).toBe(true)
})

test('allowed for the session: it is applied, and the same is not asked again', async () => {
	await session.prompt('SLOW')
	const { id, ask } = await session.request(/Do you want/)
	await session.answer(id, { decision: 'allow', scope: 'session' })
	await session.until(() => session.of('applied').length === 1)
	await session.said('slept')
	expect(session.of('applied')).toEqual([{ type: 'applied', id }])
	expect(session.of('withdrawn')).toEqual([])
	await session.until(() => session.of('status').at(-1)?.status === 'idle')
	if (ask.session_rules.length === 0) return
	await session.prompt('SLOW')
	await session.until(
		() => session.events().filter(({ kind }) => kind === 'tool_result').length === 2,
	)
	expect(session.of('request')).toHaveLength(1)
})

test('nothing of ours is left, and nothing of ours is inherited', async () => {
	const settings = async () =>
		(await readdir(join(folder, 'tmp'))).filter((name) => name.startsWith('styrby-'))
	expect(await settings()).toHaveLength(1)
	await session.prompt('/exit')
	await session.until(() => session.ended)
	expect(session.ended).toMatchObject({ code: 0, signal: null })
	expect(await settings()).toEqual([])
	expect(existsSync(join(home, '.claude', 'settings.json'))).toBe(false)
	expect(existsSync(join(cwd, '.claude'))).toBe(false)
})

test('a new conversation in the same interface is followed', async () => {
	await session.prompt('HELLO')
	await session.said('fine')
	await session.prompt('/clear')
	await session.prompt('RUN it')
	const { id } = await session.request(/Do you want/)
	await session.answer(id, { decision: 'allow', scope: 'once' })
	await session.said('made')
	const sessions = session.of('about').flatMap((about) => about.session ?? [])
	expect(new Set(sessions).size).toBe(2)
})
