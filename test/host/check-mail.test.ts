/** Mail that a server makes up, or takes from what it has seen. */
import fc from 'fast-check'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { MailRow } from '../../source/backend/gateway.ts'
import { checkMail } from '../../source/host/check-mail.ts'
import { fromBase64, toBase64 } from '../../source/protocol/bytes.ts'
import { createDevice, randomId } from '../../source/protocol/device.ts'
import { addDevice, decision, makeHost, type TestHost } from './_host.ts'

let host: TestHost
const session = randomId()
const at = '2026-03-01T12:00:00.000Z'
const body = {
	request: randomId(),
	digest: 'ab'.repeat(32),
	decision: 'allow',
	scope: 'once',
} as const

beforeEach(async () => {
	host = await makeHost()
})

afterEach(() => host[Symbol.asyncDispose]())

const check = (mail: MailRow) => checkMail(mail, { account: host.account, session })

test('what a device has sent is taken', async () => {
	const mail = { ...decision(host, host.viewer, session, body), created_at: at }
	expect(await check(mail)).toMatchObject({ ok: true, command: { id: mail.id, body } })
})

test('nothing that a server makes up is, whatever it looks like', async () => {
	const good = decision(host, host.viewer, session, body)
	const known = [good.id, good.from, good.to, good.session, host.account.id]
	const text = (good: string) =>
		fc.oneof(
			fc.uint8Array({ maxLength: 400 }).map(toBase64),
			fc.string({ maxLength: 60 }),
			fc.constant(good),
			fc.nat().map((bit) => {
				const bytes = fromBase64(good)
				const index = (bit >> 3) % bytes.length
				bytes[index] = (bytes[index] ?? 0) ^ (1 << (bit & 7))
				return toBase64(bytes)
			}),
		)
	const mail = fc.record({
		id: fc.oneof(fc.constantFrom(...known), fc.uuid()),
		session: fc.oneof(fc.constantFrom(...known), fc.uuid()),
		from: fc.oneof(fc.constantFrom(...known), fc.uuid(), fc.string()),
		to: fc.oneof(fc.constantFrom(...known), fc.uuid()),
		nonce: text(good.nonce),
		ciphertext: text(good.ciphertext),
		created_at: fc.constant(at),
	})
	await fc.assert(
		fc.asyncProperty(mail, async (made) => {
			const checked = await check(made)
			const { id, from, nonce, ciphertext } = good
			const same =
				made.id === id &&
				made.from === from &&
				made.nonce === nonce &&
				made.ciphertext === ciphertext
			expect(checked.ok).toBe(same)
		}),
		{ numRuns: 300 },
	)
})

test('a mail of one device is none of another, and none of the host itself', async () => {
	const other = createDevice()
	await addDevice(host.account, other, 'tablet')
	const mail = { ...decision(host, host.viewer, session, body), created_at: at }
	for (const from of [other.record.id, host.account.device.record.id]) {
		const checked = await check({ ...mail, from })
		expect(checked).toMatchObject({ ok: false, command: null, error: { code: 'command_altered' } })
	}
})

test('a command for another host, session or mail is refused before its word on the log counts', async () => {
	const log = { seq: 50, hash: toBase64(new Uint8Array(32)) }
	const moved = [
		{ ...decision(host, host.viewer, session, body, { log }), id: randomId() },
		{ ...decision(host, host.viewer, randomId(), body, { log }), session },
		decision(host, host.viewer, session, body, { log, to: randomId() }),
	]
	for (const mail of moved) {
		const checked = await check({ ...mail, created_at: at })
		expect(checked).toMatchObject({ ok: false, error: { code: 'command_moved' } })
	}
	const { account, viewer } = host
	const last = decision(host, viewer, session, body, { log })
	await account.log.append(account.device, {
		type: 'revoke',
		at,
		device: viewer.record.id,
		reason: null,
	})
	const revoked = await check({ ...last, created_at: at })
	expect(revoked).toMatchObject({ ok: false, error: { code: 'command_revoked_device' } })
	expect(account.log.problem).toBeNull()
})
