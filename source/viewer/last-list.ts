/**
 * The list of sessions as it was last read, kept for the next start: sealed under a key that follows from
 * this device's secrets, so that it opens where the vault does and nowhere else.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import * as v from 'valibot'
import { concat } from '../protocol/bytes.ts'
import { derive } from '../protocol/derive.ts'
import { decodeJson, encodeJson, isoTime, version } from '../protocol/json.ts'
import type { SessionSummary, ViewerInfo } from './viewer.ts'

export interface LastList {
	/** When it was read, ISO 8601 UTC. */
	at: string
	info: ViewerInfo
	sessions: readonly SessionSummary[]
}

/** Sessions kept at most, the newest first: what the first page of the list has. */
export const mostKept = 200

const text = v.nullable(v.string())
const count = v.number()

const summarySchema = v.object({
	id: v.string(),
	agent: v.string(),
	status: v.string(),
	project: text,
	title: text,
	cwd: text,
	host: v.object({ id: v.string(), name: text }),
	startedAt: v.string(),
	lastActivityAt: v.string(),
	endedAt: text,
	messages: count,
	pending: count,
	tokens: v.object({ input: count, output: count, cache_read: count, cache_write: count }),
	costUsd: count,
	stale: v.boolean(),
	problem: text,
})

const infoSchema = v.object({
	backend: v.object({
		kind: v.picklist(['embedded', 'supabase']),
		url: v.string(),
		email: v.exactOptional(text),
	}),
	account: v.string(),
	device: v.object({ id: v.string(), name: v.string(), fingerprint: v.string() }),
	devices: count,
	hasRecoveryKey: v.boolean(),
	vault: v.object({ kind: v.picklist(['keychain', 'file', 'memory']), detail: v.string() }),
	alarm: text,
	revoked: v.null(),
})

const schema = v.object({
	v: version,
	at: isoTime,
	info: infoSchema,
	sessions: v.pipe(v.array(summarySchema), v.maxLength(mostKept)),
})

/** Node's own ChaCha20-Poly1305: the first frame waits for it, and tweetnacl takes 20 ms for a long list. */
const cipher = 'chacha20-poly1305'
const keySize = 32
const nonceSize = 12
const authTagLength = 16

/** The key (32 bytes), from the bytes that the vault keeps of this device. */
export function lastListKey(deviceSecrets: Uint8Array): Uint8Array {
	return derive(deviceSecrets, 'last-list', keySize)
}

/** Nonce (12 bytes, random), tag (16 bytes), ciphertext. */
export function sealLastList({ at, info, sessions }: LastList, key: Uint8Array): Uint8Array {
	const nonce = randomBytes(nonceSize)
	const sealing = createCipheriv(cipher, key, nonce, { authTagLength })
	const kept = { v: 1, at, info, sessions: sessions.slice(0, mostKept) }
	const ciphertext = concat(sealing.update(encodeJson(kept)), sealing.final())
	return concat(nonce, sealing.getAuthTag(), ciphertext)
}

/** `null` where it was altered, made with another key, or by a version that says it in another way. */
export function openLastList(bytes: Uint8Array, key: Uint8Array): LastList | null {
	const start = nonceSize + authTagLength
	if (bytes.length < start) return null
	const opening = createDecipheriv(cipher, key, bytes.subarray(0, nonceSize), { authTagLength })
	opening.setAuthTag(bytes.subarray(nonceSize, start))
	try {
		const plain = concat(opening.update(bytes.subarray(start)), opening.final())
		const { at, info, sessions } = decodeJson(plain, schema, 'last_list')
		return { at, info, sessions }
	} catch {
		// What can be read anew is no loss.
		return null
	}
}
