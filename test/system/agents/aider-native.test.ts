/** Aider in front of a person. The stand-in for it runs: the real one is in no registry here. */
import { existsSync, readdirSync } from 'node:fs'
import { mkdir, readFile } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { AgentAnswer, AgentOutput } from '../../../source/agents/agent.ts'
import { isAlive } from '../../../source/config/is-alive.ts'
import { type AiderPlace, aiderPlace, editBlock, shellBlock } from '../../tools/aider.ts'
import { childProcesses } from '../../tools/processes.ts'
import { Terminal } from '../../tools/terminal.ts'

type Told =
	| AgentOutput
	| { type: 'answered'; id: string; taken: boolean }
	| { type: 'refused'; code: string }
	| { type: 'ended'; code: number | null; signal: string | null }

const yes: AgentAnswer = { decision: 'allow', scope: 'once' }
const no: AgentAnswer = { decision: 'deny', reason: 'Not today' }
const waiting = { timeout: 30_000, interval: 20 }
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
let terminal: Terminal
let server: Server
let host: Socket | null = null
let told: Told[] = []

beforeEach(async () => {
	place = await aiderPlace(rules, { 'a.txt': 'one\ntwo\nthree\n' })
	await mkdir(join(place.folder, 'tmp'))
})

afterEach(async () => {
	await terminal[Symbol.asyncDispose]()
	await new Promise((resolve) => server.close(resolve))
	await place[Symbol.asyncDispose]()
})

/** Starts it on a narrow terminal: its longer questions take two rows. */
async function start(...args: string[]): Promise<void> {
	told = []
	const path = join(place.folder, 'tmp', 's')
	server = createServer((socket) => {
		host = socket
		socket.on('error', () => socket.destroy())
		createInterface({ input: socket }).on('line', (line) => told.push(JSON.parse(line)))
	})
	await new Promise<void>((resolve) => server.listen(path, resolve))
	terminal = new Terminal({
		command: process.execPath,
		args: [join(import.meta.dirname, '../../tools/native-aider.ts'), path, ...args],
		env: { ...place.env, TMPDIR: join(place.folder, 'tmp'), NODE_OPTIONS: '--no-warnings' },
		columns: 70,
		rows: 30,
		cwd: place.folder,
	})
	await idle(1)
}

function order(what: object): void {
	host?.write(`${JSON.stringify(what)}\n`)
}

function of<T extends Told['type']>(type: T): Extract<Told, { type: T }>[] {
	return told.filter((one): one is Extract<Told, { type: T }> => one.type === type)
}

const events = () => of('event').map(({ event }) => event)

async function idle(times: number): Promise<void> {
	await vi.waitFor(
		() => expect(of('status').filter(({ status }) => status === 'idle')).toHaveLength(times),
		waiting,
	)
}

/** The n-th request, from 1. */
async function request(n: number) {
	await vi.waitFor(() => expect(of('request').length).toBeGreaterThanOrEqual(n), waiting)
	return of('request')[n - 1]
}

/** Answers from elsewhere. */
async function answer(n: number, given: AgentAnswer): Promise<void> {
	const asked = await request(n)
	order({ do: 'answer', id: asked?.id, answer: given })
	await vi.waitFor(
		() => expect(of('answered')).toContainEqual({ type: 'answered', id: asked?.id, taken: true }),
		waiting,
	)
}

async function type(text: string): Promise<void> {
	await terminal.type(text)
	await terminal.press('\r')
}

it('text, usage, commands and edits, answered here or there, in a row', async () => {
	await start()
	await type('hello there')
	await idle(2)
	expect(events()).toContainEqual({
		kind: 'user_prompt',
		body: { text: 'hello there', source: 'agent' },
	})
	const reply = events().find(({ kind }) => kind === 'agent_response')?.body
	expect(reply).toMatchObject({ text: 'Hello **you**.\n\n> quoted\n\nBye.', model: 'gpt-4o' })
	expect(events().find(({ kind }) => kind === 'usage')?.body).toMatchObject({
		input: 1000,
		output: 50,
		cost_usd: 0.003,
	})

	// Approved from elsewhere, with its diff; the question takes two rows here.
	await type('edit it')
	expect((await request(1))?.ask).toMatchObject({
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
	expect((await request(2))?.ask.input).toEqual({ command: 'echo it ran > ran' })
	await answer(2, no)
	await idle(4)
	expect(existsSync(join(place.folder, 'ran'))).toBe(false)
	await type('run it again')
	const third = await request(3)
	await terminal.until('Run shell command?')
	await type('y')
	await idle(5)
	expect(existsSync(join(place.folder, 'ran'))).toBe(true)
	expect(of('withdrawn')).toEqual([{ type: 'withdrawn', id: third?.id, result: 'approved' }])
	expect(of('applied').map(({ id }) => id)).toEqual([
		(await request(1))?.id,
		(await request(2))?.id,
	])

	// An answer that comes too late, and one to what the person is typing an answer to.
	order({ do: 'answer', id: third?.id, answer: yes })
	await type('run a third time')
	const fourth = await request(4)
	await terminal.type('n')
	order({ do: 'answer', id: fourth?.id, answer: yes })
	await vi.waitFor(
		() => expect(of('answered').filter(({ taken }) => !taken)).toHaveLength(2),
		waiting,
	)
	await terminal.press('\r')
	await idle(6)
	expect(of('withdrawn').at(-1)).toEqual({ type: 'withdrawn', id: fourth?.id, result: 'denied' })

	await type('/exit')
	expect(await terminal.exited).toBe(0)
	expect(readdirSync(join(place.folder, 'tmp'))).toEqual(['s'])
})

it('prompts, modes and interrupts from elsewhere, only where they do no harm; a model error', async () => {
	await start()
	order({ do: 'prompt', text: 'wait\nfor it' })
	await vi.waitFor(
		() =>
			expect(
				of('text')
					.map(({ text }) => text)
					.join(''),
			).toContain('Half'),
		waiting,
	)
	expect(events()).toContainEqual({
		kind: 'user_prompt',
		body: { text: 'wait\nfor it', source: 'viewer' },
	})
	order({ do: 'interrupt' })
	await idle(2)
	// Nothing runs: a ctrl-c now could end it.
	order({ do: 'interrupt' })
	order({ do: 'mode', mode: 'ask' })
	await vi.waitFor(
		() => expect(told).toContainEqual({ type: 'about', mode: 'ask', asks: true }),
		waiting,
	)
	await terminal.type('half a line')
	order({ do: 'prompt', text: 'hello from elsewhere' })
	await vi.waitFor(() => expect(of('refused')).toHaveLength(1), waiting)
	expect(terminal.text()).not.toContain('elsewhere')
	await terminal.press(...Array<string>('half a line'.length).fill('\u007F'))
	await type('fail')
	await vi.waitFor(() => expect(events().some(({ kind }) => kind === 'error')).toBe(true), waiting)
	order({ do: 'stop' })
	await terminal.exited
})

it('a model that prints a question is never asked about, nor answered', async () => {
	await start('--no-pretty')
	await type('fool me')
	await terminal.until('[Yes]:')
	await terminal.settled(1500)
	expect(of('request')).toEqual([])
	order({ do: 'interrupt' })
	await idle(2)
	expect(of('request')).toEqual([])
})

it('killed, it has ended with its question; killed, its host ends it; resumed, it knows more', async () => {
	await start()
	await type('hello there')
	await idle(2)
	await type('run it')
	const asked = await request(1)
	const [agent] = (await childProcesses(terminal.pid)).filter(({ command }) =>
		command.includes('aider-stand-in'),
	)
	process.kill(agent?.pid ?? 0, 'SIGKILL')
	await vi.waitFor(() => expect(of('ended')).toMatchObject([{ signal: 'SIGKILL' }]), waiting)
	expect(of('withdrawn')).toEqual([{ type: 'withdrawn', id: asked?.id, result: 'cancelled' }])
	await terminal.exited
	expect(terminal.modes).toEqual({ alternate: false, cursor: true, paste: false })
	await terminal[Symbol.asyncDispose]()
	await new Promise((resolve) => server.close(resolve))

	await start('--restore-chat-history')
	await type('hello again')
	await idle(2)
	expect(JSON.stringify(place.requests.at(-1))).toContain('Bye.')
	const [next] = await childProcesses(terminal.pid)
	terminal.kill('SIGKILL')
	await vi.waitFor(() => expect(isAlive(next?.pid ?? 0)).toBe(false), waiting)
})
