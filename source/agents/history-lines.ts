/** Files of JSON lines in which agents keep their own history. */
import { open, readdir } from 'node:fs/promises'
import { join } from 'node:path'

const tailBytes = 256 * 1024

/** All `.jsonl` files under a folder, in order of their paths. */
export async function listJsonLines(folder: string): Promise<string[]> {
	const entries = await readdir(folder, { withFileTypes: true, recursive: true })
	return entries
		.filter((entry) => entry.isFile() && entry.name.endsWith('.jsonl'))
		.map((entry) => join(entry.parentPath, entry.name))
		.sort()
}

/** The lines in the last 256 KiB of a file, the last one first; the first of them may be cut off. */
export async function lastLines(path: string): Promise<string[]> {
	await using file = await open(path, 'r')
	const { size } = await file.stat()
	const length = Math.min(size, tailBytes)
	const buffer = Buffer.alloc(length)
	const { bytesRead } = await file.read(buffer, 0, length, size - length)
	return buffer.toString('utf8', 0, bytesRead).split('\n').reverse()
}
