import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { MailRow } from '../../source/backend/gateway.ts'
import { Mailbox } from '../../source/host/mailbox.ts'
import { randomId } from '../../source/protocol/device.ts'
import { exit, StyrbyError } from '../../source/protocol/errors.ts'
import { makeHost, type TestHost, until } from './_host.ts'

let host: TestHost
let session: string
let device: string
beforeEach(async () => {
	host = await makeHost()
	const publisher = host.publisher()
	await publisher.delivered(5000)
	session = publisher.session
	device = host.account.device.record.id
})
afterEach(async () => {
	vi.useRealTimers()
	await host[Symbol.asyncDispose]()
})

async function post(more: Partial<MailRow> = {}): Promise<string> {
	const id = randomId()
	const from = host.viewer.record.id
	const sealed = { nonce: 'AAAA', ciphertext: 'AAAA' }
	await host.gateway.postMail({ id, session, from, to: device, ...sealed, ...more })
	return id
}

function open(handle: (mail: MailRow) => Promise<void>) {
	const troubles: string[] = []
	const mailbox = new Mailbox({
		gateway: host.gateway,
		device,
		session,
		handle,
		onTrouble: ({ code }) => troubles.push(code),
	})
	return { mailbox, troubles }
}

const full = new StyrbyError('outbox_full', 'full')

describe('mail', () => {
	it('is handled one after the other, once, however often it comes, and then deleted', async () => {
		const ids = [await post(), await post(), await post()]
		const handled: string[] = []
		let at = 0
		const { mailbox } = open(async ({ id }) => {
			expect(++at).toBe(1)
			await new Promise((resolve) => setImmediate(resolve))
			at--
			handled.push(id)
		})
		for (const { account: _, ...row } of host.backend.mail.values()) mailbox.take(row)
		await Promise.all([mailbox.pull(), mailbox.pull()])
		await mailbox.settled()
		expect(handled).toEqual(ids)
		expect(host.backend.mail.size).toBe(0)
	})

	it('of another session or device is left to it', async () => {
		const other = host.publisher()
		await other.delivered(5000)
		await post({ session: other.session })
		const foreign = await post()
		const { mailbox } = open(async () => {
			throw new Error('not for us')
		})
		for (const { account: _, ...row } of host.backend.mail.values()) {
			mailbox.take(row.id === foreign ? { ...row, to: randomId() } : row)
		}
		await mailbox.settled()
		expect(host.backend.mail.size).toBe(2)
	})

	it('that could not be handled stays where it is and is tried again', async () => {
		const id = await post()
		let tries = 0
		const { mailbox, troubles } = open(async () => {
			expect(host.backend.mail.has(id)).toBe(true)
			if (++tries < 3) throw tries === 1 ? full : new TypeError('a bug of ours')
		})
		await mailbox.pull()
		await until(() => tries === 3)
		await mailbox.settled()
		expect(troubles).toEqual(['outbox_full', 'internal'])
		expect(host.backend.mail.size).toBe(0)
	})

	it('that never can be handled is not asked for more and more often', async () => {
		await post()
		vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
		const { mailbox } = open(async () => {
			throw full
		})
		await mailbox.pull()
		for (let ms = 0; ms < 60_000; ms += 50) {
			await vi.advanceTimersByTimeAsync(50)
			for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve))
		}
		const pulls = host.backend.calls.filter((name) => name === 'read_mail').length
		expect(pulls).toBeGreaterThan(4)
		expect(pulls).toBeLessThan(20)
		mailbox[Symbol.dispose]()
	})

	it('is asked for again after a cut, without a hint', async () => {
		const id = await post()
		host.backend.faults.before = (name) => {
			if (name !== 'read_mail') return
			host.backend.faults.before = undefined
			throw new StyrbyError('backend_unreachable', 'away', { exitCode: exit.unreachable })
		}
		const handled: string[] = []
		const { mailbox, troubles } = open(async (mail) => void handled.push(mail.id))
		await mailbox.pull()
		await until(() => handled.length > 0)
		expect(handled).toEqual([id])
		expect(troubles).toEqual(['backend_unreachable'])
	})

	it('that was handled but not deleted is not handled again, and goes with the next', async () => {
		await post()
		host.backend.faults.before = (name) => {
			if (name === 'delete_mail') throw new StyrbyError('backend_failed', 'no')
		}
		const handled: string[] = []
		const { mailbox } = open(async ({ id }) => void handled.push(id))
		await mailbox.pull()
		await mailbox.settled()
		await mailbox.pull()
		await mailbox.settled()
		expect(handled).toHaveLength(1)
		expect(host.backend.mail.size).toBe(1)
		host.backend.faults.before = undefined
		await post()
		await mailbox.pull()
		await mailbox.settled()
		expect(handled).toHaveLength(2)
		expect(host.backend.mail.size).toBe(0)
	})

	it('that comes after the end is left for others', async () => {
		await post()
		const { mailbox } = open(async () => {
			throw new Error('closed')
		})
		mailbox[Symbol.dispose]()
		await mailbox.pull()
		await mailbox.settled()
		expect(host.backend.mail.size).toBe(1)
	})
})
