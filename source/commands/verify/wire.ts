/** Sends a sentence through a tap on the wire, and looks for it, and for our secrets, in what went by. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Account } from '../../account/account.ts'
import type { WireTap } from '../../backend/wire-tap.ts'
import { publishSentence } from '../../host/check-session.ts'
import { fromBase64 } from '../../protocol/bytes.ts'
import { checkTitle } from '../../protocol/check-session.ts'
import { findTraces, type Trace, textTraces, tracesOf } from '../../protocol/traces.ts'
import type { Context } from '../context.ts'

/** A place where something was found that must not be there. */
export interface Leak {
	what: string
	encoding: string
}

export interface WireCheck {
	/** The sentence that was sent. */
	sentence: string
	session: string
	seq: number
	/** The row as it was sent: columns of `session_messages`. */
	row: Record<string, string | number>
	/** Bytes on the wire, framing included. */
	bytes: { up: number; down: number }
	/** Whole requests, answers and messages of the live channel that were searched. */
	searched: number
	/** Whether it also went over the live channel, unstored. */
	live: boolean
	/** What was looked for. */
	looked_for: string[]
	encodings: number
	leaks: Leak[]
	/** Whether the sealed row was found: a search that finds nothing of what was sent proves nothing. */
	row_seen: boolean
}

interface Needle {
	what: string
	traces: Trace[]
}

/** Names shorter than this are found by chance. */
const shortestName = 8

/** Publishes through the tap, in this device's own session for it. All that went by so far is searched. */
export async function checkWire({ account, io }: Context, tap: WireTap): Promise<WireCheck> {
	const words = Buffer.from(account.random(12)).toString('hex')
	const sentence = `The heron’s "secret" number is ${words}: nobody but us reads 100% of it.`
	const sent = await publishSentence(account, sentence)
	await account.gateway.readMessages(sent.session, { before: sent.row.seq + 1, limit: 1 })
	await settled(tap)
	tap.keeping = false
	const pieces = tap.pieces.splice(0)
	const needles = [...namesOf(account, io.cwd, sentence, words), ...secretsOf(account, sent.key)]
	const bytes = pieces.map((piece) => piece.bytes)
	return {
		sentence,
		session: sent.session,
		seq: sent.row.seq,
		row: columnsOf(sent.row),
		bytes: tap.bytes,
		searched: pieces.length,
		live: sent.live !== null && seen(sent.live, bytes),
		looked_for: needles.map(({ what }) => what),
		encodings: Math.max(...needles.map(({ traces }) => traces.length)),
		leaks: needles.flatMap(({ what, traces }) =>
			findTraces(traces, bytes).map(({ encoding }) => ({ what, encoding })),
		),
		row_seen: seen(sent.row.ciphertext, bytes),
	}
}

function namesOf(account: Account, cwd: string, sentence: string, words: string): Needle[] {
	const texts: [string, string | null][] = [
		['the sentence', sentence],
		['its random part', words],
		['the title of its session', checkTitle],
		['the name of this device', account.deviceName(account.device.record.id)],
		['the folder this was started in', cwd],
	]
	return texts.flatMap(([what, text]) =>
		text !== null && text.length >= shortestName && text !== 'localhost'
			? [{ what, traces: textTraces(text) }]
			: [],
	)
}

function secretsOf(account: Account, sessionKey: Uint8Array): Needle[] {
	const { boxSecret, signSecret } = account.device
	const secrets: [string, Uint8Array][] = [
		['the secret box key of this device', boxSecret],
		['the secret signing key of this device', signSecret.subarray(0, 32)],
		['the key of the account', account.accountKey().key],
		['the key of the session', sessionKey],
	]
	return secrets.map(([what, secret]) => ({ what, traces: tracesOf(secret) }))
}

/** Whether sealed bytes (base64) were among what went by. */
function seen(sealed: string, pieces: readonly Uint8Array[]): boolean {
	return findTraces(tracesOf(fromBase64(sealed)), pieces).length > 0
}

/** What is still under way, such as the word that a channel was left. */
async function settled(tap: WireTap): Promise<void> {
	for (let last = -1; last !== tap.pieces.length; ) {
		last = tap.pieces.length
		await sleep(50)
	}
}

function columnsOf(row: object): Record<string, string | number> {
	return Object.fromEntries(
		Object.entries(row).filter(
			(column): column is [string, string | number] =>
				typeof column[1] === 'string' || typeof column[1] === 'number',
		),
	)
}
