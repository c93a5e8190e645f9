import { existsSync, writeFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { revokeDevice } from '../../source/account/revoking.ts'
import { outboxFile } from '../../source/host/outbox-paths.ts'
import { recoverSessions } from '../../source/host/recover.ts'
import { sealDecision } from '../../source/host/sealed-decision.ts'
import { randomBytes } from '../../source/protocol/box.ts'
import { signCommand } from '../../source/protocol/command.ts'
import { randomId } from '../../source/protocol/device.ts'
import { headOf } from '../../source/protocol/device-log.ts'
import { StyrbyError } from '../../source/protocol/errors.ts'
import type { SessionEvent } from '../../source/protocol/events.ts'
import { someAsk } from '../tools/scripted-agent.ts'
import { bodiesOf, makeHost, readSession, type TestHost } from './_host.ts'

let host: TestHost
beforeEach(async () => {
	host = await makeHost()
})
afterEach(() => host[Symbol.asyncDispose]())

const at = () => new Date().toISOString()
const said = (text: string): SessionEvent => ({
	kind: 'agent_response',
	body: { text, block: null, model: null, parent: null },
})

function recover() {
	const { account, gateway, dataFolder, locks: lock } = host
	return recoverSessions({ account, gateway, dataFolder, lock, waitMs: 2000 })
}

async function ask(publisher: ReturnType<TestHost['publisher']>) {
	const request = randomId()
	const expires_at = new Date(Date.now() + 60_000).toISOString()
	const event: SessionEvent = {
		kind: 'permission_request',
		body: { request, ...someAsk, expires_at },
	}
	await publisher.publish({ at: at(), event, opens: { request, expires_at } })
	return request
}

describe('recovery', () => {
	it('waits while the device log has a problem', async () => {
		host.backend.cut()
		const publisher = host.publisher()
		await publisher.publish({ at: at(), event: said('kept') })
		await publisher[Symbol.asyncDispose]()
		host.backend.mend()
		const { account, gateway, dataFolder, locks: lock, viewer, backend } = host
		const lie = { seq: 99, hash: headOf(account.log.state).hash }
		await expect(account.log.reach(lie, viewer.record.id)).rejects.toThrow('hiding')
		const troubles: string[] = []
		const onTrouble = (_: string, error: StyrbyError) => troubles.push(error.code)
		expect(await recoverSessions({ account, gateway, dataFolder, lock, onTrouble })).toEqual([])
		expect(troubles).toEqual(['log_rolled_back'])
		expect(backend.sessions.size).toBe(0)
		await revokeDevice(account, viewer.record.id, { waitMs: 0 })
		expect(await recover()).toEqual([publisher.session])
	})

	it('brings what a dead host had on its disk, closes its requests, and says that it stopped', async () => {
		host.backend.cut()
		const publisher = host.publisher()
		for (let n = 0; n < 5; n++) await publisher.publish({ at: at(), event: said(`${n}`) })
		const cancelled = await ask(publisher)
		const decided = await ask(publisher)
		const { viewer, account } = host
		const digest = publisher.outbox.request(decided)?.digest ?? ''
		const command = {
			id: randomId(),
			session: publisher.session,
			to: account.device.record.id,
			by: viewer.record.id,
			at: at(),
			log: headOf(account.log.state),
			kind: 'decision' as const,
			body: { request: decided, digest, decision: 'allow' as const, scope: 'once' as const },
		}
		const kept = {
			request: decided,
			decision: 'allow' as const,
			scope: 'once' as const,
			reason: null,
			device: viewer.record.id,
			signed: signCommand(command, viewer.signSecret),
		}
		const decision = sealDecision(kept, publisher.epochKey(), randomBytes)
		publisher.outbox.commit({ decided: { request: decided, decision }, command: command.id })
		// The process dies here: nothing of it is closed.
		host.backend.mend()
		expect(await recover()).toEqual([publisher.session])
		const events = await readSession(host, publisher.session)
		expect(bodiesOf(events, 'agent_response').map((body) => body.text)).toEqual([
			'0',
			'1',
			'2',
			'3',
			'4',
		])
		const responses = bodiesOf(events, 'permission_response')
		expect(responses.find((body) => body.request === cancelled)).toMatchObject({
			result: 'cancelled',
			by: 'host',
		})
		expect(responses.find((body) => body.request === decided)).toMatchObject({
			result: 'approved',
			by: 'device',
			device: viewer.record.id,
		})
		expect(bodiesOf(events, 'status').at(-1)?.status).toBe('stopped')
		const row = await host.gateway.readSession(publisher.session)
		expect(row).toMatchObject({ status: 'stopped', pending: 0 })
		expect(row?.ended_at).not.toBe(null)
		expect(existsSync(outboxFile(host.dataFolder, publisher.session))).toBe(false)
		expect(await recover()).toEqual([])
	})

	it('leaves a living host alone', async () => {
		const publisher = host.publisher()
		await publisher.publish({ at: at(), event: said('one') })
		await using _lock = await host.locks(publisher.session)
		expect(await recover()).toEqual([])
		expect(existsSync(outboxFile(host.dataFolder, publisher.session))).toBe(true)
	})

	it('keeps everything while the backend is away', async () => {
		host.backend.cut()
		const publisher = host.publisher()
		await publisher.publish({ at: at(), event: said('one') })
		const { account, gateway, dataFolder, locks: lock } = host
		const troubles: string[] = []
		const onTrouble = (_: string, error: { code: string }) => void troubles.push(error.code)
		const options = { account, gateway, dataFolder, lock, waitMs: 50, onTrouble }
		expect(await recoverSessions(options)).toEqual([])
		expect(troubles).toEqual(['backend_unreachable'])
		host.backend.mend()
		expect(await recover()).toEqual([publisher.session])
	})

	it('goes on with a fresh key when a device was revoked meanwhile', async () => {
		const publisher = host.publisher()
		await publisher.publish({ at: at(), event: said('one') })
		await publisher.delivered(2000)
		await publisher[Symbol.asyncDispose]()
		const { account, viewer } = host
		await account.log.append(account.device, {
			type: 'revoke',
			at: at(),
			device: viewer.record.id,
			reason: null,
		})
		expect(await recover()).toEqual([publisher.session])
		const events = await readSession(host, publisher.session)
		expect(events.map((event) => event.epoch)).toEqual([0, 1])
	})

	it('of one session that fails does not keep the others waiting', async () => {
		const [one, two] = [host.publisher(), host.publisher()]
		for (const publisher of [one, two]) {
			await publisher.publish({ at: at(), event: said('one') })
			await publisher[Symbol.asyncDispose]()
		}
		const { account, gateway, dataFolder, locks } = host
		const broken = [one.session, two.session].sort()[0]
		const troubles: string[] = []
		const recovered = await recoverSessions({
			account,
			gateway,
			dataFolder,
			lock: async (session) => {
				if (session !== broken) return locks(session)
				throw new StyrbyError('disk_full', 'The disk is full.')
			},
			onTrouble: (session, { code }) => troubles.push(`${session} ${code}`),
		})
		expect(recovered).toEqual([one.session, two.session].filter((id) => id !== broken))
		expect(troubles).toEqual([`${broken} disk_full`])
	})

	it('says of a request that a decision for the session has cleared who made that', async () => {
		const publisher = host.publisher()
		const [allowed, cleared] = [await ask(publisher), await ask(publisher)]
		const { account, viewer } = host
		const signed = signCommand(
			{
				id: randomId(),
				session: publisher.session,
				to: account.device.record.id,
				by: viewer.record.id,
				at: at(),
				log: headOf(account.log.state),
				kind: 'decision',
				body: { request: allowed, digest: '0'.repeat(64), decision: 'allow', scope: 'session' },
			},
			viewer.signSecret,
		)
		const decided = {
			request: allowed,
			decision: 'allow' as const,
			scope: 'session' as const,
			reason: null,
			device: viewer.record.id,
			signed,
		}
		const decision = sealDecision(decided, publisher.epochKey(), randomBytes)
		publisher.outbox.commit({ decided: { request: cleared, decision } })
		await publisher[Symbol.asyncDispose]()
		expect(await recover()).toEqual([publisher.session])
		const events = await readSession(host, publisher.session)
		const response = bodiesOf(events, 'permission_response').find(
			(body) => body.request === cleared,
		)
		expect(response).toMatchObject({
			result: 'approved',
			by: 'host',
			device: viewer.record.id,
			scope: 'session',
		})
		expect(response?.reason).toContain(allowed)
	})

	it('closes a request whose kept decision was damaged as one without a decision', async () => {
		const publisher = host.publisher()
		const request = await ask(publisher)
		const decision = { epoch: 0, sealed: randomBytes(300) }
		publisher.outbox.commit({ decided: { request, decision }, command: randomId() })
		await publisher[Symbol.asyncDispose]()
		expect(await recover()).toEqual([publisher.session])
		const events = await readSession(host, publisher.session)
		expect(bodiesOf(events, 'permission_response')).toMatchObject([
			{ request, result: 'cancelled', by: 'host', device: null, command: null },
		])
		expect(await host.gateway.readSession(publisher.session)).toMatchObject({
			status: 'stopped',
			pending: 0,
		})
	})

	it('asks a backend that knows no such session once, and waits for nothing', async () => {
		const publisher = host.publisher()
		await publisher.publish({ at: at(), event: said('one') })
		await publisher.delivered(5000)
		host.backend.cut()
		await publisher.publish({ at: at(), event: said('two') })
		await publisher[Symbol.asyncDispose]()
		host.backend.sessions.delete(publisher.session)
		host.backend.mend()
		const before = host.backend.calls.length
		const troubles: string[] = []
		const { account, gateway, dataFolder, locks: lock } = host
		const onTrouble = (_: string, { code }: StyrbyError) => troubles.push(code)
		const waitMs = 3000
		const recovered = await recoverSessions({
			account,
			gateway,
			dataFolder,
			lock,
			waitMs,
			onTrouble,
		})
		expect(recovered).toEqual([])
		expect(troubles).toEqual(['no_such_session'])
		expect(host.backend.calls.slice(before)).toEqual(['append_messages'])
		expect(existsSync(outboxFile(dataFolder, publisher.session))).toBe(true)
	})

	it('leaves an outbox that can not be read where it is, and says so', async () => {
		const publisher = host.publisher()
		await publisher.publish({ at: at(), event: said('one') })
		await publisher[Symbol.asyncDispose]()
		const file = outboxFile(host.dataFolder, publisher.session)
		writeFileSync(file, 'no database at all, but long enough to look like one'.repeat(200))
		const troubles: string[] = []
		const { account, gateway, dataFolder, locks: lock } = host
		const onTrouble = (_: string, { code }: StyrbyError) => troubles.push(code)
		expect(await recoverSessions({ account, gateway, dataFolder, lock, onTrouble })).toEqual([])
		expect(troubles).toEqual(['outbox_failed'])
		expect(existsSync(file)).toBe(true)
	})
})
