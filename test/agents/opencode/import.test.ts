import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import * as v from 'valibot'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { ImportedLine, ImportedSession } from '../../../source/agents/agent.ts'
import { isOpencodeHistory, readHistory } from '../../../source/agents/opencode/import.ts'
import { eventSchemas } from '../../../source/protocol/events.ts'
import { events } from '../../tools/outputs.ts'
import { names, play, recording } from './_recording.ts'

let folder = ''
let path = ''
let database: DatabaseSync

beforeEach(async () => {
	folder = await mkdtemp(join(tmpdir(), 'styrby-test-'))
	path = join(folder, 'opencode.db')
	database = new DatabaseSync(path)
	// The columns that are read, as OpenCode makes them.
	database.exec(`
		CREATE TABLE session (id text PRIMARY KEY, parent_id text, directory text NOT NULL,
			time_created integer NOT NULL, time_updated integer NOT NULL);
		CREATE TABLE message (id text PRIMARY KEY, session_id text NOT NULL,
			time_created integer NOT NULL, data text NOT NULL);
		CREATE TABLE part (id text PRIMARY KEY, message_id text NOT NULL, session_id text NOT NULL,
			time_created integer NOT NULL, data text NOT NULL);
	`)
})

afterEach(async () => {
	database.close()
	await rm(folder, { recursive: true, force: true })
})

interface Info {
	id: string
	parentID?: string
	directory: string
	time: { created: number; updated: number }
}

/** Writes what a recording says into the tables, as OpenCode does: the newest state of each record. */
function keep(name: string): void {
	const put = (table: string, row: Record<string, string | number | null>) => {
		const columns = Object.keys(row)
		const update = columns.includes('data') ? 'data = excluded.data' : 'directory = directory'
		const marks = columns.map(() => '?').join()
		const sql = `INSERT INTO ${table} (${columns}) VALUES (${marks})
			ON CONFLICT (id) DO UPDATE SET ${update}`
		database.prepare(sql).run(...Object.values(row))
	}
	for (const { event } of recording(name)) {
		const { info, part, time } = Object(event?.properties)
		if (event?.type === 'session.created') {
			const { id, parentID, directory, time }: Info = info
			const times = { time_created: time.created, time_updated: time.updated }
			put('session', { id, parent_id: parentID ?? null, directory, ...times })
		} else if (event?.type === 'message.updated') {
			const { id, sessionID, ...data } = info
			const row = { id, session_id: sessionID, time_created: data.time.created }
			put('message', { ...row, data: JSON.stringify(data) })
		} else if (event?.type === 'message.part.updated') {
			const { id, sessionID, messageID, ...data } = part
			const row = { id, session_id: sessionID, message_id: messageID, time_created: time }
			put('part', { ...row, data: JSON.stringify(data) })
		}
	}
}

async function read(from = path): Promise<{ session: ImportedSession; lines: ImportedLine[] }[]> {
	const found = []
	for await (const session of readHistory(from)) {
		const lines: ImportedLine[] = []
		for await (const line of session.events) lines.push(line)
		found.push({ session, lines })
	}
	return found
}

const eventsOf = (lines: ImportedLine[]) =>
	lines.flatMap((line) => (line.type === 'event' ? [line] : []))
const problemsOf = (lines: ImportedLine[]) =>
	lines.flatMap((line) => (line.type === 'problem' ? [line.problem] : []))

test.each(names)('%s: history gives what the running session gave', async (name) => {
	keep(name)
	const [found, ...more] = await read()
	expect(more).toEqual([])
	const lines = found?.lines ?? []
	expect(problemsOf(lines)).toEqual([])
	for (const { event } of eventsOf(lines)) v.parse(eventSchemas[event.kind], event.body)
	const text = (event: unknown) => JSON.stringify(event).replace(/"block":"\w+"/, '"block":null')
	// Side by side, what runs at once may stand in another order.
	expect(
		eventsOf(lines)
			.map(({ event }) => text(event))
			.sort(),
	).toEqual(
		events(play(recording(name)).outputs)
			.map(text)
			.sort(),
	)
	expect(new Set(eventsOf(lines).map(({ source }) => source)).size).toBe(eventsOf(lines).length)
	const times = eventsOf(lines).map(({ at }) => at)
	expect(times).toEqual([...times].sort())
	expect(found?.session).toMatchObject({ agent: 'opencode', file: path, cwd: '/home/user/project' })
})

test('read again, everything has the same name; what was not finished comes later', async () => {
	keep('bash-allow')
	const [first] = await read()
	const [again] = await read()
	expect(again?.lines).toEqual(first?.lines)

	const part = database.prepare(`SELECT id, data FROM part WHERE data LIKE '%"type":"tool"%'`).get()
	const { id, data } = v.parse(v.object({ id: v.string(), data: v.string() }), part)
	const unfinished = data.replace('"status":"completed"', '"status":"running"')
	database.prepare('UPDATE part SET data = ? WHERE id = ?').run(unfinished, id)
	const [early] = await read()
	const sources = new Set(eventsOf(early?.lines ?? []).map(({ source }) => source))
	const missing = eventsOf(first?.lines ?? []).filter(({ source }) => !sources.has(source))
	expect(missing.map(({ event }) => event.kind)).toEqual(['tool_result'])
})

test('a sub-agent belongs to the session that started it, and is one of its own without it', async () => {
	keep('subagent')
	expect(await read()).toHaveLength(1)
	database.exec(`DELETE FROM session WHERE parent_id IS NULL`)
	const [orphan] = await read()
	expect(JSON.stringify(orphan?.lines)).toContain('inner done')
})

test('records that can not be read are named, and the rest is imported', async () => {
	keep('bash-allow')
	const all = eventsOf((await read())[0]?.lines ?? []).length
	const ids = database.prepare('SELECT id FROM part ORDER BY time_created, id').all()
	const bad = ['{', '[]', 'null', '"x"']
	for (const [index, data] of bad.entries()) {
		const { id } = v.parse(v.object({ id: v.string() }), ids[index])
		database.prepare('UPDATE part SET data = ? WHERE id = ?').run(data, id)
	}
	const lines = (await read())[0]?.lines ?? []
	expect(problemsOf(lines)).toHaveLength(bad.length)
	expect(problemsOf(lines)[0]).toMatch(/^part prt_\w+ of session ses_\w+ can not be read$/)
	expect(eventsOf(lines).length).toBeGreaterThan(all - bad.length - 1)

	database.exec(`UPDATE message SET data = '{'`)
	const none = (await read())[0]?.lines ?? []
	expect(eventsOf(none)).toEqual([])
	expect(problemsOf(none).length).toBeGreaterThan(bad.length)
	database.exec(`UPDATE part SET data = x'00', time_created = 'soon'`)
	expect(eventsOf((await read())[0]?.lines ?? [])).toEqual([])
})

test('what is being written just now waits for the next import', async () => {
	keep('text-only')
	const message = database.prepare(`SELECT id FROM message WHERE data LIKE '%assistant%'`).get()
	const { id } = v.parse(v.object({ id: v.string() }), message)
	database
		.prepare(`UPDATE message SET data = json_remove(data, '$.time.completed') WHERE id = ?`)
		.run(id)
	const texts = async () =>
		eventsOf((await read())[0]?.lines ?? []).filter(({ event }) => event.kind === 'agent_response')
	expect(await texts()).toHaveLength(1)
	database.exec(`UPDATE part SET data = json_remove(data, '$.time.end')`)
	expect(await texts()).toEqual([])
})

test('a folder is searched; a file that is none of these is refused', async () => {
	keep('text-only')
	expect(await read(folder)).toHaveLength(1)
	expect(await isOpencodeHistory(path)).toBe(true)

	const other = join(folder, 'other.db')
	const tables = new DatabaseSync(other)
	tables.exec('CREATE TABLE session (id text)')
	tables.close()
	const text = join(folder, 'opencode-notes.db')
	await writeFile(text, 'SQLite format 3\0 and nothing more')
	await mkdir(join(folder, 'opencode-folder.db'))
	for (const none of [other, text]) {
		expect(await isOpencodeHistory(none)).toBe(false)
		await expect(read(none)).rejects.toMatchObject({ code: expect.stringMatching(/^import_/) })
	}
	expect(await read(folder)).toHaveLength(1)
	await expect(read(join(folder, 'none.db'))).rejects.toMatchObject({ code: 'import_unreadable' })
})
