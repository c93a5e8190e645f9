import { hash } from 'node:crypto'
import { concat, encodeUtf8 } from './bytes.ts'

const prefixes = new Map<string, Uint8Array>()

/** `D(purpose)`: put before everything that is hashed or signed, so that no value serves two purposes. */
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

/** SHA-256(D(purpose) ‖ parts), 32 bytes. */
export function digest(purpose: Purpose, ...parts: readonly Uint8Array[]): Uint8Array {
	return new Uint8Array(hash('sha256', concat(domain(purpose), ...parts), 'buffer'))
}
