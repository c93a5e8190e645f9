/** What a live host does when the device log changes: at once, durably, and never for who was revoked. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { revokeDevice } from '../../source/account/revoking.ts'
import type { GrantRow, SessionHint } from '../../source/backend/gateway.ts'
import { sealedMessage } from '../../source/backend/sealed-row.ts'
import { AccountFeed } from '../../source/host/account-feed.ts'
import { outboxError } from '../../source/host/outbox-errors.ts'
import { grantOperations, maxGrants, withoutRevoked } from '../../source/host/outbox-operations.ts'
import type { Publisher } from '../../source/host/publisher.ts'
import { recoverSessions } from '../../source/host/recover.ts'
import type { SessionHost } from '../../source/host/session-host.ts'
import { fromBase64 } from '../../source/protocol/bytes.ts'
import { createDevice, type Device } from '../../source/protocol/device.ts'
import { headOf } from '../../source/protocol/device-log.ts'
import { StyrbyError } from '../../source/protocol/errors.ts'
import type { SessionEvent } from '../../source/protocol/events.ts'
import { checkHeartbeat, openTextFrame } from '../../source/protocol/live.ts'
import { openMessage } from '../../source/protocol/message.ts'
import { sessionScope } from '../../source/protocol/scope.ts'
import { ScriptedAgent } from '../tools/scripted-agent.ts'
import { Elsewhere } from './_elsewhere.ts'
import { addDevice, makeHost, readSession, type TestHost, until } from './_host.ts'

let host: TestHost
let elsewhere: Elsewhere
/** A third device, active like the viewer. */
let tablet: Device
beforeEach(async () => {
	host = await makeHost()
	tablet = createDevice()
	await addDevice(host.account, tablet, 'tablet')
	elsewhere = new Elsewhere(host)
})
afterEach(() => host[Symbol.asyncDispose]())

const at = () => new Date().toISOString()
const said = (text: string): SessionEvent => ({
	kind: 'agent_response',
	body: { text, block: null, model: null, parent: null },
})
const say = (publisher: Publisher, text: string) =>
	publisher.publish({ at: at(), event: said(text) })

function follow(more: Partial<ConstructorParameters<typeof AccountFeed>[0]> = {}): AccountFeed {
	const { account, gateway } = host
	const nothing = () => undefined
	return new AccountFeed({
		account,
		gateway,
		joined: nothing,
		mail: nothing,
		alarm: nothing,
		...more,
	})
}

/** Epochs that were granted to a device, as the server has them. */
function grantedTo(device: Device, session: string): number[] {
	return [...host.backend.grants.values()]
		.filter((grant) => grant.scope === sessionScope(session) && grant.to === device.record.id)
		.map((grant) => grant.epoch)
		.sort()
}
const epochs = (session: string) =>
	[...host.backend.epochs.keys()].filter((name) => name.startsWith(`${sessionScope(session)}/`))
		.length

/** The log heads that stored messages name, by number. */
function heads(publisher: Publisher): [number, number][] {
	const keys = host.account.keys.known(sessionScope(publisher.session))
	const rows = host.backend.sessions.get(publisher.session)?.messages ?? []
	return rows.flatMap((row) => {
		const key = keys?.keyOf(row.epoch)
		if (!(key instanceof Uint8Array)) throw new Error(`no key for #${row.seq}`)
		const { log } = openMessage(sealedMessage(row), key).frame
		return log ? [[row.seq, log.seq] as [number, number]] : []
	})
}

describe('a live host', () => {
	it('makes a new key though nothing is said, when a device elsewhere revokes', async () => {
		await using _feed = follow()
		const publisher = host.publisher()
		await say(publisher, 'one')
		await publisher.delivered(5000)
		elsewhere.revoke(tablet, host.viewer)
		await until(() => epochs(publisher.session) === 2)
		expect(grantedTo(host.viewer, publisher.session)).toEqual([0])
		expect(grantedTo(tablet, publisher.session)).toEqual([0, 1])
		expect(host.backend.sessions.get(publisher.session)?.messages).toHaveLength(1)
	})

	it('looks by itself where the hint is withheld', async () => {
		let joined = false
		await using _feed = follow({ poll: { joined: 20, lost: 20 }, joined: () => (joined = true) })
		const publisher = host.publisher()
		await publisher.delivered(5000)
		await until(() => joined)
		await host.account.log.refresh()
		host.backend.faults.silent = true
		elsewhere.revoke(tablet, host.viewer)
		await until(() => epochs(publisher.session) === 2)
		expect(grantedTo(host.viewer, publisher.session)).toEqual([0])
	})

	it('makes one key for all that changed while the backend was away', async () => {
		await using _feed = follow()
		const publisher = host.publisher()
		await say(publisher, 'one')
		await publisher.delivered(5000)
		const [added, passing] = [createDevice(), createDevice()]
		host.backend.cut()
		await say(publisher, 'said while it was away')
		elsewhere.add(tablet, added)
		elsewhere.revoke(tablet, host.viewer)
		elsewhere.add(tablet, passing)
		elsewhere.revoke(added, passing)
		elsewhere.revoke(added, tablet)
		host.backend.mend()
		publisher.retryNow()
		await until(() => epochs(publisher.session) === 2)
		await say(publisher, 'afterwards')
		await publisher.delivered(5000)
		expect(grantedTo(added, publisher.session)).toEqual([0, 1])
		expect(grantedTo(host.viewer, publisher.session)).toEqual([0])
		expect(grantedTo(tablet, publisher.session)).toEqual([0])
		expect(grantedTo(passing, publisher.session)).toEqual([])
		const events = await readSession(host, publisher.session)
		expect(events.map(({ epoch }) => epoch)).toEqual([0, 0, 1])
	})

	it('does not give keys that wait for the backend to who was revoked meanwhile', async () => {
		await using _feed = follow()
		host.backend.cut()
		let away = false
		const publisher = host.publisher({ onTrouble: () => (away = true) })
		await say(publisher, 'one')
		await until(() => away)
		elsewhere.revoke(tablet, host.viewer)
		host.backend.mend()
		publisher.retryNow()
		await until(() => epochs(publisher.session) === 2)
		expect(await publisher.delivered(5000)).toBe(true)
		expect(grantedTo(host.viewer, publisher.session)).toEqual([])
		expect(grantedTo(tablet, publisher.session)).toEqual([0, 1])
	})

	it('takes back a grant that could not be sent before its device was revoked', async () => {
		await using _feed = follow()
		const publisher = host.publisher()
		await publisher.delivered(5000)
		let down = true
		host.backend.faults.before = (name) => {
			if (name === 'put_grants' && down) throw new StyrbyError('backend_unreachable', 'away')
		}
		const late = createDevice()
		elsewhere.add(tablet, late)
		await until(() => publisher.outbox.pending() > 0)
		elsewhere.revoke(tablet, late)
		await until(() => publisher.epochKey().epoch === 1)
		down = false
		publisher.retryNow()
		await until(() => epochs(publisher.session) === 2)
		expect(grantedTo(late, publisher.session)).toEqual([])
	})

	it('says in its next heartbeat, at once, that its keys have followed', async () => {
		await using _feed = follow()
		const publisher = host.publisher()
		await publisher.delivered(5000)
		const signPublic = fromBase64(host.account.device.record.sign, 32)
		const beats: number[] = []
		await using _channel = host.gateway.followSession(publisher.session, (hint) => {
			if (hint.type !== 'heartbeat') return
			const signed = { bytes: fromBase64(hint.bytes), signature: fromBase64(hint.signature) }
			beats.push(checkHeartbeat(signed, publisher.session, signPublic).log.seq)
		})
		host.backend.mend()
		await until(() => beats.length > 0)
		const { promise, resolve } = Promise.withResolvers<void>()
		host.backend.faults.before = (name) => (name === 'put_epoch' ? promise : undefined)
		elsewhere.revoke(tablet, host.viewer)
		const last = headOf(elsewhere.state).seq
		// When the key is on the disk, and again when the backend has it.
		await until(() => beats.filter((seq) => seq === last).length === 1)
		resolve()
		await until(() => beats.filter((seq) => seq === last).length === 2)
	})
})

describe('a full disk', () => {
	it('keeps text from being sealed with a key that a revoked device has', async () => {
		await using _feed = follow()
		const publisher = host.publisher()
		await publisher.delivered(5000)
		const hints: SessionHint[] = []
		await using _channel = host.gateway.followSession(publisher.session, (hint) => hints.push(hint))
		const text = (offset: number) =>
			publisher.text({ block: 'b', kind: 'agent_response', offset, text: 'word' })
		const frames = () => hints.flatMap((hint) => (hint.type === 'frame' ? [hint] : []))
		await until(() => {
			text(0)
			return frames().length > 0
		})
		const old = publisher.epochKey()
		const { commit } = publisher.outbox
		publisher.outbox.commit = () => {
			throw outboxError(Object.assign(new Error('database or disk is full'), { errcode: 13 }))
		}
		elsewhere.revoke(tablet, host.viewer)
		await until(() => host.account.log.state.hashes.length === elsewhere.state.hashes.length)
		await new Promise((resolve) => setTimeout(resolve, 60))
		const before = frames().length
		for (let n = 0; n < 10; n++) {
			text(4)
			await new Promise((resolve) => setTimeout(resolve, 10))
		}
		expect(publisher.epochKey()).toEqual(old)
		expect(frames()).toHaveLength(before)
		publisher.outbox.commit = commit
		publisher.retryNow()
		await until(() => publisher.epochKey().epoch === 1)
		await until(() => {
			text(8)
			return frames().length > before
		})
		const sealed = frames().at(-1)
		if (!sealed) throw new Error('no frame')
		const opened = openTextFrame(
			{
				nonce: fromBase64(sealed.nonce),
				ciphertext: fromBase64(sealed.ciphertext),
				signature: fromBase64(sealed.signature),
			},
			publisher.session,
			publisher.epochKey().key,
			fromBase64(host.account.device.record.sign, 32),
		)
		expect(opened.epoch).toBe(1)
	})
})

describe('a host that dies', () => {
	function recover() {
		const { account, gateway, dataFolder, locks: lock } = host
		return recoverSessions({ account, gateway, dataFolder, lock, waitMs: 5000 })
	}

	it.each([
		['right after it learned of a revocation, before the new key was on the disk', false],
		['with the new key on the disk, before the backend had it', true],
	])('%s', async (_, kept) => {
		const publisher = host.publisher()
		await say(publisher, 'one')
		await publisher.delivered(5000)
		const { commit } = publisher.outbox
		// It is killed while it writes: nothing of that step is on the disk.
		if (!kept) publisher.outbox.commit = () => undefined
		let dead = false
		host.backend.faults.before = (name) => {
			if (!dead && name !== 'read_log') throw new StyrbyError('backend_unreachable', 'away')
		}
		elsewhere.revoke(tablet, host.viewer)
		await host.account.log.refresh()
		publisher.outbox.commit = commit
		publisher.hold(true)
		expect(epochs(publisher.session)).toBe(1)
		dead = true
		expect(await recover()).toEqual([publisher.session])
		const events = await readSession(host, publisher.session)
		expect(events.map(({ epoch }) => epoch)).toEqual([0, 1])
		expect(epochs(publisher.session)).toBe(2)
		expect(grantedTo(host.viewer, publisher.session)).toEqual([0])
		expect(grantedTo(tablet, publisher.session)).toEqual([0, 1])
	})

	it('is not gone on with by a process that is shown an older key than it made', async () => {
		const publisher = host.publisher()
		await say(publisher, 'one')
		elsewhere.revoke(tablet, host.viewer)
		await host.account.log.refresh()
		await say(publisher, 'two')
		await publisher.delivered(5000)
		await publisher[Symbol.asyncDispose]()
		const scope = sessionScope(publisher.session)
		const hidden = host.backend.epochs.get(`${scope}/1`)
		host.backend.epochs.delete(`${scope}/1`)
		expect(hidden).toBeDefined()
		const rows = host.backend.sessions.get(publisher.session)?.messages.length
		await recover()
		expect(host.backend.sessions.get(publisher.session)?.messages).toHaveLength(rows ?? -1)
		expect(epochs(publisher.session)).toBe(1)
	})
})

describe('the log head', () => {
	it('is named by the first message of a process, and by the first after each change', async () => {
		const publisher = host.publisher()
		for (const text of ['one', 'two']) await say(publisher, text)
		elsewhere.revoke(tablet, host.viewer)
		await host.account.log.refresh()
		for (const text of ['three', 'four']) await say(publisher, text)
		await publisher.delivered(5000)
		const last = headOf(elsewhere.state).seq
		expect(heads(publisher)).toEqual([
			[1, last - 1],
			[3, last],
		])
		await publisher[Symbol.asyncDispose]()
		const { account, gateway, dataFolder, locks: lock } = host
		await recoverSessions({ account, gateway, dataFolder, lock, waitMs: 5000 })
		expect(heads(publisher).at(-1)).toEqual([5, last])
	})
})

describe('a host whose own device is revoked', () => {
	async function start(prompt?: string) {
		const troubles: [string, boolean][] = []
		const session = await host.openSession({
			onTrouble: (error, final) => troubles.push([error.code, final]),
			...(prompt === undefined ? {} : { prompt }),
		})
		const agent = new ScriptedAgent()
		const done = session.run(agent)
		agent.text('one')
		await until(() => host.backend.sessions.get(session.session)?.messages.length === 2)
		return { session, agent, done, troubles }
	}
	const stored = ({ session }: { session: SessionHost }) =>
		host.backend.sessions.get(session.session)?.messages.length

	it('publishes nothing more, says by whom and when, and leaves the agent to its own interface', async () => {
		const running = await start()
		const { session, agent, done, troubles } = running
		void agent.ask('waits')
		await until(() => stored(running) === 3)
		const hints: string[] = []
		await using _channel = host.gateway.followSession(session.session, ({ type }) =>
			hints.push(type),
		)
		await until(() => hints.includes('joined'))
		elsewhere.revoke(host.viewer, host.account.device)
		const error = await session.publisher.revoked
		expect(error.message).toMatch(/^This device was revoked at 20..-..-.. ..:.. UTC by laptop \(/)
		const { calls } = host.backend
		calls.length = 0
		hints.length = 0
		agent.text('two')
		agent.say({ type: 'text', block: 'b', kind: 'agent_response', offset: 0, text: 'thr' })
		void agent.ask('later')
		await until(() => troubles.some(([code, final]) => code === 'device_revoked' && !final))
		session.publisher.retryNow()
		expect(agent.stops).toBe(0)
		expect(agent.answers.size).toBe(0)
		agent.finish()
		expect(await done).toMatchObject({ delivered: false, revoked: { code: 'device_revoked' } })
		expect(stored(running)).toBe(3)
		expect(troubles[0]).toEqual(['device_revoked', true])
		expect(calls.filter((name) => name !== 'read_log')).toEqual([])
		expect(hints).toEqual([])
	})

	it('ends an agent that has none, and denies what it asks', async () => {
		const running = await start('do it')
		const { agent, done } = running
		const answer = agent.ask('waits')
		await until(() => stored(running) === 3)
		elsewhere.revoke(host.viewer, host.account.device)
		expect(await answer).toMatchObject({ decision: 'deny' })
		expect(await done).toMatchObject({ status: 'stopped', revoked: { code: 'device_revoked' } })
		expect(agent.stops).toBe(1)
	})

	it('sends nothing of what waits, when it learns of it as the backend comes back', async () => {
		const running = await start()
		const { session, agent, done, troubles } = running
		host.backend.cut()
		agent.text('said while it was away')
		await until(() => troubles.some(([code]) => code === 'backend_unreachable'))
		elsewhere.revoke(host.viewer, host.account.device)
		host.backend.mend()
		await session.publisher.revoked
		session.publisher.retryNow()
		agent.finish()
		await done
		expect(stored(running)).toBe(2)
	})

	it('is not taken for revoked because the server says so', async () => {
		const running = await start()
		const { session, agent, done, troubles } = running
		let refusals = 0
		host.backend.faults.before = (name) => {
			if (name !== 'append_messages' || refusals > 2) return
			refusals++
			throw new StyrbyError('device_revoked', 'The backend has ended the sign-in.', { exitCode: 3 })
		}
		agent.text('two')
		await until(() => {
			session.publisher.retryNow()
			return stored(running) === 3
		})
		expect(session.publisher.revocation).toBeNull()
		expect(troubles).toEqual([['device_revoked', false]])
		agent.finish()
		expect(await done).toMatchObject({ delivered: true, revoked: null })
	})
})

describe('many grants', () => {
	const grant = (to: string): GrantRow => ({
		scope: 'session:x',
		epoch: 0,
		to,
		by: 'b',
		nonce: '',
		ciphertext: '',
		created_at: at(),
	})

	it('go to the backend in calls that it takes, none for none', () => {
		expect(grantOperations([])).toEqual([])
		const many = Array.from({ length: 2 * maxGrants + 1 }, (_, n) => grant(`${n}`))
		const operations = grantOperations(many)
		const sizes = operations.map((one) => (one.kind === 'grants' ? one.grants.length : 0))
		expect(sizes).toEqual([maxGrants, maxGrants, 1])
		expect(operations.flatMap((one) => (one.kind === 'grants' ? one.grants : []))).toEqual(many)
		expect(maxGrants).toBeLessThanOrEqual(1000)
	})

	it('lose those for who is not active, and nothing else', () => {
		const own = grant(host.account.device.record.id)
		elsewhere.revoke(tablet, host.viewer)
		const kept = withoutRevoked(
			{ kind: 'grants', grants: [own, grant(host.viewer.record.id), grant('never')] },
			elsewhere.state,
		)
		expect(kept).toEqual({ kind: 'grants', grants: [own] })
	})
})

describe('a host that starts while the log has a problem', () => {
	it('sends nothing and says why, and goes on once that is over', async () => {
		const { account, backend, viewer } = host
		const lie = { seq: 99, hash: headOf(account.log.state).hash }
		await expect(account.log.reach(lie, viewer.record.id)).rejects.toMatchObject({
			code: 'log_rolled_back',
		})
		const publisher = host.publisher()
		const alarms: (string | null)[] = []
		await using _feed = follow({ alarm: (error) => alarms.push(error?.code ?? null) })
		expect(alarms).toEqual(['log_rolled_back'])
		await say(publisher, 'not yet')
		expect(await publisher.delivered(100)).toBe(false)
		expect(backend.sessions.size).toBe(0)
		await revokeDevice(account, viewer.record.id, { waitMs: 0 })
		await until(() => backend.sessions.get(publisher.session)?.messages.length === 1)
		expect(alarms).toEqual(['log_rolled_back', null])
	})
})
