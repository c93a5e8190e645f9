import { join } from 'node:path'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { findTemplate, readSchema } from '../../source/server/package-files.ts'
import {
	openPglite,
	type PgliteEngine,
	type PgliteOptions,
} from '../../source/server/pglite-engine.ts'
import { temporaryFolder } from './_folder.ts'

vi.setConfig({ testTimeout: 60_000 })

/** Quicker than making a cluster; what is in it does not matter here. */
const template = findTemplate(readSchema())

async function open(options: Partial<PgliteOptions> = {}): Promise<PgliteEngine> {
	const folder = options.folder ?? join(await temporaryFolder(), 'pg')
	const engine = await openPglite({ template, ...options, folder })
	onTestFinished(() => engine.close())
	return engine
}

async function openNumbers(): Promise<PgliteEngine> {
	const engine = await open()
	await engine.tx([{ sql: numbers }])
	return engine
}

const numbers = 'create table numbers (n int primary key)'
const insert = (n: number) => ({
	sql: `insert into numbers values ($1::text::int)`,
	params: [`${n}`],
})
const many = 'select count(*) from generate_series(1, 1000000000)'

describe('the embedded engine', () => {
	test('syncs the disk with each commit, and not for what only reads', async () => {
		const engine = await openNumbers()
		const before = await engine.syncs()
		for (let n = 0; n < 20; n++) await engine.tx([insert(n)])
		const between = await engine.syncs()
		expect(between - before).toBeGreaterThanOrEqual(20)
		for (let n = 0; n < 20; n++) await engine.query('select * from numbers')
		expect(await engine.syncs()).toBe(between)
	})

	test('keeps all of a transaction or nothing', async () => {
		const engine = await openNumbers()
		const failing = engine.tx([insert(100), { sql: 'select 1 / 0', params: [] }])
		await expect(failing).rejects.toMatchObject({ code: '22012', message: 'division by zero' })
		const probing = await engine.tx([insert(101), { sql: 'select * from numbers where n = 101' }], {
			rollback: true,
		})
		expect(probing.at(-1)).toEqual([{ n: '101' }])
		expect(await engine.query('select * from numbers where n >= 100')).toEqual([])
	})

	test('gives values as PostgreSQL prints them', async () => {
		const engine = await open()
		const [row] = await engine.query(
			`select true as b, 9007199254740993::bigint as i, '{"a": 1}'::jsonb as j, null as n,
				'2026-01-02 03:04:05.6Z'::timestamptz at time zone 'UTC' as t, '\\x00ff'::bytea as x, array[1, 2] as a`,
		)
		expect(row).toEqual({
			...{ b: 't', i: '9007199254740993', j: '{"a": 1}', n: null },
			...{ t: '2026-01-02 03:04:05.6', x: '\\x00ff', a: '{1,2}' },
		})
	})
})

describe('a statement that takes too long', () => {
	test('is broken off, and what was kept is there after it', async () => {
		const lines: string[] = []
		const engine = await open({ log: (line) => lines.push(line) })
		const heard: string[] = []
		await engine.tx([{ sql: numbers }, insert(1)])
		await engine.listen('news', (payload) => heard.push(payload))
		const slow = engine.tx([insert(2), { sql: many }], { timeLimitMs: 500 })
		const next = engine.tx([insert(3)])
		await expect(slow).rejects.toMatchObject({ code: '57014' })
		await next
		expect(await engine.query('select * from numbers order by n')).toEqual([{ n: '1' }, { n: '3' }])
		await engine.query(`select pg_notify('news', 'hello')`)
		await engine.query('select 1')
		expect(heard).toEqual(['hello'])
		expect(lines.join()).toContain('broke off')
	})

	test('does not keep the engine from closing', async () => {
		const engine = await open()
		const slow = engine.tx([{ sql: many }], { timeLimitMs: 300 }).catch((error) => error)
		await engine.close()
		expect(await slow).toMatchObject({ code: '57014' })
		await expect(engine.query('select 1')).rejects.toMatchObject({ code: '57P01' })
	})
})

test('an engine whose stack ran over is not asked again: a new one answers', async () => {
	const engine = await open()
	await engine.tx([{ sql: numbers }, insert(1)])
	const deep = `${'['.repeat(3_000_000)}${']'.repeat(3_000_000)}`
	await engine.query('select $1::text::json is null', [deep]).catch((error) => error)
	expect(await engine.query('select * from numbers')).toEqual([{ n: '1' }])
	const nested = `${'['.repeat(20_000)}${']'.repeat(20_000)}`
	const parsing = engine.query('select $1::text::jsonb is null', [nested])
	await expect(parsing).rejects.toMatchObject({ code: '54001' })
})

test('no more wait than may', async () => {
	const engine = await open({ queueLimit: 3 })
	const asked = Array.from({ length: 5 }, () => engine.query('select 1').catch((error) => error))
	const answers = await Promise.all(asked)
	expect(answers.filter((answer) => Array.isArray(answer))).toHaveLength(3)
	expect(answers.filter((answer) => !Array.isArray(answer))).toMatchObject([
		{ code: '53300' },
		{ code: '53300' },
	])
})

test('a folder that can not be opened is said at once', async () => {
	const folder = await temporaryFolder()
	const opening = openPglite({ folder: join(folder, 'missing', '\0'), template: null })
	await expect(opening).rejects.toMatchObject({ name: 'DatabaseError' })
})
