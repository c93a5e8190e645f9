/** A session that is looked at before there is a connection: it loads once there is one. */
import { Value } from './readable.ts'
import { unreadSession } from './unread.ts'
import type { SessionState, SessionSummary, SessionView, Viewer } from './viewer.ts'

export class LateSession implements SessionView {
	readonly state: Value<SessionState>
	readonly #view: Promise<SessionView | null>
	#closed = false
	#stop: () => void = () => undefined

	constructor(session: string, summary: SessionSummary | null, viewer: Promise<Viewer>) {
		this.state = new Value<SessionState>({ ...unreadSession, summary })
		this.#view = viewer.then((opened) => {
			if (this.#closed) return null
			const view = opened.open(session)
			this.#stop = this.state.follow(view.state)
			return view
		})
	}

	async loadOlder(): Promise<void> {
		await (await this.#view)?.loadOlder()
	}

	async loadNewer(): Promise<void> {
		await (await this.#view)?.loadNewer()
	}

	async loadEnd(): Promise<void> {
		await (await this.#view)?.loadEnd()
	}

	async loadAround(seq: number): Promise<void> {
		await (await this.#view)?.loadAround(seq)
	}

	async [Symbol.asyncDispose](): Promise<void> {
		this.#closed = true
		this.#stop()
		// Where there never is a connection, there is nothing to close.
		void this.#view.then((view) => view?.[Symbol.asyncDispose]())
	}
}
