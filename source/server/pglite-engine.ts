import { Worker } from 'node:worker_threads'
import { siblingModule } from '../config/sibling.ts'
import type { Engine, Row, Statement, TxOptions } from './engine.ts'
import { DatabaseError, defaultTimeLimitMs, sqlState } from './engine.ts'
import type { FromWorker, ToWorker, WorkerInput } from './engine-messages.ts'

export interface PgliteOptions extends WorkerInput {
	/** Warnings of the database, and restarts of the engine. */
	readonly log?: (line: string) => void
	/** Milliseconds that opening may take, recovery after a crash included; default 60,000. */
	readonly openLimitMs?: number
	/** Transactions that may wait at once; default 1,000. */
	readonly queueLimit?: number
}

/** Several times what `max_stack_depth` lets PostgreSQL use of it; taken only as it is needed. */
const stackSizeMb = 32

interface Waiting {
	readonly resolve: (rows: Row[][]) => void
	readonly reject: (error: DatabaseError) => void
}

/**
 * PostgreSQL in a worker thread, with commits that are on the disk when they are answered. The folder
 * must be held by a lock of the caller's: a second process that opens it loses data silently.
 * Throws `DatabaseError` when it can't be opened.
 */
export async function openPglite(options: PgliteOptions): Promise<PgliteEngine> {
	const engine = new PgliteEngine(options)
	await engine.opened()
	return engine
}

export class PgliteEngine implements Engine {
	readonly kind = 'pglite'
	readonly #options: PgliteOptions
	readonly #listeners = new Map<string, ((payload: string) => void)[]>()
	readonly #waiting = new Map<number, Waiting>()
	#current: Worker | null = null
	#opening: Promise<Worker> | null = null
	/** Two threads on one folder would destroy it: the next starts when the last has ended. */
	#ended: Promise<unknown> = Promise.resolve()
	#tail: Promise<unknown> = Promise.resolve()
	#queued = 0
	#lastId = 0
	#closed = false
	#created = false
	#syncsAsked: ((count: number) => void)[] = []
	#goodbye: (() => void) | null = null

	constructor(options: PgliteOptions) {
		this.#options = options
	}

	/** Whether this opening created the cluster. */
	get created(): boolean {
		return this.#created
	}

	async opened(): Promise<Worker> {
		this.#opening ??= this.#ended.then(() => this.#start())
		return await this.#opening
	}

	async tx(statements: readonly Statement[], options: TxOptions = {}): Promise<Row[][]> {
		if (this.#closed) throw shutDown()
		if (this.#queued >= (this.#options.queueLimit ?? 1000)) {
			throw fault('53300', 'Too many requests wait for the database; repeat this one later.')
		}
		this.#queued += 1
		const run = this.#tail.then(() => this.#run(statements, options))
		this.#tail = run.catch(() => undefined)
		try {
			return await run
		} finally {
			this.#queued -= 1
		}
	}

	async query(
		sql: string,
		params: readonly (string | null)[] = [],
		options: TxOptions = {},
	): Promise<Row[]> {
		const [rows] = await this.tx([{ sql, params }], options)
		return rows ?? []
	}

	async listen(channel: string, listener: (payload: string) => void): Promise<void> {
		const known = this.#listeners.get(channel)
		if (known !== undefined) {
			known.push(listener)
			return
		}
		this.#listeners.set(channel, [listener])
		send(await this.opened(), { type: 'listen', channel })
		await this.query('select 1')
	}

	/** How often the engine has synced a file since it was opened. */
	async syncs(): Promise<number> {
		const worker = await this.opened()
		return await new Promise((resolve) => {
			this.#syncsAsked.push(resolve)
			send(worker, { type: 'syncs' })
		})
	}

	async close(): Promise<void> {
		if (this.#closed) return
		this.#closed = true
		await this.#tail
		const worker = this.#current
		if (worker === null) {
			await this.#ended
			return
		}
		await new Promise<void>((resolve) => {
			const giveUp = setTimeout(resolve, this.#options.openLimitMs ?? 60_000)
			this.#goodbye = () => {
				clearTimeout(giveUp)
				resolve()
			}
			send(worker, { type: 'close' })
		})
		await worker.terminate()
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.close()
	}

	async #run(statements: readonly Statement[], options: TxOptions): Promise<Row[][]> {
		const worker = await this.opened()
		this.#lastId += 1
		const id = this.#lastId
		return await new Promise<Row[][]>((resolve, reject) => {
			const limit = options.timeLimitMs ?? defaultTimeLimitMs
			const timer = setTimeout(() => {
				this.#options.log?.(`broke off a transaction after ${limit} ms; reopening the database`)
				this.#drop(
					worker,
					fault(sqlState.canceled, `The database took longer than ${limit / 1000} s; repeat it.`),
				)
			}, limit)
			const done = () => {
				clearTimeout(timer)
				this.#waiting.delete(id)
			}
			this.#waiting.set(id, {
				resolve: (rows) => {
					done()
					resolve(rows)
				},
				reject: (error) => {
					done()
					reject(error)
				},
			})
			send(worker, { type: 'tx', id, statements, rollback: options.rollback ?? false })
		})
	}

	#start(): Promise<Worker> {
		const { folder, template } = this.#options
		const input: WorkerInput = { folder, template }
		const worker = new Worker(siblingModule(import.meta.url, 'engine-worker'), {
			workerData: input,
			env: {},
			resourceLimits: { stackSizeMb },
			stdout: true,
			stderr: true,
		})
		this.#current = worker
		const limit = this.#options.openLimitMs ?? 60_000
		return new Promise<Worker>((resolve, reject) => {
			const timer = setTimeout(() => {
				fail(fault(sqlState.canceled, `The database did not open within ${limit / 1000} s.`))
			}, limit)
			const fail = (error: DatabaseError) => {
				clearTimeout(timer)
				reject(error)
				this.#drop(worker, error)
			}
			worker.on('message', (message: FromWorker) => {
				if (message.type === 'open') {
					clearTimeout(timer)
					this.#created ||= message.created
					for (const channel of this.#listeners.keys()) send(worker, { type: 'listen', channel })
					resolve(worker)
				} else if (message.type === 'failed') {
					fail(new DatabaseError(message.fault))
				} else {
					this.#receive(worker, message)
				}
			})
			worker.on('error', (error) => fail(fault(sqlState.internal, error.message)))
			worker.on('exit', () => fail(fault(sqlState.shutdown, 'The database stopped; repeat this.')))
		})
	}

	#receive(worker: Worker, message: FromWorker): void {
		switch (message.type) {
			case 'rows':
				this.#waiting.get(message.id)?.resolve(message.rows)
				break
			case 'fault': {
				const error = new DatabaseError(message.fault)
				if (message.broken) {
					this.#options.log?.(`the database engine stopped: ${error.message}`)
					this.#drop(worker, error)
				} else {
					this.#waiting.get(message.id)?.reject(error)
				}
				break
			}
			case 'notified':
				for (const listener of this.#listeners.get(message.channel) ?? []) listener(message.payload)
				break
			case 'warning':
				this.#options.log?.(`database warning: ${message.message}`)
				break
			case 'syncs':
				this.#syncsAsked.shift()?.(message.count)
				break
			case 'closed':
				this.#goodbye?.()
				break
		}
	}

	/** Ends a thread that hangs or broke; the next transaction opens the folder anew. */
	#drop(worker: Worker, error: DatabaseError): void {
		if (this.#current !== worker) return
		this.#current = null
		this.#opening = null
		this.#ended = worker.terminate()
		this.#goodbye?.()
		for (const one of [...this.#waiting.values()]) one.reject(error)
	}
}

function send(worker: Worker, message: ToWorker): void {
	worker.postMessage(message)
}

function fault(code: string, message: string): DatabaseError {
	return new DatabaseError({ code, message, detail: null, hint: null })
}

function shutDown(): DatabaseError {
	return fault(sqlState.shutdown, 'The database is shutting down; repeat this in a moment.')
}
