import { createHash, randomBytes } from 'node:crypto'
import type { CryptoKey, JWK } from 'jose'
import { errors, importJWK, jwtVerify, SignJWT } from 'jose'
import * as v from 'valibot'
import type { SigningKey } from './installation.ts'

/** Lifetime of an access token, in seconds. */
export const accessTokenSeconds = 3600

const issuer = 'styrby-tui'
const audience = 'authenticated'
const rememberedTokens = 200

const claimsSchema = v.looseObject({
	sub: v.pipe(v.string(), v.uuid()),
	role: v.literal('authenticated'),
	session_id: v.pipe(v.string(), v.uuid()),
	/** Seconds since 1970. */
	exp: v.number(),
})

export type Claims = v.InferOutput<typeof claimsSchema>

export interface Identity {
	readonly user: string
	readonly session: string
	readonly email: string | null
	readonly anonymous: boolean
}

export type TokenFault = 'expired' | 'invalid'

export interface Tokens {
	readonly jwks: { keys: JWK[] }
	sign(identity: Identity): Promise<{ token: string; expiresAt: number }>
	/** The claims of a token of ours that is still good, or what is wrong with it. */
	verify(token: string): Promise<Claims | TokenFault>
}

/** Access tokens: ES256, the claims that Supabase's client and policies read. `now` is in ms. */
export async function openTokens(key: SigningKey, now = Date.now): Promise<Tokens> {
	const { d: _secret, ...publicPart } = key
	const privateKey = await importKey(key)
	const publicKey = await importKey(publicPart)
	const remembered = new Map<string, Claims>()
	return {
		jwks: { keys: [{ ...publicPart, alg: 'ES256', use: 'sig', key_ops: ['verify'], ext: true }] },
		async sign({ user, session, email, anonymous }) {
			const issuedAt = Math.floor(now() / 1000)
			const expiresAt = issuedAt + accessTokenSeconds
			const token = await new SignJWT({
				role: 'authenticated',
				session_id: session,
				email: email ?? '',
				phone: '',
				is_anonymous: anonymous,
				aal: 'aal1',
				amr: [{ method: anonymous ? 'anonymous' : 'password', timestamp: issuedAt }],
				app_metadata: {},
				user_metadata: {},
			})
				.setProtectedHeader({ alg: 'ES256', kid: key.kid, typ: 'JWT' })
				.setIssuer(issuer)
				.setAudience(audience)
				.setSubject(user)
				.setIssuedAt(issuedAt)
				.setExpirationTime(expiresAt)
				.sign(privateKey)
			return { token, expiresAt }
		},
		async verify(token) {
			const known = remembered.get(token)
			if (known !== undefined) return known.exp * 1000 > now() ? known : 'expired'
			try {
				const { payload } = await jwtVerify(token, publicKey, {
					algorithms: ['ES256'],
					issuer,
					audience,
					currentDate: new Date(now()),
				})
				const claims = v.safeParse(claimsSchema, payload)
				if (!claims.success) return 'invalid'
				const oldest = remembered.keys().next()
				if (remembered.size >= rememberedTokens && !oldest.done) remembered.delete(oldest.value)
				remembered.set(token, claims.output)
				return claims.output
			} catch (error) {
				return error instanceof errors.JWTExpired ? 'expired' : 'invalid'
			}
		},
	}
}

/** A refresh token for the client, and what is kept of it: its SHA-256, hex. */
export function newRefreshToken(): { token: string; hash: string } {
	const token = randomBytes(32).toString('base64url')
	return { token, hash: hashRefreshToken(token) }
}

export function hashRefreshToken(token: string): string {
	return createHash('sha256').update(token).digest('hex')
}

async function importKey(jwk: JWK): Promise<CryptoKey> {
	const key = await importJWK(jwk, 'ES256')
	if (key instanceof Uint8Array) throw new TypeError('an EC key was expected')
	return key
}
