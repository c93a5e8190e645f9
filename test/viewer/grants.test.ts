/** From the key to the host and back: a rule is allowed for a session, used, seen with its proof, and taken back. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Account } from '../../source/account/account.ts'
import { SessionHost } from '../../source/host/session-host.ts'
import { randomId } from '../../source/protocol/device.ts'
import { type OpenedViewer, openViewer } from '../../source/viewer/open-viewer.ts'
import { addDevice, openAccount, TestSession } from '../tools/account.ts'
import { MemoryBackend } from '../tools/memory-gateway.ts'
import { ScriptedAgent, someAsk } from '../tools/scripted-agent.ts'

const cwd = '/home/dev/api-server'
const install = (what: string) => ({
	...someAsk,
	cwd,
	input: { command: `npm install ${what}` },
	session_rules: [{ tool: 'Bash', rule: 'npm install:*' }],
})

let laptop: Account
let hosting: Account
let viewer: OpenedViewer
let folder: string
let ending: AsyncDisposableStack

beforeEach(async () => {
	ending = new AsyncDisposableStack()
	folder = await mkdtemp(join(tmpdir(), 'styrby-grants-'))
	ending.defer(() => rm(folder, { recursive: true, force: true }))
	const gateway = new MemoryBackend().gateway(randomId())
	hosting = await openAccount(gateway)
	laptop = await addDevice(hosting, gateway, 'laptop')
})
afterEach(() => ending.disposeAsync())

async function look(): Promise<void> {
	viewer = openViewer({
		account: laptop,
		backend: { kind: 'embedded', url: 'memory://' },
		vault: { kind: 'memory', detail: '' },
		now: () => new Date(),
		waitMs: 5000,
	})
	ending.use(viewer)
	await viewer.ready
}

async function host(): Promise<{ agent: ScriptedAgent; session: string; end(): Promise<void> }> {
	const agent = new ScriptedAgent()
	const around = { userHome: '/home/dev', own: [], shell: '/bin/sh', platform: 'linux' } as const
	const session = await SessionHost.open({
		account: hosting,
		gateway: hosting.gateway,
		dataFolder: folder,
		agent: 'claude',
		cwd,
		project: 'plain',
		timeoutMs: 600_000,
		policy: { file: { read: () => ({ kind: 'none', file: '' }) }, around },
	})
	const done = session.run(agent)
	const end = async () => {
		agent.finish()
		await done
	}
	ending.defer(end)
	return { agent, session: session.session, end }
}

const grants = () => viewer.grants.get().grants

/** Looks as the screen does that shows them, until it holds. */
async function until(holds: () => boolean): Promise<void> {
	const looked = () => {
		viewer.lookAtSessions()
		return holds()
	}
	await expect.poll(looked, { interval: 200 }).toBe(true)
}

async function allowed() {
	const running = await host()
	await look()
	const first = running.agent.ask('a', install('express'))
	await expect.poll(() => viewer.requests.get()[0]?.digest ?? null).not.toBeNull()
	const [request] = viewer.requests.get()
	if (!request) throw new Error('no request')
	viewer.decide(request, { decision: 'allow', scope: 'session' })
	await first
	await until(() => grants().length === 1)
	return { ...running, request: request.id }
}

test('it is counted, and taken back with a signature; then a person is asked again', async () => {
	const { agent, session, request } = await allowed()
	expect(grants()).toMatchObject([
		{
			session,
			request,
			rules: [{ tool: 'Bash', rule: 'npm install:*' }],
			device: { name: 'laptop' },
			keeper: 'host',
			uses: 0,
			verified: true,
		},
	])
	expect(await agent.ask('b', install('zod'))).toEqual({ decision: 'allow', scope: 'once' })
	await until(() => grants()[0]?.uses === 1)
	// What was allowed by it stands among the past ones, and never waited.
	expect(viewer.requests.get().map(({ status }) => status)).toEqual(['approved', 'approved'])

	const sent = viewer.send(session, { kind: 'take_back', grant: grants()[0]?.id ?? null })
	expect(await sent.done).toMatchObject({ stage: 'obeyed' })
	await until(() => grants().length === 0)
	void agent.ask('c', install('zod'))
	await expect.poll(() => viewer.requests.get()[0]?.status).toBe('pending')
	expect(agent.answers.has('c')).toBe(false)
})

test('with the session it is over', async () => {
	const { end } = await allowed()
	await end()
	await expect.poll(() => viewer.sessions.get()[0]?.endedAt ?? null).not.toBeNull()
	await until(() => grants().length === 0)
})

test('a rule that names a device which has not signed it says so', async () => {
	const session = await new TestSession(hosting).create()
	const made = {
		grant: randomId(),
		request: randomId(),
		tool: 'Bash',
		rules: [{ tool: 'Bash', rule: null }],
		device: laptop.device.record.id,
		bytes: Buffer.from('{}').toString('base64'),
		signature: Buffer.alloc(64).toString('base64'),
		at: new Date().toISOString(),
		uses: 0,
		used_at: null,
		keeper: 'host',
	}
	const data = { grants: [made] }
	await session.append({ kind: 'system', body: { type: 'grants', text: null, data } })
	await look()
	await until(() => grants().length === 1)
	expect(grants()[0]).toMatchObject({ verified: false, device: { name: 'laptop' } })
})

test('a request that the server does not list is looked for without being asked to', async () => {
	const session = await new TestSession(hosting).create()
	const id = randomId()
	const expires_at = new Date(Date.now() + 60_000).toISOString()
	// In the session, and nowhere else.
	const body = { ...someAsk, request: id, expires_at }
	await session.append({ kind: 'permission_request', body })
	await look()
	await expect
		.poll(() => viewer.requests.get(), { timeout: 10_000 })
		.toMatchObject([
			{
				id,
				status: 'pending',
				problem: 'the server does not list this request among those that wait',
			},
		])
})
