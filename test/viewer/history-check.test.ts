/** The check of the whole history, against a backend that tampers. */
import { beforeEach, expect, test } from 'vitest'
import type { Account } from '../../source/account/account.ts'
import type { MessageRow } from '../../source/backend/gateway.ts'
import { randomId } from '../../source/protocol/device.ts'
import { checkDeviceLog, checkSessions, findIntruders } from '../../source/viewer/history-check.ts'
import { addDevice, openAccount, TestSession } from '../tools/account.ts'
import { MemoryBackend } from '../tools/memory-gateway.ts'

let backend: MemoryBackend
let account: Account
let first: TestSession
let second: TestSession

beforeEach(async () => {
	backend = new MemoryBackend()
	account = await openAccount(backend.gateway(randomId()))
	first = await new TestSession(account).create()
	second = await new TestSession(account).create()
	for (const text of ['one', 'two', 'three', 'four']) {
		await first.say(text)
		await second.say(text)
	}
})

function stored(session: TestSession) {
	const found = backend.sessions.get(session.id)
	if (!found) throw new Error('no such session')
	return found
}

function messageOf(session: TestSession, seq: number): MessageRow {
	const found = stored(session).messages.find((row) => row.seq === seq)
	if (!found) throw new Error('no such message')
	return found
}

/** One bit of base64 changed. */
const flipped = (text: string) => (text[5] === 'A' ? 'B' : 'A')
const flip = (text: string) => text.slice(0, 5) + flipped(text) + text.slice(6)

test('what nobody touched holds', async () => {
	const seen: number[] = []
	const done = await checkSessions(account, ({ sessions }) => seen.push(sessions))
	expect(done).toEqual({ sessions: 2, messages: 8, rows: 8, problems: [] })
	expect(seen).toEqual([1, 2])
	expect(await checkDeviceLog(account)).toMatchObject({ entries: 1, verified: true, problem: null })
	expect(await findIntruders(account)).toEqual([])
})

test.each<[string, () => void, { seq: number | null; code: string }]>([
	[
		'a ciphertext',
		() => {
			messageOf(first, 2).ciphertext = flip(messageOf(first, 2).ciphertext)
		},
		{ seq: 2, code: 'message_altered' },
	],
	[
		'a time',
		() => {
			messageOf(first, 3).created_at = '2020-01-01T00:00:00.000Z'
		},
		{ seq: 3, code: 'column_altered' },
	],
	[
		'a token count',
		() => {
			messageOf(first, 1).output_tokens = 7
		},
		{ seq: 1, code: 'column_altered' },
	],
	[
		'a message that is gone',
		() => {
			stored(first).messages = stored(first).messages.filter(({ seq }) => seq !== 2)
		},
		{ seq: 2, code: 'message_missing' },
	],
	[
		'totals of a session that ended',
		() => {
			Object.assign(stored(first).row, { ended_at: '2026-01-01T00:00:00.000Z', cost_usd: 3 })
		},
		{ seq: null, code: 'totals_altered' },
	],
	[
		'another host',
		() => {
			stored(first).row.host = randomId()
		},
		{ seq: null, code: 'host_altered' },
	],
	[
		'the name of another session',
		() => {
			stored(first).row.label = stored(second).row.label
		},
		{ seq: null, code: 'label_altered' },
	],
])('%s is found where it stands, and nowhere else', async (_, tamper, expected) => {
	tamper()
	const { problems } = await checkSessions(account)
	expect(problems[0]).toMatchObject({ session: first.id, rows: 1, ...expected })
	expect(problems.every(({ session }) => session === first.id)).toBe(true)
})

test('a nonce that was used before is found though every message opens', async () => {
	const nonce = messageOf(first, 1).nonce
	messageOf(first, 4).nonce = nonce
	const { problems } = await checkSessions(account)
	expect(problems).toContainEqual(
		expect.objectContaining({ session: first.id, seq: 4, code: 'nonce_repeated' }),
	)
})

test('messages withheld at the end are one problem with their number', async () => {
	stored(first).messages = stored(first).messages.slice(0, 2)
	const { problems } = await checkSessions(account)
	expect(problems).toMatchObject([{ session: first.id, seq: 3, rows: 2, code: 'message_missing' }])
})

test('a key that the log does not have is an intruder', async () => {
	await addDevice(account, account.gateway, 'laptop')
	expect(await findIntruders(account)).toEqual([])
	const shown = await account.gateway.machineKeys()
	const [own] = shown
	if (!own) throw new Error('no key')
	const stranger = { ...own, device: randomId() }
	const swapped = { ...own, box: flip(own.box) }
	account.gateway.machineKeys = async () => [...shown, stranger]
	expect(await findIntruders(account)).toEqual([{ id: stranger.device, public_key: own.box }])
	account.gateway.machineKeys = async () => [swapped]
	expect(await findIntruders(account)).toEqual([{ id: own.device, public_key: swapped.box }])
})

test('a log that was changed, or exchanged for another, does not verify', async () => {
	const rows = await account.gateway.readLog(-1)
	account.gateway.readLog = async () =>
		rows.map((row) => ({ ...row, signature: flip(row.signature) }))
	expect(await checkDeviceLog(account)).toMatchObject({ verified: false })

	const other = await openAccount(new MemoryBackend().gateway(account.id))
	const foreign = await other.gateway.readLog(-1)
	account.gateway.readLog = async () => foreign
	expect(await checkDeviceLog(account)).toMatchObject({
		verified: false,
		problem: 'it is not the log that this device has seen before',
	})
})

test('a server that repeats itself, or makes sessions up, is not listened to without end', async () => {
	const [row] = await account.gateway.listSessions({ limit: 1 })
	if (!row) throw new Error('no session')
	const page = Array.from({ length: 200 }, (_, index) =>
		index < 2 ? stored([first, second][index] ?? first).row : { ...row, id: randomId() },
	)
	account.gateway.readMessages = async () => []
	account.gateway.listSessions = async () => page
	const { sessions } = await checkSessions(account)
	expect(sessions).toBe(200)
	account.gateway.listSessions = async () =>
		Array.from({ length: 200_001 }, (_, index) => ({ ...row, id: `${index}` }))
	await expect(checkSessions(account)).rejects.toMatchObject({ code: 'backend_malformed' })
})
