import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { isAlive } from '../../source/config/is-alive.ts'

const module = pathToFileURL(join(import.meta.dirname, '../../source/agents/end-with-host.ts')).href
/** A host whose agent is a process that does nothing for long; it says the agent's id. */
const host = `
	const { spawn } = await import('node:child_process')
	const { endWithHost } = await import('${module}')
	const agent = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 600_000)'], { stdio: 'ignore' })
	agent.once('spawn', () => {
		endWithHost(agent, process.argv[1])
		console.log(agent.pid)
	})
	agent.once('exit', () => console.log('over'))
`

let folder = ''
let running: ChildProcess
let said = ''

beforeEach(async () => {
	folder = await mkdtemp(join(tmpdir(), 'styrby-test-'))
	said = ''
	running = spawn(process.execPath, ['--input-type=module', '-e', host, folder], {
		stdio: ['ignore', 'pipe', 'inherit'],
	})
	running.stdout?.setEncoding('utf8').on('data', (text: string) => {
		said += text
	})
	await vi.waitFor(() => expect(said).toMatch(/^\d+\n/), 20_000)
})

afterEach(async () => {
	running.kill('SIGKILL')
	await rm(folder, { recursive: true, force: true })
})

describe.skipIf(process.platform === 'win32')('an agent', () => {
	it('ends when its host is killed, and what the host left is removed', async () => {
		const agent = Number.parseInt(said, 10)
		expect(isAlive(agent)).toBe(true)
		running.kill('SIGKILL')
		await vi.waitFor(() => expect(isAlive(agent)).toBe(false), 20_000)
		await vi.waitFor(() => expect(existsSync(folder)).toBe(false), 20_000)
	})

	it('that has ended by itself leaves its host alone', async () => {
		const ended = new Promise((resolve) => running.once('exit', (code) => resolve(code)))
		process.kill(Number.parseInt(said, 10), 'SIGTERM')
		// Nothing else keeps the host: it ends by itself.
		expect(await ended).toBe(0)
		expect(said).toContain('over')
		expect(existsSync(folder)).toBe(true)
	})
})
