import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { AgentOutput } from '../../../source/agents/agent.ts'
import { modeArguments, takeFlag } from '../../../source/agents/claude/arguments.ts'
import {
	readSettings,
	SettingsFile,
	withHooks,
} from '../../../source/agents/claude/hook-settings.ts'
import { LiveBlocks } from '../../../source/agents/claude/live-blocks.ts'
import { NativeRequests } from '../../../source/agents/claude/native-requests.ts'
import { readRegistry } from '../../../source/agents/claude/registry.ts'

let folder = ''
beforeEach(async () => {
	folder = await mkdtemp(join(tmpdir(), 'styrby-test-'))
})
afterEach(() => rm(folder, { recursive: true }))

describe('arguments', () => {
	test('ask a person unless the person chose otherwise', () => {
		expect(modeArguments([])).toEqual(['--permission-mode', 'manual'])
		expect(modeArguments(['--model', 'opus'])).toEqual(['--permission-mode', 'manual'])
		expect(modeArguments(['--permission-mode', 'plan'])).toEqual([])
		expect(modeArguments(['--permission-mode=auto'])).toEqual([])
		expect(modeArguments(['--dangerously-skip-permissions'])).toEqual([])
	})

	test('a flag is taken with its value, the last one counts', () => {
		expect(takeFlag(['a', '--settings', 'x', 'b', '--settings=y', 'c'], '--settings')).toEqual({
			value: 'y',
			rest: ['a', 'b', 'c'],
		})
		expect(takeFlag(['--', '--settings', 'x'], '--settings')).toEqual({
			value: null,
			rest: ['--', '--settings', 'x'],
		})
	})
})

describe('settings', () => {
	test("keep the person's own and add our hooks", async () => {
		const path = join(folder, 'own.json')
		const own = { model: 'opus', hooks: { Stop: [{ hooks: [] }], Other: [1] } }
		await writeFile(path, JSON.stringify(own))
		for (const value of ['own.json', JSON.stringify(own)]) {
			const settings = withHooks(await readSettings(value, folder), 'http://u', 'tok', 300_000)
			expect(settings.model).toBe('opus')
			expect(settings.hooks.Other).toEqual([1])
			expect(settings.hooks.Stop).toHaveLength(2)
			expect(settings.hooks.PermissionRequest).toEqual([
				{
					matcher: '*',
					hooks: [
						{
							type: 'http',
							url: 'http://u',
							timeout: 360,
							headers: { authorization: 'Bearer tok' },
						},
					],
				},
			])
		}
	})

	test('that can not be read are said so', async () => {
		for (const value of ['none.json', '{broken', '{"hooks":7}']) {
			await expect(readSettings(value, folder)).rejects.toMatchObject({ code: 'agent_settings' })
		}
	})

	test('are for this user only, and gone afterwards', async () => {
		let path = ''
		{
			await using file = await SettingsFile.write({ hooks: {} })
			path = file.path
			expect((await stat(path)).mode & 0o777).toBe(0o600)
			expect(JSON.parse(await readFile(path, 'utf8'))).toEqual({ hooks: {} })
		}
		await expect(stat(path)).rejects.toThrow()
	})
})

describe('the registry', () => {
	test('is read by process, by session, and never beyond its own files', async () => {
		const sessions = join(folder, 'sessions')
		await mkdir(sessions)
		await writeFile(join(sessions, '12.json'), '{"sessionId":"s1","status":"busy"}')
		await writeFile(join(sessions, '13.json'), '{"sessionId":"s2","status":"waiting"}')
		await writeFile(join(sessions, '14.x.key'), '{"sessionId":"s3","status":"secret"}')
		await writeFile(join(sessions, '15.json'), '{"sessionId":')
		expect(await readRegistry(folder, 12, null)).toMatchObject({ sessionId: 's1', status: 'busy' })
		expect((await readRegistry(folder, 99, 's2'))?.status).toBe('waiting')
		expect(await readRegistry(folder, 99, 's3')).toBeNull()
		expect(await readRegistry(folder, 15, null)).toBeNull()
		expect(await readRegistry(join(folder, 'none'), 12, 's1')).toBeNull()
	})
})

describe('live text', () => {
	test('is matched to its block by what it says', () => {
		const live = new LiveBlocks()
		expect(live.add('a', 'one\n')).toMatchObject({ block: 'a', offset: 0 })
		expect(live.add('a', 'two')).toMatchObject({ block: 'a', offset: 4, text: 'two' })
		live.add('b', 'other')
		expect(live.finish('other')).toBe('b')
		expect(live.finish('one\ntwo\n')).toBe('a')
		expect(live.finish('one\ntwo')).toBeNull()
		expect(live.add('a', 'late')).toBeNull()
	})
})

describe('requests that are held', () => {
	const setUp = (listening = true) => {
		const outputs: AgentOutput[] = []
		const bodies: string[] = []
		const requests = new NativeRequests((output) => outputs.push(output))
		const hold = (toolUse: string | null, agent: string | null = null) =>
			requests.hold(
				{ tool: 'Bash', toolUse, input: { command: 'ls' }, rules: [], question: false },
				agent,
				{
					body: '',
					respond: async (body) => {
						bodies.push(body)
						return listening
					},
					onHangUp: () => {},
				},
			)
		return { outputs, bodies, requests, hold }
	}
	const allow = { decision: 'allow', scope: 'once' } as const

	test('are answered once', async () => {
		const { requests, hold, bodies } = setUp()
		const id = hold('t1')
		expect(await requests.answer(id, allow)).toBe(true)
		expect(await requests.answer(id, { decision: 'deny', reason: 'no' })).toBe(false)
		expect(bodies).toEqual([
			'{"hookSpecificOutput":{"hookEventName":"PermissionRequest","decision":{"behavior":"allow"}}}',
		])
	})

	test('are applied when the tool has run, by our answer', async () => {
		const { requests, hold, outputs } = setUp()
		const id = hold('t1')
		await requests.answer(id, allow)
		requests.ran('t2', 'Bash', { command: 'ls' })
		expect(outputs).toEqual([])
		requests.ran('t1', 'Bash', { command: 'ls' })
		requests.settled({ toolUse: 't1', approved: true, by: 'hook' })
		expect(outputs).toEqual([{ type: 'applied', id }])
	})

	test('are withdrawn, and let go with no opinion, when answered on the screen', () => {
		const { requests, hold, outputs, bodies } = setUp()
		const id = hold('t1')
		requests.settled({ toolUse: 't1', approved: false, by: 'other' })
		expect(outputs).toEqual([{ type: 'withdrawn', id, result: 'denied' }])
		expect(bodies).toEqual([''])
	})

	test('are withdrawn when the screen was faster than our answer', async () => {
		const { requests, hold, outputs } = setUp()
		const id = hold('t1')
		await requests.answer(id, { decision: 'deny', reason: 'no' })
		requests.settled({ toolUse: 't1', approved: true, by: 'other' })
		expect(outputs).toEqual([{ type: 'withdrawn', id, result: 'approved' }])
	})

	test('can not be answered when nobody listens any more', async () => {
		const { requests, hold, outputs } = setUp(false)
		const id = hold('t1')
		expect(await requests.answer(id, allow)).toBe(false)
		await vi.waitFor(() => expect(outputs).toHaveLength(1))
		expect(outputs).toEqual([{ type: 'withdrawn', id, result: 'cancelled' }])
	})

	test("of a sub-agent are not released with the main thread's", () => {
		const { requests, hold, outputs } = setUp()
		hold('t1', 'agent')
		const main = hold('t2')
		expect(requests.onScreen).toEqual([main])
		requests.release('approved', requests.onScreen)
		expect(outputs).toEqual([{ type: 'withdrawn', id: main, result: 'approved' }])
		expect(requests.onScreen).toEqual([])
	})

	test('wait on when they came after the answer on the screen', async () => {
		const { requests, hold, outputs } = setUp()
		const first = hold('t1')
		const answered = requests.onScreen
		const second = hold('t2')
		requests.release('approved', answered)
		expect(outputs).toEqual([{ type: 'withdrawn', id: first, result: 'approved' }])
		expect(await requests.answer(second, allow)).toBe(true)
	})

	test('of which the call is not known are found by name and input', () => {
		const { requests, hold, outputs } = setUp()
		const id = hold(null)
		requests.ran('t9', 'Bash', { command: 'other' })
		expect(outputs).toEqual([])
		requests.ran('t9', 'Bash', { command: 'ls' })
		expect(outputs).toEqual([{ type: 'withdrawn', id, result: 'approved' }])
	})
})
