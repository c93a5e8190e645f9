/** `run claude` in one terminal, the viewer in another: the real Claude Code, answered from either. */
import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isAlive } from '../../../source/config/is-alive.ts'
import { bash, Lab, press, until } from '../../tools/lab.ts'
import { childProcesses } from '../../tools/processes.ts'
import type { Terminal } from '../../tools/terminal.ts'

const greet = ['$', '{cwd}/greet.js'].join('')
const edit = { file_path: greet, old_string: '"hello"', new_string: '"good day"' }
const question = {
	question: 'Which database?',
	header: 'Database',
	multiSelect: false,
	options: [
		{ label: 'Postgres', description: 'A server' },
		{ label: 'SQLite', description: 'A file' },
	],
}
const paragraph =
	'The first paragraph is on the other screen.\n\nThe second one is still being written: '

let lab: Lab
let agent: Terminal
let viewer: Terminal

beforeAll(async () => {
	lab = await Lab.make({
		fallback: 'fine',
		rules: [
			{ match: '^RUN', turns: [[bash('touch made.txt')], [{ text: 'it is made' }]] },
			{ match: '^REMOVE', turns: [[bash('rm -rf build')], [{ text: 'left alone' }]] },
			{ match: '^AUTO', turns: [[bash('touch auto.txt')], [{ text: 'unasked' }]] },
			{
				match: '^EDIT',
				turns: [
					[{ tool: 'Read', input: { file_path: greet } }],
					[{ tool: 'Edit', input: edit }],
					[{ text: 'edited' }],
				],
			},
			{
				match: '^ASK',
				turns: [
					[{ tool: 'AskUserQuestion', input: { questions: [question] } }],
					[{ text: 'thanks' }],
				],
			},
			{
				match: '^STREAM',
				turns: [{ chunkDelayMs: 300, blocks: [{ text: paragraph + 'word '.repeat(150) }] }],
			},
			{ match: '^WAIT', turns: [[{ text: 'thinking about it' }, { hang: true }]] },
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
			{
				match: '^FAIL',
				turns: [
					[{ error: { status: 400, type: 'invalid_request_error', message: 'no such thing' } }],
				],
			},
		],
	})
	await mkdir(join(lab.cwd, 'build'))
	await writeFile(join(lab.cwd, 'greet.js'), 'function greet() {\n  return "hello"\n}\n')
	agent = lab.terminal(['run', 'claude'])
	await agent.until('manual mode on')
	viewer = lab.terminal([], { columns: 120, rows: 40 })
	await viewer.until('● 1 live')
}, 300_000)

afterAll(async () => {
	await viewer[Symbol.asyncDispose]()
	await agent[Symbol.asyncDispose]()
	await lab[Symbol.asyncDispose]()
})

async function prompt(text: string): Promise<void> {
	await agent.type(text)
	await agent.type(press.enter)
}

/** The card is on the one screen and the agent's own prompt on the other. */
async function asked(what: string): Promise<void> {
	await agent.until(/Do you want|Enter to select/)
	await viewer.until((text) => text.includes(what) && text.includes('[d] deny'))
	await sleep(700)
}

const noCard = (text: string) => !text.includes('[d] deny') && !text.includes('waiting')

async function session(): Promise<string> {
	const [newest] = await lab.sessions()
	if (!newest) throw new Error('No session')
	return newest.id
}

describe('answered in the viewer', () => {
	it('with yes: the native prompt goes away and the command runs', async () => {
		await prompt('RUN it')
		await asked('touch made.txt')
		expect(existsSync(join(lab.cwd, 'made.txt'))).toBe(false)
		await viewer.type('a')
		await agent.until((text) => text.includes('it is made') && !text.includes('Do you want'))
		await viewer.until('allow once: ✓ sent  ✓ stored  ✓ verified  ✓ applied')
		await viewer.until(noCard)
		expect(existsSync(join(lab.cwd, 'made.txt'))).toBe(true)
		expect(agent.text()).toContain('Allowed by PermissionRequest hook')
	})

	it('with no and a reason: the agent is told why, the native prompt goes away', async () => {
		await prompt('REMOVE it')
		await asked('rm -rf build')
		await viewer.type('r')
		await viewer.type('keep the build – it’s needed')
		await viewer.type(press.enter)
		await agent.until((text) => text.includes('left alone') && !text.includes('Do you want'))
		await viewer.until('deny: ✓ sent  ✓ stored  ✓ verified  ✓ applied')
		expect(existsSync(join(lab.cwd, 'build'))).toBe(true)
		const told = JSON.stringify(lab.api.requests.at(-1)?.body)
		expect(told).toContain('keep the build – it’s needed')
	})

	it('an edit is shown as a diff on both screens', async () => {
		await prompt('EDIT it')
		await asked('greet.js')
		for (const screen of [agent.text(), viewer.text()]) {
			expect(screen).toMatch(/2 -\s+return "hello"/)
			expect(screen).toMatch(/2 \+\s+return "good day"/)
		}
		await viewer.type('a')
		await agent.until('edited')
		expect(await readFile(join(lab.cwd, 'greet.js'), 'utf8')).toContain('good day')
		await writeFile(join(lab.cwd, 'greet.js'), 'function greet() {\n  return "hello"\n}\n')
	})

	it('what a sub-agent asks', async () => {
		await prompt('HELPER it')
		await viewer.until((text) => text.includes('touch inner.txt') && text.includes('[d] deny'))
		await sleep(700)
		await viewer.type('a')
		await viewer.until('inner done')
		expect(existsSync(join(lab.cwd, 'inner.txt'))).toBe(true)
	})
})

describe('answered in the terminal of the agent', () => {
	it('with yes: the card goes away', async () => {
		await prompt('EDIT it')
		await asked('greet.js')
		await agent.type(press.enter)
		await viewer.until(noCard)
		await viewer.until('allowed where the agent runs')
		expect(await readFile(join(lab.cwd, 'greet.js'), 'utf8')).toContain('good day')
		await writeFile(join(lab.cwd, 'greet.js'), 'function greet() {\n  return "hello"\n}\n')
	})

	it('with no: the card goes away, and an answer from elsewhere is told that it came too late', async () => {
		await prompt('REMOVE it')
		await asked('rm -rf build')
		const { id: request } = await lab.request(await session())
		await agent.type(press.escape)
		await viewer.until(noCard)
		await viewer.until('denied where the agent runs')
		const late = await lab.run(['approve', request, '--yes'])
		expect(late.code).toBe(1)
		expect(late.stderr).toContain('it is denied already')
		expect(existsSync(join(lab.cwd, 'build'))).toBe(true)
	})

	it('while an answer from elsewhere is under way: that one is withdrawn, and says so', async () => {
		await prompt('REMOVE it')
		await asked('rm -rf build')
		const waiting = (await lab.requests()).find(({ status }) => status === 'pending')
		const request = waiting?.id ?? ''
		// The host hears of both answers at once.
		process.kill(agent.pid, 'SIGSTOP')
		const approving = lab.start(['approve', request, '--yes', '--wait', '30'])
		await until(() => approving.stdout.includes('stored: '), approving)
		await agent.type(press.escape)
		await agent.until((text) => !text.includes('Do you want'))
		process.kill(agent.pid, 'SIGCONT')
		const { code, stdout } = await approving.done
		expect(stdout).toMatch(/stored: [\s\S]*withdrawn \(answered at the agent itself\)/)
		expect(code).toBe(1)
		const all = await lab.requests(['--all'])
		expect(all.find((one) => one.id === request)).toMatchObject({
			status: 'denied',
			decided: { by: 'agent' },
		})
		await viewer.until(noCard)
		expect(existsSync(join(lab.cwd, 'build'))).toBe(true)
	})

	it('a question is shown with its choices and answered there', async () => {
		await prompt('ASK it')
		await asked('Which database?')
		expect(viewer.text()).toMatch(/1\. Postgres: A server[\s\S]*2\. SQLite: A file/)
		await viewer.type('a')
		expect(agent.text()).toContain('Enter to select')
		await agent.type(press.down)
		await agent.type(press.enter)
		await agent.until('thanks')
		// What was begun here stays until it is left: keys meant for it must not do something else.
		await viewer.until('This question is over.')
		await viewer.type(press.escape)
		await viewer.until((text) => noCard(text) && !text.includes('This question is over.'))
		expect(JSON.stringify(lab.api.requests.at(-1)?.body)).toContain('SQLite')
	})
})

describe('the session on the other screen', () => {
	it('shows text before the message is finished', async () => {
		await prompt('STREAM it')
		await viewer.until('The first paragraph is on the other screen.')
		const said = (await lab.show(await session())).filter(({ kind }) => kind === 'agent_response')
		expect(JSON.stringify(said)).not.toContain('The first paragraph')
		await agent.type(press.escape)
	})

	it('shows an interrupted turn, and what came before it', async () => {
		await prompt('WAIT for me')
		await until(() => lab.api.requests.some(({ picked }) => picked === '^WAIT#0'))
		await agent.until('esc to interrupt')
		// A key that comes while the turn begins may be taken for nothing.
		for (let tries = 0; tries < 5 && agent.text().includes('esc to interrupt'); tries++) {
			await agent.type(press.ctrlC)
			await sleep(1500)
		}
		await viewer.until((text) => /thinking about it\s+[│\s]*· interrupted/.test(text))
		await viewer.until('· idle ·')
	})

	it('says that approvals are off in auto mode', async () => {
		for (let i = 0; i < 4 && !agent.text().includes('auto mode on'); i++) {
			await agent.type(press.shiftTab)
			await sleep(300)
		}
		await agent.until('auto mode on')
		await prompt('AUTO it')
		await viewer.until('Approvals are off in auto mode')
		await agent.until('unasked')
		expect(await lab.requests()).toEqual([])
	})

	it('goes on when a conversation is resumed, and shows an error of the model', async () => {
		await prompt('/exit')
		expect(await agent.exited).toBe(0)
		expect(agent.text()).toContain('all of it is published')
		await viewer.until('stopped')
		const resume = /claude --resume ([0-9a-f-]{36})/.exec(agent.text())?.[1] ?? ''
		await using again = lab.terminal(['run', 'claude', '--', '--resume', resume])
		await again.until('manual mode on')
		await viewer.until('● 1 live')
		await again.type('RUN it')
		await again.type(press.enter)
		await again.until('Do you want')
		await viewer.until(/⚠ 1 waiting/)
		if (!viewer.text().includes('[d] deny')) await viewer.type('n')
		await viewer.until((text) => text.includes('touch made.txt') && text.includes('[d] deny'))
		await sleep(700)
		await viewer.type('a')
		await again.until('it is made')
		await again.type('FAIL please')
		await again.type(press.enter)
		await viewer.until('no such thing')
		// The earlier conversation is in its own session, not in this one again.
		const messages = await lab.show(await session())
		const prompts = messages.filter(({ kind }) => kind === 'user_prompt')
		expect(prompts.map(({ body }) => body?.text)).toEqual(['RUN it', 'FAIL please'])
	})
})

it('no answer on either screen in time is a denial', async () => {
	const rules = [{ match: '^LATE', turns: [[bash('touch late.txt')], [{ text: 'too late' }]] }]
	await using short = await Lab.make({ rules }, { requestTimeoutMinutes: 0.1 })
	await using host = short.terminal(['run', 'claude'])
	await host.until('manual mode on')
	await host.type('LATE it')
	await host.type(press.enter)
	await host.until('Do you want')
	await host.until((text) => text.includes('too late') && !text.includes('Do you want'))
	expect(existsSync(join(short.cwd, 'late.txt'))).toBe(false)
	expect(JSON.stringify(short.api.requests.at(-1)?.body)).toContain('Nobody answered in time')
	const requests = await short.requests(['--all'])
	expect(requests).toMatchObject([{ status: 'expired', problem: null }])
	await host.type('/exit')
	await host.type(press.enter)
	await host.exited
})

describe('the host is killed', () => {
	it('its agent ends too, the terminal is as it was, the request is closed', async () => {
		await using host = lab.terminal(['run', 'claude'])
		await host.until('manual mode on')
		await host.type('REMOVE it')
		await host.type(press.enter)
		await viewer.until(/⚠ 1 waiting/)
		const [child] = (await childProcesses(host.pid)).filter(({ command }) =>
			command.includes('settings.json'),
		)
		if (!child) throw new Error('No agent')
		const id = await session()
		host.kill('SIGKILL')
		await until(() => !isAlive(child.pid))
		// The viewer that is open closes the session.
		await viewer.until((text) => !text.includes('waiting'))
		expect(await lab.session(id)).toMatchObject({ status: 'stopped', pending: 0 })
		const [, settings = ''] = /--settings (\S+)\/settings\.json/.exec(child.command) ?? []
		expect(settings).not.toBe('')
		await until(() => !existsSync(settings))
		const closed = (await lab.requests(['--all'])).find((one) => one.session === id)
		expect(closed).toMatchObject({ status: 'cancelled', problem: null })
		expect(existsSync(join(lab.cwd, 'build'))).toBe(true)
	})
})
