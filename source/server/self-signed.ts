/**
 * The certificate that the backend makes for itself. Node can't write one, and the libraries that can are
 * far larger than this one fixed form (X.509 v1, P-256, ECDSA with SHA-256, RFC 5280): its clients compare
 * the whole of it with a pin, so nothing that it says counts but its key.
 */
import { generateKeyPairSync, randomBytes, sign } from 'node:crypto'

/** DER: tag, length, content. */
function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
	const content = Buffer.concat(parts)
	const { length } = content
	const size =
		length < 0x80
			? Buffer.from([length])
			: length < 0x100
				? Buffer.from([0x81, length])
				: Buffer.from([0x82, length >> 8, length & 0xff])
	return Buffer.concat([Buffer.from([tag]), size, content])
}

const sequence = (...parts: readonly Uint8Array[]) => der(0x30, ...parts)
const set = (...parts: readonly Uint8Array[]) => der(0x31, ...parts)
const oid = (hex: string) => der(0x06, Buffer.from(hex, 'hex'))
const utf8 = (text: string) => der(0x0c, Buffer.from(text))
const until2049 = (text: string) => der(0x17, Buffer.from(text))
const from2050 = (text: string) => der(0x18, Buffer.from(text))
const bitString = (bytes: Uint8Array) => der(0x03, Buffer.from([0]), bytes)

const commonName = oid('550403')
const ecdsaWithSha256 = sequence(oid('2a8648ce3d040302'))

export interface TlsIdentity {
	/** PEM. */
	readonly certificate: string
	readonly key: string
}

/** A new key with its certificate, which has no end: whoever pinned it knows it by itself. */
export function selfSigned(name = 'styrby-tui'): TlsIdentity {
	const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
	const issuer = sequence(set(sequence(commonName, utf8(name))))
	// Positive, and without a zero in front.
	const serial = randomBytes(16)
	serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40
	const validity = sequence(until2049('200101000000Z'), from2050('99991231235959Z'))
	const publicPart = publicKey.export({ type: 'spki', format: 'der' })
	const signed = sequence(der(0x02, serial), ecdsaWithSha256, issuer, validity, issuer, publicPart)
	const signature = sign('sha256', signed, privateKey)
	const certificate = sequence(signed, ecdsaWithSha256, bitString(signature))
	return {
		certificate: pem(certificate),
		key: String(privateKey.export({ type: 'pkcs8', format: 'pem' })),
	}
}

function pem(bytes: Buffer): string {
	const lines = bytes.toString('base64').match(/.{1,64}/g) ?? []
	return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`
}
