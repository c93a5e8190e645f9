import { readFile, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { type HostIdentity, holdDataFolder } from '../../source/server/data-folder.ts'
import { temporaryFolder } from './_folder.ts'

const here: HostIdentity = { host: 'here', machine: 'a'.repeat(32) }
const there: HostIdentity = { host: 'there', machine: 'b'.repeat(32) }
const onLost = (): void => undefined

function hold(folder: string, identity: HostIdentity, start = 'one', lost = onLost) {
	return holdDataFolder({ folder, start, identity, onLost: lost })
}

/** What a holder that never said goodbye leaves behind. */
async function leftBehind(folder: string, identity: HostIdentity, agoMs: number): Promise<string> {
	const file = join(folder, 'holder.json')
	await writeFile(file, JSON.stringify({ v: 1, ...identity, start: 'left' }), { mode: 0o600 })
	const at = new Date(Date.now() - agoMs)
	await utimes(file, at, at)
	return file
}

test('one at a time, and the next when it is given back', async () => {
	const folder = join(await temporaryFolder(), 'backend')
	const held = await hold(folder, here)
	expect((await stat(folder)).mode & 0o777).toBe(0o700)
	await expect(hold(folder, here)).rejects.toMatchObject({ code: 'backend_already_running' })
	await held[Symbol.asyncDispose]()
	await using again = await hold(folder, here)
	expect(again.folder).toBe(folder)
})

test('a folder in use by another host is refused, and named', async () => {
	const folder = await temporaryFolder()
	await leftBehind(folder, there, 60_000)
	const refused = hold(folder, here)
	await expect(refused).rejects.toMatchObject({ code: 'data_folder_of_other_host' })
	await expect(refused).rejects.toThrow('"there"')
	await expect(hold(folder, here)).rejects.toMatchObject({ code: 'data_folder_of_other_host' })
})

test('a holder that has given no sign for minutes, or was this host, is taken over from', async () => {
	for (const [identity, ago] of [
		[there, 600_000],
		[here, 1_000],
		[{ host: 'renamed', machine: here.machine }, 1_000],
		[{ host: 'here', machine: null }, 1_000],
	] as const) {
		const folder = await temporaryFolder()
		const file = await leftBehind(folder, identity, ago)
		await using _held = await hold(folder, here)
		expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({ host: 'here', start: 'one' })
	}
})

test('who slept while another host took over is told, and takes nothing back', async () => {
	const folder = await temporaryFolder()
	vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
	try {
		const lost = Promise.withResolvers<void>()
		const held = await hold(folder, here, 'one', lost.resolve)
		const file = await leftBehind(folder, there, 0)
		vi.advanceTimersByTime(30_000)
		await lost.promise
		await held[Symbol.asyncDispose]()
		expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({ host: 'there' })
	} finally {
		vi.useRealTimers()
	}
})
