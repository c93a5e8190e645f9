import type {
	MessagePage,
	SessionPages,
	ShownMessage,
	StoredRow,
} from '../../source/viewer/viewer.ts'

/** A session's messages page by page, over an array. */
export class ScriptedPages implements SessionPages {
	readonly #all: () => readonly ShownMessage[]
	readonly #read: [number, number][]

	constructor(all: () => readonly ShownMessage[], read: [number, number][] = []) {
		this.#all = all
		this.#read = read
	}

	async last(): Promise<number> {
		return endOf(this.#all().at(-1))
	}

	async after(seq: number, limit: number): Promise<MessagePage> {
		const messages = this.#page((each) => each.seq > seq && each.seq <= seq + limit)
		const place = messages.length > 0 ? endOf(messages.at(-1)) : seq
		return { messages, place, more: place < (await this.last()) && place > seq }
	}

	async before(seq: number, limit: number): Promise<MessagePage> {
		const messages = this.#page((each) => each.seq < seq && each.seq >= seq - limit)
		const place = messages[0]?.seq ?? 1
		return { messages, place, more: place > 1 }
	}

	async rows(seq: number, count: number): Promise<StoredRow[]> {
		return this.#page((each) => each.seq >= seq && each.seq < seq + count).map(storedRow)
	}

	#page(fits: (message: ShownMessage) => boolean): ShownMessage[] {
		const messages = this.#all().filter(fits)
		const [first] = messages
		if (first) this.#read.push([first.seq, endOf(messages.at(-1))])
		return messages
	}
}

function endOf(message: ShownMessage | undefined): number {
	return message ? message.seq + message.rows - 1 : 0
}

function storedRow({ session, seq, at }: ShownMessage): StoredRow {
	return {
		session_id: session,
		seq,
		epoch: 1,
		nonce: 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYX',
		ciphertext: Buffer.from(`sealed ${seq}`).toString('base64'),
		signature: seq % 2 === 0 ? Buffer.alloc(64, seq).toString('base64') : '',
		created_at: at,
		input_tokens: 0,
		output_tokens: 0,
		cache_read_tokens: 0,
		cache_write_tokens: 0,
		cost_usd: 0,
	}
}
