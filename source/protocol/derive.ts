/** HKDF-SHA-256 (RFC 5869), without salt: keys from a secret of full strength (section 0). */
import { hkdfSync } from 'node:crypto'
import { domain, type Purpose } from './digest.ts'

/** `size` bytes for one purpose, from `secret`. */
export function derive(secret: Uint8Array, purpose: Purpose, size: number): Uint8Array {
	return new Uint8Array(hkdfSync('sha256', secret, new Uint8Array(0), domain(purpose), size))
}
