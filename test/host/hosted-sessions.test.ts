import { mkdirSync, statSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { HostedSessions } from '../../source/host/hosted-sessions.ts'

let folder: string
beforeEach(async () => {
	folder = await mkdtemp(join(tmpdir(), 'styrby-hosted-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

it('remembers in a private file which sessions were hosted, over processes', () => {
	{
		using one = HostedSessions.open(folder)
		one.hosted('claude', 'theirs', 'ours')
		one.hosted('claude', 'theirs', 'newer')
		expect(one.liveSession('codex', 'theirs')).toBeNull()
	}
	using two = HostedSessions.open(folder)
	expect(two.liveSession('claude', 'theirs')).toBe('newer')
	if (process.platform !== 'win32') {
		expect(statSync(join(folder, 'agent-sessions.db')).mode & 0o777).toBe(0o600)
	}
})

it('forgets lines that the backend never got, and keeps the rest', () => {
	using hosted = HostedSessions.open(folder)
	hosted.imported('s', [
		{ source: 'a', seq: 1 },
		{ source: 'b', seq: 3 },
	])
	hosted.imported('other', [{ source: 'c', seq: 9 }])
	expect(hosted.sources('s', 2)).toEqual(new Set(['a']))
	expect(hosted.sources('s', 3)).toEqual(new Set(['a']))
	expect(hosted.sources('other', 9)).toEqual(new Set(['c']))
})

it('says in one sentence when its file is no database, or takes no more', () => {
	using hosted = HostedSessions.open(folder)
	const other = new DatabaseSync(join(folder, 'agent-sessions.db'))
	other.exec('drop table live; drop table imported')
	other.close()
	const failed = expect.objectContaining({ code: 'home_failed' })
	expect(() => hosted.hosted('claude', 'theirs', 'ours')).toThrow(failed)
	expect(() => hosted.liveSession('claude', 'theirs')).toThrow(failed)
	expect(() => hosted.sources('s', 1)).toThrow(failed)
	expect(() => hosted.imported('s', [{ source: 'a', seq: 1 }])).toThrow(failed)
	const elsewhere = join(folder, 'elsewhere')
	mkdirSync(elsewhere)
	const file = join(elsewhere, 'agent-sessions.db')
	writeFileSync(file, 'not a database, but long enough to be one'.repeat(100))
	expect(() => HostedSessions.open(elsewhere)).toThrow(failed)
})
