/**
 * Between Codex's own interface and its app-server: every message passes as it came, and is read on the
 * way. An answer from elsewhere goes in from here; whichever answer is first counts, and the app-server
 * tells the interface to take its prompt away.
 */
import * as v from 'valibot'
import type { RawData, WebSocket } from 'ws'
import type { AgentAnswer, AgentOutput } from '../agent.ts'
import type { Line } from '../lines.ts'
import { refusalOf } from './answer.ts'
import { answerRequest, changeMode, sendPrompt, takes } from './answering.ts'
import type { AppServer, AppServerOptions } from './app-server.ts'
import { notice } from './items.ts'
import { openedSchema, parseMessage, type RpcId, type RpcMessage } from './schema.ts'
import type { ThreadReader } from './thread-reader.ts'

/** Calls of the interface that open the thread which the session is about from then on. */
const opening = new Set(['thread/start', 'thread/resume', 'thread/fork'])

const idle = { type: 'status', status: 'idle' } as const

export interface RelayOptions {
	reader: ThreadReader
	/** Parameters for the first thread that the interface resumes or forks. */
	overrides: object
	start(onLine: AppServerOptions['onLine']): Promise<AppServer>
	onOutput(outputs: readonly AgentOutput[]): void
	/** Resolves when the host has room for more. */
	room(): Promise<void>
}

export class Relay {
	readonly #socket: WebSocket
	readonly #options: RelayOptions
	readonly #opening = new Set<RpcId>()
	readonly #server: Promise<AppServer>
	#adds = true
	/** Messages of the interface, one after the other. */
	#sending: Promise<void>

	constructor(socket: WebSocket, options: RelayOptions) {
		this.#socket = socket
		this.#options = options
		this.#server = options.start((line, message) => this.#fromServer(line, message))
		this.#sending = this.#server.then(
			(server) => {
				void server.ended.then(() => socket.close(1011))
			},
			// The interface says that its connection broke; `ended` of the session follows.
			() => socket.close(1011),
		)
		socket.on('error', () => socket.terminate())
		socket.on('message', (data, binary) => {
			this.#sending = this.#sending.then(() => this.#fromInterface(data, binary))
		})
		socket.on('close', () => {
			options.onOutput(options.reader.end(new Date().toISOString()))
			void this.stop()
		})
	}

	async answer(id: string, answer: AgentAnswer): Promise<boolean> {
		const { reader, onOutput } = this.#options
		return answerRequest(await this.#server, reader, id, answer, (output) => onOutput([output]))
	}

	async prompt(text: string): Promise<void> {
		await sendPrompt(await this.#server, this.#options.reader, text, 'viewer')
	}

	async setMode(mode: string): Promise<void> {
		await changeMode(await this.#server, this.#options.reader, mode)
	}

	/** Ends the running turn. `false`: none runs. */
	async interrupt(): Promise<boolean> {
		const { thread, turn } = this.#options.reader
		if (thread === null || turn === null) return false
		const server = await this.#server
		const { error } = await server.call('turn/interrupt', { threadId: thread, turnId: turn })
		return error === null
	}

	/** Ends the app-server, and the interface's connection with it. */
	async stop(): Promise<void> {
		try {
			await (await this.#server).stop()
		} catch {
			// It never started, which whoever started it has been told.
		}
		this.#socket.close()
	}

	async #fromInterface(data: RawData, binary: boolean): Promise<void> {
		const text = binary ? null : textOf(data)
		const message = text === null ? null : parseMessage(text)
		if (text === null || message === null) {
			this.#socket.close(1007)
			return
		}
		const opens = message.type === 'request' && opening.has(message.method)
		if (opens) this.#opening.add(message.id)
		if (message.type === 'response') {
			const { requests } = this.#options.reader
			if (!requests.answeredThere(message.id, message.error === null ? message.result : null))
				return
		}
		const server = await this.#server.catch(() => null)
		const overridden = opens ? this.#overridden(message) : null
		await server?.write(
			overridden ?? (text.includes('\n') ? JSON.stringify(JSON.parse(text)) : text),
		)
	}

	/** `null` where there is nothing to add. */
	#overridden({ id, method, params }: Extract<RpcMessage, { type: 'request' }>): string | null {
		const { overrides } = this.#options
		const add = this.#adds && method !== 'thread/start' && Object.keys(overrides).length > 0
		if (!add || params === null || typeof params !== 'object') return null
		this.#adds = false
		return JSON.stringify({ id, method, params: { ...params, ...overrides } })
	}

	async #fromServer({ text }: Line, message: RpcMessage | null): Promise<void> {
		if (text !== null) await this.#forward(text)
		const at = new Date().toISOString()
		const { onOutput, room } = this.#options
		if (message !== null) onOutput(this.#read(message, at))
		else {
			const what = text === null ? 'is over 64 MiB' : 'is not a message'
			onOutput([notice(at, `A line of the agent ${what} and was left out`)])
		}
		await room()
	}

	#read(message: RpcMessage, at: string): AgentOutput[] {
		const { reader } = this.#options
		if (message.type === 'response') {
			if (!this.#opening.delete(message.id)) return []
			const opened = v.safeParse(openedSchema, message.result)
			if (!opened.success) return []
			const first = reader.thread === null
			const outputs = reader.opened(opened.output)
			// Until the first prompt there is no turn to tell that the interface stands.
			return first && reader.thread !== null ? [...outputs, takes, idle] : outputs
		}
		const repeated = message.type === 'request' && reader.requests.knows(message.id)
		const outputs = reader.read(message, at)
		const asked = message.type === 'request' && refusalOf(message.method) !== null
		if (!asked || repeated || outputs.length > 0) return outputs
		const text = 'The agent asked something that can not be answered from here; answer it there'
		return [notice(at, text)]
	}

	#forward(text: string): Promise<void> {
		if (this.#socket.readyState !== this.#socket.OPEN) return Promise.resolve()
		return new Promise((resolve) => this.#socket.send(text, () => resolve()))
	}
}

function textOf(data: RawData): string {
	if (Array.isArray(data)) return Buffer.concat(data).toString('utf8')
	return Buffer.from(data instanceof ArrayBuffer ? new Uint8Array(data) : data).toString('utf8')
}
