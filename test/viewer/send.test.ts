/** Prompts, interrupts and modes on their way to a host, and who can be said to have sent them. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Account } from '../../source/account/account.ts'
import type { Gateway } from '../../source/backend/gateway.ts'
import { fromBase64, toBase64 } from '../../source/protocol/bytes.ts'
import { checkCommand, openCommand } from '../../source/protocol/command.ts'
import { randomId } from '../../source/protocol/device.ts'
import { type OpenedViewer, openViewer } from '../../source/viewer/open-viewer.ts'
import { addDevice, openAccount, TestSession } from '../tools/account.ts'
import { MemoryBackend } from '../tools/memory-gateway.ts'
import { reaches } from './_until.ts'

let backend: MemoryBackend
let gateway: Gateway
let host: Account
let laptop: Account
let session: TestSession
let viewer: OpenedViewer
let clock = 0

beforeEach(async () => {
	clock = 0
	backend = new MemoryBackend()
	gateway = backend.gateway(randomId())
	host = await openAccount(gateway)
	laptop = await addDevice(host, gateway, 'laptop')
	session = await new TestSession(host).create()
	await session.say('hello')
	viewer = openViewer({
		account: laptop,
		backend: { kind: 'embedded', url: 'memory://' },
		vault: { kind: 'memory', detail: '' },
		now: () => new Date(Date.now() + clock),
		waitMs: 400,
	})
	await viewer.ready
})

afterEach(async () => {
	await viewer[Symbol.asyncDispose]()
})

/** What waits for the host, opened and checked as a host does, in the order of its coming. */
async function received() {
	const mails = await gateway.readMail(host.device.record.id)
	return mails.map((mail) => {
		const sealed = { nonce: fromBase64(mail.nonce, 24), ciphertext: fromBase64(mail.ciphertext) }
		const signed = openCommand(sealed, host.keys.sharedWith(laptop.device.record))
		const { record } = laptop.device
		const command = checkCommand(signed, record.id, fromBase64(record.sign, 32))
		const { bytes, signature } = signed
		const proof = { bytes: toBase64(bytes), signature: toBase64(signature) }
		const data = { command: command.id, kind: command.kind, by: command.by, ...proof }
		return { command, data }
	})
}

async function receive() {
	await expect.poll(async () => (await received()).length).toBe(1)
	const [one] = await received()
	if (!one) throw new Error('nothing came')
	return one
}

const system = (type: string, data: unknown, text: string | null = null) =>
	session.append({ kind: 'system', body: { type, text, data } })
const prompted = (text: string) =>
	session.append({ kind: 'user_prompt', body: { text, source: 'viewer' } })

describe('the stages', () => {
	test('sent, stored, obeyed', async () => {
		const sent = viewer.send(session.id, { kind: 'prompt', text: 'go on' })
		const { command, data } = await receive()
		expect(command).toMatchObject({ kind: 'prompt', body: { text: 'go on' }, session: session.id })
		await system('command', data)
		expect((await sent.done).stages.map(({ stage }) => stage)).toEqual(['sent', 'stored', 'obeyed'])
		expect(viewer.sent.get().get(session.id)).toMatchObject([{ stage: 'obeyed' }])
	})

	test('refused, with the reason of the host', async () => {
		const sent = viewer.send(session.id, { kind: 'mode', mode: 'plan' })
		const { command } = await receive()
		await system('notice', { command: command.id, code: 'agent_cannot' }, 'It can not.')
		expect(await sent.done).toMatchObject({ stage: 'refused', why: 'It can not.' })
	})

	test('refused, where the host has recorded what was not sent', async () => {
		const sent = viewer.send(session.id, { kind: 'interrupt' })
		const { data } = await receive()
		await system('command', { ...data, kind: 'prompt' })
		expect(await sent.done).toMatchObject({ stage: 'refused' })
	})

	test('failed when the session ends before', async () => {
		const sent = viewer.send(session.id, { kind: 'interrupt' })
		await receive()
		await session.append({
			kind: 'status',
			body: { status: 'stopped', detail: null, applied: null },
		})
		expect(await sent.done).toMatchObject({ stage: 'failed' })
	})

	test('without an answer it says so, and an answer that comes later still counts', async () => {
		const sent = viewer.send(session.id, { kind: 'prompt', text: 'go on' })
		const state = await sent.done
		expect(state).toMatchObject({ stage: 'stored' })
		expect(state.why).toContain('has not answered')
		const { data } = await receive()
		await system('command', data)
		await reaches(sent, ({ stage }) => stage === 'obeyed')
		expect(sent.get().why).toBeNull()
	})

	test('without an answer for ten minutes it has failed', async () => {
		const sent = viewer.send(session.id, { kind: 'prompt', text: 'go on' })
		await sent.done
		clock += 11 * 60_000
		await reaches(sent, ({ stage }) => stage === 'failed')
	})

	test('several leave in their order, though the first one takes long', async () => {
		const post = gateway.postMail.bind(gateway)
		let first = true
		laptop.gateway.postMail = async (mail) => {
			if (first) {
				first = false
				await new Promise((resolve) => setTimeout(resolve, 100))
			}
			await post(mail)
		}
		for (const text of ['one', 'two', 'three']) viewer.send(session.id, { kind: 'prompt', text })
		await expect.poll(async () => (await received()).length).toBe(3)
		const texts = (await received()).map(({ command }) => Object(command.body).text)
		expect(texts).toEqual(['one', 'two', 'three'])
	})
})

describe('nothing is sent', () => {
	const nothing = async () => expect(await gateway.readMail(host.device.record.id)).toEqual([])

	test('to a session that has ended', async () => {
		await gateway.updateSession(session.id, {
			status: 'stopped',
			ended_at: new Date().toISOString(),
		})
		const sent = viewer.send(session.id, { kind: 'prompt', text: 'go on' })
		expect(await sent.done).toMatchObject({
			stage: 'failed',
			why: expect.stringContaining('ended'),
		})
		await nothing()
	})

	test('to a host that was revoked', async () => {
		await laptop.log.refresh()
		await laptop.log.append(laptop.device, {
			type: 'revoke',
			at: new Date().toISOString(),
			device: host.device.record.id,
			reason: null,
		})
		const sent = viewer.send(session.id, { kind: 'prompt', text: 'go on' })
		expect(await sent.done).toMatchObject({
			stage: 'failed',
			why: expect.stringContaining('revoked'),
		})
		await nothing()
	})

	test('while the backend is away', async () => {
		backend.cut()
		const sent = viewer.send(session.id, { kind: 'interrupt' })
		expect(await sent.done).toMatchObject({ stage: 'failed' })
	})
})

describe('who sent a prompt', () => {
	async function shown() {
		const view = viewer.open(session.id)
		await reaches(view.state, ({ loading, messages }) => !loading && messages.length > 0)
		const { senders, messages } = view.state.get()
		await view[Symbol.asyncDispose]()
		return { senders, messages }
	}

	test('is what its signature says, whether the prompt stands before or behind the record', async () => {
		viewer.send(session.id, { kind: 'prompt', text: 'go  on\n' })
		const { data } = await receive()
		await prompted('go on')
		await system('command', data)
		const { senders } = await shown()
		expect(senders.get(2)).toMatchObject({ name: 'laptop', verified: true, became: 2 })
		expect(senders.get(3)).toMatchObject({ became: 2 })
	})

	test.each<[string, (data: object) => object]>([
		['a changed signature', (data) => ({ ...data, signature: toBase64(new Uint8Array(64)) })],
		['another device', (data) => ({ ...data, by: host.device.record.id })],
		['another id', (data) => ({ ...data, command: randomId() })],
		['another kind', (data) => ({ ...data, kind: 'mode' })],
	])('is not believed with %s', async (_, change) => {
		viewer.send(session.id, { kind: 'prompt', text: 'go on' })
		const { data } = await receive()
		await system('command', change(data))
		await prompted('go on')
		const { senders } = await shown()
		expect(senders.get(2)).toMatchObject({ verified: false, text: null })
		expect(senders.get(3)).toBeUndefined()
	})

	test('one record stands for one prompt, and for one of another session not at all', async () => {
		viewer.send(session.id, { kind: 'prompt', text: 'go on' })
		const { data } = await receive()
		await system('command', data)
		await prompted('go on')
		await prompted('go on')
		const { senders } = await shown()
		expect(senders.get(3)).toBeDefined()
		expect(senders.get(4)).toBeUndefined()
		const other = await new TestSession(host).create()
		await other.append({ kind: 'system', body: { type: 'command', text: null, data } })
		await other.append({ kind: 'user_prompt', body: { text: 'go on', source: 'viewer' } })
		const view = viewer.open(other.id)
		await reaches(view.state, ({ loading, messages }) => !loading && messages.length > 1)
		expect(view.state.get().senders.get(1)).toMatchObject({ verified: false })
		expect(view.state.get().senders.get(2)).toBeUndefined()
		await view[Symbol.asyncDispose]()
	})
})

describe('what a session takes', () => {
	const takes = { prompt: true, interrupt: false, modes: ['plan'], mode: 'default', asks: true }

	test('is known from its newest word, however far back, and follows what comes', async () => {
		await system('takes', { ...takes, prompt: false })
		await system('takes', takes)
		for (let line = 0; line < 450; line++) await session.say(`line ${line}`)
		const view = viewer.open(session.id)
		await reaches(view.state, ({ facts }) => facts.takes !== null)
		expect(view.state.get().facts).toEqual({
			takes: { prompt: true, interrupt: false, modes: ['plan'] },
			mode: 'default',
			asks: true,
		})
		await system('mode', { mode: 'auto', asks: false }, 'auto')
		await reaches(view.state, ({ facts }) => facts.mode === 'auto')
		expect(view.state.get().facts).toMatchObject({ takes: { prompt: true }, asks: false })
		await view[Symbol.asyncDispose]()
	})

	test('rules that answer there are known from the newest word, too', async () => {
		await system('policy', { state: 'in_force' }, 'in force')
		await system('takes', takes)
		await system('takes', { ...takes, policy: 'in_force' })
		const view = viewer.open(session.id)
		await reaches(view.state, ({ facts }) => facts.takes !== null)
		expect(view.state.get().facts.policy).toBe('in_force')
		await system('policy', { state: 'refused' }, 'refused')
		await reaches(view.state, ({ facts }) => facts.policy === 'refused')
		await system('policy', { state: 'unheard of' }, 'x')
		await system('policy', { state: 'none' }, 'none')
		await reaches(view.state, ({ facts }) => facts.policy === undefined)
		expect(view.state.get().facts.takes).not.toBeNull()
		await view[Symbol.asyncDispose]()
	})

	test('what is malformed changes nothing', async () => {
		await system('takes', takes)
		await system('takes', { prompt: 'yes' })
		await system('takes', { ...takes, modes: [7] })
		await system('mode', { mode: 7 })
		const view = viewer.open(session.id)
		await reaches(view.state, ({ facts }) => facts.takes !== null)
		expect(view.state.get().facts).toMatchObject({ takes: { prompt: true }, mode: 'default' })
		await view[Symbol.asyncDispose]()
	})
})
