import fc from 'fast-check'
import { expect, test } from 'vitest'
import { LineSplitter, readLines } from '../../source/agents/lines.ts'

const chunked = (bytes: Uint8Array, sizes: number[]): Uint8Array[] => {
	const chunks: Uint8Array[] = []
	let from = 0
	for (const size of sizes) {
		chunks.push(bytes.subarray(from, from + size))
		from += size
	}
	return [...chunks, bytes.subarray(from)]
}

test('lines are the same however the bytes arrive', () => {
	fc.assert(
		fc.property(
			fc.array(fc.string({ unit: 'binary' }).map((s) => s.replace(/\n/g, '').trim())),
			fc.array(fc.nat(7)),
			(texts, sizes) => {
				const splitter = new LineSplitter(1e6)
				const bytes = Buffer.from(texts.map((text) => `${text}\n`).join(''))
				const lines = chunked(bytes, sizes).flatMap((chunk) => splitter.push(chunk))
				const wanted = texts
					.map((text, index) => ({ text: Buffer.from(text).toString('utf8'), line: index + 1 }))
					.filter(({ text }) => text !== '')
				expect(lines.map(({ text, line }) => ({ text, line }))).toEqual(wanted)
				expect(splitter.end()).toBeNull()
			},
		),
	)
})

test('a line over the cap is named and thrown away, and the next one is read', async () => {
	async function* bytes() {
		yield Buffer.from('one\n')
		for (let i = 0; i < 100; i++) yield Buffer.alloc(1024, 'x')
		yield Buffer.from('\nthree\nrest')
	}
	const lines = []
	for await (const line of readLines(bytes(), 50_000)) lines.push(line)
	expect(lines.map(({ line, text, unfinished }) => [line, text, unfinished])).toEqual([
		[1, 'one', false],
		[2, null, false],
		[3, 'three', false],
		[4, 'rest', true],
	])
})
