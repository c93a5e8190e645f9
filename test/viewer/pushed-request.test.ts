/** A new request that comes over its session's live channel is shown before it could be asked for. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Account } from '../../source/account/account.ts'
import type { Gateway, SessionHint } from '../../source/backend/gateway.ts'
import { randomId } from '../../source/protocol/device.ts'
import { type OpenedViewer, openViewer } from '../../source/viewer/open-viewer.ts'
import { addDevice, openAccount, TestSession } from '../tools/account.ts'
import { MemoryBackend } from '../tools/memory-gateway.ts'
import { reaches } from './_until.ts'

let backend: MemoryBackend
let laptop: Account
let session: TestSession
let viewer: OpenedViewer
/** What the viewer asks the backend for, and what holds its answers back. */
let asked: string[]
let held: PromiseWithResolvers<void>
let alter: (hint: SessionHint) => SessionHint

function watched(gateway: Gateway): Gateway {
	const readRequest = gateway.readRequest.bind(gateway)
	const readMessages = gateway.readMessages.bind(gateway)
	const followSession = gateway.followSession.bind(gateway)
	gateway.readRequest = async (id) => {
		asked.push('request')
		await held.promise
		return await readRequest(id)
	}
	gateway.readMessages = async (session, range) => {
		// One message alone: the one that a request is in.
		if (range.limit === 1) asked.push('message')
		return await readMessages(session, range)
	}
	gateway.followSession = (id, listener) => followSession(id, (hint) => listener(alter(hint)))
	return gateway
}

beforeEach(async () => {
	asked = []
	held = Promise.withResolvers()
	alter = (hint) => hint
	backend = new MemoryBackend()
	const user = randomId()
	const host = await openAccount(backend.gateway(user))
	laptop = await addDevice(host, watched(backend.gateway(user)), 'laptop')
	session = await new TestSession(host).create()
	await session.say('Hello.')
	viewer = openViewer({
		account: laptop,
		backend: { kind: 'embedded', url: 'http://127.0.0.1:1' },
		vault: { kind: 'memory', detail: 'memory' },
		now: () => new Date(),
	})
	await viewer.ready
	await reaches(viewer.connection, ({ state }) => state === 'live')
	// Lists that are read again just now are another way to learn of a request.
	laptop.gateway.listRequests = async () => []
	asked.length = 0
})

afterEach(async () => {
	held.resolve()
	await viewer[Symbol.asyncDispose]()
})

async function ask(command: string): Promise<string> {
	const id = randomId()
	const expires_at = new Date(Date.now() + 60_000).toISOString()
	const body = {
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
		expires_at,
	}
	await session.append({ kind: 'permission_request', body }, { opens: { request: id, expires_at } })
	return id
}

const shown = (id: string) => viewer.requests.get().find((request) => request.id === id)

test('with all that an answer is bound to, and is the same when it was asked for', async () => {
	const id = await ask('npm test')
	await reaches(viewer.requests, () => shown(id) !== undefined)
	expect(shown(id)).toMatchObject({
		session: session.id,
		project: 'api-server',
		status: 'pending',
		body: { input: { command: 'npm test' } },
		problem: null,
		digest: expect.stringMatching(/^[0-9a-f]{64}$/),
		risk: { level: 'low' },
	})
	const before = shown(id)
	await vi.waitFor(() => expect(asked).toContain('request'))
	held.resolve()
	await laptop.gateway.readRequest(id)
	expect(shown(id)).toBe(before)
	expect(asked).not.toContain('message')
})

test('not one that was altered on its way: what is stored decides', async () => {
	alter = (hint) => {
		if (hint.type !== 'messages' || !hint.rows) return hint
		const rows = hint.rows.map((row) => {
			const bytes = Buffer.from(row.ciphertext, 'base64')
			bytes[40] = (bytes[40] ?? 0) ^ 1
			return { ...row, ciphertext: bytes.toString('base64') }
		})
		return { ...hint, rows }
	}
	const id = await ask('npm test')
	await vi.waitFor(() => expect(asked).toContain('request'))
	expect(shown(id)).toBeUndefined()
	held.resolve()
	await reaches(viewer.requests, () => shown(id) !== undefined)
	expect(shown(id)).toMatchObject({ problem: null, body: { input: { command: 'npm test' } } })
	expect(asked).toContain('message')
})
