import { appendFile, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { FileTail } from '../../source/agents/file-tail.ts'

let folder = ''
let path = ''
beforeEach(async () => {
	folder = await mkdtemp(join(tmpdir(), 'styrby-test-'))
	path = join(folder, 'a.jsonl')
})
afterEach(() => rm(folder, { recursive: true }))

async function read(tail: FileTail) {
	const texts = []
	for await (const { text } of tail.read()) texts.push(text)
	return texts
}

test('new lines are given once, when they are whole', async () => {
	const tail = new FileTail(path, 1000)
	expect(await read(tail)).toEqual([])
	await writeFile(path, 'one\ntw')
	expect(await read(tail)).toEqual(['one'])
	expect(await read(tail)).toEqual([])
	await appendFile(path, 'o é'.slice(0, 2))
	await appendFile(path, Buffer.from('é').subarray(0, 1))
	expect(await read(tail)).toEqual([])
	await appendFile(path, Buffer.from('é').subarray(1))
	await appendFile(path, '\nthree\n')
	expect(await read(tail)).toEqual(['two é', 'three'])
})

test('a file that got shorter is read from its start', async () => {
	const tail = new FileTail(path, 1000)
	await writeFile(path, 'one\ntwo\nhalf')
	expect(await read(tail)).toEqual(['one', 'two'])
	await truncate(path)
	await writeFile(path, 'new\n')
	expect(await read(tail)).toEqual(['new'])
})

test('a line over the cap is passed over', async () => {
	const tail = new FileTail(path, 1000)
	await writeFile(path, `one\n${'x'.repeat(600_000)}\nthree\n`)
	expect(await read(tail)).toEqual(['one', null, 'three'])
})
