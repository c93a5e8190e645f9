import type { SessionView, Viewer } from '../viewer/viewer.ts'
import type { Batch } from './batch.ts'
import type { Snapshot } from './snapshot.ts'

/** A highlight that moves on within this time opens nothing on its way. */
const restMs = 120

/** The one transcript that is open; opening another closes it. */
export class OpenSession {
	readonly #viewer: Viewer
	readonly #batch: Pick<Batch, 'changed' | 'later'>
	#session: string | null = null
	#view: SessionView | null = null
	#unsubscribe: (() => void) | null = null
	#wanted: { session: string; timer: NodeJS.Timeout } | null = null
	readonly #closing = new Set<Promise<void>>()

	constructor(viewer: Viewer, batch: Pick<Batch, 'changed' | 'later'>) {
		this.#viewer = viewer
		this.#batch = batch
	}

	get view(): SessionView | null {
		return this.#view
	}

	snapshot(): Snapshot['open'] {
		if (this.#session === null || !this.#view) return null
		return { session: this.#session, state: this.#view.state.get() }
	}

	show(session: string, when: 'now' | 'at rest'): void {
		if (session !== this.#session && this.#wanted?.session === session && when === 'at rest') return
		this.#stopWaiting()
		if (session === this.#session) return
		if (when === 'now' || this.#session === null) this.#openNow(session)
		else this.#wanted = { session, timer: setTimeout(() => this.#openNow(session), restMs) }
	}

	async [Symbol.asyncDispose](): Promise<void> {
		this.#stopWaiting()
		this.#close()
		await Promise.all(this.#closing)
	}

	#openNow(session: string): void {
		this.#stopWaiting()
		this.#close()
		this.#session = session
		const view = this.#viewer.open(session)
		this.#view = view
		let before = view.state.get()
		this.#unsubscribe = view.state.subscribe(() => {
			const now = view.state.get()
			const told = now.messages !== before.messages || now.live !== before.live
			before = now
			if (told) this.#batch.changed()
			else this.#batch.later()
		})
		this.#batch.changed()
	}

	#close(): void {
		this.#unsubscribe?.()
		const view = this.#view
		this.#unsubscribe = null
		this.#view = null
		this.#session = null
		if (!view) return
		const closing = Promise.resolve(view[Symbol.asyncDispose]()).finally(() =>
			this.#closing.delete(closing),
		)
		this.#closing.add(closing)
	}

	#stopWaiting(): void {
		if (this.#wanted) clearTimeout(this.#wanted.timer)
		this.#wanted = null
	}
}
