import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { SeenSessionsFile, seenInMemory } from '../../source/account/seen-sessions.ts'

const [account, other] = ['account-a', 'account-b']
let folder = ''

beforeEach(() => {
	folder = mkdtempSync(join(tmpdir(), 'styrby-test-'))
})
afterEach(() => {
	chmodSync(folder, 0o700)
	rmSync(folder, { recursive: true, force: true })
})

test('what was proved once stays, and never gets less', () => {
	{
		using seen = new SeenSessionsFile(folder, account)
		expect(seen.last('s')).toBe(0)
		seen.saw('s', 7)
		seen.saw('s', 5)
		seen.saw('t', 1)
		expect([seen.last('s'), seen.last('t')]).toEqual([7, 1])
	}
	using again = new SeenSessionsFile(folder, account)
	expect(Object.fromEntries(again.all())).toEqual({ s: 7, t: 1 })
	using foreign = new SeenSessionsFile(folder, other)
	expect(foreign.last('s')).toBe(0)
	expect(statSync(join(folder, 'seen-sessions.db')).mode & 0o077).toBe(0)
})

test('the host that was found first stays', () => {
	{
		using seen = new SeenSessionsFile(folder, account)
		expect(seen.host('s')).toBeNull()
		seen.sawHosts(new Map([['s', 'build-box']]))
		seen.sawHosts(new Map([['s', 'ghost']]))
		expect(seen.host('s')).toBe('build-box')
	}
	using again = new SeenSessionsFile(folder, account)
	expect(again.host('s')).toBe('build-box')
	using foreign = new SeenSessionsFile(folder, other)
	expect(foreign.host('s')).toBeNull()
})

test('a file of the version before is read, and extended', () => {
	{
		const db = new DatabaseSync(join(folder, 'seen-sessions.db'))
		db.exec(`create table seen (
			account text not null, session text not null, seq integer not null,
			primary key (account, session)
		) strict, without rowid;
		pragma user_version = 1;`)
		db.prepare('insert into seen values (?, ?, ?)').run(account, 's', 4)
		db.close()
	}
	using seen = new SeenSessionsFile(folder, account)
	seen.sawHosts(new Map([['s', 'build-box']]))
	expect([seen.last('s'), seen.host('s')]).toEqual([4, 'build-box'])
})

test('of two processes the higher number counts', () => {
	using first = new SeenSessionsFile(folder, account)
	using second = new SeenSessionsFile(folder, account)
	expect(second.last('s')).toBe(0)
	first.saw('s', 9)
	second.saw('s', 4)
	using third = new SeenSessionsFile(folder, account)
	expect(third.last('s')).toBe(9)
})

test('a damaged file is named, not passed over', () => {
	writeFileSync(
		join(folder, 'seen-sessions.db'),
		'this is no database at all, but it is long enough',
	)
	using seen = new SeenSessionsFile(folder, account)
	expect(() => seen.last('s')).toThrow(expect.objectContaining({ code: 'home_failed' }))
})

test('in memory it is the same', () => {
	const seen = seenInMemory()
	seen.saw('s', 3)
	seen.saw('s', 2)
	expect([seen.last('s'), seen.last('t')]).toEqual([3, 0])
	expect([...seen.all()]).toEqual([['s', 3]])
})
