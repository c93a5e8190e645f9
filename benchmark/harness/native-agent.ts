/** A real host, `run claude` in a terminal, with an agent that calls hooks when the benchmark wants. */
import { randomUUID } from 'node:crypto'
import { mkdtemp, writeFile } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { delimiter, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import * as v from 'valibot'
import type { Profile } from './profile.ts'
import { Screen } from './screen.ts'

const toldSchema = v.object({
	id: v.number(),
	sent: v.number(),
	answered: v.number(),
	text: v.string(),
})
/** A hook call: monotonic ms, and what the host answered. */
export type HookTrip = Omit<v.InferOutput<typeof toldSchema>, 'id'>

const program = fileURLToPath(new URL('./native-agent-program.ts', import.meta.url))

export class NativeAgent implements AsyncDisposable {
	readonly host: Screen
	readonly #server: Server
	readonly #socket: Socket
	readonly #folder: string
	readonly #session = randomUUID()
	readonly #calls = new Map<number, (trip: HookTrip) => void>()
	#last = 0

	private constructor(host: Screen, server: Server, socket: Socket, folder: string) {
		this.host = host
		this.#server = server
		this.#socket = socket
		this.#folder = folder
		createInterface({ input: socket }).on('line', (line) => {
			const { id, ...trip } = v.parse(toldSchema, JSON.parse(line))
			this.#calls.get(id)?.(trip)
			this.#calls.delete(id)
		})
	}

	/** Starts a host in `profile`, its agent in a terminal. */
	static async start(profile: Profile): Promise<NativeAgent> {
		const folder = await mkdtemp(join(profile.folder, 'agent-'))
		const shell = `#!/bin/sh\nexec '${process.execPath}' '${program}' "$@"\n`
		await writeFile(join(folder, 'claude'), shell, { mode: 0o755 })
		await writeFile(join(folder, 'transcript.jsonl'), '')
		const address = join(folder, 'socket')
		const server = createServer()
		await new Promise<void>((resolve) => server.listen(address, resolve))
		const connected = new Promise<Socket>((resolve) => server.once('connection', resolve))
		const host = new Screen({
			args: ['run', 'claude'],
			env: {
				...profile.env,
				PATH: `${folder}${delimiter}${process.env.PATH ?? ''}`,
				BENCHMARK_AGENT: address,
			},
		})
		await host.until('The agent is here.')
		return new NativeAgent(host, server, await connected, folder)
	}

	/** The agent calls a hook; resolves when the host has answered it. */
	call(event: string, fields: object): Promise<HookTrip> {
		const id = ++this.#last
		const body = {
			session_id: this.#session,
			transcript_path: join(this.#folder, 'transcript.jsonl'),
			cwd: this.#folder,
			permission_mode: 'default',
			hook_event_name: event,
			...fields,
		}
		return new Promise((resolve) => {
			this.#calls.set(id, resolve)
			this.#socket.write(`${JSON.stringify({ id, event, body })}\n`)
		})
	}

	async [Symbol.asyncDispose](): Promise<void> {
		this.#socket.destroy()
		this.#server.close()
		await this.host[Symbol.asyncDispose]()
	}
}
