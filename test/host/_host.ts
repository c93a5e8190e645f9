/** A home with a real account over the backend in memory, and what tests need to look into sessions. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Account } from '../../source/account/account.ts'
import { addDevice as register } from '../../source/account/adding.ts'
import type { Gateway, MailRow } from '../../source/backend/gateway.ts'
import { sealedMessage } from '../../source/backend/sealed-row.ts'
import type { TakeLock } from '../../source/host/host-lock.ts'
import { Publisher, type StartOptions } from '../../source/host/publisher.ts'
import { SessionHost, type SessionHostOptions } from '../../source/host/session-host.ts'
import { nonceSize, randomBytes, sharedKey } from '../../source/protocol/box.ts'
import { fromBase64, toBase64 } from '../../source/protocol/bytes.ts'
import {
	type DecisionBody,
	sealCommand,
	signCommand,
	type UnsignedCommand,
} from '../../source/protocol/command.ts'
import { createDevice, type Device, randomId } from '../../source/protocol/device.ts'
import { headOf, signJoin } from '../../source/protocol/device-log.ts'
import type { Body, Kind, SessionEvent } from '../../source/protocol/events.ts'
import { join as joinParts } from '../../source/protocol/parts.ts'
import { sessionScope } from '../../source/protocol/scope.ts'
import { checkWindow } from '../../source/protocol/window.ts'
import { memoryVault } from '../../source/vault/memory.ts'
import { storeInMemory } from '../tools/account.ts'
import { MemoryBackend } from '../tools/memory-gateway.ts'
import { ScriptedAgent } from '../tools/scripted-agent.ts'

async function openAccount(gateway: Gateway, now: () => Date, vault = memoryVault()) {
	return Account.open({
		gateway,
		vault,
		vaultName: 'test',
		logStore: storeInMemory(),
		deviceName: 'build-box',
		exclusively: (work) => work(),
		now,
	})
}

/** Locks within this process, given back by hand: a "crash" of a host gives its lock back. */
export function memoryLocks(): TakeLock & { release(name: string): void } {
	const held = new Set<string>()
	const take: TakeLock = async (name) => {
		if (held.has(name)) return null
		held.add(name)
		return { [Symbol.asyncDispose]: async () => void held.delete(name) }
	}
	return Object.assign(take, { release: (name: string) => void held.delete(name) })
}

export async function makeHost() {
	const dataFolder = await mkdtemp(join(tmpdir(), 'styrby-host-'))
	let clock = 0
	const now = () => new Date(Date.now() + clock)
	const backend = new MemoryBackend(now)
	const accountId = randomId()
	const gateway = backend.gateway(accountId)
	const account = await openAccount(gateway, now)
	const viewer = createDevice()
	await addDevice(account, viewer)
	const made: AsyncDisposable[] = []
	const running: { agent: ScriptedAgent; done: Promise<unknown> }[] = []
	const host = {
		dataFolder,
		backend,
		gateway,
		account,
		/** Another device of the account. */
		viewer,
		locks: memoryLocks(),
		now,
		/** Moves the host's clock on, ms. */
		advance: (ms: number) => {
			clock += ms
		},
		publisher(options: Partial<StartOptions> = {}): Publisher {
			const publisher = Publisher.start({
				account,
				gateway,
				dataFolder,
				session: randomId(),
				agent: 'claude',
				startedAt: now().toISOString(),
				project: null,
				label: null,
				...options,
			})
			made.push(publisher)
			return publisher
		},
		openSession: (options: Partial<SessionHostOptions> = {}) =>
			SessionHost.open({
				account,
				gateway,
				dataFolder,
				lock: host.locks,
				agent: 'claude',
				cwd: '/home/dev/api-server',
				project: 'encrypted',
				timeoutMs: 60_000,
				...options,
			}),
		/** A session whose agent does what the test says; ended with the host at the latest. */
		async run(options: Partial<SessionHostOptions> = {}, agent = new ScriptedAgent()) {
			const session = await host.openSession(options)
			const done = session.run(agent)
			running.push({ agent, done })
			return { session, id: session.session, agent, done }
		},
		/** The account as another process of the same home has it. */
		again: () => ({ account, gateway }),
		async [Symbol.asyncDispose]() {
			for (const { agent, done } of running) {
				agent.finish()
				await done
			}
			for (const one of made) await one[Symbol.asyncDispose]()
			await rm(dataFolder, { recursive: true, force: true })
		},
	}
	return host
}
export type TestHost = Awaited<ReturnType<typeof makeHost>>

export async function addDevice(account: Account, device: Device, name = 'laptop'): Promise<void> {
	const { record } = device
	await register(account, { record, name, join: signJoin(account.id, device) })
}

export interface ReadEvent {
	seq: number
	epoch: number
	at: string
	event: SessionEvent
	created_at: string
}

/** A session as another device reads it: every row verified, or the test fails. */
export async function readSession(
	{ gateway, account }: Pick<TestHost, 'gateway' | 'account'>,
	session: string,
): Promise<ReadEvent[]> {
	const keys = await account.keys.load(sessionScope(session), { again: true })
	const rows = []
	for (;;) {
		const page = await gateway.readMessages(session, { after: rows.length, limit: 500 })
		rows.push(...page)
		if (page.length < 500) break
	}
	if (!keys.signPublic) throw new Error('the host of the session is not known')
	const { rows: checked } = checkWindow(rows.map(sealedMessage), {
		session,
		from: 1,
		to: rows.length,
		signPublic: keys.signPublic,
		keyOf: (epoch) => keys.keyOf(epoch),
	})
	const frames = checked.map((row) => {
		if (!row.ok) throw new Error(`#${row.seq}: ${row.problem}`)
		return row.message.frame
	})
	const events: ReadEvent[] = []
	for (let index = 0; index < frames.length; ) {
		const first = frames[index]
		if (!first) break
		const of = first.of ?? 1
		const { seq, epoch, at } = first
		const event = joinParts(frames.slice(index, index + of))
		events.push({ seq, epoch, at, event, created_at: rows[index]?.created_at ?? '' })
		index += of
	}
	return events
}

/** The bodies of one kind, in order. */
export function bodiesOf<K extends Kind>(events: readonly ReadEvent[], kind: K): Body<K>[] {
	// TypeScript does not follow `kind` through the union.
	return events.flatMap(({ event }) => (event.kind === kind ? [event.body as Body<K>] : []))
}

/** A command of a device, boxed for the host. */
export function command(
	host: Pick<TestHost, 'account'>,
	from: Device,
	unsigned: Partial<UnsignedCommand> & Pick<UnsignedCommand, 'kind' | 'body' | 'session'>,
): Omit<MailRow, 'created_at'> {
	const { account } = host
	const whole = {
		id: randomId(),
		to: account.device.record.id,
		by: from.record.id,
		at: new Date().toISOString(),
		log: headOf(account.log.state),
		...unsigned,
	} as UnsignedCommand
	const signed = signCommand(whole, from.signSecret)
	const shared = sharedBetween(from, account.device)
	const sealed = sealCommand(signed, shared, randomBytes(nonceSize))
	return {
		id: whole.id,
		session: whole.session,
		from: from.record.id,
		to: account.device.record.id,
		nonce: toBase64(sealed.nonce),
		ciphertext: toBase64(sealed.ciphertext),
	}
}

export function decision(
	host: Pick<TestHost, 'account'>,
	from: Device,
	session: string,
	body: DecisionBody,
	more: Partial<UnsignedCommand> = {},
): Omit<MailRow, 'created_at'> {
	return command(host, from, { kind: 'decision', session, body, ...more } as UnsignedCommand)
}

function sharedBetween(from: Device, to: Device): Uint8Array {
	return sharedKey(fromBase64(to.record.box, 32), from.boxSecret)
}

/** Waits until something holds; the test's own time limit ends it. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
	while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 5))
}
