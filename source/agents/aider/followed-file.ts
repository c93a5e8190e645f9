/** Lines that are added to a file of Aider's from now on, empty ones too. */
import { FileTail } from '../file-tail.ts'
import type { Line } from '../lines.ts'

/** Longer lines are left out, and said to be. */
const maxLineBytes = 32 * 1024 * 1024

export class FollowedFile {
	/** Whether anything was added. */
	grew = false
	readonly #tail: FileTail

	private constructor(path: string) {
		this.#tail = new FileTail(path, maxLineBytes, true)
	}

	/** What is in the file already is passed over. */
	static async open(path: string): Promise<FollowedFile> {
		const file = new FollowedFile(path)
		for await (const _ of file.#tail.read());
		return file
	}

	/** `text` is `null` for a line that was left out. */
	async *read(): AsyncGenerator<Line, void, void> {
		for await (const line of this.#tail.read()) {
			this.grew = true
			yield line
		}
	}
}
