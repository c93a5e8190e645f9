/**
 * Publishes a sentence, so that a person can see what becomes of it on the way: as a message that is kept,
 * and as text that is not. Each device has one session for that, however often it is done.
 */
import { createHmac } from 'node:crypto'
import type { Account } from '../account/account.ts'
import type { AppendRow } from '../backend/gateway.ts'
import { keySize } from '../protocol/box.ts'
import { encodeUtf8 } from '../protocol/bytes.ts'
import { checkAgent, checkTitle } from '../protocol/check-session.ts'
import { randomId } from '../protocol/device.ts'
import { chainStart } from '../protocol/message.ts'
import { sessionScope } from '../protocol/scope.ts'
import { importChain } from './import-position.ts'
import { sealedText } from './live-channel.ts'
import { sealEvent } from './seal-event.ts'
import { sealSessionLabel } from './session-label.ts'

/** How long the live channel may take to be joined, ms. */
const joinLimit = 5000

export interface PublishedSentence {
	session: string
	row: AppendRow
	/** The key (32 bytes) that it was sealed with. */
	key: Uint8Array
	/** The sentence as it also went over the live channel, unstored: base64. `null`: it could not be joined. */
	live: string | null
}

/** The same id each time, on this device; nobody without the account's first key can tell it. */
export function checkSessionId(accountKey: Uint8Array, device: string): string {
	const mac = createHmac('sha256', accountKey)
		.update('styrby/v1/check\0')
		.update(encodeUtf8(device))
		.digest()
	return randomId((size) => new Uint8Array(mac.subarray(0, size)))
}

/**
 * Throws `key_missing`, `backend_unreachable`, and `import_altered` where what was published before does
 * not verify. One at a time in a home: the caller holds a lock.
 */
export async function publishSentence(account: Account, text: string): Promise<PublishedSentence> {
	const { gateway, device, random } = account
	const accountKey = (await account.keys.load(account.scope)).keyOf(0)
	if (!(accountKey instanceof Uint8Array)) throw accountKey
	const session = checkSessionId(accountKey, device.record.id)
	const { chain, epoch, key } = await openPlace(account, session)
	const at = account.now().toISOString()
	const body = { text, block: null, model: null, parent: null }
	const event = { kind: 'agent_response', body } as const
	const keys = { epoch, key, signSecret: device.signSecret, random }
	const sealed = sealEvent(session, chain, { at, event }, keys)
	const row = sealed.rows[0]?.row
	if (!row) throw new TypeError('an event without rows')
	const live = await sendLive(account, session, { epoch, key }, text)
	await gateway.appendMessages(session, [row])
	await gateway.updateSession(session, { status: 'stopped', ended_at: at })
	return { session, row, key, live }
}

/** Where the session stands; made where it is not there yet. */
async function openPlace(account: Account, session: string) {
	const { gateway, device } = account
	const scope = sessionScope(session)
	const row = await gateway.readSession(session)
	const at = account.now().toISOString()
	if (!row) {
		const start = chainStart(session)
		const place = { epoch: 0, from: 1, prev: start.chain, at, key: account.random(keySize) }
		const made = account.keys.newEpoch(scope, place)
		await gateway.createSession({
			id: session,
			agent: checkAgent,
			host: device.record.id,
			project: null,
			label: await sealSessionLabel(account, session, { title: checkTitle }),
			started_at: at,
			epoch: made.epoch,
			grants: made.grants,
		})
		account.keys.remember(scope, made.epoch, made.grants)
		return { chain: start, epoch: 0, key: made.key }
	}
	const keys = await account.keys.load(scope, { again: true })
	const chain = await importChain(account, gateway, row, keys)
	const key = keys.keyOf(keys.newest)
	if (!(key instanceof Uint8Array)) throw key
	const granted = keys.records.get(keys.newest)?.log.seq ?? -1
	const revoked = [...account.log.state.devices.values()].some(
		(one) => one.revoked !== null && one.revoked.seq > granted,
	)
	if (!revoked) return { chain, epoch: keys.newest, key }
	const place = { epoch: keys.newest + 1, from: chain.seq + 1, prev: chain.chain, at }
	const made = account.keys.newEpoch(scope, place)
	await gateway.putEpoch(made.epoch, made.grants)
	account.keys.remember(scope, made.epoch, made.grants)
	return { chain, epoch: place.epoch, key: made.key }
}

/** As a host sends what its agent is just writing. Returns the sealed bytes (base64). */
async function sendLive(
	account: Account,
	session: string,
	epochKey: { epoch: number; key: Uint8Array },
	text: string,
): Promise<string | null> {
	const { gateway, device, random } = account
	const joined = Promise.withResolvers<boolean>()
	const channel = gateway.followSession(session, (hint) => {
		if (hint.type === 'joined') joined.resolve(true)
	})
	const timer = setTimeout(() => joined.resolve(false), joinLimit)
	try {
		if (!(await joined.promise)) return null
		const piece = { block: randomId(random), kind: 'agent_response', offset: 0, text } as const
		const hint = sealedText({ session, device, random, epochKey }, 0, piece)
		channel.send(hint)
		return hint.ciphertext
	} finally {
		clearTimeout(timer)
		await channel[Symbol.asyncDispose]()
	}
}
