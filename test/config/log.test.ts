import { chmod, mkdir, readdir, readFile, stat, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openLog } from '../../source/config/log.ts'
import { temporaryHome } from './temporary-home.ts'

const debug = { STYRBY_LOG: 'debug' }
const now = () => new Date('2030-01-02T03:04:05.678Z')

describe('the log', () => {
	it('is nothing at all unless asked for', async () => {
		await using at = await temporaryHome()
		for (const env of [{}, { STYRBY_LOG: '1' }, { STYRBY_LOG: '' }]) {
			const log = await openLog({ home: at.home, env })
			log.write('event', { a: 1 })
			expect(log).toMatchObject({ enabled: false, file: null })
		}
		expect(await readdir(at.root)).toEqual([])
	})

	it('writes one JSON object a line, into a file of its owner', async () => {
		await using at = await temporaryHome()
		const log = await openLog({ home: at.home, env: debug, now })
		log.write('outbox.sent', { rows: 3, ok: true, why: null, session: 'abc' })
		log.write('end')
		const file = join(at.home.log, 'debug.log')
		expect(log.file).toBe(file)
		const lines = (await readFile(file, 'utf8')).trimEnd().split('\n')
		const at_ = '2030-01-02T03:04:05.678Z'
		const own = { at: at_, pid: process.pid }
		expect(lines.map((line) => JSON.parse(line))).toEqual([
			{ ...own, event: 'outbox.sent', rows: 3, ok: true, why: null, session: 'abc' },
			{ ...own, event: 'end' },
		])
		expect((await stat(file)).mode & 0o777).toBe(0o600)
	})

	it('lets no object, key or long text through, and no field pose as its own', async () => {
		await using at = await temporaryHome()
		const log = await openLog({ home: at.home, env: debug, now })
		const key = Buffer.alloc(32, 7).toString('base64')
		const hostile: Record<string, never> = JSON.parse(
			JSON.stringify({ body: { deep: key }, list: [key], at: 'never', pid: 1, event: 'other' }),
		)
		log.write('x', hostile)
		log.write(`sent ${key}`, { key, long: 'word '.repeat(100), huge: 'a '.repeat(10_000) })
		const content = await readFile(join(at.home.log, 'debug.log'), 'utf8')
		expect(content).not.toContain(key.slice(0, 20))
		const [first, second] = content.split('\n').map((line) => JSON.parse(line || '{}'))
		expect(first).toMatchObject({
			body: '[object]',
			list: '[object]',
			event: 'x',
			pid: process.pid,
		})
		expect(second).toMatchObject({ key: '[redacted]', huge: '[20000 characters]' })
		expect(second.long).toHaveLength(200)
	})

	it('keeps one full file beside the current one', async () => {
		await using at = await temporaryHome()
		const log = await openLog({ home: at.home, env: debug, maxBytes: 2_000 })
		for (let n = 0; n < 100; n++) log.write('event', { n })
		const names = (await readdir(at.home.log)).filter((name) => !name.endsWith('.lock'))
		expect(names.sort()).toEqual(['debug.log', 'debug.log.1'])
		for (const name of names) {
			expect((await stat(join(at.home.log, name))).size).toBeLessThan(2_200)
		}
		const last = (await readFile(join(at.home.log, 'debug.log'), 'utf8'))
			.trimEnd()
			.split('\n')
			.pop()
		expect(JSON.parse(last ?? '')).toMatchObject({ n: 99 })
	})

	it('never stops what it watches', async () => {
		await using at = await temporaryHome()
		await mkdir(at.home.log, { mode: 0o700 })
		await symlink('/dev/full', join(at.home.log, 'debug.log'))
		const log = await openLog({ home: at.home, env: debug })
		log.write('event')
		log.write('event')
		expect(log.problem).toMatch(/ELOOP/)
		await chmod(at.home.log, 0o700)
	})
})
