/** The background process: found, started, left alone, stopped. Real processes, the source as it is. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test, vi } from 'vitest'
import { WebSocket } from 'ws'
import { version } from '../../source/config/version.ts'
import { startBackend } from '../../source/server/backend.ts'
import {
	type ConnectOptions,
	connectEmbedded,
	statusEmbedded,
	stopEmbedded,
} from '../../source/server/discover.ts'
import { findHealthy } from '../../source/server/health.ts'
import { backendFolder, readAccess } from '../../source/server/installation.ts'
import { runDaemon } from '../../source/server/run-daemon.ts'
import { readRuntime, writeRuntime } from '../../source/server/runtime-file.ts'
import { temporaryFolder } from './_folder.ts'

vi.setConfig({ testTimeout: 90_000 })

const log = () => undefined

async function newHome(): Promise<ConnectOptions> {
	const folder = await temporaryFolder()
	const home = { data: join(folder, 'data'), run: join(folder, 'run'), log: join(folder, 'log') }
	for (const path of Object.values(home)) await mkdir(path, { mode: 0o700 })
	onTestFinished(async () => {
		await stopEmbedded(home)
	})
	return home
}

async function holds(what: () => unknown): Promise<void> {
	const end = Date.now() + 60_000
	while (!(await what())) {
		if (Date.now() > end) throw new Error(`never: ${what}`)
		await sleep(20)
	}
}

/** A program of someone else on a port, and what it was asked. */
async function stranger(answer: string): Promise<{ port: number; asked: IncomingMessage[] }> {
	const asked: IncomingMessage[] = []
	const server: Server = createServer((request, response) => {
		asked.push(request)
		response.end(answer)
	})
	server.listen(0, '127.0.0.1')
	await once(server, 'listening')
	onTestFinished(() => {
		server.closeAllConnections()
		server.close()
	})
	const address = server.address()
	return { port: typeof address === 'object' && address ? address.port : 0, asked }
}

/** The daemon's program itself, without the command that starts it. */
function startDaemon({ data, run }: ConnectOptions): ChildProcess {
	const program = fileURLToPath(new URL('../../source/server/daemon.ts', import.meta.url))
	const input = JSON.stringify({ data, run, idleMs: 60_000 })
	const child = spawn(process.execPath, ['--liftoff-only', program, input], { stdio: 'pipe' })
	onTestFinished(() => {
		child.kill('SIGKILL')
	})
	return child
}

test('one is started when there is none, found when there is one, and stopped', async () => {
	const home = await newHome()
	expect(await statusEmbedded(home)).toBeNull()
	const steps: string[] = []
	const first = await connectEmbedded({ ...home, onProgress: (step) => steps.push(step) })
	const second = await connectEmbedded({ ...home, onProgress: (step) => steps.push(step) })
	expect(second).toEqual(first)
	expect(steps).toEqual(['starting'])
	expect(await statusEmbedded(home)).toEqual({ ...first, version })
	expect(await stopEmbedded(home)).toBe(true)
	expect(() => process.kill(first.pid, 0)).toThrow('ESRCH')
	expect(await stopEmbedded(home)).toBe(false)
	// The next one has the same address: who waits for it finds it again.
	expect((await connectEmbedded(home)).url).toBe(first.url)
})

test('many that ask at once get the same one', async () => {
	const home = await newHome()
	const found = await Promise.all(Array.from({ length: 8 }, () => connectEmbedded(home)))
	expect(new Set(found.map(({ pid, url }) => `${pid} ${url}`)).size).toBe(1)
})

test('a second one on the same folder gives up, and says why', async () => {
	const home = await newHome()
	await connectEmbedded(home)
	await expect(startBackend({ data: home.data, log })).rejects.toMatchObject({
		code: 'backend_already_running',
	})
	const second = startDaemon(home)
	let said = ''
	second.stderr?.on('data', (chunk) => {
		said += chunk
	})
	const [code] = await once(second, 'exit')
	expect(code).toBe(1)
	expect(said).toContain('backend_already_running')
})

test('a runtime file that leads nowhere, or says nonsense, is passed over', async () => {
	const home = await newHome()
	await writeRuntime(home.run, { port: 1, pid: process.pid, start: 'x', version })
	const { pid } = await connectEmbedded(home)
	await writeFile(join(home.run, 'backend.json'), 'nonsense', { mode: 0o600 })
	expect(await statusEmbedded(home)).toBeNull()
	process.kill(pid, 'SIGKILL')
	expect((await connectEmbedded(home)).pid).not.toBe(pid)
})

test('who sits on the daemon’s port is not shown the key, and is moved away from', async () => {
	const home = await newHome()
	const first = await connectEmbedded(home)
	await stopEmbedded(home)
	const health = { version, start: 'x', pid: process.pid, proof: 'ab'.repeat(32) }
	const { port, asked } = await stranger(JSON.stringify(health))
	await writeRuntime(home.run, { port, pid: process.pid, start: 'x', version })
	const second = await connectEmbedded(home)
	expect(second.url).not.toBe(`http://127.0.0.1:${port}`)
	expect(asked.length).toBeGreaterThan(0)
	for (const { headers, url } of asked) {
		expect(JSON.stringify([headers, url])).not.toContain(first.anonKey)
	}
	expect((await readRuntime(home.run))?.port).not.toBe(port)
})

test('who passes the challenge on to the right daemon proves nothing', async () => {
	const home = await newHome()
	const { url } = await connectEmbedded(home)
	const access = await readAccess(backendFolder(home.data))
	if (!access) throw new Error('no access')
	const asked: string[] = []
	const server = createServer((request, response) => {
		asked.push(String(request.url))
		void fetch(`${url}${request.url}`).then(async (answer) => response.end(await answer.text()))
	})
	server.listen(0, '127.0.0.1')
	await once(server, 'listening')
	onTestFinished(() => {
		server.close()
	})
	const address = server.address()
	const port = typeof address === 'object' && address ? address.port : 0
	expect(await findHealthy({ port: Number(new URL(url).port) }, access)).not.toBeNull()
	expect(await findHealthy({ port }, access)).toBeNull()
	expect(asked).toHaveLength(1)
})

test('who takes the connection and says nothing, or never stops, is given up on', async () => {
	const home = await newHome()
	const { url } = await connectEmbedded(home)
	const access = await readAccess(backendFolder(home.data))
	if (!access) throw new Error('no access')
	const silent = createServer(() => undefined)
	const endless = createServer((_request, response) => {
		const timer = setInterval(() => response.write('x'.repeat(1000)), 1)
		response.on('close', () => clearInterval(timer))
	})
	for (const server of [silent, endless]) {
		server.listen(0, '127.0.0.1')
		await once(server, 'listening')
		const address = server.address()
		const port = typeof address === 'object' && address ? address.port : 0
		expect(await findHealthy({ port }, access, 300)).toBeNull()
		server.closeAllConnections()
		server.close()
	}
	expect(url).toContain('127.0.0.1')
})

test('a port that was asked for and is taken: said, and nothing is left held', async () => {
	const home = await newHome()
	const { port } = await stranger('')
	const starting = startBackend({ data: home.data, log, port, exactPort: true })
	await expect(starting).rejects.toMatchObject({ code: 'port_taken', exitCode: 1 })
	await using backend = await startBackend({ data: home.data, log, port })
	expect(backend.port).not.toBe(port)
})

test('what keeps it from starting reaches the command that wanted it', async () => {
	const home = await newHome()
	await connectEmbedded(home)
	await stopEmbedded(home)
	const majorFile = join(backendFolder(home.data), 'pg', 'PG_VERSION')
	const major = await readFile(majorFile)
	await writeFile(majorFile, '99\n')
	await expect(connectEmbedded(home)).rejects.toMatchObject({ code: 'backend_newer' })
	await writeFile(majorFile, major)
	const holder = { v: 1, host: 'elsewhere', machine: 'f'.repeat(32), start: 'x' }
	const holderFile = join(backendFolder(home.data), 'holder.json')
	await writeFile(holderFile, JSON.stringify(holder), { mode: 0o600 })
	await expect(connectEmbedded(home)).rejects.toMatchObject({ code: 'data_folder_of_other_host' })
	await writeFile(holderFile, '{', { mode: 0o600 })
	await expect(connectEmbedded(home)).rejects.toMatchObject({ code: 'state_corrupt' })
})

test('a program that ends without a word: said, with where to look', async () => {
	const home = await newHome()
	const entry = new URL(`file://${join(home.data, 'missing.js')}`)
	const starting = connectEmbedded({ ...home, entry })
	await expect(starting).rejects.toMatchObject({ code: 'backend_start_failed', exitCode: 5 })
	await expect(starting).rejects.toThrow('backend.log')
})

test('SIGTERM: what is under way is answered, the rest is told, and it ends with 0', async () => {
	const home = await newHome()
	const daemon = startDaemon(home)
	await holds(() => statusEmbedded(home))
	const found = await statusEmbedded(home)
	if (!found) throw new Error('it is gone')
	const base = found.url.replace('http', 'ws')
	const query = `apikey=${found.anonKey}&vsn=2.0.0`
	const socket = new WebSocket(`${base}/realtime/v1/websocket?${query}`)
	await once(socket, 'open')
	const said = once(socket, 'close')
	const asked = Array.from({ length: 20 }, () =>
		fetch(`${found.url}/auth/v1/signup`, {
			method: 'POST',
			headers: { apikey: found.anonKey },
			body: '{}',
		}).then(
			(answer) => answer.status,
			() => 'refused',
		),
	)
	expect(await Promise.race(asked)).toBe(200)
	daemon.kill('SIGTERM')
	const answers = await Promise.all(asked)
	// Those that had not come in yet find nobody; nobody gets half an answer, or an error.
	const good = answers.filter((answer) => answer === 200).length
	expect(good + answers.filter((answer) => answer === 'refused').length).toBe(answers.length)
	expect((await said)[0]).toBe(1012)
	const [code] = daemon.exitCode === null ? await once(daemon, 'exit') : [daemon.exitCode]
	expect(code).toBe(0)
	expect(existsSync(join(backendFolder(home.data), 'holder.json'))).toBe(false)
	await using backend = await startBackend({ data: home.data, log })
	const [kept] = await backend.engine.query('select count(*) as n from auth.users')
	expect(Number(kept?.n)).toBeGreaterThanOrEqual(good)
})

test('it ends when nobody has used it for a while, and not while somebody listens', async () => {
	const home = await newHome()
	let url = ''
	let ended = false
	const running = runDaemon({
		...{ data: home.data, run: home.run, idleMs: 600, log },
		onReady: (backend) => {
			url = `${backend.url.replace('http', 'ws')}/realtime/v1/websocket?apikey=${backend.anonKey}&vsn=2.0.0`
		},
	}).then(() => {
		ended = true
	})
	await holds(() => url)
	const socket = new WebSocket(url)
	await once(socket, 'open')
	// Who asks whether it is there does not keep it.
	const asking = setInterval(() => void statusEmbedded(home), 50)
	await sleep(2_000)
	expect(ended).toBe(false)
	socket.close()
	await running
	clearInterval(asking)
	expect(await statusEmbedded(home)).toBeNull()
})

test('nothing of the starting command’s environment reaches it but what it needs', async () => {
	const home = await newHome()
	vi.stubEnv('STYRBY_TEST_SECRET', 'not for children')
	const { pid } = await connectEmbedded(home)
	vi.unstubAllEnvs()
	if (process.platform === 'linux') {
		const environment = await readFile(`/proc/${pid}/environ`, 'utf8')
		expect(environment).toContain('PATH=')
		expect(environment).not.toContain('not for children')
	}
	const output = await readFile(join(home.log, 'backend.log'), 'utf8')
	expect(output).toContain('ready on port')
	const { anonKey } = (await readAccess(backendFolder(home.data))) ?? { anonKey: 'none' }
	expect(output).not.toContain(anonKey)
})
