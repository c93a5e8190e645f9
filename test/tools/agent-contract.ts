/**
 * What holds for every agent, in its own interface and without: the same thing is the same event, and the
 * same answer the same answer. Run with the real agents against scripted models, by a driver each.
 */
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { AgentOutput } from '../../source/agents/agent.ts'
import type { Body, Kind } from '../../source/protocol/events.ts'
import type { AgentDriver, Plan, Tokens, World } from './agent-driver.ts'
import { type AgentSession, HeadlessSession, NativeSession } from './agent-session.ts'
import { Lab, until } from './lab.ts'
import { bodies, type Request, requests, settled, typed } from './outputs.ts'

export type Route = 'headless' | 'native'

const limit = 240_000
const reason = 'keep the build – it’s needed'
const expiry = 'Nobody answered in time, so it is denied.'
const firstTokens: Tokens = { input: 1000, output: 70, cache_read: 200, cache_write: 0 }
const secondTokens: Tokens = { input: 100, output: 4, cache_read: 1200, cache_write: 0 }

const plans: readonly Plan[] = [
	{ word: 'TEXT', responses: [{ say: [{ text: 'A few words, in pieces.' }] }] },
	{
		word: 'RUN',
		responses: [
			{
				say: [{ text: 'I will run it' }, { run: 'echo hi && touch made.txt' }],
				tokens: firstTokens,
			},
			{ say: [{ text: 'made' }], tokens: secondTokens },
		],
	},
	{ word: 'DENY', responses: asking('rm -rf build', 'left alone') },
	{
		word: 'EDIT',
		responses: [
			{ say: [{ edit: { file: 'greet.js', from: '"hello"', to: '"good day"' } }] },
			{ say: [{ text: 'edited' }] },
		],
	},
	{
		word: 'TWO',
		responses: [
			{ say: [{ run: 'touch one.txt' }] },
			{ say: [{ run: 'touch two.txt' }] },
			{ say: [{ text: 'both asked' }] },
		],
	},
	{ word: 'LATE', responses: asking('touch late.txt', 'too late') },
	{ word: 'FAIL', responses: [{ say: [{ error: 'no such thing' }] }] },
	{ word: 'WAIT', responses: [{ say: [{ text: 'thinking about it\n\nand on' }, { hang: true }] }] },
	{ word: 'STOP', responses: asking('touch stopped.txt', 'never said') },
	{ word: 'KILL', responses: asking('touch killed.txt', 'never said') },
	{ word: 'MORE', responses: [{ say: [{ text: 'still here' }] }] },
]

function asking(run: string, text: string): Plan['responses'] {
	return [{ say: [{ run }] }, { say: [{ text }] }]
}

/** Declares the tests of one agent on one route. */
export function agentContract(driver: AgentDriver, route: Route): void {
	const bench = new Bench(driver, route)
	const { native } = driver
	const can = driver.cannot ?? {}

	beforeAll(() => bench.open(), 300_000)
	afterEach(async ({ task }) => {
		// Whatever a failed test left is not what the next one expects.
		if (task.result?.state === 'fail') await bench.open()
	}, limit)
	afterAll(() => bench.close(), limit)

	describe(`${driver.adapter.name}, ${route}`, { timeout: limit }, () => {
		test('text only: said once, after its pieces', async () => {
			const turn = await bench.turn('TEXT it')
			await turn.over()
			expect(turn.story).toEqual([
				['user_prompt', 'TEXT it'],
				['agent_response', 'A few words, in pieces.'],
			])
			const [event] = turn.of('agent_response')
			const pieces = typed(turn.outputs, 'text')
			if (can.stream === undefined) {
				expect(pieces.map(({ text }) => text).join('')).toBe('A few words, in pieces.')
				expect(pieces.every(({ block }) => block === event?.block)).toBe(true)
			}
			expect(turn.requests).toEqual([])
			expect(turn.of('error')).toEqual([])
		})

		test('a command is approved: it runs, once, and tokens and cost are those of the model', async () => {
			const turn = await bench.turn('RUN it')
			const { id, ask } = await turn.request()
			expect(JSON.stringify(ask.input)).toContain('echo hi && touch made.txt')
			expect(ask).toMatchObject({ cwd: bench.cwd, changes: [], questions: null })
			expect(bench.has('made.txt')).toBe(false)
			expect(
				await bench.session.answer('no such request', { decision: 'allow', scope: 'once' }),
			).toBe(false)
			expect(await turn.allow(id)).toBe(true)
			expect(await turn.allow(id)).toBe(false)
			await turn.over()
			expect(bench.has('made.txt')).toBe(true)
			expect(turn.story).toEqual([
				['user_prompt', 'RUN it'],
				['agent_response', 'I will run it'],
				['tool_use', expect.anything()],
				['tool_result', true],
				['agent_response', 'made'],
			])
			const [call] = turn.of('tool_use')
			const [result] = turn.of('tool_result')
			expect(result).toMatchObject({ tool_use: call?.tool_use, changes: [], parent: null })
			expect(result?.text).toContain('hi')
			expect(result?.exit_code).toBe(driver.exitCodes ? 0 : null)
			if (ask.tool_use !== null) expect(ask.tool_use).toBe(call?.tool_use)
			expect(turn.ends).toEqual([{ type: 'applied', id }])
			expect(turn.tokens).toEqual(sum([firstTokens, secondTokens]))
			const cost = driver.cost(sum([firstTokens, secondTokens]))
			if (cost === null) expect(turn.cost).toBeNull()
			else expect(turn.cost).toBeCloseTo(cost, 9)
		})

		test('a command is denied with a reason: it does not run, and the model reads the reason', async () => {
			const turn = await bench.turn('DENY it')
			const { id } = await turn.request()
			expect(await bench.session.answer(id, { decision: 'deny', reason })).toBe(true)
			await turn.over()
			expect(bench.has('build')).toBe(true)
			expect(turn.story.slice(0, 3)).toEqual([
				['user_prompt', 'DENY it'],
				['tool_use', expect.anything()],
				['tool_result', false],
			])
			expect(turn.ends).toEqual([{ type: 'applied', id }])
			if (can.goOn === undefined) expect(turn.said).toEqual(['left alone'])
			else expect(turn.said).toEqual([])
			if (can.reason === undefined) {
				expect(bench.told(reason)).toBe(true)
				if (can.goOn === undefined) expect(turn.of('tool_result')[0]?.text).toContain(reason)
			}
		})

		test('an edit is approved: its diff is shown before, and is its result', async () => {
			const turn = await bench.turn('EDIT it')
			const { id, ask } = await turn.request()
			const change = {
				path: join(bench.cwd, 'greet.js'),
				hunks: [
					{
						old_start: 1,
						old_lines: 3,
						new_start: 1,
						new_lines: 3,
						lines: [' function greet() {', '-  return "hello"', '+  return "good day"', ' }'],
					},
				],
			}
			expect(ask.changes).toEqual([change])
			expect(await bench.read('greet.js')).toContain('hello')
			expect(await turn.allow(id)).toBe(true)
			await turn.over()
			expect(await bench.read('greet.js')).toContain('good day')
			expect(turn.of('tool_result').at(-1)).toMatchObject({ ok: true, changes: [change] })
			expect(turn.ends).toEqual([{ type: 'applied', id }])
			expect(turn.said.at(-1)).toBe('edited')
		})

		test('two requests in a row are two, each with its own answer', async () => {
			const turn = await bench.turn('TWO of them')
			const first = await turn.request(1)
			if (route === 'native') await turn.press(native.approve)
			else expect(await turn.allow(first.id)).toBe(true)
			const second = await turn.request(2)
			expect(second.id).not.toBe(first.id)
			expect(bench.has('one.txt')).toBe(true)
			// The first one has its answer: another one does nothing, to the second least of all.
			expect(await turn.allow(first.id)).toBe(false)
			expect(bench.has('two.txt')).toBe(false)
			if (route === 'native') await turn.press(native.deny)
			else expect(await bench.session.answer(second.id, { decision: 'deny', reason })).toBe(true)
			await turn.over()
			expect(bench.has('two.txt')).toBe(false)
			expect(turn.ends).toEqual(
				route === 'native'
					? [
							{ type: 'withdrawn', id: first.id, result: 'approved' },
							{ type: 'withdrawn', id: second.id, result: 'denied' },
						]
					: [
							{ type: 'applied', id: first.id },
							{ type: 'applied', id: second.id },
						],
			)
		})

		test('an error of the model is one error', async () => {
			const turn = await bench.turn('FAIL at it')
			await turn.over()
			expect(turn.story).toEqual([
				['user_prompt', 'FAIL at it'],
				['error', expect.stringContaining('no such thing')],
			])
			expect(turn.requests).toEqual([])
			if (bench.ended) expect(bench.ended.code).not.toBe(0)
		})

		test('an interrupt ends the turn, without an error, and the next prompt is answered', async () => {
			const turn = await bench.turn('WAIT for it')
			await turn.writes('thinking about it')
			await turn.interrupt()
			await turn.over()
			expect(turn.of('error')).toEqual([])
			expect(turn.of('system').filter(({ type }) => type === 'interrupted')).toHaveLength(1)
			const next = await bench.turn('MORE of it')
			await next.over()
			expect(next.story).toEqual([
				['user_prompt', 'MORE of it'],
				['agent_response', 'still here'],
			])
		})

		test('an interrupt while it asks: the request is withdrawn, and nothing runs', async () => {
			const turn = await bench.turn('STOP it')
			const { id } = await turn.request()
			await turn.interrupt()
			await turn.over()
			expect(turn.ends).toEqual([
				{ type: 'withdrawn', id, result: expect.stringMatching(/cancelled|denied/) },
			])
			expect(await turn.allow(id)).toBe(false)
			expect(turn.of('error')).toEqual([])
			expect(bench.has('stopped.txt')).toBe(false)
		})

		test('a session is resumed: the model knows what was said, and it is not said again', async () => {
			const first = await bench.turn('RUN it again')
			const { id } = await first.request()
			await first.allow(id)
			await first.over()
			const session = bench.agentSession
			await bench.end()
			const turn = await bench.turn('MORE of it', driver.resume(session))
			await turn.over()
			expect(bench.agentSession).toBe(session)
			expect(turn.said).toEqual(['still here'])
			expect(turn.of('usage').filter(({ output }) => output > 0)).toHaveLength(1)
			expect(bench.bodies().at(-1)).toContain('I will run it')
		})

		test('the agent is killed while it asks: the request is cancelled, and nothing runs', async () => {
			const turn = await bench.turn('KILL it')
			const { id } = await turn.request()
			const { session } = bench
			await session.kill(driver.process)
			const { code, signal } = await session.until(() => session.ended)
			expect([code, signal]).not.toEqual([0, null])
			expect(turn.ends).toEqual([{ type: 'withdrawn', id, result: 'cancelled' }])
			if (route === 'headless') expect(await turn.allow(id)).toBe(false)
			expect(bench.has('killed.txt')).toBe(false)
			if (session instanceof NativeSession) {
				await session.terminal.exited
				expect(session.terminal.modes).toEqual({ alternate: false, cursor: true, paste: false })
			}
		})

		test('nobody answers in time: it is denied by the host, and nothing runs', async () => {
			const asked = await bench.expired()
			expect(asked).toMatchObject({
				responses: [{ result: 'expired', by: 'host', reason: expiry }],
				results: [{ ok: false }],
				session: { agent: driver.adapter.name, status: 'stopped', pending: 0, title: 'LATE it' },
			})
			expect(bench.has('late.txt')).toBe(false)
			if (can.reason === undefined) expect(bench.told(expiry)).toBe(true)
		})
	})
}

/** One turn of a session: what was told since its prompt. */
class Turn {
	readonly #session: AgentSession
	readonly #from: number
	readonly #driver: AgentDriver

	constructor(session: AgentSession, from: number, driver: AgentDriver) {
		this.#session = session
		this.#from = from
		this.#driver = driver
	}

	get outputs(): AgentOutput[] {
		return this.#session.outputs.slice(this.#from)
	}

	get requests(): Request[] {
		return requests(this.outputs)
	}

	/** What became of the requests. */
	get ends(): AgentOutput[] {
		return settled(this.outputs)
	}

	of<K extends Kind>(kind: K): Body<K>[] {
		return bodies(this.outputs, kind)
	}

	/** What a reader follows, in order. */
	get story(): [kind: string, what: unknown][] {
		return this.outputs.flatMap((output): [string, unknown][] => {
			if (output.type !== 'event') return []
			const { kind, body } = output.event
			switch (kind) {
				case 'user_prompt':
				case 'agent_response':
				case 'error':
					return [[kind, body.text]]
				case 'tool_use':
					return [[kind, body.name]]
				case 'tool_result':
					return [[kind, body.ok]]
				default:
					return []
			}
		})
	}

	get said(): string[] {
		return this.of('agent_response').map(({ text }) => text)
	}

	get tokens(): Tokens {
		return sum(this.of('usage'))
	}

	get cost(): number | null {
		const costs = this.of('usage').flatMap(({ cost_usd }) => cost_usd ?? [])
		return costs.length === 0 ? null : costs.reduce((all, one) => all + one, 0)
	}

	/** The n-th request (from 1), once it is there and on the screen. */
	async request(n = 1): Promise<Request> {
		const found = await this.#session.until(() => this.requests[n - 1])
		if (this.#session instanceof NativeSession) {
			await this.#session.terminal.until(this.#driver.native.asked)
		}
		return found
	}

	allow(id: string): Promise<boolean> {
		return this.#session.answer(id, { decision: 'allow', scope: 'once' })
	}

	/** Answers in the terminal. */
	async press(keys: readonly string[]): Promise<void> {
		if (!(this.#session instanceof NativeSession)) throw new Error('It has no interface')
		await this.#session.press(...keys)
	}

	async writes(text: string): Promise<void> {
		if (this.#session instanceof NativeSession) {
			await this.#session.terminal.until(text)
			return
		}
		const pieces = () =>
			this.outputs.flatMap((output) => (output.type === 'text' ? [output.text] : []))
		await this.#session.until(() => pieces().join('').includes(text))
	}

	async interrupt(): Promise<void> {
		const { interrupt } = this.#driver.native
		if (this.#session instanceof NativeSession && interrupt) await this.press(interrupt)
		else await this.#session.interrupt()
	}

	/** The turn is over, and everything that was asked has its end. */
	async over(): Promise<void> {
		await this.#session.until(() => {
			const status = this.outputs.findLast((output) => output.type === 'status')
			const ran = this.outputs.some((one) => one.type === 'status' && one.status === 'running')
			// Before its first turn an interface is idle too.
			const idle = ran && status?.type === 'status' && status.status === 'idle'
			const ended = new Set(this.ends.map((end) => ('id' in end ? end.id : '')))
			return (idle || this.#session.ended) && this.requests.every(({ id }) => ended.has(id))
		})
		if (this.#session instanceof NativeSession) {
			await this.#session.terminal.until((text) => !this.#driver.native.asked.test(text))
		}
	}
}

/** The agent, its model and the session that it is in. */
class Bench {
	readonly #driver: AgentDriver
	readonly #route: Route
	#folder = ''
	#world: World | null = null
	#session: AgentSession | null = null

	constructor(driver: AgentDriver, route: Route) {
		this.#driver = driver
		this.#route = route
	}

	async open(): Promise<void> {
		await this.close()
		const program = await this.#driver.find()
		this.#folder = await realpath(await mkdtemp(join(tmpdir(), 'styrby-test-')))
		const place = { home: join(this.#folder, 'home'), cwd: this.cwd, program }
		for (const name of ['home', 'tmp', 'project/build']) {
			await mkdir(join(this.#folder, name), { recursive: true })
		}
		await writeFile(join(this.cwd, 'greet.js'), 'function greet() {\n  return "hello"\n}\n')
		this.#world = await this.#driver.open(place, plans)
	}

	async close(): Promise<void> {
		await this.end()
		await this.#world?.[Symbol.asyncDispose]()
		this.#world = null
		if (this.#folder !== '') await rm(this.#folder, { recursive: true, force: true, maxRetries: 5 })
	}

	get cwd(): string {
		return join(this.#folder, 'project')
	}

	get session(): AgentSession {
		if (this.#session === null) throw new Error('No session')
		return this.#session
	}

	get ended(): AgentSession['ended'] {
		return this.session.ended
	}

	/** The agent's own id of the session. */
	get agentSession(): string {
		const ids = this.session.outputs.flatMap((one) => (one.type === 'about' ? one.session : []))
		return ids.findLast((id) => id !== undefined) ?? ''
	}

	has(name: string): boolean {
		return existsSync(join(this.cwd, name))
	}

	read(name: string): Promise<string> {
		return readFile(join(this.cwd, name), 'utf8')
	}

	bodies(): readonly string[] {
		return this.#running.bodies()
	}

	/** Whether the model was told this, however its request spells it. */
	told(text: string): boolean {
		return this.bodies().some((body) => strings(JSON.parse(body)).some((one) => one.includes(text)))
	}

	get #running(): World {
		if (this.#world === null) throw new Error('Not opened')
		return this.#world
	}

	/** A turn of the session that is open; of a new one where there is none, or `args` are given. */
	async turn(prompt: string, args: readonly string[] = []): Promise<Turn> {
		const stays = this.#route === 'native' || this.#driver.cannot?.stay === undefined
		if (args.length > 0 || !stays || this.#session?.ended) await this.end()
		const { adapter, native } = this.#driver
		const world = this.#running
		const env = { ...world.env, TMPDIR: join(this.#folder, 'tmp') }
		const start = { adapter, cwd: this.cwd, env, args: [...(world.args ?? []), ...args] }
		if (this.#session === null && this.#route === 'headless') {
			this.#session = await HeadlessSession.start(start, prompt, stays)
			return new Turn(this.#session, 0, this.#driver)
		}
		this.#session ??= await NativeSession.start(start, this.#folder, native.ready)
		const turn = new Turn(this.#session, this.#session.outputs.length, this.#driver)
		await this.#session.prompt(prompt)
		return turn
	}

	async end(): Promise<void> {
		await this.#session?.[Symbol.asyncDispose]()
		this.#session = null
	}

	/** The whole program, which nobody answers: what is in the session afterwards. */
	async expired() {
		await this.end()
		const { adapter, native } = this.#driver
		const world = this.#running
		const env = { ...world.env, PATH: `${world.env.PATH}${delimiter}${dirname(process.execPath)}` }
		await using lab = await Lab.make({}, { requestTimeoutMinutes: 0.1 }, { cwd: this.cwd, env })
		const args = world.args?.length ? ['--', ...world.args] : []
		if (this.#route === 'headless') {
			const headless = ['--headless', 'LATE it', '--json']
			const { code, stdout, stderr } = await lab.run(['run', adapter.name, ...headless, ...args])
			if (code !== 0) throw new Error(`${code}: ${stdout}${stderr}`)
		} else {
			await using terminal = lab.terminal(['run', adapter.name, ...args], {
				columns: 100,
				rows: 40,
			})
			await terminal.until(native.ready, 120_000)
			await terminal.type('LATE it')
			await terminal.until('LATE it')
			await terminal.press('\r')
			await terminal.until(native.asked, 120_000)
			await until(
				async () => (await lab.requests(['--all'])).some(({ status }) => status === 'expired'),
				() => terminal.text(),
			)
			await terminal.until((text) => !native.asked.test(text))
			await terminal.until(native.ready)
			await terminal.press(...native.quit)
			await terminal.exited
		}
		const [session] = await lab.sessions()
		if (session === undefined) throw new Error('No session')
		const shown = await lab.show(session.id)
		const of = (kind: string) => shown.filter((one) => one.kind === kind).map(({ body }) => body)
		return { session, responses: of('permission_response'), results: of('tool_result') }
	}
}

function sum(all: readonly Tokens[]): Tokens {
	const total: Tokens = { input: 0, output: 0, cache_read: 0, cache_write: 0 }
	for (const one of all) {
		total.input += one.input
		total.output += one.output
		total.cache_read += one.cache_read
		total.cache_write += one.cache_write
	}
	return total
}

/** All texts in a document. */
function strings(value: unknown): string[] {
	if (typeof value === 'string') return [value]
	if (typeof value !== 'object' || value === null) return []
	return Object.values(value).flatMap(strings)
}
