import { hash } from 'node:crypto'
import { encodeUtf8 } from './bytes.ts'

const prefixes = new Map<string, Uint8Array>()

/** `D(purpose)`: put before everything that is hashed or signed (section 0), so that no value serves two purposes. */
export function domain(purpose: Purpose): Uint8Array {
	let prefix = prefixes.get(purpose)
	if (!prefix) {
		prefix = encodeUtf8(`styrby/v1/${purpose}\0`)
		prefixes.set(purpose, prefix)
	}
	return prefix
}

export type Purpose =
	| 'fingerprint'
	| 'log'
	| 'log-entry'
	| 'log-join'
	| 'key'
	| 'epoch'
	| 'chain'
	| 'link'
	| 'message'
	| 'frame'
	| 'heartbeat'
	| 'command'
	| 'request'
	| 'pairing-id'
	| 'pairing-request'
	| 'pairing-answer'
	| 'recovery-id'
	| 'recovery-box'
	| 'recovery-sign'
	| 'last-list'
	| 'search-index'
	| 'search-segment'
	| 'search-state'

/** What is hashed is put together here: history is hashed by the thousand messages. */
let scratch = new Uint8Array(4096)

/** SHA-256(D(purpose) ‖ parts), 32 bytes. */
export function digest(purpose: Purpose, ...parts: readonly Uint8Array[]): Uint8Array {
	const prefix = domain(purpose)
	let size = prefix.length
	for (const part of parts) size += part.length
	if (size > scratch.length) scratch = new Uint8Array(2 * size)
	scratch.set(prefix)
	let offset = prefix.length
	for (const part of parts) {
		scratch.set(part, offset)
		offset += part.length
	}
	return new Uint8Array(hash('sha256', scratch.subarray(0, size), 'buffer'))
}
