/**
 * Gemini CLI without its interface: `gemini --acp`, JSON-RPC on its standard streams. The viewer is the only
 * place to answer, and whatever goes wrong on our side is a denial for the agent.
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { realpath } from 'node:fs/promises'
import * as v from 'valibot'
import { StyrbyError } from '../../protocol/errors.ts'
import type { AgentAnswer, AgentOutput, RunningAgent, StartOptions } from '../agent.ts'
import { modeRefused, noMorePrompts, otherMode } from '../cannot.ts'
import { childEnvironment } from '../child-environment.ts'
import {
	type Ended,
	hasEnded,
	lastWords,
	spawned,
	terminate,
	watchEnd,
	within,
	writeLine,
} from '../child-process.ts'
import { endWithHost } from '../end-with-host.ts'
import { readLines } from '../lines.ts'
import { OutputQueue } from '../output-queue.ts'
import { initializedSchema, sessionSchema } from './acp-schema.ts'
import { type HeadlessArguments, headlessArguments } from './arguments.ts'
import { ChatFile, geminiFolder, latestSession } from './chat-file.ts'
import { modes } from './modes.ts'
import { AcpReader } from './reader.ts'
import { type Reply, Rpc } from './rpc.ts'

const maxLineBytes = 32 * 1024 * 1024
const readyMs = 60_000
const replyMs = 5000
const graceMs = 3000

/** JSON-RPC's own numbers. */
const unknownMethod = -32_601
const invalidParams = -32_602

/**
 * Starts a headless session and gives it its first prompt. Throws `agent_failed` when the agent does not
 * come up (its own words are in the message), `agent_arguments`, `agent_session_unknown`.
 */
export async function startHeadless(path: string, options: StartOptions): Promise<RunningAgent> {
	const given = headlessArguments(options.args)
	// It names folders by their real paths.
	const cwd = await realpath(options.cwd)
	const child = spawn(path, ['--acp', ...given.rest], {
		cwd,
		// Else it would start itself once more, and what is told the first would not reach the second.
		env: { ...childEnvironment(options.env), GEMINI_CLI_NO_RELAUNCH: 'true' },
		stdio: 'pipe',
	})
	const session = new AcpSession(child, cwd, options)
	await spawned(child, 'Gemini CLI')
	endWithHost(child)
	try {
		await session.open(given)
	} catch (error) {
		await session.stop()
		throw error
	}
	await session.prompt(options.headless ?? '', 'agent')
	return session
}

class AcpSession implements RunningAgent {
	readonly name = 'gemini'
	readonly ended: Promise<Ended>
	readonly #child: ChildProcessWithoutNullStreams
	readonly #options: StartOptions
	readonly #cwd: string
	readonly #reader: AcpReader
	readonly #rpc = new Rpc((line) => writeLine(this.#child.stdin, line))
	readonly #queue = new OutputQueue<AgentOutput>()
	/** Prompts that wait for the end of the turn: a new one would end it. */
	readonly #prompts: { text: string; source: 'agent' | 'viewer' }[] = []
	#session = ''
	#chat: ChatFile | null = null
	#updates = 0
	#working = false
	#done = false
	#stopping: Promise<void> | undefined

	constructor(child: ChildProcessWithoutNullStreams, cwd: string, options: StartOptions) {
		this.#child = child
		this.#options = options
		this.#cwd = cwd
		this.#reader = new AcpReader(cwd)
		const exit = watchEnd(child)
		// A write to an agent that has just ended fails; `ended` tells about it.
		child.stdin.on('error', () => child.stdin.destroy())
		child.once('exit', () => this.#queue.flush())
		const read = this.#read()
		this.ended = Promise.all([exit, read]).then(async ([how]) => {
			options.signal?.removeEventListener('abort', this.#abort)
			this.#rpc.end()
			this.#queue.push(...(await this.#news()), ...this.#reader.end(now()))
			this.#queue.close()
			if (!this.#done) return how
			return { code: this.#reader.failed ? 1 : 0, signal: null, stderr: how.stderr }
		})
		options.signal?.addEventListener('abort', this.#abort, { once: true })
	}

	get output(): AsyncIterable<AgentOutput> {
		return this.#queue
	}

	/** Agrees on the protocol, and makes or loads the session. */
	async open({ resume }: HeadlessArguments): Promise<void> {
		const hello = await this.#ask('initialize', {
			protocolVersion: 1,
			clientCapabilities: { fs: { readTextFile: false, writeTextFile: false }, terminal: false },
			clientInfo: { name: 'styrby-tui', version: '1' },
		})
		const { agentInfo } = v.parse(initializedSchema, hello)
		const folder = geminiFolder(this.#options.env)
		const session = resume === 'latest' ? await latestSession(folder, this.#cwd) : resume
		if (resume !== null && session === null) {
			throw new StyrbyError(
				'agent_session_unknown',
				'Gemini CLI has no session of this folder to go on with; start one without --resume.',
			)
		}
		this.#reader.replaying = session !== null
		const where = { cwd: this.#cwd, mcpServers: [] }
		const opened =
			session === null ? await this.#ask('session/new', where) : await this.#load(session, where)
		const { sessionId, modes: state } = v.parse(sessionSchema, opened)
		if (session === null) this.#session = sessionId ?? ''
		this.#chat = new ChatFile(folder, this.#session.trim())
		if (session !== null) await this.#replayed()
		this.#queue.push(
			{
				type: 'about',
				session: this.#session.trim(),
				cwd: this.#cwd,
				...(agentInfo === null ? {} : { version: agentInfo.version }),
				takes: { prompt: true, interrupt: true, modes },
			},
			...this.#reader.started(state?.currentModeId ?? null),
		)
	}

	async prompt(text: string, source: 'agent' | 'viewer' = 'viewer'): Promise<void> {
		if (!this.#open || this.#done) throw noMorePrompts()
		this.#prompts.push({ text, source })
		this.#next()
	}

	async answer(id: string, answer: AgentAnswer): Promise<boolean> {
		if (!this.#open) return false
		const reply = this.#reader.answer(id, answer)
		if (reply === null) return false
		const { rpc, optionId, taken } = reply
		const sent = await this.#rpc.respond(rpc, { outcome: { outcome: 'selected', optionId } })
		return sent && taken
	}

	async interrupt(): Promise<void> {
		if (!this.#open || !this.#working) return
		const { outputs, rpcs } = this.#reader.drop()
		await this.#rpc.notify('session/cancel', { sessionId: this.#session })
		for (const rpc of rpcs) await this.#rpc.respond(rpc, { outcome: { outcome: 'cancelled' } })
		this.#queue.push(...outputs)
	}

	async setMode(mode: string): Promise<void> {
		if (!this.#open || !modes.includes(mode)) throw otherMode('Gemini CLI', modes)
		if (mode === this.#reader.mode) return
		this.#reader.expectMode(mode)
		const reply = this.#rpc.request('session/set_mode', { sessionId: this.#session, modeId: mode })
		if (!(await within(reply, replyMs))) throw modeRefused('Gemini CLI', null)
		const said = await reply
		if (said.ok) {
			if (this.#reader.mode !== mode) this.#queue.push(...this.#reader.started(mode))
			return
		}
		throw modeRefused('Gemini CLI', why(said))
	}

	stop(): Promise<void> {
		this.#stopping ??= this.#stop()
		return this.#stopping
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.stop()
	}

	async #stop(): Promise<void> {
		this.#queue.flush()
		this.#prompts.length = 0
		await this.interrupt()
		this.#child.stdin.end()
		if (await within(this.ended, graceMs)) return
		await terminate(this.#child, this.ended, graceMs)
	}

	readonly #abort = (): void => {
		void this.stop()
	}

	get #open(): boolean {
		return this.#child.stdin.writable && !hasEnded(this.#child)
	}

	/**
	 * Loads a session. Gemini CLI (0.61.0) begins an empty file for every one that it loads, named by its id, and
	 * when it later clears away what is empty, or when the name is taken, the session is lost with it. With a
	 * space before it the id finds the session all the same, and the empty file has another name.
	 */
	async #load(session: string, where: object): Promise<unknown> {
		this.#session = ` ${session}`
		const params = { ...where, sessionId: this.#session }
		const reply = this.#rpc.request('session/load', params)
		if ((await within(Promise.race([reply, this.ended]), readyMs)) && this.#open) {
			const said = await reply
			if (said.ok) return said.result
		}
		this.#session = session
		return this.#ask('session/load', { ...where, sessionId: session })
	}

	/** Asks for something that has to work. */
	async #ask(method: string, params: unknown): Promise<unknown> {
		const reply = this.#rpc.request(method, params)
		if (!(await within(Promise.race([reply, this.ended]), readyMs))) {
			throw new StyrbyError(
				'agent_failed',
				'Gemini CLI did not answer within 60 s; run `gemini` by itself to see why.',
			)
		}
		const said = await reply
		if (said.ok) return said.result
		const words = hasEnded(this.#child) ? lastWords((await this.ended).stderr) : why(said)
		throw new StyrbyError(
			'agent_failed',
			`Gemini CLI did not start: ${words || 'it gave no reason'}. Run \`gemini\` by itself to mend this.`,
		)
	}

	/**
	 * A loaded session tells its history, and does not say when that is over: it is once a whole round trip has
	 * brought none. Neither that nor what the file already has is news.
	 */
	async #replayed(): Promise<void> {
		for (;;) {
			const before = this.#updates
			await this.#rpc.request('_styrby/round_trip', {})
			if (this.#updates === before || !this.#open) break
		}
		this.#reader.skip((await this.#chat?.read()) ?? [])
		this.#reader.replaying = false
	}

	#next(): void {
		if (this.#working) return
		const prompt = this.#prompts.shift()
		if (prompt === undefined) return
		this.#working = true
		this.#queue.push(...this.#reader.prompted(prompt.text, prompt.source, now()))
		void this.#rpc.request('session/prompt', {
			sessionId: this.#session,
			prompt: [{ type: 'text', text: prompt.text }],
		})
	}

	async #read(): Promise<void> {
		try {
			for await (const line of readLines(this.#child.stdout, maxLineBytes)) {
				if (line.text === null) this.#notice('A line of the agent over 32 MiB was left out')
				else await this.#line(line.text)
				await this.#queue.room()
			}
		} catch (error) {
			// What the agent left behind held its output open, and was let go.
			if (hasEnded(this.#child)) return
			const text = error instanceof Error ? error.message : 'unknown cause'
			this.#notice(`Reading from the agent failed: ${text}`)
			this.#child.kill('SIGTERM')
		}
	}

	async #line(text: string): Promise<void> {
		const message = this.#rpc.receive(text)
		if (message.type === 'notification' && message.method === 'session/update') {
			this.#updates++
			if (!isText(message.params) || this.#reader.awaitsResult) {
				this.#queue.push(...(await this.#news()))
			}
			this.#queue.push(...this.#reader.update(message.params, now()))
		} else if (message.type === 'request') {
			if (message.method !== 'session/request_permission') {
				await this.#rpc.refuse(message.id, unknownMethod, 'The host does not do that')
				return
			}
			this.#queue.push(...(await this.#news()))
			const outputs = this.#reader.asked(message.id, message.params, now())
			if (outputs !== null) this.#queue.push(...outputs)
			else {
				await this.#rpc.refuse(message.id, invalidParams, 'Not understood by the host')
				this.#notice('The agent asked something that the host does not understand; refused')
			}
		} else if (message.type === 'reply' && message.method === 'session/prompt') {
			this.#queue.push(...(await this.#news()), ...this.#reader.turnOver(message.reply, now()))
			this.#working = false
			this.#next()
			if (!this.#working && !this.#options.stay) this.#finish()
		}
	}

	/** A session of one prompt ends when its turn is over. */
	#finish(): void {
		this.#done = true
		void this.stop()
	}

	/** What the chat file says by now. */
	async #news(): Promise<AgentOutput[]> {
		if (this.#chat === null || this.#reader.replaying) return []
		try {
			return this.#reader.chat(await this.#chat.read(), now())
		} catch {
			// Without it there are no figures, and results are as short as ACP tells them.
			this.#chat = null
			this.#notice('The chat file of Gemini CLI can not be read: tokens and costs are missing')
			return []
		}
	}

	#notice(text: string): void {
		const body = { type: 'notice', text, data: null }
		this.#queue.push({ type: 'event', at: now(), event: { kind: 'system', body } })
	}
}

const textSchema = v.object({
	update: v.object({ sessionUpdate: v.literal('agent_message_chunk') }),
})

const detailsSchema = v.object({ details: v.string() })

function isText(params: unknown): boolean {
	return v.is(textSchema, params)
}

/** The agent's own words for what failed, short and plain. */
function why(reply: Reply): string {
	if (reply.ok) return ''
	const more = v.safeParse(detailsSchema, reply.error.data)
	return lastWords(more.success ? more.output.details : reply.error.message)
}

function now(): string {
	return new Date().toISOString()
}
