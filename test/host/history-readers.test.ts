import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { loadHistoryReader } from '../../source/host/history-readers.ts'

let folder: string
beforeEach(async () => {
	folder = await mkdtemp(join(tmpdir(), 'styrby-history-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const session = crypto.randomUUID()
const line = JSON.stringify({
	type: 'user',
	uuid: crypto.randomUUID(),
	sessionId: session,
	timestamp: '2026-03-01T10:00:00.000Z',
	message: { role: 'user', content: 'hello' },
})

async function sessionsAt(path: string, agent?: string): Promise<string[]> {
	const read = await loadHistoryReader(path, agent)
	const found: string[] = []
	for await (const imported of read(path)) found.push(imported.session)
	return found
}

it('a transcript is known by what is in it, whatever it is called', async () => {
	const file = join(folder, 'saved.txt')
	await writeFile(file, `broken\n${line}\n`)
	expect(await sessionsAt(file)).toEqual([session])
	expect(await sessionsAt(file, 'claude')).toEqual([session])
})

it('a folder is searched for all that is known, and may hold anything else', async () => {
	await writeFile(join(folder, `${session}.jsonl`), `${line}\n`)
	await writeFile(join(folder, 'other.jsonl'), '{"payload":1,"type":"x","sessionId":"y"}\n')
	await writeFile(join(folder, 'empty.jsonl'), '')
	expect(await sessionsAt(folder)).toEqual([session])
})

it('what can not be read is said in one sentence', async () => {
	const file = join(folder, 'notes.txt')
	await writeFile(file, 'no transcript\n')
	const wrong: [string, string | undefined, string][] = [
		[file, undefined, 'import_not_recognised'],
		[join(folder, 'missing'), undefined, 'import_not_found'],
		[join(folder, 'missing'), 'claude', 'import_not_found'],
		[file, 'nobody', 'agent_unknown'],
		[file, 'toString', 'agent_unknown'],
	]
	for (const [path, agent, code] of wrong) {
		await expect(loadHistoryReader(path, agent)).rejects.toMatchObject({ code })
	}
})
