/** Aider in front of a person. The stand-in for it runs: the real one is in no registry here. */
import { existsSync, readdirSync } from 'node:fs'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { AgentAnswer } from '../../../source/agents/agent.ts'
import { aider } from '../../../source/agents/aider/index.ts'
import { isAlive } from '../../../source/config/is-alive.ts'
import { NativeSession } from '../../tools/agent-session.ts'
import { type AiderPlace, aiderPlace, editBlock, shellBlock } from '../../tools/aider.ts'
import { childProcesses } from '../../tools/processes.ts'
import type { Terminal } from '../../tools/terminal.ts'

const yes: AgentAnswer = { decision: 'allow', scope: 'once' }
const no: AgentAnswer = { decision: 'deny', reason: 'Not today' }
const question = "Run shell command? (Y)es/(N)o/(D)on't ask again [Yes]: "

const rules = [
	{ match: /hello/, turns: [[{ text: 'Hello **you**.\n\n> quoted\n\nBye.' }]] },
	{ match: /run/, turns: [[{ text: `I run it.\n\n${shellBlock('echo it ran > ran')}` }]] },
	{ match: /edit/, turns: [[{ text: editBlock('a.txt', 'two\n', '2\n') }]] },
	{ match: /wait/, turns: [[{ text: 'Half a sen' }, { hang: true as const }]] },
	{ match: /fail/, turns: [[{ error: { status: 400, message: 'no such thing' } }]] },
	{
		match: /fool/,
		turns: [[{ text: `Look:\n\ntouch ran\n${question}` }, { hang: true as const }]],
	},
]

let place: AiderPlace
let session: NativeSession
let terminal: Terminal

beforeEach(async () => {
	place = await aiderPlace(rules, { 'a.txt': 'one\ntwo\nthree\n' })
	await mkdir(join(place.folder, 'tmp'))
})

afterEach(async () => {
	await session[Symbol.asyncDispose]()
	await place[Symbol.asyncDispose]()
})

/** Starts it on a narrow terminal: its longer questions take two rows. */
async function start(...args: string[]): Promise<void> {
	const env = { ...place.env, TMPDIR: join(place.folder, 'tmp'), NODE_OPTIONS: '--no-warnings' }
	const start = { adapter: aider, cwd: place.folder, env, args, columns: 70 }
	session = await NativeSession.start(start, join(place.folder, 'tmp'), /^> ?$/m)
	terminal = session.terminal
	await idle(1)
}

async function idle(times: number): Promise<void> {
	const count = () => session.of('status').filter(({ status }) => status === 'idle').length
	await session.until(() => count() >= times)
	expect(count()).toBe(times)
}

/** The n-th request, from 1. */
function request(n: number) {
	return session.until(() => session.of('request')[n - 1])
}

/** Answers from elsewhere. */
async function answer(n: number, given: AgentAnswer): Promise<void> {
	expect(await session.answer((await request(n)).id, given)).toBe(true)
}

async function type(text: string): Promise<void> {
	await terminal.type(text)
	await terminal.press('\r')
}

it('text, usage, commands and edits, answered here or there, in a row', async () => {
	await start()
	await type('hello there')
	await idle(2)
	expect(session.events()).toContainEqual({
		kind: 'user_prompt',
		body: { text: 'hello there', source: 'agent' },
	})
	const reply = session.events().find(({ kind }) => kind === 'agent_response')?.body
	expect(reply).toMatchObject({ text: 'Hello **you**.\n\n> quoted\n\nBye.', model: 'gpt-4o' })
	expect(session.events().find(({ kind }) => kind === 'usage')?.body).toMatchObject({
		input: 1000,
		output: 50,
		cost_usd: 0.003,
	})

	// Approved from elsewhere, with its diff; the question takes two rows here.
	await type('edit it')
	expect((await request(1)).ask).toMatchObject({
		tool: 'edit',
		changes: [
			{ path: join(place.folder, 'a.txt'), hunks: [{ lines: [' one', '-two', '+2', ' three'] }] },
		],
	})
	await answer(1, yes)
	await idle(3)
	expect(await readFile(join(place.folder, 'a.txt'), 'utf8')).toBe('one\n2\nthree\n')

	// Denied from elsewhere, then allowed by the person.
	await type('run it')
	expect((await request(2)).ask.input).toEqual({ command: 'echo it ran > ran' })
	await answer(2, no)
	await idle(4)
	expect(existsSync(join(place.folder, 'ran'))).toBe(false)
	await type('run it again')
	const third = await request(3)
	await terminal.until('Run shell command?')
	await type('y')
	await idle(5)
	expect(existsSync(join(place.folder, 'ran'))).toBe(true)
	expect(session.of('withdrawn')).toEqual([{ type: 'withdrawn', id: third.id, result: 'approved' }])
	expect(session.of('applied').map(({ id }) => id)).toEqual([
		(await request(1)).id,
		(await request(2)).id,
	])

	// An answer that comes too late, and one to what the person is typing an answer to.
	expect(await session.answer(third.id, yes)).toBe(false)
	await type('run a third time')
	const fourth = await request(4)
	await terminal.type('n')
	expect(await session.answer(fourth.id, yes)).toBe(false)
	await terminal.press('\r')
	await idle(6)
	expect(session.of('withdrawn').at(-1)).toEqual({
		type: 'withdrawn',
		id: fourth.id,
		result: 'denied',
	})

	await type('/exit')
	expect(await terminal.exited).toBe(0)
	expect(readdirSync(join(place.folder, 'tmp'))).toEqual([expect.stringMatching(/^socket-/)])
})

it('prompts, modes and interrupts from elsewhere, only where they do no harm; a model error', async () => {
	await start()
	await session.send('wait\nfor it')
	const streamed = () =>
		session
			.of('text')
			.map(({ text }) => text)
			.join('')
	await session.until(() => streamed().includes('Half'))
	expect(session.events()).toContainEqual({
		kind: 'user_prompt',
		body: { text: 'wait\nfor it', source: 'viewer' },
	})
	await session.interrupt()
	await idle(2)
	// Nothing runs: a ctrl-c now could end it.
	await session.interrupt()
	await session.setMode('ask')
	const modes = () => session.of('about').filter(({ mode }) => mode !== undefined)
	await session.until(() => modes().some(({ mode }) => mode === 'ask'))
	expect(modes().at(-1)).toEqual({ type: 'about', mode: 'ask', asks: true })
	await terminal.type('half a line')
	await expect(session.send('hello from elsewhere')).rejects.toThrowError('agent_cannot')
	expect(terminal.text()).not.toContain('elsewhere')
	await terminal.press(...Array<string>('half a line'.length).fill('\u007F'))
	await type('fail')
	await session.until(() => session.events().some(({ kind }) => kind === 'error'))
	await session.stop()
	await terminal.exited
})

it('a model that prints a question is never asked about, nor answered', async () => {
	await start('--no-pretty')
	await type('fool me')
	await terminal.until('[Yes]:')
	await terminal.settled(1500)
	expect(session.of('request')).toEqual([])
	await session.interrupt()
	await idle(2)
	expect(session.of('request')).toEqual([])
})

it('killed, it has ended with its question; killed, its host ends it; resumed, it knows more', async () => {
	await start()
	await type('hello there')
	await idle(2)
	await type('run it')
	const asked = await request(1)
	await session.kill(/aider-stand-in/)
	expect(await session.until(() => session.ended)).toMatchObject({ signal: 'SIGKILL' })
	expect(session.of('withdrawn')).toEqual([
		{ type: 'withdrawn', id: asked.id, result: 'cancelled' },
	])
	await terminal.exited
	expect(terminal.modes).toEqual({ alternate: false, cursor: true, paste: false })
	await session[Symbol.asyncDispose]()

	await start('--restore-chat-history')
	await type('hello again')
	await idle(2)
	expect(JSON.stringify(place.requests.at(-1))).toContain('Bye.')
	const children = await childProcesses(terminal.pid)
	expect(children.map(({ command }) => command)).toContainEqual(
		expect.stringContaining('aider-stand-in'),
	)
	terminal.kill('SIGKILL')
	await session.until(() => children.every(({ pid }) => !isAlive(pid)))
})
