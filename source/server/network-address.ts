/** Where other machines reach this server, and how they know it. */
import { createHash, createPrivateKey, X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import * as v from 'valibot'
import { readState, writeState } from '../config/state.ts'
import { exit, StyrbyError } from '../protocol/errors.ts'
import { selfSigned, type TlsIdentity } from './self-signed.ts'

/** What a person asks for. */
export interface ListenOptions {
	/** An address or a name of this machine; `0.0.0.0` or `::` for all. */
	readonly host: string
	readonly port: number
	/** What other machines call it, where that is something else. */
	readonly name: string | null
	/** Their own certificate and key, PEM. */
	readonly tls: TlsIdentity | null
}

export interface NetworkAddress {
	readonly host: string
	readonly port: number
	readonly tls: TlsIdentity
	/** SHA-256 of the certificate, base64; `null` where it is one that machines trust by themselves. */
	readonly pin: string | null
	/** What `Host` may say. */
	readonly names: readonly string[]
	/** Base addresses, the likeliest first. */
	readonly urls: readonly string[]
}

const identitySchema = v.object({ v: v.literal(1), certificate: v.string(), key: v.string() })

/** Made once per data folder. Call it only while holding the folder. Throws `state_corrupt`. */
export async function ensureTls(folder: string): Promise<TlsIdentity> {
	const file = join(folder, 'tls.json')
	const known = await readState(file, identitySchema)
	if (known !== null) return { certificate: known.certificate, key: known.key }
	const made = selfSigned()
	await writeState(file, identitySchema, { v: 1, ...made })
	return made
}

/** Throws `bad_certificate` (exit 2), and as `ensureTls`. */
export async function networkAddress(
	folder: string,
	{ host, port, name, tls }: ListenOptions,
): Promise<NetworkAddress> {
	const identity = tls ?? (await ensureTls(folder))
	const certificate = checkTls(identity)
	const pinned = certificate.checkIssued(certificate)
	const certified = pinned ? [] : namesOf(certificate)
	const hosts = reachedAs(host, name, certified)
	return {
		host,
		port,
		tls: identity,
		pin: pinned ? createHash('sha256').update(certificate.raw).digest('base64') : null,
		names: [...new Set([...hosts, ...certified].flatMap((one) => [one, bracketed(one)]))],
		urls: hosts.map((one) => `https://${bracketed(one)}:${port}`),
	}
}

/** Names and addresses to give to other machines. */
function reachedAs(host: string, name: string | null, certified: readonly string[]): string[] {
	if (name !== null) return [name.toLowerCase()]
	const own = ['0.0.0.0', '::'].includes(host) ? addresses(host === '::') : [host.toLowerCase()]
	if (certified.length === 0) return own
	// Without a pin only a name of the certificate will do.
	const good = own.filter((one) => certified.includes(one))
	return good.length > 0 ? good : [...certified]
}

function addresses(both: boolean): string[] {
	const all = Object.values(networkInterfaces()).flatMap((list) => list ?? [])
	return all
		.filter(({ internal, family }) => !internal && (both || family === 'IPv4'))
		.filter(({ address }) => !/^(?:fe80:|169\.254\.)/i.test(address))
		.sort((one, other) => one.family.localeCompare(other.family))
		.map(({ address }) => address)
		.slice(0, 16)
}

/** Those that are not patterns. */
function namesOf(certificate: X509Certificate): string[] {
	const all = (certificate.subjectAltName ?? '').split(', ')
	return all.flatMap((one) => {
		const [, name = ''] = /^(?:DNS|IP Address):([\w.:-]+)$/.exec(one) ?? []
		return name === '' ? [] : [name.toLowerCase()]
	})
}

const bracketed = (host: string) => (isIP(host) === 6 ? `[${host}]` : host)

function checkTls({ certificate, key }: TlsIdentity): X509Certificate {
	try {
		const parsed = new X509Certificate(certificate)
		if (parsed.checkPrivateKey(createPrivateKey(key))) return parsed
	} catch {
		// Said below; the cause might quote the key.
	}
	throw new StyrbyError(
		'bad_certificate',
		'The certificate and the key for TLS can not be read, or do not belong together: give PEM files, the key without a passphrase.',
		{ exitCode: exit.usage },
	)
}
