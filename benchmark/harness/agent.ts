/** A real host, `run claude --headless`, with an agent that says what the benchmark wants. */
import type { ChildProcess } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdtemp, writeFile } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { delimiter, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import * as v from 'valibot'
import type { Profile } from './profile.ts'
import { endProcess, startProgram } from './program.ts'

const told = v.object({
	at: v.number(),
	type: v.picklist(['printed', 'read']),
	line: v.optional(
		v.object({
			type: v.string(),
			request_id: v.optional(v.string()),
			request: v.optional(v.object({ subtype: v.string() })),
			response: v.optional(v.object({ request_id: v.optional(v.string()) })),
		}),
	),
})
type Told = v.InferOutput<typeof told>

const program = fileURLToPath(new URL('./agent-program.ts', import.meta.url))

export class HostedAgent implements AsyncDisposable {
	readonly host: ChildProcess
	readonly #server: Server
	readonly #socket: Socket
	readonly #session = randomUUID()
	readonly #printed: ((at: number) => void)[] = []
	/** Ids of calls by their command. */
	readonly #asked = new Map<string, string>()
	readonly #answers = new Map<string, (at: number) => void>()
	#stderr = ''

	private constructor(host: ChildProcess, server: Server, socket: Socket) {
		this.host = host
		this.#server = server
		this.#socket = socket
		host.stdout?.resume()
		host.stderr?.setEncoding('utf8').on('data', (text: string) => {
			this.#stderr += text
		})
		createInterface({ input: socket }).on('line', (line) => {
			this.#take(v.parse(told, JSON.parse(line)))
		})
	}

	/** Starts a host in `profile`; its session is there and says "Ready." when this returns. */
	static async start(profile: Profile): Promise<HostedAgent> {
		const folder = await mkdtemp(join(profile.folder, 'agent-'))
		await writeFile(
			join(folder, 'claude'),
			`#!/bin/sh\nexec '${process.execPath}' '${program}' "$@"\n`,
			{ mode: 0o755 },
		)
		const address = join(folder, 'socket')
		const server = createServer()
		await new Promise<void>((resolve) => server.listen(address, resolve))
		const connected = new Promise<Socket>((resolve) => server.once('connection', resolve))
		const host = startProgram(['run', 'claude', '--headless', 'Work.'], {
			...profile.env,
			PATH: `${folder}${delimiter}${process.env.PATH ?? ''}`,
			BENCHMARK_AGENT: address,
		})
		const failed = new Promise<never>((_, reject) => {
			host.once('exit', (code) => reject(new Error(`the host ended with ${code}`)))
		})
		failed.catch(() => undefined)
		const agent = new HostedAgent(host, server, await Promise.race([connected, failed]))
		await Promise.race([agent.#begin(), failed])
		return agent
	}

	/** Prints a line of the agent; resolves with when it was written, monotonic ms. */
	print(line: object): Promise<number> {
		return new Promise((resolve) => {
			this.#printed.push(resolve)
			this.#socket.write(`${JSON.stringify(line)}\n`)
		})
	}

	/** The agent says something. */
	say(text: string): Promise<number> {
		return this.print(this.#message({ type: 'text', text }))
	}

	/** The agent asks whether it may run `command`. Both resolve with monotonic ms. */
	ask(command: string): { printed: Promise<number>; answered: Promise<number> } {
		const id = randomUUID()
		const answered = new Promise<number>((resolve) => this.#answers.set(id, resolve))
		this.#asked.set(command, `toolu_${id}`)
		const input = { command, description: 'Part of a benchmark' }
		const request = {
			subtype: 'can_use_tool',
			tool_name: 'Bash',
			display_name: 'Bash',
			input,
			description: input.description,
			permission_suggestions: [],
			tool_use_id: `toolu_${id}`,
		}
		return { printed: this.print({ type: 'control_request', request_id: id, request }), answered }
	}

	/** The agent has run what it asked for. */
	done(command: string): Promise<number> {
		const id = this.#asked.get(command) ?? ''
		return this.print({
			type: 'user',
			message: {
				role: 'user',
				content: [{ tool_use_id: id, type: 'tool_result', content: 'Done.', is_error: false }],
			},
			parent_tool_use_id: null,
			session_id: this.#session,
			uuid: randomUUID(),
			tool_use_result: { stdout: 'Done.', stderr: '', interrupted: false, isImage: false },
		})
	}

	#message(part: object): object {
		return {
			type: 'assistant',
			message: {
				id: `msg_${randomUUID()}`,
				type: 'message',
				role: 'assistant',
				model: 'claude-opus-5-5',
				content: [part],
				stop_reason: null,
				stop_sequence: null,
				usage: { input_tokens: 1, output_tokens: 1 },
			},
			parent_tool_use_id: null,
			session_id: this.#session,
			uuid: randomUUID(),
		}
	}

	async #begin(): Promise<void> {
		await this.print({
			type: 'system',
			subtype: 'init',
			cwd: process.cwd(),
			session_id: this.#session,
			tools: ['Bash'],
			mcp_servers: [],
			model: 'claude-opus-5-5',
			permissionMode: 'default',
			slash_commands: [],
			claude_code_version: '2.1.330',
			uuid: randomUUID(),
		})
		await this.say('Ready.')
	}

	#take({ type, at, line }: Told): void {
		if (type === 'printed') {
			this.#printed.shift()?.(at)
			return
		}
		const answered = line?.response?.request_id
		if (answered !== undefined) this.#answers.get(answered)?.(at)
		if (line?.type === 'control_request' && line.request_id !== undefined) {
			const response = { subtype: 'success', request_id: line.request_id, response: {} }
			void this.print({ type: 'control_response', response })
		}
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await endProcess(this.host)
		this.#socket.destroy()
		this.#server.close()
	}
}
