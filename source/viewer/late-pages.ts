import type { MessagePage, SessionPages, StoredRow, Viewer } from './viewer.ts'

/** Pages of a session that are read when the viewer is connected. */
export class LatePages implements SessionPages {
	readonly #pages: Promise<SessionPages>

	constructor(session: string, attached: Promise<Pick<Viewer, 'pages'>>) {
		this.#pages = attached.then((viewer) => viewer.pages(session))
		// Whoever reads is told.
		this.#pages.catch(() => undefined)
	}

	async last(): Promise<number> {
		return await (await this.#pages).last()
	}

	async after(seq: number, limit: number): Promise<MessagePage> {
		return await (await this.#pages).after(seq, limit)
	}

	async before(seq: number, limit: number): Promise<MessagePage> {
		return await (await this.#pages).before(seq, limit)
	}

	async rows(seq: number, count: number): Promise<StoredRow[]> {
		return await (await this.#pages).rows(seq, count)
	}
}
