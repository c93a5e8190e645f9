/**
 * A segment on the disk: salt, sealed blocks of text, and last all else, sealed too. Written once, whole or
 * not at all; texts are read when they are shown.
 */
import { closeSync, openSync, readSync } from 'node:fs'
import { deserialize, serialize } from 'node:v8'
import { deflateRawSync, inflateRawSync } from 'node:zlib'
import * as v from 'valibot'
import { indexDamaged, newSalt, Sealer, saltSize } from './seal.ts'
import type { Blocks, SegmentData } from './segment.ts'

/** Where the sections of a file are; what the state of the index says of it. */
export const segmentPlace = v.object({
	file: v.pipe(v.string(), v.regex(/^[0-9a-f]{32}\.segment$/)),
	/** Bytes of each section, the last one being all but the texts. */
	sections: v.instance(Uint32Array),
})
export type SegmentPlace = v.InferOutput<typeof segmentPlace>

const columns = v.object({
	sessions: v.array(v.string()),
	session: v.instance(Uint32Array),
	seq: v.instance(Float64Array),
	at: v.instance(Float64Array),
	kind: v.instance(Uint8Array),
	facets: v.instance(Uint16Array),
	block: v.instance(Uint32Array),
	start: v.instance(Uint32Array),
	end: v.instance(Uint32Array),
	vocabulary: v.object({
		words: v.string(),
		starts: v.instance(Uint32Array),
		postings: v.instance(Uint8Array),
	}),
})

/** The bytes of a segment's file, and the length of each of its sections. */
export function encodeSegment(
	key: Uint8Array,
	data: SegmentData,
	blocks: readonly string[],
): { bytes: Uint8Array; sections: SegmentPlace['sections'] } {
	const salt = newSalt()
	const sealer = new Sealer(key, salt, 'segment')
	const sections = blocks.map((text, index) =>
		sealer.seal(index, deflateRawSync(Buffer.from(text, 'utf8'), { level: 3 })),
	)
	sections.push(sealer.seal(blocks.length, serialize(data)))
	return {
		bytes: new Uint8Array(Buffer.concat([salt, ...sections])),
		sections: Uint32Array.from(sections, ({ length }) => length),
	}
}

/** Blocks of text that were opened last are kept. */
const keptBlocks = 8

/** Opens a segment's file, and holds it open: whoever replaces it does not take the texts away. */
export class SegmentFile implements Blocks {
	readonly #file: number
	readonly #sealer: Sealer
	readonly #sections: Uint32Array
	readonly #places: number[]
	readonly #kept = new Map<number, string>()
	#open = true

	/** Throws what the system throws, and `search_index_damaged`. */
	constructor(path: string, key: Uint8Array, { sections }: Pick<SegmentPlace, 'sections'>) {
		this.#file = openSync(path, 'r')
		this.#sections = sections
		let place = saltSize
		this.#places = Array.from(sections, (length) => {
			place += length
			return place - length
		})
		try {
			this.#sealer = new Sealer(key, this.#bytes(0, saltSize), 'segment')
		} catch (error) {
			closeSync(this.#file)
			throw error
		}
	}

	/** All but the texts. Throws `search_index_damaged`. */
	data(): SegmentData {
		const plain = this.#section(this.#sections.length - 1)
		// Only this program has the key that it is sealed with.
		const parsed = v.safeParse(columns, deserialize(plain))
		if (!parsed.success) throw indexDamaged()
		return parsed.output
	}

	/** Throws `search_index_damaged`. */
	read(block: number): string {
		const known = this.#kept.get(block)
		if (known !== undefined) return known
		const text = Buffer.from(inflateRawSync(this.#section(block))).toString('utf8')
		this.#kept.set(block, text)
		const [oldest] = this.#kept.keys()
		if (this.#kept.size > keptBlocks && oldest !== undefined) this.#kept.delete(oldest)
		return text
	}

	#section(index: number): Uint8Array {
		return this.#sealer.open(
			index,
			this.#bytes(this.#places[index] ?? 0, this.#sections[index] ?? 0),
		)
	}

	#bytes(at: number, length: number): Uint8Array {
		const bytes = new Uint8Array(length)
		for (let read = 0; read < length; ) {
			const got = readSync(this.#file, bytes, read, length - read, at + read)
			if (got === 0) throw indexDamaged()
			read += got
		}
		return bytes
	}

	[Symbol.dispose](): void {
		if (this.#open) closeSync(this.#file)
		this.#open = false
		this.#kept.clear()
	}
}
