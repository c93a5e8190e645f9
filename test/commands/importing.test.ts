/** `import`, as a script sees it. */
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { linesOf, Program } from './_program.ts'
import * as shapes from './_shapes.ts'

const fixture = fileURLToPath(
	new URL('../fixtures/agents/claude/interactive-transcript.jsonl', import.meta.url),
)
let program: Program
let folder: string
let damaged: string

beforeAll(async () => {
	program = await Program.make()
	folder = join(program.folder, 'history')
	await mkdir(join(folder, 'one'), { recursive: true })
	await mkdir(join(folder, 'two'))
	const text = await readFile(fixture, 'utf8')
	const other = text.replaceAll(
		'15cdfaff-e6fc-4b29-a9ed-ef4c510b8eef',
		'25cdfaff-e6fc-4b29-a9ed-ef4c510b8eef',
	)
	await cp(fixture, join(folder, 'one', '15cdfaff-e6fc-4b29-a9ed-ef4c510b8eef.jsonl'))
	damaged = join(folder, 'two', '25cdfaff-e6fc-4b29-a9ed-ef4c510b8eef.jsonl')
	await writeFile(damaged, `${other}{"type":"user","cut":\n`)
})

afterAll(() => program?.[Symbol.asyncDispose]())

test('a folder is one line a file; again, nothing is added; what is broken is named', async () => {
	const first = await program.run(['import', folder, '--json'])
	const lines = linesOf(shapes.imported, first.stdout)
	const total = (await readFile(fixture, 'utf8')).trimEnd().split('\n').length
	expect(lines.map(({ agent }) => agent)).toEqual(['claude', 'claude'])
	expect(lines.every(({ messages, skipped }) => messages > 10 && skipped === 0)).toBe(true)
	const broken = lines.find(({ file }) => file === damaged)
	expect(broken?.problem).toMatch(new RegExp(`^line ${total + 1}: `))
	expect(lines.find(({ file }) => file !== damaged)?.problem).toBeNull()
	expect([first.code, first.stderr]).toEqual([1, ''])

	const again = await program.run(['import', folder, '--json'])
	const repeated = linesOf(shapes.imported, again.stdout)
	expect(repeated.map(({ session, messages }) => [session, messages]).sort()).toEqual(
		lines.map(({ session }) => [session, 0]).sort(),
	)
	expect(repeated.map(({ skipped }) => skipped).sort()).toEqual(
		lines.map(({ messages }) => messages).sort(),
	)

	const { sessions } = await program.json(shapes.sessions, ['sessions'])
	expect(sessions.map(({ id }) => id).sort()).toEqual(lines.map(({ session }) => session).sort())
	for (const { session } of lines) {
		const messages = await program.lines(shapes.message, ['show', session])
		expect(messages.every(({ verified }) => verified)).toBe(true)
	}
}, 120_000)

test('for a person it is a sentence a file', async () => {
	const { code, stdout } = await program.run(['import', join(folder, 'one')])
	expect(code).toBe(0)
	expect(stdout).toMatch(
		/^15cdfaff-e6fc-4b29-a9ed-ef4c510b8eef\.jsonl: 0 messages added, \d+ there already \(session [0-9a-f]{8}\)\n$/,
	)
})

test('what is no history is refused by name', async () => {
	const file = join(program.folder, 'notes.txt')
	await writeFile(file, 'buy reeds\n')
	const { code, stderr } = await program.run(['import', file])
	expect(code).toBe(1)
	expect(stderr).toBe(
		`styrby-tui: ${file} is not the history of an agent that is known here: give a transcript, or the folder with them.\n`,
	)
})
