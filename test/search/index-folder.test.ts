import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import * as fc from 'fast-check'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { IndexFolder } from '../../source/search/index-folder.ts'
import { buildSegment, type Segment } from '../../source/search/segment.ts'
import { document } from './_documents.ts'

const key = new Uint8Array(32).fill(7)
const secret = 'launchcodes'
let folder: string

beforeEach(async () => {
	folder = await mkdtemp(join(tmpdir(), 'search-index-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const open = (account = 'account', with_: Uint8Array = key) =>
	IndexFolder.open(folder, with_, account)

function built(from: number, count = 20) {
	const documents = Array.from({ length: count }, (_, index) => {
		const seq = from + index
		return document({ session: secret, seq, text: `${secret} number${seq} ${'text '.repeat(600)}` })
	})
	return buildSegment(documents)
}

/** Two segments, in a state that names them. */
async function fill(): Promise<void> {
	using index = await open()
	const segments: Segment[] = []
	for (const from of [1, 21]) {
		const { data, blocks } = built(from)
		segments.push(await index.add(data, blocks))
	}
	await index.commit(segments, { read: 40 }, [])
	for (const segment of segments) segment[Symbol.dispose]()
}

/** All texts, or the code of what is wrong. */
async function readAll(
	account?: string,
	with_?: Uint8Array,
): Promise<string[] | string | undefined> {
	using index = await open(account, with_)
	try {
		const opened = await index.load()
		if (!opened) return []
		const { segments } = opened
		const texts = segments.flatMap((each) =>
			Array.from({ length: each.size }, (_, at) => each.text(at)),
		)
		for (const segment of segments) segment[Symbol.dispose]()
		return texts
	} catch (error) {
		return (error as { code?: string }).code
	}
}

const files = async () =>
	(await readdir(folder)).filter((name) => !name.startsWith('index.lock')).sort()

test('what was kept is there again', async () => {
	await fill()
	const texts = await readAll()
	expect(texts).toHaveLength(40)
	expect(texts?.[30]).toContain('number31 ')
	using index = await open()
	expect((await index.load())?.kept).toEqual({ read: 40 })
})

test('nothing of it can be read on the disk, nor from its name', async () => {
	await fill()
	for (const name of await files()) {
		expect(name).toMatch(/^(state|[0-9a-f]{32}\.segment)$/)
		const bytes = await readFile(join(folder, name))
		for (const word of [secret, 'number', 'account', 'text text']) {
			expect(bytes.includes(word), `${word} in ${name}`).toBe(false)
			expect(bytes.includes(Buffer.from(word, 'utf16le'))).toBe(false)
		}
	}
})

test('a changed bit, and a cut, anywhere in any file is found', async () => {
	await fill()
	const contents = new Map<string, Buffer>()
	for (const name of await files()) contents.set(name, await readFile(join(folder, name)))
	const names = [...contents.keys()]
	await fc.assert(
		fc.asyncProperty(
			fc.constantFrom(...names),
			fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
			fc.nat(7),
			fc.boolean(),
			async (name, where, bit, cut) => {
				const whole = contents.get(name) ?? Buffer.alloc(0)
				const at = Math.floor(where * whole.length)
				const changed = cut ? whole.subarray(0, at) : Buffer.from(whole)
				if (!cut) changed[at] = (changed[at] ?? 0) ^ (1 << bit)
				await writeFile(join(folder, name), changed)
				expect(await readAll()).toBe('search_index_damaged')
				await writeFile(join(folder, name), whole)
			},
		),
		{ numRuns: 60 },
	)
	expect(await readAll()).toHaveLength(40)
})

test('files in each other’s place, of another account, or under another key, are found', async () => {
	await fill()
	expect(await readAll('another')).toBe('search_index_damaged')
	expect(await readAll('account', new Uint8Array(32).fill(8))).toBe('search_index_damaged')
	const [one = '', two = ''] = (await files()).filter((name) => name.endsWith('.segment'))
	const [first, second] = [await readFile(join(folder, one)), await readFile(join(folder, two))]
	await writeFile(join(folder, one), second)
	await writeFile(join(folder, two), first)
	expect(await readAll()).toBe('search_index_damaged')
})

test('a segment that no state names goes, and so does what was left half written', async () => {
	await fill()
	const before = await files()
	{
		using index = await open()
		const { data, blocks } = built(41)
		;(await index.add(data, blocks))[Symbol.dispose]()
	}
	await writeFile(join(folder, '.state.0123456789ab.tmp'), 'half')
	expect((await files()).length).toBe(before.length + 2)
	expect(await readAll()).toHaveLength(40)
	expect(await files()).toEqual(before)
})

test('a second process reads along, and writes nothing', async () => {
	await fill()
	using first = await open()
	using second = await open()
	expect([first.writable, second.writable]).toEqual([true, false])
	const opened = await second.load()
	const segment = opened?.segments[0]
	// The first one replaces what the second has open.
	const { data, blocks } = built(1, 40)
	const mine = await first.load()
	await first.commit([await first.add(data, blocks)], null, mine?.segments ?? [])
	expect(segment?.text(4)).toContain('number5 ')
	await second.clear()
	expect(await files()).toHaveLength(2)
})

test('killed at any moment, it is as it was after some commit', async () => {
	const script = new URL('./_keep-writing.ts', import.meta.url)
	for (const wait of [0, 7, 15]) {
		const child = spawn(process.execPath, [script.pathname, folder], {
			stdio: ['ignore', 'pipe', 'inherit'],
		})
		let committed = 0
		for await (const line of createInterface(child.stdout)) {
			committed = Number(line)
			if (committed % 5 !== 0) continue
			await sleep(wait)
			child.kill('SIGKILL')
			break
		}
		if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
		using index = await open()
		expect(index.writable).toBe(true)
		const opened = await index.load()
		const size = opened?.segments.reduce((sum, each) => sum + each.size, 0)
		expect(size).toBe(opened?.kept)
		expect(size).toBeGreaterThanOrEqual(committed)
		for (const segment of opened?.segments ?? []) segment[Symbol.dispose]()
		expect(await files()).toHaveLength((opened?.segments.length ?? 0) + 1)
	}
})
