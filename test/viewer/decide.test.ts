import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Account } from '../../source/account/account.ts'
import type { Gateway } from '../../source/backend/gateway.ts'
import { fromBase64, toBase64 } from '../../source/protocol/bytes.ts'
import { checkCommand, openCommand } from '../../source/protocol/command.ts'
import { randomId } from '../../source/protocol/device.ts'
import type { Body } from '../../source/protocol/events.ts'
import { type OpenedViewer, openViewer } from '../../source/viewer/open-viewer.ts'
import { addDevice, openAccount, TestSession } from '../tools/account.ts'
import { MemoryBackend } from '../tools/memory-gateway.ts'

let backend: MemoryBackend
let gateway: Gateway
let host: Account
let laptop: Account
let session: TestSession
let viewer: OpenedViewer
let request: string

const ask = (id: string, command: string): Body<'permission_request'> => ({
	request: id,
	tool: 'Bash',
	tool_use: null,
	input: { command },
	description: null,
	cwd: '/home/dev/api-server',
	reason: null,
	changes: [],
	session_rules: [],
	questions: null,
	expires_at: new Date(Date.now() + 60_000).toISOString(),
})

async function open(command = 'npm test'): Promise<string> {
	const id = randomId()
	const body = ask(id, command)
	const opens = { request: id, expires_at: body.expires_at }
	await session.append({ kind: 'permission_request', body }, { opens })
	return id
}

/** The host's answer with the command that decided, as a broker makes it. */
async function respond(
	id: string,
	change: Partial<Body<'permission_response'>>,
	status: 'approved' | 'denied' | 'expired' | 'cancelled',
): Promise<void> {
	const body: Body<'permission_response'> = {
		request: id,
		result: status,
		by: 'device',
		device: null,
		scope: null,
		reason: null,
		command: null,
		...change,
	}
	const closes = { request: id, status }
	await session.append({ kind: 'permission_response', body }, { closes })
}

/** The command that waits for the host, opened and checked as a host does. */
async function receive(from: Account) {
	for (;;) {
		const [mail] = await gateway.readMail(host.device.record.id)
		if (!mail) {
			await sleep(2)
			continue
		}
		const sealed = { nonce: fromBase64(mail.nonce, 24), ciphertext: fromBase64(mail.ciphertext) }
		const signed = openCommand(sealed, host.keys.sharedWith(from.device.record))
		const signPublic = fromBase64(from.device.record.sign, 32)
		const command = checkCommand(signed, from.device.record.id, signPublic)
		await gateway.deleteMail([mail.id])
		const { bytes, signature } = signed
		return { command, proof: { bytes: toBase64(bytes), signature: toBase64(signature) } }
	}
}

const find = () => {
	const found = viewer.requests.get().find((one) => one.id === request)
	if (!found) throw new Error('the request is not listed')
	return found
}

beforeEach(async () => {
	backend = new MemoryBackend()
	gateway = backend.gateway(randomId())
	host = await openAccount(gateway)
	laptop = await addDevice(host, gateway, 'laptop')
	session = await new TestSession(host).create()
	await session.say('hello')
	request = await open()
	viewer = openViewer({
		account: laptop,
		backend: { kind: 'embedded', url: 'memory://' },
		vault: { kind: 'memory', detail: '' },
		now: () => new Date(),
		waitMs: 400,
	})
	await viewer.ready
})

afterEach(async () => {
	await viewer[Symbol.asyncDispose]()
})

test('a pending request is listed with what it asks for and its risk', () => {
	expect(find()).toMatchObject({
		status: 'pending',
		problem: null,
		body: { input: { command: 'npm test' } },
		project: 'api-server',
	})
	expect(find().digest).toMatch(/^[0-9a-f]{64}$/)
	expect(find().risk?.level).toBe('low')
})

describe('the stages of a decision', () => {
	test('sent, stored, verified, applied', async () => {
		const decision = viewer.decide(find(), { decision: 'allow', scope: 'once' })
		const { command, proof } = await receive(laptop)
		expect(command).toMatchObject({ kind: 'decision', body: { digest: find().digest } })
		const by = { device: laptop.device.record.id, command: proof, scope: 'once' as const }
		await respond(request, by, 'approved')
		const body = { status: 'running' as const, detail: null, applied: request }
		await session.append({ kind: 'status', body })
		const { stages, stage } = await decision.done
		expect(stages.map((one) => one.stage)).toEqual(['sent', 'stored', 'verified', 'applied'])
		expect(stage).toBe('applied')
		expect(find()).toMatchObject({
			status: 'approved',
			decided: { name: 'laptop', verified: true },
		})
	})

	test('lost to another device, which is named', async () => {
		const decision = viewer.decide(find(), { decision: 'deny', scope: 'once' })
		await receive(laptop)
		const other = openViewer({
			account: host,
			backend: { kind: 'embedded', url: 'memory://' },
			vault: { kind: 'memory', detail: '' },
			now: () => new Date(),
			waitMs: 400,
		})
		await other.ready
		const [theirs] = other.requests.get()
		if (!theirs) throw new Error('the request is not listed')
		const winning = other.decide(theirs, { decision: 'allow', scope: 'once' })
		const { proof } = await receive(host)
		await respond(request, { device: host.device.record.id, command: proof }, 'approved')
		expect(await decision.done).toMatchObject({
			stage: 'lost',
			winner: { name: 'build-box', result: 'approved' },
		})
		expect((await winning.done).stages.map((one) => one.stage)).toContain('verified')
		await other[Symbol.asyncDispose]()
	})

	test('withdrawn when it was answered at the agent', async () => {
		const decision = viewer.decide(find(), { decision: 'allow', scope: 'once' })
		await receive(laptop)
		await respond(request, { by: 'agent' }, 'approved')
		expect(await decision.done).toMatchObject({ stage: 'withdrawn' })
		// Nobody gave an input with it.
		expect(find().decided).toMatchObject({ by: 'agent', input: null })
	})

	test('expired', async () => {
		const decision = viewer.decide(find(), { decision: 'allow', scope: 'once' })
		await receive(laptop)
		await respond(request, { by: 'host' }, 'expired')
		expect(await decision.done).toMatchObject({ stage: 'expired' })
	})

	test('refused, with the reason of the host', async () => {
		const decision = viewer.decide(find(), { decision: 'allow', scope: 'once' })
		const { command } = await receive(laptop)
		const data = { command: command.id, request, code: 'command_stale' }
		const body = { type: 'notice', text: 'too late', data }
		await session.append({ kind: 'system', body })
		expect(await decision.done).toMatchObject({ stage: 'refused', why: 'too late' })
	})

	test('stored when the host says nothing, and it is followed until the host is back', async () => {
		const decision = viewer.decide(find(), { decision: 'allow', scope: 'once' })
		expect(await decision.done).toMatchObject({
			stage: 'stored',
			why: expect.stringContaining('when it is back'),
		})
		const { proof } = await receive(laptop)
		const device = laptop.device.record.id
		await respond(request, { device, command: proof, scope: 'once' }, 'approved')
		await expect.poll(() => decision.get().stage).toBe('verified')
		// And the agent, which takes its time.
		await expect.poll(() => decision.get().why).toMatch(/has not reported back/)
		const body = { status: 'running', detail: null, applied: request } as const
		await session.append({ kind: 'status', body })
		await expect.poll(() => decision.get()).toMatchObject({ stage: 'applied', why: null })
	})

	test('failed with a reason that is too long for any host, which is not sent', async () => {
		const reason = 'x'.repeat(4001)
		const decision = viewer.decide(find(), { decision: 'deny', scope: 'once', reason })
		expect(await decision.done).toMatchObject({
			stage: 'failed',
			why: expect.stringContaining('shorten'),
		})
		expect(await gateway.readMail(host.device.record.id)).toEqual([])
	})

	test('failed when the backend is away, and nothing is claimed', async () => {
		backend.cut()
		const decision = viewer.decide(find(), { decision: 'allow', scope: 'once' })
		const state = await decision.done
		expect(state.stage).toBe('failed')
		expect(state.stages.map((one) => one.stage)).not.toContain('stored')
	})
})

test("an answer that names a device but is not signed by it is not taken for that device's", async () => {
	const decision = viewer.decide(find(), { decision: 'deny', scope: 'once' })
	const { proof } = await receive(laptop)
	const forged = { ...proof, signature: toBase64(new Uint8Array(64)) }
	const device = laptop.device.record.id
	await respond(request, { device, command: forged }, 'approved')
	expect(await decision.done).toMatchObject({ stage: 'refused' })
	expect(find().decided).toMatchObject({ verified: false })
})

test('a request that was changed on the server can not be approved', async () => {
	const rows = backend.sessions.get(session.id)?.messages
	const row = rows?.[1]
	if (!rows || !row) throw new Error('no row')
	rows[1] = { ...row, nonce: rows[0]?.nonce ?? '' }
	const fresh = openViewer({
		account: laptop,
		backend: { kind: 'embedded', url: 'memory://' },
		vault: { kind: 'memory', detail: '' },
		now: () => new Date(),
	})
	await fresh.ready
	const [changed] = fresh.requests.get()
	if (!changed) throw new Error('the request vanished')
	expect(changed).toMatchObject({ body: null, digest: null, status: 'pending' })
	expect(changed.problem).not.toBeNull()
	const decision = fresh.decide(changed, { decision: 'allow', scope: 'once' })
	expect(await decision.done).toMatchObject({ stage: 'failed' })
	expect(await gateway.readMail(host.device.record.id)).toEqual([])
	await fresh[Symbol.asyncDispose]()
})

test('new requests, answers and sessions show up by themselves', async () => {
	const next = await open('rm -rf build')
	await expect
		.poll(() => viewer.requests.get().filter(({ status }) => status === 'pending').length)
		.toBe(2)
	await respond(next, { by: 'agent' }, 'denied')
	await expect
		.poll(() => viewer.requests.get().find(({ id }) => id === next)?.status)
		.toBe('denied')
	const other = await new TestSession(host).create()
	await expect.poll(() => viewer.sessions.get().some(({ id }) => id === other.id)).toBe(true)
})

test('an open session follows what is appended, once each, and loads older messages', async () => {
	for (let index = 0; index < 450; index++) await session.say(`line ${index}`)
	const view = viewer.open(session.id)
	await expect.poll(() => view.state.get().messages.length).toBeGreaterThan(150)
	expect(view.state.get().hasOlder).toBe(true)
	await Promise.all([session.say('one')])
	await session.say('two')
	await expect
		.poll(() =>
			view.state
				.get()
				.messages.slice(-2)
				.map(({ body }) => body),
		)
		.toMatchObject([{ text: 'one' }, { text: 'two' }])
	while (view.state.get().hasOlder) await view.loadOlder()
	const seqs = view.state.get().messages.map(({ seq }) => seq)
	expect(seqs).toEqual(seqs.map((_, index) => index + 1))
	expect(view.state.get().messages.every(({ verified }) => verified)).toBe(true)
	await view[Symbol.asyncDispose]()
})

test('what was missed while the line was cut is pulled after it is back', async () => {
	const view = viewer.open(session.id)
	await expect.poll(() => view.state.get().messages.length).toBe(2)
	backend.cut()
	backend.faults.offline = false
	await session.say('missed')
	backend.faults.offline = true
	backend.mend()
	await expect.poll(() => view.state.get().messages.at(-1)?.body).toMatchObject({ text: 'missed' })
	await view[Symbol.asyncDispose]()
})
