import { Hono, type Context as HonoContext } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import * as v from 'valibot'
import { uuid } from '../protocol/json.ts'
import { Attempts } from './attempts.ts'
import type { SignIn, User } from './auth-store.ts'
import {
	closeSessions,
	createUser,
	findOwner,
	findUserByEmail,
	findUserOfSession,
	openSession,
	ownerAccount,
	rotateSession,
} from './auth-store.ts'
import type { ServerContext } from './context.ts'
import type { Bindings } from './http-app.ts'
import { nestsDeeper } from './json-depth.ts'
import { checkPassword, hashPassword } from './password.ts'
import type { Claims } from './tokens.ts'
import { accessTokenSeconds } from './tokens.ts'

const maxBodyBytes = 64 * 1024
const minPasswordLength = 8

const email = v.pipe(v.string(), v.trim(), v.toLowerCase(), v.maxLength(254), v.email())
const metadata = v.optional(v.record(v.string(), v.unknown()), {})
const signUpSchema = v.object({
	email: v.optional(email),
	password: v.optional(v.pipe(v.string(), v.maxLength(1024))),
	data: v.optional(v.nullable(metadata)),
})
const passwordSchema = v.object({ email, password: v.pipe(v.string(), v.maxLength(1024)) })
const refreshSchema = v.object({ refresh_token: v.pipe(v.string(), v.maxLength(200)) })
const joinSchema = v.object({
	secret: v.pipe(v.string(), v.maxLength(200)),
	/** The account that it has to be, for who was in it before. */
	account: v.optional(uuid),
})
const scopeSchema = v.optional(v.picklist(['global', 'local', 'others']), 'global')

class AuthFault extends Error {
	readonly status: ContentfulStatusCode
	readonly code: string

	constructor(status: ContentfulStatusCode, code: string, message: string) {
		super(message)
		this.status = status
		this.code = code
	}
}

export interface AuthDoor {
	readonly place: 'loopback' | 'network'
	addressOf(c: HonoContext<{ Bindings: Bindings }>): string
}

/** The part of Supabase Auth that the client uses, under `/auth/v1`, and joining. */
export function authRoutes(context: ServerContext, door: AuthDoor): Hono<{ Bindings: Bindings }> {
	const { engine, tokens, joins } = context
	// One for each door: whoever guesses from the network locks nobody of this machine out.
	const attempts = new Attempts(context.now)
	const app = new Hono<{ Bindings: Bindings }>()

	/** Lets so many wrong guesses through and no more: `work` throws for a wrong one. */
	async function guess<T>(
		c: HonoContext<{ Bindings: Bindings }>,
		work: () => Promise<T>,
	): Promise<T> {
		const address = door.addressOf(c)
		if (attempts.refuses(address)) {
			context.log('a sign-in was refused: too many wrong ones')
			throw new AuthFault(429, 'over_request_rate_limit', 'Too many wrong attempts; wait')
		}
		attempts.begin(address)
		const result = await work()
		attempts.right(address)
		return result
	}

	app.use(
		bodyLimit({
			maxSize: maxBodyBytes,
			onError: () => {
				throw new AuthFault(413, 'request_too_large', 'The request is too large')
			},
		}),
	)
	app.onError((error, c) => {
		const fault = error instanceof AuthFault ? error : null
		if (fault === null) context.log(`sign-in failed: ${error.message}`)
		const status = fault?.status ?? 503
		return c.json(
			{
				code: status,
				error_code: fault?.code ?? 'unexpected_failure',
				msg: fault?.message ?? 'The backend could not do this; repeat it in a moment',
			},
			status,
		)
	})
	app.post('/signup', async (c) => {
		if (door.place === 'network') {
			const message = 'Accounts are made on the machine that serves; join with a join token'
			throw new AuthFault(403, 'signup_disabled', message)
		}
		const body = parse(signUpSchema, await readJson(c.req.raw))
		if ((body.email === undefined) !== (body.password === undefined)) {
			throw new AuthFault(400, 'validation_failed', 'Give both an e-mail address and a password')
		}
		if (body.password !== undefined && body.password.length < minPasswordLength) {
			const least = `A password has at least ${minPasswordLength} characters`
			throw new AuthFault(422, 'weak_password', least)
		}
		const user = await createUser(engine, {
			email: body.email ?? null,
			passwordHash: body.password === undefined ? null : await hashPassword(body.password),
			metadata: JSON.stringify(body.data ?? {}),
		})
		if (user === null) throw new AuthFault(422, 'user_already_exists', 'User already registered')
		return c.json(await sessionJson(await openSession(engine, user)))
	})

	app.post('/token', async (c) => {
		const grant = c.req.query('grant_type')
		if (grant === 'password') {
			const body = parse(passwordSchema, await readJson(c.req.raw))
			const user = await guess(c, async () => {
				const found = await findUserByEmail(engine, body.email)
				const good = await checkPassword(body.password, found?.passwordHash ?? null)
				if (found !== null && good) return found
				throw new AuthFault(400, 'invalid_credentials', 'Invalid login credentials')
			})
			return c.json(await sessionJson(await openSession(engine, user)))
		}
		if (grant === 'refresh_token') {
			const body = parse(refreshSchema, await readJson(c.req.raw))
			const signIn = await rotateSession(engine, body.refresh_token)
			if (signIn === 'unknown') {
				const message = 'Invalid Refresh Token: Refresh Token Not Found'
				throw new AuthFault(400, 'refresh_token_not_found', message)
			}
			if (signIn === 'reused') {
				context.log('a refresh token was used twice; its sign-in was ended')
				const message = 'Invalid Refresh Token: Already Used'
				throw new AuthFault(400, 'refresh_token_already_used', message)
			}
			return c.json(await sessionJson(signIn))
		}
		throw new AuthFault(400, 'validation_failed', 'unsupported_grant_type')
	})

	app.post('/join', async (c) => {
		const body = parse(joinSchema, await readJson(c.req.raw))
		await guess(c, async () => {
			if (joins.take(body.secret)) return
			throw new AuthFault(403, 'join_refused', 'No such join token, or no longer')
		})
		if (body.account !== undefined && (await findOwner(engine))?.id !== body.account) {
			throw new AuthFault(403, 'join_refused', 'This server has another account')
		}
		context.log('a machine joined')
		return c.json(await sessionJson(await openSession(engine, await ownerAccount(engine))))
	})

	app.get('/user', async (c) => {
		const claims = await requireClaims(c.req.header('authorization'))
		return c.json(userJson(await requireStanding(claims)))
	})

	app.post('/logout', async (c) => {
		const claims = await requireClaims(c.req.header('authorization'))
		// A token outlives its sign-in, which may have been ended for a reason: it ends nobody else's.
		await requireStanding(claims)
		const scope = parse(scopeSchema, c.req.query('scope'))
		await closeSessions(engine, claims.sub, claims.session_id, scope)
		return c.body(null, 204)
	})

	app.get('/settings', (c) =>
		c.json({
			external: { anonymous_users: true, email: true, phone: false },
			disable_signup: false,
			mailer_autoconfirm: true,
			phone_autoconfirm: false,
			sms_provider: '',
			saml_enabled: false,
		}),
	)
	app.get('/health', (c) =>
		c.json({ version: context.version, name: 'styrby-tui', description: 'embedded backend' }),
	)
	app.get('/.well-known/jwks.json', (c) => c.json(tokens.jwks))
	app.all('*', (c) =>
		c.json({ code: 404, error_code: 'not_found', msg: 'Not part of this backend' }, 404),
	)

	async function requireClaims(authorization: string | undefined): Promise<Claims> {
		const token = /^Bearer (\S+)$/i.exec(authorization ?? '')?.[1]
		if (token === undefined || token === context.access.anonKey) {
			throw new AuthFault(401, 'no_authorization', 'This endpoint requires a Bearer token')
		}
		const claims = await tokens.verify(token)
		if (typeof claims === 'string') {
			throw new AuthFault(403, 'bad_jwt', `invalid JWT: token is ${claims}`)
		}
		return claims
	}

	async function requireStanding({ sub, session_id }: Claims): Promise<User> {
		const user = await findUserOfSession(engine, sub, session_id)
		if (user !== null) return user
		const message = 'Session from session_id claim in JWT does not exist'
		throw new AuthFault(403, 'session_not_found', message)
	}

	async function sessionJson({ user, session, refreshToken }: SignIn) {
		const { id, email, anonymous } = user
		const { token, expiresAt } = await tokens.sign({ user: id, session, email, anonymous })
		return {
			access_token: token,
			token_type: 'bearer',
			expires_in: accessTokenSeconds,
			expires_at: expiresAt,
			refresh_token: refreshToken,
			user: userJson(user),
		}
	}

	return app
}

function userJson(user: User) {
	const provider = user.anonymous ? {} : { provider: 'email', providers: ['email'] }
	return {
		id: user.id,
		aud: 'authenticated',
		role: 'authenticated',
		email: user.email ?? '',
		phone: '',
		...(user.anonymous ? {} : { email_confirmed_at: user.createdAt, confirmed_at: user.createdAt }),
		last_sign_in_at: user.lastSignInAt,
		app_metadata: provider,
		user_metadata: JSON.parse(user.metadata),
		identities: [],
		created_at: user.createdAt,
		updated_at: user.updatedAt,
		is_anonymous: user.anonymous,
	}
}

async function readJson(request: Request): Promise<unknown> {
	const text = await request.text()
	try {
		if (nestsDeeper(text)) throw new RangeError('nests too deep')
		return text === '' ? {} : JSON.parse(text)
	} catch {
		throw new AuthFault(400, 'bad_json', 'Could not parse request body as JSON')
	}
}

function parse<T extends v.GenericSchema>(schema: T, value: unknown): v.InferOutput<T> {
	// An array has every optional member of an object.
	const result = v.safeParse(schema, Array.isArray(value) ? null : value)
	if (result.success) return result.output
	const where = result.issues.map((issue) => v.getDotPath(issue) ?? 'the request').join(', ')
	throw new AuthFault(400, 'validation_failed', `Not acceptable: ${where}`)
}
