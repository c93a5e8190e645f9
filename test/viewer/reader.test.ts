import { beforeEach, describe, expect, test } from 'vitest'
import type { Account } from '../../source/account/account.ts'
import type { MessageRow } from '../../source/backend/gateway.ts'
import { randomId } from '../../source/protocol/device.ts'
import type { CheckedMessage } from '../../source/viewer/checked-message.ts'
import { SessionReader } from '../../source/viewer/session-reader.ts'
import { openAccount, TestSession } from '../tools/account.ts'
import { MemoryBackend } from '../tools/memory-gateway.ts'

let backend: MemoryBackend
let account: Account
let session: TestSession

const count = 12

beforeEach(async () => {
	backend = new MemoryBackend()
	account = await openAccount(backend.gateway(randomId()))
	session = await new TestSession(account).create()
	for (let index = 1; index <= count; index++) await session.say(`message ${index}`)
})

function stored(): MessageRow[] {
	const found = backend.sessions.get(session.id)
	if (!found) throw new Error('no session')
	return found.messages
}

async function readAll(through = count): Promise<CheckedMessage[]> {
	const messages: CheckedMessage[] = []
	for await (const message of new SessionReader(account, session.id).all(0, through)) {
		messages.push(message)
	}
	return messages
}

const problems = (messages: readonly CheckedMessage[]) =>
	messages.filter(({ problem }) => problem !== null).map(({ seq, code }) => [seq, code])

test('an untouched session is verified from end to end', async () => {
	const messages = await readAll()
	expect(messages.map(({ seq }) => seq)).toEqual(Array.from({ length: count }, (_, i) => i + 1))
	expect(messages.every(({ verified, problem }) => verified && problem === null)).toBe(true)
})

describe('a bit flipped in any column shows at exactly that message', () => {
	const flip = (text: string) => {
		const bytes = Buffer.from(text, 'base64')
		bytes[5] = (bytes[5] ?? 0) ^ 1
		return bytes.toString('base64')
	}
	const changes: Record<string, (row: MessageRow) => MessageRow> = {
		nonce: (row) => ({ ...row, nonce: flip(row.nonce) }),
		ciphertext: (row) => ({ ...row, ciphertext: flip(row.ciphertext) }),
		signature: (row) => ({ ...row, signature: flip(row.signature) }),
		epoch: (row) => ({ ...row, epoch: 1 }),
		created_at: (row) => ({ ...row, created_at: row.created_at.replace(/\.\d+Z/, '.0009Z') }),
		input_tokens: (row) => ({ ...row, input_tokens: 1 }),
		output_tokens: (row) => ({ ...row, output_tokens: 1 }),
		cache_read_tokens: (row) => ({ ...row, cache_read_tokens: 1 }),
		cache_write_tokens: (row) => ({ ...row, cache_write_tokens: 1 }),
		cost_usd: (row) => ({ ...row, cost_usd: 0.5 }),
	}
	for (const [column, change] of Object.entries(changes)) {
		for (const seq of [1, 6, count]) {
			test(`${column} of #${seq}`, async () => {
				const row = stored()[seq - 1]
				if (!row) throw new Error('no row')
				stored()[seq - 1] = change(row)
				const messages = await readAll()
				expect(problems(messages).map(([at]) => at)).toEqual([seq])
				const bad = messages.find((message) => message.seq === seq)
				expect(bad).toMatchObject({ verified: false, body: null })
			})
		}
	}
})

test('two rows swapped are both marked', async () => {
	const [third, fourth] = [stored()[2], stored()[3]]
	if (!third || !fourth) throw new Error('no row')
	stored()[2] = { ...fourth, seq: 3 }
	stored()[3] = { ...third, seq: 4 }
	expect(problems(await readAll()).map(([seq]) => seq)).toEqual([3, 4])
})

test('a deleted row is marked as missing, in the middle and at the end', async () => {
	stored().splice(4, 1)
	expect(problems(await readAll())).toEqual([[5, 'message_missing']])
	stored().splice(-1, 1)
	expect(problems(await readAll())).toEqual([
		[5, 'message_missing'],
		[12, 'message_missing'],
	])
})

test('a row of another session is marked', async () => {
	const other = await new TestSession(account).create()
	for (let index = 1; index <= 3; index++) await other.say(`other ${index}`)
	const row = backend.sessions.get(other.id)?.messages[2]
	if (!row) throw new Error('no row')
	stored()[2] = { ...row, session_id: session.id }
	expect(problems(await readAll()).map(([seq]) => seq)).toEqual([3])
})

test('a body of several parts is one message, and a broken part breaks only it', async () => {
	const text = 'é'.repeat(80_000)
	await session.say(text)
	await session.say('after')
	const messages = await readAll(stored().length)
	const large = messages[count]
	expect(large?.rows).toBeGreaterThan(2)
	expect(large?.body).toMatchObject({ text })
	const second = stored()[count + 1]
	if (!second) throw new Error('no row')
	stored()[count + 1] = { ...second, nonce: stored()[0]?.nonce ?? '' }
	const broken = await readAll(stored().length)
	expect(broken.at(-1)?.body).toMatchObject({ text: 'after' })
	expect(broken.filter(({ body }) => body !== null)).toHaveLength(count + 1)
})

test('a server that claims a huge session is answered with one mark', async () => {
	const messages = await readAll(2 ** 40)
	const last = messages.at(-1)
	expect(last?.code).toBe('message_missing')
	expect((last?.seq ?? 0) + (last?.rows ?? 0) - 1).toBe(2 ** 40)
	expect(messages.length).toBeLessThan(count + 502)
})
