/** A server, a host or another device that plays false with what a viewer shows. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Account } from '../../source/account/account.ts'
import type { Gateway } from '../../source/backend/gateway.ts'
import { nonceSize, randomBytes } from '../../source/protocol/box.ts'
import { toBase64 } from '../../source/protocol/bytes.ts'
import { signCommand, unseenDigest } from '../../source/protocol/command.ts'
import { randomId } from '../../source/protocol/device.ts'
import { headOf } from '../../source/protocol/device-log.ts'
import type { Body } from '../../source/protocol/events.ts'
import { sealTextFrame, signHeartbeat } from '../../source/protocol/live.ts'
import { sessionScope } from '../../source/protocol/scope.ts'
import type { CheckedMessage } from '../../source/viewer/checked-message.ts'
import { decidedBy } from '../../source/viewer/decided.ts'
import { type OpenedViewer, openViewer } from '../../source/viewer/open-viewer.ts'
import { FeedPool } from '../../source/viewer/session-feed.ts'
import { SessionList } from '../../source/viewer/session-list.ts'
import { SessionReader } from '../../source/viewer/session-reader.ts'
import { Tail } from '../../source/viewer/tail.ts'
import { addDevice, openAccount, TestSession } from '../tools/account.ts'
import { MemoryBackend } from '../tools/memory-gateway.ts'

let backend: MemoryBackend
let gateway: Gateway
let host: Account
let laptop: Account
let session: TestSession
let stack: AsyncDisposableStack

beforeEach(async () => {
	stack = new AsyncDisposableStack()
	backend = new MemoryBackend()
	gateway = backend.gateway(randomId())
	host = await openAccount(gateway)
	laptop = await addDevice(host, gateway, 'laptop')
	session = await new TestSession(host).create()
})

afterEach(() => stack.disposeAsync())

async function open(waitMs = 300): Promise<OpenedViewer> {
	const viewer = stack.use(
		openViewer({
			account: laptop,
			backend: { kind: 'embedded', url: 'memory://' },
			vault: { kind: 'memory', detail: '' },
			now: () => new Date(),
			waitMs,
		}),
	)
	await viewer.ready
	return viewer
}

async function ask(): Promise<string> {
	const id = randomId()
	const body: Body<'permission_request'> = {
		request: id,
		tool: 'Bash',
		tool_use: null,
		input: { command: 'npm test' },
		description: null,
		cwd: null,
		reason: null,
		changes: [],
		session_rules: [],
		questions: null,
		expires_at: new Date(Date.now() + 60_000).toISOString(),
	}
	const opens = { request: id, expires_at: body.expires_at }
	await session.append({ kind: 'permission_request', body }, { opens })
	return id
}

function beat(at: Date, log = headOf(host.log.state)) {
	const { bytes, signature } = signHeartbeat(
		{
			session: session.id,
			seq: session.chain.seq,
			chain: toBase64(session.chain.chain),
			log,
			at: at.toISOString(),
		},
		host.device.signSecret,
	)
	return {
		type: 'heartbeat' as const,
		bytes: toBase64(bytes),
		signature: toBase64(signature),
	}
}

function frame(text: string, more: { n: number; block: string; epoch?: number; key?: Uint8Array }) {
	const known = host.keys.known(sessionScope(session.id))?.keyOf(0)
	const key = more.key ?? known
	if (!(key instanceof Uint8Array)) throw new Error('no key')
	const { n, block, epoch = 0 } = more
	const sealed = sealTextFrame(
		{ session: session.id, epoch, block, n, kind: 'agent_response', offset: 0, text },
		key,
		host.device.signSecret,
		randomBytes(nonceSize),
	)
	return {
		type: 'frame' as const,
		nonce: toBase64(sealed.nonce),
		ciphertext: toBase64(sealed.ciphertext),
		signature: toBase64(sealed.signature),
	}
}

describe('a sign of life', () => {
	function listen() {
		const feeds = stack.use(new FeedPool(laptop))
		const heard: string[] = []
		feeds.listen(session.id, {
			heartbeat: ({ at }) => heard.push(at),
			attack: (code) => heard.push(code),
		})
		return heard
	}

	test('is a heartbeat signed just now, not one that the server plays again', async () => {
		const heard = listen()
		const first = new Date(Date.now() - 30_000)
		const second = new Date(Date.now() - 15_000)
		const replayed = beat(first)
		for (const hint of [replayed, beat(second), replayed, beat(second), beat(new Date())]) {
			backend.tellSession(session.id, hint)
		}
		await expect.poll(() => heard.length).toBe(3)
		backend.tellSession(session.id, { ...replayed, signature: toBase64(new Uint8Array(64)) })
		await expect.poll(() => heard.at(-1)).toBe('heartbeat_bad_signature')
		expect(heard.slice(0, 2)).toEqual([first.toISOString(), second.toISOString()])
		expect(heard).toHaveLength(4)
	})

	test('is none from an hour ago', async () => {
		const heard = listen()
		const now = new Date()
		backend.tellSession(session.id, beat(new Date(now.getTime() - 3_600_000)))
		backend.tellSession(session.id, beat(now))
		await expect.poll(() => heard).toEqual([now.toISOString()])
	})

	test('is none from a host that was revoked, and its word on the log counts for nothing', async () => {
		const heard = listen()
		const now = Date.now()
		backend.tellSession(session.id, beat(new Date(now)))
		await expect.poll(() => heard).toHaveLength(1)
		await laptop.log.append(laptop.device, {
			type: 'revoke',
			at: new Date(now).toISOString(),
			device: host.device.record.id,
			reason: null,
		})
		const nowhere = { seq: 99, hash: toBase64(randomBytes(32)) }
		backend.tellSession(session.id, beat(new Date(now + 1), nowhere))
		// Told in order: when this one was heard, the one before it was judged.
		await host.keys.load(sessionScope(session.id))
		const forged = { ...frame('x', { n: 0, block: 'b' }), signature: toBase64(new Uint8Array(64)) }
		backend.tellSession(session.id, forged)
		await expect.poll(() => heard.slice(1)).toEqual(['frame_bad_signature'])
		expect(laptop.log.problem).toBeNull()
	})

	test('is not what the server says by itself', async () => {
		let clock = Date.now()
		const feeds = stack.use(new FeedPool(laptop))
		const list = stack.use(new SessionList(laptop, feeds, () => new Date(clock)))
		await gateway.updateSession(session.id, { status: 'running' })
		await list.refresh()
		expect(list.sessions.get()[0]?.stale).toBe(false)
		clock += 60_000
		const hints = await gateway.readMessages(session.id, { after: 0, limit: 5 })
		backend.tellSession(session.id, {
			type: 'messages',
			session: session.id,
			from: 1,
			to: 1,
			rows: hints,
		})
		backend.tellSession(session.id, { type: 'joined' })
		await new Promise((resolve) => setTimeout(resolve, 20))
		await list.refreshOne(session.id)
		expect(list.sessions.get()[0]?.stale).toBe(true)
		backend.tellSession(session.id, beat(new Date()))
		const stale = async () => {
			await list.refreshOne(session.id)
			return list.sessions.get()[0]?.stale
		}
		await expect.poll(stale).toBe(false)
	})
})

describe('the host of a session', () => {
	test('is whoever signed its first key, not whom the server names', async () => {
		const stored = backend.sessions.get(session.id)
		if (!stored) throw new Error('no session')
		stored.row = { ...stored.row, host: laptop.device.record.id }
		const viewer = await open()
		expect(viewer.sessions.get()[0]?.host).toEqual({ id: host.device.record.id, name: 'build-box' })
	})

	test('gets no decision once it is revoked', async () => {
		const id = await ask()
		const viewer = await open()
		await laptop.log.append(laptop.device, {
			type: 'revoke',
			at: new Date().toISOString(),
			device: host.device.record.id,
			reason: null,
		})
		const request = viewer.requests.get().find((one) => one.id === id)
		if (!request) throw new Error('no request')
		for (const choice of ['allow', 'deny'] as const) {
			const decision = viewer.decide(request, { decision: choice, scope: 'once' })
			const { stage, why } = await decision.done
			expect([stage, why]).toEqual(['failed', expect.stringContaining('was revoked')])
		}
		expect(await gateway.readMail(host.device.record.id)).toEqual([])
		// Who starts now is told before trying.
		const later = await open()
		expect(later.requests.get().find((one) => one.id === id)).toMatchObject({
			problem: 'the device that hosts this session was revoked',
			body: { tool: 'Bash' },
		})
	})
})

test('nothing is sent to anyone while the server hides what a device has signed', async () => {
	const id = await ask()
	const viewer = await open()
	const ahead = { seq: 9, hash: toBase64(randomBytes(32)) }
	await expect(laptop.log.reach(ahead)).rejects.toMatchObject({ code: 'log_rolled_back' })
	expect(viewer.info.get().alarm).toContain('hiding or inventing')
	const request = viewer.requests.get().find((one) => one.id === id)
	if (!request) throw new Error('no request')
	const decision = viewer.decide(request, { decision: 'allow', scope: 'once' })
	expect(await decision.done).toMatchObject({ stage: 'failed' })
	expect(await gateway.readMail(host.device.record.id)).toEqual([])
})

describe('the answer to a request', () => {
	test('that says the opposite of what was decided is not taken for verified', async () => {
		const id = await ask()
		const viewer = await open(3000)
		const request = viewer.requests.get().find((one) => one.id === id)
		if (!request?.digest) throw new Error('no request')
		const decision = viewer.decide(request, { decision: 'deny', scope: 'once' })
		await expect.poll(() => decision.get().stages.map(({ stage }) => stage)).toContain('stored')
		const [mail] = await gateway.readMail(host.device.record.id)
		if (!mail) throw new Error('no mail')
		// The host has the signed denial, and says that it was an approval.
		const command = signedBy(laptop, { id: mail.id, request: id, digest: request.digest })
		await session.append({
			kind: 'permission_response',
			body: {
				request: id,
				result: 'approved',
				by: 'device',
				device: laptop.device.record.id,
				scope: 'once',
				reason: null,
				command,
			},
		})
		expect(await decision.done).toMatchObject({
			stage: 'refused',
			why: 'the host recorded another answer: approved',
		})
	})

	test.each([
		['what was shown', (digest: string) => digest, true],
		['a request that the device could not open', () => unseenDigest, true],
		['something else', () => 'ab'.repeat(32), false],
	])('with a denial of %s', (_, digestOf, verified) => {
		const digest = 'cd'.repeat(32)
		const id = randomId()
		const command = signedBy(laptop, { id: randomId(), request: id, digest: digestOf(digest) })
		const body: Body<'permission_response'> = {
			request: id,
			result: 'denied',
			by: 'device',
			device: laptop.device.record.id,
			scope: 'once',
			reason: null,
			command,
		}
		const message = {
			session: session.id,
			seq: 1,
			rows: 1,
			at: '',
			kind: 'permission_response' as const,
			body,
			verified: true,
			problem: null,
			digest: null,
			code: null,
		}
		const decided = decidedBy(host, message, { session: session.id, digest })
		expect(decided?.verified).toBe(verified)
	})

	function signedBy(account: Account, about: { id: string; request: string; digest: string }) {
		const { id, request, digest } = about
		const { bytes, signature } = signCommand(
			{
				id,
				session: session.id,
				to: host.device.record.id,
				by: account.device.record.id,
				at: new Date().toISOString(),
				log: headOf(account.log.state),
				kind: 'decision',
				body: { request, digest, decision: 'deny', scope: 'once' },
			},
			account.device.signSecret,
		)
		return { bytes: toBase64(bytes), signature: toBase64(signature) }
	}
})

describe('live text', () => {
	async function watch() {
		const viewer = await open()
		const view = stack.use(viewer.open(session.id))
		await expect.poll(() => view.state.get().loading).toBe(false)
		return view
	}

	test('of a block that is finished does not come back when the server plays it again', async () => {
		await host.keys.load(sessionScope(session.id))
		const done = frame('half a sen', { n: 0, block: 'done' })
		const body = { text: 'half a sentence', block: 'done', model: null, parent: null }
		await session.append({ kind: 'agent_response', body })
		const view = await watch()
		await expect.poll(() => view.state.get().messages.length).toBe(1)
		backend.tellSession(session.id, done)
		backend.tellSession(session.id, frame('now', { n: 1, block: 'next' }))
		await expect.poll(() => view.state.get().live.map(({ text }) => text)).toEqual(['now'])
	})

	test('under a new key is no attack: the key is fetched', async () => {
		await session.say('first')
		const view = await watch()
		const scope = sessionScope(session.id)
		const made = host.keys.newEpoch(scope, {
			epoch: 1,
			from: session.chain.seq + 1,
			prev: session.chain.chain,
			at: new Date().toISOString(),
		})
		await gateway.putEpoch(made.epoch, made.grants)
		backend.tellSession(session.id, frame('new', { n: 0, block: 'b', epoch: 1, key: made.key }))
		await expect.poll(() => view.state.get().live.map(({ text }) => text)).toEqual(['new'])
		expect(view.state.get().error).toBeNull()
	})
})

test('a message that claims to be the rest of one that never was does not vanish', async () => {
	const rest = { part: 2, of: 3, body: '"x"}' }
	await session.appendParts([rest])
	for (let index = 2; index <= 500; index++) await session.say('between')
	await session.appendParts([rest])
	await session.say('last')
	const read = async (after: number) => {
		const messages = []
		for await (const one of new SessionReader(laptop, session.id).all(after, 502))
			messages.push(one)
		return messages.map(({ seq, code }) => [seq, code]).filter(([, code]) => code !== null)
	}
	expect(await read(0)).toEqual([
		[1, 'malformed_parts'],
		[501, 'malformed_parts'],
	])
	// Who begins to read in the middle of a body does not see its beginning, and that is no fault.
	expect(await read(500)).toEqual([])
})

test('parts whose rest is withheld are marked before the gap', async () => {
	const parts = Array.from({ length: 300 }, (_, index) => ({ part: index + 1, of: 300, body: 'x' }))
	for (let index = 1; index <= 498; index++) await session.say('before')
	await session.appendParts(parts)
	for (let index = 799; index <= 1010; index++) await session.say('withheld too')
	const stored = backend.sessions.get(session.id)?.messages
	// More than a page is gone, from the third part on.
	stored?.splice(500, 505)
	const wanted = [
		[499, 2, 'malformed_parts'],
		[501, 505, 'message_missing'],
	]
	const of = (messages: readonly CheckedMessage[]) =>
		messages.filter(({ code }) => code !== null).map(({ seq, rows, code }) => [seq, rows, code])
	const messages: CheckedMessage[] = []
	const reader = new SessionReader(laptop, session.id)
	for await (const one of reader.all(0, 1010)) messages.push(one)
	expect(of(messages)).toEqual(wanted)
	expect(messages.at(-1)).toMatchObject({ seq: 1010, verified: true })

	const followed: CheckedMessage[] = []
	using _ = new Tail({
		reader,
		feeds: stack.use(new FeedPool(laptop)),
		after: 0,
		before: null,
		deliver: (more) => followed.push(...more),
		failed: (error) => expect(error).toBeNull(),
	})
	await expect.poll(() => followed.at(-1)?.seq).toBe(1010)
	expect(of(followed)).toEqual(wanted)
})

test('a body that claims more parts than come hides nothing after it', async () => {
	await session.say('before')
	await session.say('more before')
	await session.appendParts([{ part: 1, of: 300, body: '{"text":' }])
	for (const text of ['after', 'and after']) await session.say(text)
	const messages = []
	for await (const message of new SessionReader(laptop, session.id).all(0, 5))
		messages.push(message)
	expect(messages.map(({ seq, rows, code }) => [seq, rows, code])).toEqual([
		[1, 1, null],
		[2, 1, null],
		[3, 1, 'malformed_parts'],
		[4, 1, null],
		[5, 1, null],
	])
	expect(messages.at(-1)?.body).toMatchObject({ text: 'and after' })
})
