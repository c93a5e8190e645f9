import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { holdLock, tryLock, withLock } from '../../source/config/lock.ts'
import { temporaryHome } from './temporary-home.ts'

const module = new URL('../../source/config/lock.ts', import.meta.url).href

/** A process that runs `script`, in which `lock` is the module and `folder` and `file` are given. */
function run(script: string, ...args: string[]): ChildProcess {
	const prelude = `
		import { readFile, writeFile } from 'node:fs/promises'
		const lock = await import(${JSON.stringify(module)})
		const [folder, file] = process.argv.slice(1)\n`
	return spawn(process.execPath, ['--input-type=module', '-e', prelude + script, ...args], {
		stdio: ['ignore', 'pipe', 'inherit'],
	})
}

describe('locks', () => {
	it('keep processes apart', async () => {
		await using at = await temporaryHome()
		const file = join(at.root, 'count')
		await writeFile(file, '0')
		const script = `
			for (let n = 0; n < 25; n++) await lock.withLock(folder, 'count', async () => {
				const before = Number(await readFile(file, 'utf8'))
				await writeFile(file, String(before + 1))
			}, { timeoutMs: 60_000 })`
		const children = Array.from({ length: 6 }, () => run(script, at.home.run, file))
		const codes = await Promise.all(children.map(async (child) => (await once(child, 'exit'))[0]))
		expect(codes).toEqual(children.map(() => 0))
		expect(await readFile(file, 'utf8')).toBe('150')
	})

	it('are given back by the system when their holder is killed', async () => {
		await using at = await temporaryHome()
		const script = `
			const held = await lock.holdLock(folder, 'daemon')
			console.log(held ? 'held' : 'taken')
			setInterval(() => {}, 1000)`
		const child = run(script, at.home.run)
		const [said] = await once(child.stdout ?? child, 'data')
		expect(String(said)).toBe('held\n')
		expect(await holdLock(at.home.run, 'daemon')).toBeNull()
		const timeout = withLock(at.home.run, 'daemon', async () => 'in', { timeoutMs: 60 })
		await expect(timeout).rejects.toMatchObject({ code: 'lock_timeout', exitCode: 1 })
		const waiting = withLock(at.home.run, 'daemon', async () => 'in', { timeoutMs: 15_000 })
		child.kill('SIGKILL')
		expect(await waiting).toBe('in')
	})

	it('never turn all contenders away', async () => {
		await using at = await temporaryHome()
		const script = `
			const until = Number(file)
			while (Date.now() < until);
			const held = await lock.holdLock(folder, 'race')
			console.log(held ? 'held' : 'taken')
			if (held) setInterval(() => {}, 1000)`
		const start = String(Date.now() + 1_000)
		const children = Array.from({ length: 6 }, () => run(script, at.home.run, start))
		const said = await Promise.all(
			children.map(async (child) => String((await once(child.stdout ?? child, 'data'))[0]).trim()),
		)
		for (const child of children) child.kill('SIGKILL')
		expect(said.filter((word) => word === 'held')).toHaveLength(1)
	})

	it('hold inside one process too, and are free again after an error', async () => {
		await using at = await temporaryHome()
		const order: string[] = []
		const work = (name: string, fails: boolean) => async () => {
			order.push(`${name} in`)
			await sleep(5)
			order.push(`${name} out`)
			if (fails) throw new Error(name)
		}
		const results = await Promise.allSettled([
			withLock(at.home.run, 'x', work('a', true)),
			withLock(at.home.run, 'x', work('b', false)),
		])
		expect(results.map((result) => result.status)).toEqual(['rejected', 'fulfilled'])
		expect(order).toHaveLength(4)
		expect(order[1]?.[0]).toBe(order[0]?.[0])
		await using held = tryLock(at.home.run, 'x')
		expect(held).not.toBeNull()
	})

	it('of different names do not meet, and stay when let go twice', async () => {
		await using at = await temporaryHome()
		const one = await holdLock(at.home.run, 'one')
		await using two = await holdLock(at.home.run, 'two')
		expect(one && two).not.toBeNull()
		await one?.[Symbol.asyncDispose]()
		await using again = await holdLock(at.home.run, 'one')
		await one?.[Symbol.asyncDispose]()
		expect(again).not.toBeNull()
		expect(await holdLock(at.home.run, 'one')).toBeNull()
	})

	it('can be given up waiting for, and leave the event loop free', async () => {
		await using at = await temporaryHome()
		await using held = await holdLock(at.home.run, 'x')
		expect(held).not.toBeNull()
		const leaving = new AbortController()
		const waiting = withLock(at.home.run, 'x', async () => 'in', { signal: leaving.signal })
		setTimeout(() => leaving.abort(), 20)
		await expect(waiting).rejects.toMatchObject({ name: 'AbortError' })
	})

	it('lie in files of their owner, and refuse names that lead elsewhere', async () => {
		await using at = await temporaryHome()
		await using held = await holdLock(at.home.run, 'x')
		expect(held).not.toBeNull()
		expect((await stat(join(at.home.run, 'x.lock'))).mode & 0o777).toBe(0o600)
		expect(() => tryLock(at.home.run, '../x')).toThrow(TypeError)
	})
})
