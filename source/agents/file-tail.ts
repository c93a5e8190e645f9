import { open } from 'node:fs/promises'
import { type Line, LineSplitter } from './lines.ts'

const chunkBytes = 256 * 1024

/**
 * New lines of a file that grows. The position is kept over calls; a line without its end is given when
 * its end is there; a file that got shorter is read again from its start.
 */
export class FileTail {
	readonly #path: string
	readonly #maxLineBytes: number
	readonly #asTheyAre: boolean
	#splitter: LineSplitter
	#position = 0

	/** `asTheyAre`: empty lines are given too, and spaces around a line left. */
	constructor(path: string, maxLineBytes: number, asTheyAre = false) {
		this.#path = path
		this.#maxLineBytes = maxLineBytes
		this.#asTheyAre = asTheyAre
		this.#splitter = new LineSplitter(maxLineBytes, asTheyAre)
	}

	/** Lines that were completed since the last call. Empty while there is no such file. */
	async *read(): AsyncGenerator<Line, void, void> {
		await using file = await openIfThere(this.#path)
		if (file === null) return
		const { size } = await file.stat()
		if (size < this.#position) {
			this.#position = 0
			this.#splitter = new LineSplitter(this.#maxLineBytes, this.#asTheyAre)
		}
		const buffer = Buffer.alloc(Math.min(chunkBytes, Math.max(1, size - this.#position)))
		while (this.#position < size) {
			const { bytesRead } = await file.read(buffer, 0, buffer.length, this.#position)
			if (bytesRead === 0) return
			this.#position += bytesRead
			yield* this.#splitter.push(Buffer.from(buffer.subarray(0, bytesRead)))
		}
	}
}

async function openIfThere(path: string) {
	try {
		return await open(path, 'r')
	} catch (error) {
		if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
		throw error
	}
}
