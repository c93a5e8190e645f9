/** The search index in a thread of its own, as this thread sees it. */
import { Worker } from 'node:worker_threads'
import { siblingModule } from '../../config/sibling.ts'
import { StyrbyError } from '../../protocol/errors.ts'
import type { Query } from '../../search/query.ts'
import type { SearchedSession } from '../../search/session-filter.ts'
import type { Added, Answer, Batch, Counts, Engine, EngineOptions, Opened } from './engine-types.ts'
import type { Call, Reply } from './worker-calls.ts'

/** How long closing may take, ms: what is not on the disk by then is read again the next time. */
const closeLimit = 1000

type Named<T> = T extends Call ? Omit<T, 'id'> : never

interface Waiting {
	resolve(value: unknown): void
	reject(error: unknown): void
	partial?(answer: Answer): void
}

export class WorkerEngine implements Engine {
	readonly #worker: Worker
	readonly #waiting = new Map<number, Waiting>()
	#calls = 0
	#ended: StyrbyError | null = null

	constructor(options: EngineOptions) {
		this.#worker = new Worker(siblingModule(import.meta.url, 'search-worker'), {
			workerData: options,
			env: {},
			stdout: true,
			stderr: true,
		})
		this.#worker.on('message', (reply: Reply) => this.#take(reply))
		this.#worker.on('error', (error) => this.#end(error))
		this.#worker.on('exit', () => this.#end(null))
	}

	open(): Promise<Opened> {
		return this.#call<Opened>({ name: 'open' })
	}

	async describe(sessions: readonly SearchedSession[]): Promise<void> {
		await this.#call({ name: 'describe', sessions: sessions.map(plain) })
	}

	add(batch: Batch): Promise<Added> {
		return this.#call<Added>({ name: 'add', batch })
	}

	ask(query: Query, limit: number, partial: (answer: Answer) => void): Promise<Answer | null> {
		return this.#call<Answer | null>({ name: 'ask', query, limit }, partial)
	}

	flush(): Promise<Counts> {
		return this.#call<Counts>({ name: 'flush' })
	}

	async rebuild(): Promise<void> {
		await this.#call({ name: 'rebuild' })
	}

	/** The worker is ours, and answers each call with what `Engine` says that it gives. */
	#call<T>(call: Named<Call>, partial?: (answer: Answer) => void): Promise<T> {
		if (this.#ended) return Promise.reject(this.#ended)
		const id = ++this.#calls
		return new Promise<T>((resolve, reject) => {
			const waiting = { resolve: (value: unknown) => resolve(value as T), reject }
			this.#waiting.set(id, partial ? { ...waiting, partial } : waiting)
			this.#worker.postMessage({ ...call, id })
		})
	}

	#take(reply: Reply): void {
		const waiting = this.#waiting.get(reply.id)
		if (!waiting) return
		if ('partial' in reply) {
			waiting.partial?.(reply.partial)
			return
		}
		this.#waiting.delete(reply.id)
		if ('value' in reply) waiting.resolve(reply.value)
		else {
			const { code, message, exitCode } = reply.error
			waiting.reject(new StyrbyError(code, message, { exitCode }))
		}
	}

	#end(cause: unknown): void {
		this.#ended ??= new StyrbyError(
			'search_stopped',
			'The search has stopped: open it again, and report this where it comes back.',
			{ cause },
		)
		for (const { reject } of this.#waiting.values()) reject(this.#ended)
		this.#waiting.clear()
	}

	async [Symbol.asyncDispose](): Promise<void> {
		if (!this.#ended) {
			const closed = this.flush()
				.then(() => this.#call({ name: 'close' }))
				.catch(() => undefined)
			let timer: NodeJS.Timeout | undefined
			const late = new Promise<void>((resolve) => {
				timer = setTimeout(resolve, closeLimit)
			})
			await Promise.race([closed, late])
			clearTimeout(timer)
		}
		await this.#worker.terminate()
	}
}

/** Only what is asked of a session. */
function plain(session: SearchedSession): SearchedSession {
	const { id, agent, status, project, title, host, pending, stale } = session
	return { id, agent, status, project, title, host, pending, stale }
}
