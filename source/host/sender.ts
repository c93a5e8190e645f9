/**
 * Brings an outbox to the backend: at once when idle, in batches under load, again and again when the
 * backend is away. It never gives up what the backend could still take.
 */

import type { Gateway } from '../backend/gateway.ts'
import { within } from '../backend/within.ts'
import type { LogState } from '../protocol/device-log.ts'
import { StyrbyError } from '../protocol/errors.ts'
import { backoff, Pause } from './backoff.ts'
import type { Outbox, Work } from './outbox.ts'
import { outboxError } from './outbox-errors.ts'
import { withoutRevoked } from './outbox-operations.ts'

export const maxBatchRows = 500
/** JSON text of the rows of one call, bytes. */
export const maxBatchBytes = 4 * 1024 * 1024

export interface SenderOptions {
	outbox: Outbox
	gateway: Gateway
	/** Pulled again before what failed is tried again: nothing is granted to who was revoked meanwhile. */
	log: { readonly state: LogState; refresh(): Promise<unknown> }
	/** After each confirmed piece of work. */
	onConfirmed?: (work: Work) => void
	/** A failure that is new: `final` when nothing more will be sent in this session. */
	onTrouble?: (error: StyrbyError, final: boolean) => void
	/** What came after a failure arrived again. */
	onRecovered?: () => void
}

/** The backend has other rows than ours, or never will have these: sending on could only make it worse. */
const finalCodes = new Set([
	'append_conflict',
	'append_gap',
	'epoch_conflict',
	'malformed_row',
	'malformed_session',
	'malformed_epoch',
	'malformed_grant',
	'no_such_session',
	'no_such_epoch',
	'outbox_failed',
	'backend_lacks_migrations',
	'backend_too_old',
])

export class Sender implements AsyncDisposable {
	readonly #options: SenderOptions
	readonly #pause = new Pause()
	#running: Promise<void> | null = null
	#closed = false
	#failed: StyrbyError | null = null
	#held = false
	#trouble: string | null = null
	#failures = 0
	#stale = false

	constructor(options: SenderOptions) {
		this.#options = options
	}

	/** There is new work. */
	wake(): void {
		if (this.#closed || this.#failed || this.#held || this.#running) return
		this.#running = this.#drain().finally(() => {
			this.#running = null
			// Work that was committed between the last look and here.
			if (!this.#idle() && this.#options.outbox.pending() > 0) this.wake()
		})
	}

	/** The backend may be back: tries at once. */
	retryNow(): void {
		this.#pause.end()
	}

	#idle(): boolean {
		return this.#closed || this.#held || this.#failed !== null
	}

	/** While held, nothing leaves: what is sealed meanwhile waits on the disk. */
	hold(held: boolean): void {
		this.#held = held
		if (!held) this.wake()
	}

	/** Resolves when the backend has everything (`true`), or after `ms`, or when that can't be (`false`). */
	async delivered(ms: number): Promise<boolean> {
		const deadline = performance.now() + ms
		while (!this.#idle() && this.#options.outbox.pending() > 0) {
			this.wake()
			const left = deadline - performance.now()
			if (left <= 0) return false
			await within(this.#running ?? Promise.resolve(), left)
		}
		return !this.#idle()
	}

	async #drain(): Promise<void> {
		while (!this.#idle()) {
			try {
				if (this.#stale) await this.#options.log.refresh()
				this.#stale = false
				if (this.#idle()) return
				const work = this.#options.outbox.next(maxBatchRows, maxBatchBytes)
				if (!work) return
				await this.#send(work)
				this.#options.outbox.confirm(work)
				this.#succeeded(work)
			} catch (cause) {
				if (this.#closed) return
				if (!(await this.#stumbled(cause))) return
			}
		}
	}

	async #send(work: Work): Promise<void> {
		const { gateway, outbox } = this.#options
		const { id } = outbox.session
		if (work.kind === 'rows') {
			await gateway.appendMessages(id, work.rows)
			return
		}
		const operation = withoutRevoked(work.operation, this.#options.log.state)
		switch (operation.kind) {
			case 'create':
				return gateway.createSession(operation.session)
			case 'epoch':
				return gateway.putEpoch(operation.epoch, operation.grants)
			case 'grants':
				if (operation.grants.length === 0) return
				return gateway.putGrants(operation.grants)
			case 'update':
				return gateway.updateSession(id, operation.change)
		}
	}

	#succeeded(work: Work): void {
		this.#failures = 0
		if (this.#trouble !== null) {
			this.#trouble = null
			this.#options.onRecovered?.()
		}
		this.#options.onConfirmed?.(work)
	}

	/** Whether to go on. */
	async #stumbled(cause: unknown): Promise<boolean> {
		const error = cause instanceof StyrbyError ? cause : outboxError(cause)
		const final = finalCodes.has(error.code)
		if (final) this.#failed = error
		if (final || this.#trouble !== error.code) this.#options.onTrouble?.(error, final)
		this.#trouble = error.code
		if (final) return false
		this.#stale = true
		await this.#pause.wait(backoff(++this.#failures))
		return true
	}

	/** Stops; what was not sent stays in the outbox. */
	async [Symbol.asyncDispose](): Promise<void> {
		this.#closed = true
		this.#pause.end()
		await this.#running
	}
}
