/** JSON-RPC 2.0 with an agent, one message a line. */
import * as v from 'valibot'

/** `null` for an id is none that could be answered. */
const idSchema = v.union([v.string(), v.pipe(v.number(), v.finite())])
export type RpcId = v.InferOutput<typeof idSchema>

const errorSchema = v.object({
	code: v.fallback(v.number(), 0),
	message: v.fallback(v.string(), 'no reason given'),
	data: v.optional(v.unknown(), null),
})
export type RpcError = v.InferOutput<typeof errorSchema>

const calledSchema = v.object({
	id: v.optional(idSchema),
	method: v.string(),
	params: v.optional(v.unknown(), null),
})
const repliedSchema = v.object({
	id: idSchema,
	result: v.optional(v.unknown()),
	error: v.optional(errorSchema),
})

export type Reply = { ok: true; result: unknown } | { ok: false; error: RpcError }

export type Incoming =
	| { type: 'request'; id: RpcId; method: string; params: unknown }
	| { type: 'notification'; method: string; params: unknown }
	/** To a request of ours, whose promise it settles, too. */
	| { type: 'reply'; method: string; reply: Reply }
	/** No message, or none that was waited for. */
	| { type: 'unknown' }

/** Whether the line went out. */
export type WriteLine = (line: string) => Promise<boolean>

const ended: Reply = { ok: false, error: { code: 0, message: 'it has ended', data: null } }

export class Rpc {
	readonly #write: WriteLine
	readonly #waiting = new Map<RpcId, { method: string; settle: (reply: Reply) => void }>()
	#next = 1
	#over = false

	constructor(write: WriteLine) {
		this.#write = write
	}

	/** Never rejects: an agent that has ended is an error, too. */
	async request(method: string, params: unknown): Promise<Reply> {
		if (this.#over) return ended
		const id = this.#next++
		const reply = new Promise<Reply>((settle) => this.#waiting.set(id, { method, settle }))
		if (!(await this.#send({ id, method, params }))) {
			this.#waiting.get(id)?.settle(ended)
			this.#waiting.delete(id)
		}
		return reply
	}

	notify(method: string, params: unknown): Promise<boolean> {
		return this.#send({ method, params })
	}

	respond(id: RpcId, result: unknown): Promise<boolean> {
		return this.#send({ id, result })
	}

	refuse(id: RpcId, code: number, message: string): Promise<boolean> {
		return this.#send({ id, error: { code, message } })
	}

	/** Takes one line of the agent. */
	receive(text: string): Incoming {
		const value = json(text)
		const called = v.safeParse(calledSchema, value)
		if (called.success) {
			const { id, method, params } = called.output
			if (id !== undefined) return { type: 'request', id, method, params }
			return { type: 'notification', method, params }
		}
		const replied = v.safeParse(repliedSchema, value)
		if (!replied.success) return { type: 'unknown' }
		const { id, result, error } = replied.output
		const waiting = this.#waiting.get(id)
		if (waiting === undefined) return { type: 'unknown' }
		this.#waiting.delete(id)
		const reply: Reply = error === undefined ? { ok: true, result } : { ok: false, error }
		waiting.settle(reply)
		return { type: 'reply', method: waiting.method, reply }
	}

	/** Nothing comes any more: what waits has failed. */
	end(): void {
		this.#over = true
		for (const { settle } of this.#waiting.values()) settle(ended)
		this.#waiting.clear()
	}

	#send(message: object): Promise<boolean> {
		return this.#write(JSON.stringify({ jsonrpc: '2.0', ...message }))
	}
}

function json(text: string): unknown {
	try {
		return JSON.parse(text)
	} catch {
		// Something that the agent, or what it runs, printed there.
		return null
	}
}
