/**
 * The folder of one account's index: segments, and the state that names them. A state is written after its
 * segments, as a whole: what was killed in between has left files that nobody names, and that go.
 */
import { randomBytes } from 'node:crypto'
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { deserialize, serialize } from 'node:v8'
import * as v from 'valibot'
import { readOwnFile, replaceFile } from '../config/atomic-file.ts'
import { type Lock, tryLock } from '../config/lock.ts'
import { ensureFolder } from '../config/paths.ts'
import { indexDamaged, newSalt, Sealer, saltSize } from './seal.ts'
import { Segment, type SegmentData } from './segment.ts'
import { encodeSegment, SegmentFile, type SegmentPlace, segmentPlace } from './segment-file.ts'

const stateFile = 'state'
/** Bytes: some hundred for each of ten thousands of sessions. */
const maxState = 256 * 2 ** 20
const version = 1

const stateSchema = v.object({
	version: v.literal(version),
	account: v.string(),
	segments: v.array(segmentPlace),
	/** What the owner of the index keeps with it. */
	kept: v.unknown(),
})

export interface OpenedIndex {
	segments: Segment[]
	kept: unknown
}

export class IndexFolder implements Disposable {
	readonly #folder: string
	readonly #key: Uint8Array
	readonly #account: string
	readonly #lock: Lock | null
	readonly #places = new Map<Segment, SegmentPlace>()

	private constructor(folder: string, key: Uint8Array, account: string, lock: Lock | null) {
		this.#folder = folder
		this.#key = key
		this.#account = account
		this.#lock = lock
	}

	/** Throws what `ensureFolder` and `tryLock` do. */
	static async open(folder: string, key: Uint8Array, account: string): Promise<IndexFolder> {
		await ensureFolder(folder)
		return new IndexFolder(folder, key, account, tryLock(folder, 'index'))
	}

	/** Whether this process may write; another one has the index, where it may not. */
	get writable(): boolean {
		return this.#lock !== null
	}

	/**
	 * What was kept; `null`: nothing is there. Throws `search_index_damaged` for what this program has not
	 * written, or what is not whole.
	 */
	async load(): Promise<OpenedIndex | null> {
		const bytes = await readOwnFile(join(this.#folder, stateFile), maxState)
		if (bytes === null) return null
		const sealer = new Sealer(this.#key, bytes.subarray(0, saltSize), 'state')
		const parsed = v.safeParse(stateSchema, unpacked(sealer.open(0, bytes.subarray(saltSize))))
		// Another version's state is as good as none.
		if (!parsed.success || parsed.output.account !== this.#account) throw indexDamaged()
		const { segments: places, kept } = parsed.output
		const segments: Segment[] = []
		try {
			for (const place of places) segments.push(this.#segment(place))
		} catch (cause) {
			for (const segment of segments) segment[Symbol.dispose]()
			throw indexDamaged(cause)
		}
		if (this.writable) await this.#sweep(new Set(places.map(({ file }) => file)))
		return { segments, kept }
	}

	#segment(place: SegmentPlace): Segment {
		const file = new SegmentFile(join(this.#folder, place.file), this.#key, place)
		try {
			const segment = new Segment(file.data(), file)
			this.#places.set(segment, place)
			return segment
		} catch (error) {
			file[Symbol.dispose]()
			throw error
		}
	}

	/** Writes a segment. It counts once `commit` has named it. Throws `disk_full`, `home_not_writable`, … */
	async add(data: SegmentData, blocks: readonly string[]): Promise<Segment> {
		const { bytes, sections } = encodeSegment(this.#key, data, blocks)
		const place = { file: `${randomBytes(16).toString('hex')}.segment`, sections }
		await replaceFile(join(this.#folder, place.file), bytes)
		return this.#segment(place)
	}

	/** From now on these segments are the index, and those that were `replaced` no longer. Throws as `add`. */
	async commit(
		segments: readonly Segment[],
		kept: unknown,
		replaced: readonly Segment[],
	): Promise<void> {
		const places = segments.flatMap((segment) => this.#places.get(segment) ?? [])
		const salt = newSalt()
		const state = { version, account: this.#account, segments: places, kept }
		const sealed = new Sealer(this.#key, salt, 'state').seal(0, serialize(state))
		await replaceFile(join(this.#folder, stateFile), Buffer.concat([salt, sealed]))
		for (const segment of replaced) {
			const place = this.#places.get(segment)
			segment[Symbol.dispose]()
			this.#places.delete(segment)
			// Windows keeps what another process has open; it goes at the next start.
			if (place) await rm(join(this.#folder, place.file), { force: true }).catch(() => undefined)
		}
	}

	/** Takes all away but the lock. */
	async clear(): Promise<void> {
		if (!this.writable) return
		await rm(join(this.#folder, stateFile), { force: true })
		await this.#sweep(new Set())
	}

	async #sweep(named: ReadonlySet<string>): Promise<void> {
		for (const name of await readdir(this.#folder)) {
			const ours = /^[0-9a-f]{32}\.segment$|^\..*\.tmp$/.test(name)
			if (!ours || named.has(name)) continue
			await rm(join(this.#folder, name), { force: true }).catch(() => undefined)
		}
	}

	[Symbol.dispose](): void {
		this.#lock?.[Symbol.dispose]()
	}
}

/** Another version of Node may have packed it otherwise. Throws `search_index_damaged`. */
function unpacked(bytes: Uint8Array): unknown {
	try {
		return deserialize(bytes)
	} catch (cause) {
		throw indexDamaged(cause)
	}
}

/** Deletes the index of an account, whoever has it open: of a device that may read no more. */
export async function deleteIndex(folder: string): Promise<void> {
	await rm(folder, { recursive: true, force: true, maxRetries: 3 })
}
