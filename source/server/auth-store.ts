import { randomUUID } from 'node:crypto'
import * as v from 'valibot'
import type { Engine, Row, Statement } from './engine.ts'
import { hashRefreshToken, newRefreshToken } from './tokens.ts'

/** How long a refresh token that was used already may be used again. */
export const reuseGraceSeconds = 10

export interface User {
	readonly id: string
	readonly email: string | null
	readonly anonymous: boolean
	readonly passwordHash: string | null
	readonly metadata: string
	readonly createdAt: string
	readonly updatedAt: string
	readonly lastSignInAt: string | null
}

export interface SignIn {
	readonly user: User
	readonly session: string
	readonly refreshToken: string
}

const isoTime = (column: string) =>
	`to_char(${column} at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as ${column}`
const userColumns = `id, email, is_anonymous, password_hash, user_metadata,
	${isoTime('created_at')}, ${isoTime('updated_at')}, ${isoTime('last_sign_in_at')}`

const rotationSchema = v.variant('outcome', [
	v.object({ outcome: v.literal('rotated'), session: v.string(), user: v.string() }),
	v.object({ outcome: v.literal('unknown') }),
	v.object({ outcome: v.literal('reused') }),
])

/** Null when the e-mail address has an account already. */
export async function createUser(
	engine: Engine,
	user: { email: string | null; passwordHash: string | null; metadata: string },
): Promise<User | null> {
	const [row] = await engine.query(
		`insert into auth.users (id, email, is_anonymous, password_hash, user_metadata)
			values ($1::text::uuid, $2::text, $2::text is null, $3::text, $4::text::jsonb)
			on conflict (email) do nothing
			returning ${userColumns}`,
		[randomUUID(), user.email, user.passwordHash, user.metadata],
	)
	return row === undefined ? null : toUser(row)
}

/** The account of whoever runs this server: the first one that was ever made. Null: there is none yet. */
export async function findOwner(engine: Engine): Promise<User | null> {
	const [row] = await engine.query(
		`select ${userColumns} from auth.users order by created_at, id limit 1`,
	)
	return row === undefined ? null : toUser(row)
}

/** The same, made here when there is none yet. */
export async function ownerAccount(engine: Engine): Promise<User> {
	const [, rows = []] = await engine.tx([
		{ sql: 'lock table auth.users in share row exclusive mode' },
		{
			sql: `with made as (
				insert into auth.users (id, is_anonymous)
				select $1::text::uuid, true where not exists (select 1 from auth.users)
				returning *
			)
			select ${userColumns} from (
				select * from auth.users union all select * from made
			) as users order by created_at, id limit 1`,
			params: [randomUUID()],
		},
	])
	const [row] = rows
	if (row === undefined) throw new Error('no account could be made')
	return toUser(row)
}

export async function findUserByEmail(engine: Engine, email: string): Promise<User | null> {
	const [row] = await engine.query(`select ${userColumns} from auth.users where email = $1::text`, [
		email,
	])
	return row === undefined ? null : toUser(row)
}

/** The user of a session that still stands. */
export async function findUserOfSession(
	engine: Engine,
	user: string,
	session: string,
): Promise<User | null> {
	const [row] = await engine.query(
		`select ${userColumns} from auth.users where id = $1::text::uuid and exists (
			select 1 from auth.sessions s where s.id = $2::text::uuid and s.user_id = users.id)`,
		[user, session],
	)
	return row === undefined ? null : toUser(row)
}

export async function openSession(engine: Engine, user: User): Promise<SignIn> {
	const session = randomUUID()
	const refresh = newRefreshToken()
	const statements: Statement[] = [
		{
			sql: 'insert into auth.sessions (id, user_id) values ($1::text::uuid, $2::text::uuid)',
			params: [session, user.id],
		},
		{
			sql: `insert into auth.refresh_tokens (hash, session_id)
				values (decode($1::text, 'hex'), $2::text::uuid)`,
			params: [refresh.hash, session],
		},
		{
			sql: `update auth.users set last_sign_in_at = now() where id = $1::text::uuid
				returning ${userColumns}`,
			params: [user.id],
		},
	]
	const [row] = (await engine.tx(statements)).at(-1) ?? []
	return { user: row === undefined ? user : toUser(row), session, refreshToken: refresh.token }
}

/** Exchanges a refresh token for the next; see `auth.rotate_refresh_token`. */
export async function rotateSession(
	engine: Engine,
	presented: string,
): Promise<SignIn | 'unknown' | 'reused'> {
	const next = newRefreshToken()
	const [row] = await engine.query(
		`select auth.rotate_refresh_token($1::text, $2::text, make_interval(secs => $3::text::int)) as answer`,
		[hashRefreshToken(presented), next.hash, String(reuseGraceSeconds)],
	)
	const answer = v.parse(rotationSchema, JSON.parse(row?.answer ?? 'null'))
	if (answer.outcome !== 'rotated') return answer.outcome
	const user = await findUserOfSession(engine, answer.user, answer.session)
	return user === null ? 'unknown' : { user, session: answer.session, refreshToken: next.token }
}

export type SignOutScope = 'global' | 'local' | 'others'

export async function closeSessions(
	engine: Engine,
	user: string,
	session: string,
	scope: SignOutScope,
): Promise<void> {
	await engine.query(
		`delete from auth.sessions where user_id = $1::text::uuid and case $3::text
			when 'local' then id = $2::text::uuid
			when 'others' then id <> $2::text::uuid
			else true
		end`,
		[user, session, scope],
	)
}

function toUser(row: Row): User {
	return {
		id: row.id ?? '',
		email: row.email ?? null,
		anonymous: row.is_anonymous === 't',
		passwordHash: row.password_hash ?? null,
		metadata: row.user_metadata ?? '{}',
		createdAt: row.created_at ?? '',
		updatedAt: row.updated_at ?? '',
		lastSignInAt: row.last_sign_in_at ?? null,
	}
}
