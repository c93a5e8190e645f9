import { execFileSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { proposedChanges } from '../../../source/agents/claude/changes.ts'
import { readSmallFile } from '../../../source/agents/file-changes.ts'

let folder = ''
beforeAll(async () => {
	folder = await mkdtemp(join(tmpdir(), 'styrby-test-'))
	const lines = Array.from({ length: 20 }, (_, n) => `line ${n + 1}`)
	await writeFile(join(folder, 'a.txt'), `${lines.join('\n')}\n`)
})
afterAll(() => rm(folder, { recursive: true }))

test('an edit is shown where it lands', async () => {
	const input = { file_path: 'a.txt', old_string: 'line 10\n', new_string: 'ten\n10\n' }
	expect(await proposedChanges('Edit', input, folder)).toEqual([
		{
			path: 'a.txt',
			hunks: [
				{
					old_start: 7,
					old_lines: 7,
					new_start: 7,
					new_lines: 8,
					lines: [
						' line 7',
						' line 8',
						' line 9',
						'-line 10',
						'+ten',
						'+10',
						' line 11',
						' line 12',
						' line 13',
					],
				},
			],
		},
	])
})

test('all places of an edit are shown', async () => {
	const input = {
		file_path: join(folder, 'a.txt'),
		old_string: 'line 1',
		new_string: 'LINE 1',
		replace_all: true,
	}
	const [change] = await proposedChanges('Edit', input, '/')
	const added = change?.hunks.flatMap(({ lines }) => lines.filter((line) => line.startsWith('+')))
	expect(added).toHaveLength(11)
})

test('several edits are one diff', async () => {
	const edits = [
		{ old_string: 'line 2\n', new_string: 'two\n' },
		{ old_string: 'two', new_string: 'TWO' },
	]
	const [change] = await proposedChanges('MultiEdit', { file_path: 'a.txt', edits }, folder)
	expect(change?.hunks[0]?.lines).toContain('+TWO')
	expect(change?.hunks[0]?.lines).toContain('-line 2')
})

test('an edit whose text is not there has no place', async () => {
	const input = { file_path: 'a.txt', old_string: 'nowhere', new_string: 'there' }
	expect(await proposedChanges('Edit', input, folder)).toEqual([
		{
			path: 'a.txt',
			hunks: [
				{ old_start: 0, old_lines: 1, new_start: 0, new_lines: 1, lines: ['-nowhere', '+there'] },
			],
		},
	])
})

test('a new file is all added lines, a written one is a diff', async () => {
	const [created] = await proposedChanges('Write', { file_path: 'new', content: 'a\nb\n' }, folder)
	expect(created?.hunks).toEqual([
		{ old_start: 0, old_lines: 0, new_start: 1, new_lines: 2, lines: ['+a', '+b'] },
	])
	const [written] = await proposedChanges('Write', { file_path: 'a.txt', content: 'x\n' }, folder)
	expect(written?.hunks[0]?.lines.filter((line) => line.startsWith('-'))).toHaveLength(20)
})

test('other tools and other inputs change nothing that we know of', async () => {
	expect(await proposedChanges('Bash', { command: 'rm a.txt' }, folder)).toEqual([])
	expect(await proposedChanges('Edit', { file_path: 7 }, folder)).toEqual([])
	expect(await proposedChanges('Write', null, folder)).toEqual([])
})

test('two files that have nothing in common do not take for ever', async () => {
	const words = (seed: number) =>
		Array.from({ length: 30_000 }, (_, n) => `${(n * seed) % 30_011}`).join('\n')
	const input = { file_path: 'big', content: words(7919) }
	const [change] = await proposedChanges('Write', input, folder, async () => words(104_729))
	expect(change?.hunks.length).toBeGreaterThan(0)
})

test('only regular, small files are read, and a pipe does not stop the host', async () => {
	execFileSync('mkfifo', [join(folder, 'pipe')])
	await writeFile(join(folder, 'big'), Buffer.alloc(1024 * 1024 + 1))
	expect(await readSmallFile(join(folder, 'pipe'))).toBeUndefined()
	expect(await readSmallFile(join(folder, 'big'))).toBeUndefined()
	expect(await readSmallFile('/dev/zero')).toBeUndefined()
	expect(await readSmallFile(folder)).toBeUndefined()
	expect(await readSmallFile(join(folder, 'none'))).toBeNull()
})
