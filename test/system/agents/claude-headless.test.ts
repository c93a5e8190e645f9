/** `run claude --headless` with the real Claude Code, watched and answered from other processes. */
import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isAlive } from '../../../source/config/is-alive.ts'
import { bash, Lab, launcher, press, until } from '../../tools/lab.ts'
import type { Terminal } from '../../tools/terminal.ts'

const model = 'claude-sonnet-4-5-20250929'
const question = {
	questions: [
		{
			question: 'Which database?',
			header: 'Database',
			multiSelect: false,
			options: [
				{ label: 'Postgres', description: 'A server' },
				{ label: 'SQLite', description: 'A file' },
			],
		},
	],
}
const greet = ['$', '{cwd}/greet.js'].join('')
const slowText =
	'This sentence is written a few letters at a time, and its beginning is on the other screen long before this end of it.'
const usage = (input: number, output: number, read: number, write: number) => ({
	input_tokens: input,
	output_tokens: output,
	cache_read_input_tokens: read,
	cache_creation_input_tokens: write,
})
const failing = (status: number, type: string, message: string) => [
	[{ error: { status, type, message } }],
]

let lab: Lab
let viewer: Terminal

beforeAll(async () => {
	lab = await Lab.make({
		fallback: 'fine',
		rules: [
			{ match: '^RUN', turns: [[bash('touch made.txt')], [{ text: 'made' }]] },
			{ match: '^REMOVE', turns: [[bash('rm -rf build')], [{ text: 'left alone' }]] },
			{ match: '^LATE', turns: [[bash('touch late.txt')], [{ text: 'too late' }]] },
			{ match: '^STALL', turns: [[bash('touch stalled.txt')], [{ text: 'stalled' }]] },
			{ match: '^KILL', turns: [[bash('touch killed.txt')], [{ text: 'never' }]] },
			{ match: '^STOP', turns: [[bash('touch stopped.txt')], [{ text: 'never' }]] },
			{
				match: '^EDIT',
				turns: [
					[{ tool: 'Read', input: { file_path: greet } }],
					[
						{
							tool: 'Edit',
							input: {
								file_path: greet,
								old_string: '"hello"',
								new_string: '"good day"',
							},
						},
					],
					[{ text: 'edited' }],
				],
			},
			{
				match: '^ASK',
				turns: [[{ tool: 'AskUserQuestion', input: question }], [{ text: 'thanks' }]],
			},
			{ match: '^STREAM', turns: [{ chunkDelayMs: 500, blocks: [{ text: slowText }] }] },
			{
				match: '^COUNT',
				turns: [
					{
						usage: usage(1000, 100, 20_000, 400),
						blocks: [{ text: 'looking' }, { tool: 'Glob', input: { pattern: '*.js' } }],
					},
					{ usage: usage(50, 7, 21_000, 0), blocks: [{ text: 'counted' }] },
				],
			},
			{
				match: '^INNER',
				turns: [[{ text: 'inner text' }, bash('touch inner.txt')], [{ text: 'inner done' }]],
			},
			{
				match: '^HELPER',
				turns: [
					[
						{
							tool: 'Agent',
							input: {
								description: 'Help',
								prompt: 'INNER please',
								subagent_type: 'general-purpose',
							},
						},
					],
					[{ text: 'helper started' }],
				],
			},
			{ match: '^FAIL400', turns: failing(400, 'invalid_request_error', 'no such thing') },
			{ match: '^FAIL529', turns: failing(529, 'overloaded_error', 'too many at once') },
		],
	})
	await mkdir(join(lab.cwd, 'build'))
	await writeFile(join(lab.cwd, 'greet.js'), 'function greet() {\n  return "hello"\n}\n')
	viewer = lab.terminal([], { columns: 120, rows: 40 })
	await viewer.until('connected')
}, 300_000)

afterAll(async () => {
	await viewer[Symbol.asyncDispose]()
	await lab[Symbol.asyncDispose]()
})

/** The card of a request is on the viewer's screen, for long enough that a key counts as its answer. */
async function card(command: string): Promise<void> {
	await viewer.until(/⚠ \d+ waiting/)
	if (!viewer.text().includes('[d] deny')) await viewer.type('n')
	await viewer.until((text) => text.includes(command) && text.includes('[d] deny'))
	await sleep(700)
}

/** What the model was told of the last tool. */
function toldModel(prompt: string): string[] {
	const bodies = lab.api.requests.map(({ body }) => JSON.stringify(body ?? null))
	return bodies.filter((body) => body.includes(prompt))
}

const kindOf = (host: { printed(): Record<string, unknown>[] }, kind: string) =>
	host.printed().filter((line) => line.kind === kind)

describe('a request is answered in the viewer', () => {
	it('with yes: every stage is shown, and the command runs', async () => {
		const { host, id } = await lab.headless('RUN it')
		await card('touch made.txt')
		expect(existsSync(join(lab.cwd, 'made.txt'))).toBe(false)
		await viewer.type('a')
		await viewer.until('✓ sent  ✓ stored  ✓ verified  ✓ applied')
		const { code, stderr } = await host.done
		expect(code).toBe(0)
		expect(stderr).toBe('')
		expect(existsSync(join(lab.cwd, 'made.txt'))).toBe(true)
		expect(host.printed().at(-1)).toEqual({ ended: 'stopped', exit_code: 0 })
		await viewer.until((text) => text.includes('signature checked') && !text.includes('[d] deny'))
		expect(await lab.session(id)).toMatchObject({ status: 'stopped', pending: 0, title: 'RUN it' })
	})

	it('with no and a reason: the agent gets the reason, letter by letter', async () => {
		const reason = 'keep "build": it’s needed – ünïcode & <tags> \\n 100 %'
		const { host } = await lab.headless('REMOVE it')
		await card('rm -rf build')
		await viewer.type('r')
		await viewer.type(reason)
		await viewer.type(press.enter)
		await viewer.until('deny: ✓ sent  ✓ stored  ✓ verified  ✓ applied')
		expect((await host.done).code).toBe(0)
		expect(existsSync(join(lab.cwd, 'build'))).toBe(true)
		const told = lab.api.requests.at(-1)?.body
		const results = JSON.stringify(told).includes(JSON.stringify(reason).slice(1, -1))
		expect(results).toBe(true)
		const [result] = kindOf(host, 'tool_result')
		expect(result?.body).toMatchObject({ ok: false, text: reason })
	})
})

describe('a request is answered by a command', () => {
	it('the diff of an edit is shown, the stages are printed', async () => {
		const { host, id } = await lab.headless('EDIT it')
		const { id: request } = await lab.request(id)
		await card('greet.js')
		expect(viewer.text()).toMatch(/2 -\s+return "hello"/)
		expect(viewer.text()).toMatch(/2 \+\s+return "good day"/)
		const { code, stdout } = await lab.run(['approve', request, '--yes'])
		expect(code).toBe(0)
		expect(stdout).toMatch(/return "hello"[\s\S]*return "good day"/)
		expect(stdout).toMatch(/sent: [\s\S]*stored: [\s\S]*verified: [\s\S]*applied: /)
		expect((await host.done).code).toBe(0)
		expect(await readFile(join(lab.cwd, 'greet.js'), 'utf8')).toContain('"good day"')
		const [result] = kindOf(host, 'tool_result').slice(-1)
		expect(result?.body).toMatchObject({
			ok: true,
			changes: [{ path: join(lab.cwd, 'greet.js'), hunks: [{ old_start: 1 }] }],
		})
	})

	it('a question is shown with its choices; it can be denied, and a permission is no answer', async () => {
		const { host, id } = await lab.headless('ASK it')
		const { id: request } = await lab.request(id)
		await card('Which database?')
		expect(viewer.text()).toMatch(/1\. Postgres: A server[\s\S]*2\. SQLite: A file/)
		const refused = await lab.run(['approve', request, '--yes'])
		expect(refused.code).toBe(4)
		expect(refused.stderr).toContain('This is a question')
		const denied = await lab.run([
			'deny',
			request,
			'--yes',
			'--reason',
			'choose yourself',
			'--json',
		])
		expect(denied.code).toBe(0)
		expect(JSON.parse(denied.stdout)).toMatchObject({ accepted: true, decision: 'deny' })
		expect((await host.done).code).toBe(0)
		expect(kindOf(host, 'tool_result')[0]?.body).toMatchObject({
			ok: false,
			text: 'choose yourself',
		})
		expect(toldModel('choose yourself').length).toBeGreaterThan(0)
	})

	it('a host that does not answer is said, and the request stays open', async () => {
		const { host, id } = await lab.headless('STALL it')
		const { id: request } = await lab.request(id)
		host.child.kill('SIGSTOP')
		const unanswered = await lab.run(['deny', request, '--yes', '--wait', '1'])
		expect(unanswered.code).toBe(1)
		expect(unanswered.stdout).toMatch(
			/sent: [\s\S]*stored: [\s\S]*the host has not answered: it takes this when it is back/,
		)
		host.child.kill('SIGCONT')
		// The mail was there all the time.
		expect((await host.done).code).toBe(0)
		expect(existsSync(join(lab.cwd, 'stalled.txt'))).toBe(false)
		const again = await lab.run(['approve', request, '--yes'])
		expect(again.code).toBe(1)
		expect(again.stderr).toContain('it is denied already')
	})
})

it('text is on the other screen before the message is finished', async () => {
	const { host } = await lab.headless('STREAM it')
	await viewer.until('● 1 live')
	await viewer.type('k'.repeat(20))
	await viewer.until('This sentence is written')
	expect(kindOf(host, 'agent_response')).toEqual([])
	expect(viewer.text()).not.toContain('this end of it')
	await viewer.until((text) => text.replace(/[│\s]+/g, ' ').includes('this end of it.'))
	expect((await host.done).code).toBe(0)
	expect(kindOf(host, 'agent_response')[0]?.body).toMatchObject({ text: slowText })
})

it('tokens and cost are those of the model', async () => {
	const { host, id } = await lab.headless('COUNT it', ['--model', model])
	expect((await host.done).code).toBe(0)
	const { tokens, cost_usd } = await lab.session(id)
	expect(tokens).toEqual({ input: 1050, output: 107, cache_read: 41_000, cache_write: 400 })
	// 3 $ in, 15 $ out, 0.30 $ read, 3.75 $ written, a million tokens each.
	expect(cost_usd).toBeCloseTo((1050 * 3 + 107 * 15 + 41_000 * 0.3 + 400 * 3.75) / 1e6, 6)
})

it('what a sub-agent asks is answered like the rest', async () => {
	const { host, id } = await lab.headless('HELPER it')
	const { id: request } = await lab.request(id)
	const { code } = await lab.run(['approve', request, '--yes'])
	expect(code).toBe(0)
	expect((await host.done).code).toBe(0)
	expect(existsSync(join(lab.cwd, 'inner.txt'))).toBe(true)
	const [call] = kindOf(host, 'tool_use')
	const inner = kindOf(host, 'agent_response').find(({ body }) =>
		JSON.stringify(body).includes('inner text'),
	)
	expect(call?.body).toMatchObject({ name: 'Agent', parent: null })
	expect(inner?.body).toMatchObject({ parent: Object(call?.body).tool_use })
})

describe('what goes wrong', () => {
	it.each([
		['FAIL400', 'no such thing'],
		['FAIL529', 'too many at once'],
	])(
		'%s of the model is in the session, and the exit code is the one of the agent',
		async (prompt, words) => {
			const { host, id } = await lab.headless(`${prompt} it`)
			expect((await host.done).code).toBe(1)
			const [error] = kindOf(host, 'error')
			expect(JSON.stringify(error?.body)).toContain(words)
			expect(await lab.session(id)).toMatchObject({ status: 'error' })
		},
	)

	it('arguments that the agent does not know: one sentence, and an ended session', async () => {
		const { host, id } = await lab.headless('RUN it', ['--no-such-flag'])
		const { code, stderr } = await host.done
		expect(code).toBe(1)
		expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'agent_failed' } })
		expect(stderr).toContain('--no-such-flag')
		expect(await lab.session(id)).toMatchObject({ status: 'error' })
	})

	it('no agent: one sentence, nothing is made', async () => {
		const before = (await lab.sessions()).length
		const env = { PATH: join(process.execPath, '..') }
		const { code, stderr } = await lab.run(['run', 'claude', '--headless', 'RUN it'], env)
		expect(code).not.toBe(0)
		expect(stderr).toMatch(/^styrby-tui: .*Claude Code.*\n$/)
		expect(await lab.sessions()).toHaveLength(before)
	})

	it('an agent that is killed: its request is closed, its session says so', async () => {
		const { host, id } = await lab.headless('KILL it')
		const { id: request } = await lab.request(id)
		const agent = await childOf(host.child.pid ?? 0)
		process.kill(agent, 'SIGKILL')
		expect((await host.done).code).toBe(137)
		expect(await lab.session(id)).toMatchObject({ status: 'error', pending: 0 })
		const all = await lab.requests(['--all'])
		expect(all.find((one) => one.id === request)).toMatchObject({ status: 'cancelled' })
		expect(existsSync(join(lab.cwd, 'killed.txt'))).toBe(false)
	})

	it('ctrl-c: the agent ends, and the request with it', async () => {
		const { host, id } = await lab.headless('STOP it')
		await lab.request(id)
		const agent = await childOf(host.child.pid ?? 0)
		host.child.kill('SIGINT')
		expect((await host.done).code).toBe(130)
		await until(() => !isAlive(agent))
		expect(await lab.session(id)).toMatchObject({ status: 'stopped', pending: 0 })
		expect(existsSync(join(lab.cwd, 'stopped.txt'))).toBe(false)
	})
})

describe('no answer', () => {
	it('in time is a denial, shown in the viewer and told to the agent', async () => {
		await using short = await shortLab()
		await using screen = short.terminal([], { columns: 120, rows: 40 })
		const { host, id } = await short.headless('LATE it')
		await screen.until((text) => text.includes('touch late.txt') && text.includes('[d] deny'))
		await screen.until(/expired/)
		expect((await host.done).code).toBe(0)
		expect(existsSync(join(short.cwd, 'late.txt'))).toBe(false)
		expect(kindOf(host, 'tool_result')[0]?.body).toMatchObject({
			ok: false,
			text: 'Nobody answered in time, so it is denied.',
		})

		// An answer that was under way when the time ran out, by the host's clock.
		const second = await short.headless('LATE again')
		const request = await short.request(second.id)
		second.host.child.kill('SIGSTOP')
		const approving = short.start(['approve', request.id, '--yes', '--wait', '60'])
		await until(() => approving.stdout.includes('stored: '), approving)
		await sleep(7000)
		second.host.child.kill('SIGCONT')
		const { code, stdout } = await approving.done
		expect(stdout).toMatch(/sent: [\s\S]*stored: [\s\S]*expired \(nobody answered in time\)/)
		expect(code).toBe(1)
		expect((await second.host.done).code).toBe(0)
		expect(existsSync(join(short.cwd, 'late.txt'))).toBe(false)
		expect(id).not.toBe(second.id)
	})
})

function shortLab(): Promise<Lab> {
	const rules = [{ match: '^LATE', turns: [[bash('touch late.txt')], [{ text: 'too late' }]] }]
	return Lab.make({ rules }, { requestTimeoutMinutes: 0.1 })
}

/** The agent's process: a child of its host that is not the shell beside it. */
async function childOf(host: number): Promise<number> {
	const { childProcesses } = await import('../../tools/processes.ts')
	const found = (await childProcesses(host)).find(({ command }) => command.includes('claude'))
	if (!found) throw new Error(`No agent under ${host} (${launcher})`)
	return found.pid
}
