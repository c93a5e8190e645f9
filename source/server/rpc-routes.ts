import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import type { ServerContext } from './context.ts'
import type { Statement } from './engine.ts'
import { DatabaseError, faultOf, sqlState } from './engine.ts'
import { maxJsonDepth, nestsDeeper } from './json-depth.ts'
import { failureOf, type RpcFailure, rpcFailure } from './rpc-errors.ts'
import { callStatement } from './rpc-functions.ts'
import type { Claims } from './tokens.ts'

export const maxBodyBytes = 32 * 2 ** 20

const oneObject = 'application/vnd.pgrst.object+json'

/** The part of PostgREST that `supabase.rpc()` uses: `/rpc/<function>`, under `/rest/v1`. */
export function rpcRoutes(context: ServerContext): Hono {
	const app = new Hono()
	const tooLarge = rpcFailure(413, '54000', 'The request is larger than 32 MB; send it in parts')
	app.use(
		bodyLimit({ maxSize: maxBodyBytes, onError: (c) => c.json(tooLarge.error, tooLarge.status) }),
	)
	app.onError((error, c) => {
		context.log(`a call failed: ${error.message}`)
		const { status, error: shown } = failureOf(faultOf(error), true)
		return c.json(shown, status)
	})
	app.post('/rpc/:name', async (c) => {
		const caller = await callerOf(context, c.req.header('authorization'))
		if ('failure' in caller) return c.json(caller.failure.error, caller.failure.status)
		const outcome = await call(context, caller.claims, c.req.param('name'), await c.req.text())
		if ('error' in outcome) return c.json(outcome.error, outcome.status)
		if (outcome.body === null) return c.body(null, 204)
		const wantsOne = outcome.set && (c.req.header('accept') ?? '').includes(oneObject)
		if (wantsOne && outcome.count !== 1) {
			const message = 'Cannot coerce the result to a single JSON object'
			const details = `The result contains ${outcome.count} rows`
			return c.json(rpcFailure(406, 'PGRST116', message, details).error, 406)
		}
		const body = wantsOne ? outcome.body.slice(1, -1) : outcome.body
		return c.body(body, 200, { 'content-type': 'application/json; charset=utf-8' })
	})
	app.all('*', (c) =>
		c.json(rpcFailure(404, 'PGRST205', 'Only functions can be called').error, 404),
	)
	return app
}

/** `claims` is null for one who is not signed in. */
type Caller = { readonly claims: Claims | null } | { readonly failure: RpcFailure }

async function callerOf(
	{ tokens, access }: ServerContext,
	authorization: string | undefined,
): Promise<Caller> {
	const token = /^Bearer (\S+)$/i.exec(authorization ?? '')?.[1]
	if (token === undefined || token === access.anonKey) return { claims: null }
	const claims = await tokens.verify(token)
	if (claims === 'expired') return { failure: rpcFailure(401, 'PGRST303', 'JWT expired') }
	if (claims === 'invalid') {
		return { failure: rpcFailure(401, 'PGRST301', 'The JWT is not one of ours') }
	}
	return { claims }
}

type Outcome = RpcFailure | { set: boolean; count: number; body: string | null }

async function call(
	{ engine, functions, log }: ServerContext,
	claims: Claims | null,
	name: string,
	text: string,
): Promise<Outcome> {
	if (nestsDeeper(text)) {
		return rpcFailure(400, 'PGRST102', `The body nests deeper than ${maxJsonDepth} levels`)
	}
	const given = argumentNames(text)
	if (given === null) return rpcFailure(400, 'PGRST102', 'The body is not a JSON object')
	const found = functions.find(name, given)
	if (found === null) {
		const signature = `public.${name}(${given.join(', ')})`
		return rpcFailure(404, 'PGRST202', `Could not find the function ${signature}`)
	}
	const statement = { sql: callStatement(found, given), params: [text === '' ? '{}' : text] }
	try {
		const rows = await engine.tx([...asCaller(claims), statement])
		const [row] = rows.at(-1) ?? []
		const count = Number(row?.count ?? 0)
		if (found.returns === 'void') return { set: false, count, body: null }
		return { set: found.set, count, body: row?.body ?? 'null' }
	} catch (error) {
		if (!(error instanceof DatabaseError)) throw error
		if (error.code === sqlState.internal) log(`${name} failed: ${error.message}`)
		return failureOf(error, claims !== null)
	}
}

/** Takes on the caller's role and claims until the end of the transaction. */
export function asCaller(claims: Claims | null): Statement[] {
	const { role, ...rest } = claims ?? { role: 'anon' }
	return [
		{
			sql: `select set_config('request.jwt.claims', $1::text, true), set_config('role', $2::text, true)`,
			params: [JSON.stringify({ ...rest, role }), role],
		},
	]
}

function argumentNames(text: string): string[] | null {
	if (text === '') return []
	try {
		const value: unknown = JSON.parse(text)
		if (typeof value !== 'object' || value === null || Array.isArray(value)) return null
		return Object.keys(value)
	} catch {
		return null
	}
}
