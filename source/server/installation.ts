/** What is made once per data folder: the keys that guard and sign, never sent anywhere whole. */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { join } from 'node:path'
import { exportJWK, generateKeyPair } from 'jose'
import * as v from 'valibot'
import { readState, writeState } from '../config/state.ts'

const accessSchema = v.object({
	v: v.literal(1),
	/** Sent with every request; the loopback port is open to every user of the machine. */
	anonKey: v.pipe(v.string(), v.regex(/^styrby_[\w-]{43}$/)),
	/** Base64url of 32 bytes: lets the daemon prove that it is the right one, and is never sent. */
	proof: v.pipe(v.string(), v.regex(/^[\w-]{43}$/)),
})

export type Access = v.InferOutput<typeof accessSchema>

const signingSchema = v.object({
	v: v.literal(1),
	key: v.object({
		kty: v.literal('EC'),
		crv: v.literal('P-256'),
		x: v.string(),
		y: v.string(),
		d: v.string(),
		kid: v.string(),
	}),
})

export type SigningKey = v.InferOutput<typeof signingSchema>['key']

/** The embedded backend's own folder within the data folder. */
export function backendFolder(data: string): string {
	return join(data, 'backend')
}

/** Null when no backend ever ran on this folder. Throws `state_corrupt`. */
export async function readAccess(folder: string): Promise<Access | null> {
	return await readState(join(folder, 'access.json'), accessSchema)
}

/** Call it only while holding the folder. */
export async function ensureAccess(folder: string): Promise<Access> {
	const known = await readAccess(folder)
	if (known !== null) return known
	const access: Access = {
		v: 1,
		anonKey: `styrby_${randomBytes(32).toString('base64url')}`,
		proof: randomBytes(32).toString('base64url'),
	}
	await writeState(join(folder, 'access.json'), accessSchema, access)
	return access
}

/** The key (ES256) that signs access tokens. Call it only while holding the folder. */
export async function ensureSigningKey(folder: string): Promise<SigningKey> {
	const file = join(folder, 'signing-key.json')
	const known = await readState(file, signingSchema)
	if (known !== null) return known.key
	const pair = await generateKeyPair('ES256', { extractable: true })
	const jwk = { ...(await exportJWK(pair.privateKey)), kid: randomBytes(16).toString('hex') }
	const made = v.parse(signingSchema, { v: 1, key: jwk })
	await writeState(file, signingSchema, made)
	return made.key
}

/**
 * Answer to a challenge: HMAC-SHA-256, hex. It binds the port, so that a stranger's process can't pass
 * the challenge on to the right daemon and show that daemon's answer as its own.
 */
export function proofOf(access: Access, challenge: string, port: number, start: string): string {
	return createHmac('sha256', Buffer.from(access.proof, 'base64url'))
		.update(`styrby/v1/backend-health\0${challenge}\0${port}\0${start}`)
		.digest('hex')
}

/**
 * What processes of this home show to control their backend. Its other key is everybody's who was let in;
 * this one is made of what never leaves the home, and is shown only to a daemon that has proved itself.
 */
export function controlKey(access: Access): string {
	return createHmac('sha256', Buffer.from(access.proof, 'base64url'))
		.update('styrby/v1/backend-control')
		.digest('base64url')
}

/** Compares in a time that does not depend on where two texts differ. */
export function sameSecret(given: string, expected: string): boolean {
	const key = randomBytes(32)
	const mac = (text: string) => createHmac('sha256', key).update(text).digest()
	return timingSafeEqual(mac(given), mac(expected))
}
