import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openDatabase } from '../../source/config/database.ts'

let folder: string
beforeEach(async () => {
	folder = await mkdtemp(join(tmpdir(), 'styrby-test-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const schema = 'create table if not exists kept (word text not null) strict;'

test('a database is made for its owner alone, and keeps what two have written', async () => {
	const file = join(folder, 'a.db')
	const [one, other] = [openDatabase(file, 3, schema), openDatabase(file, 3, schema)]
	one.prepare('insert into kept values (?)').run('heron')
	other.prepare('insert into kept values (?)').run('reed')
	expect(one.prepare('select word from kept').all()).toEqual([{ word: 'heron' }, { word: 'reed' }])
	expect(one.prepare('pragma user_version').get()).toEqual({ user_version: 3 })
	one.close()
	other.close()
	if (process.platform !== 'win32') expect((await stat(file)).mode & 0o777).toBe(0o600)
})

test('a file that is no database is an error, and stays as it is', async () => {
	const file = join(folder, 'a.db')
	await writeFile(file, 'no database, and long enough to be taken for the head of one')
	expect(() => openDatabase(file, 1, schema)).toThrow('not a database')
	expect((await stat(file)).size).toBe(60)
})
