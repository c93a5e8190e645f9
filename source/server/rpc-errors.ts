import type { ContentfulStatusCode } from 'hono/utils/http-status'
import type { DatabaseFault } from './engine.ts'

/** What PostgREST answers with, and supabase-js hands on as `error`. */
export interface RpcError {
	readonly code: string
	readonly message: string
	readonly details: string | null
	readonly hint: string | null
}

export interface RpcFailure {
	readonly status: ContentfulStatusCode
	readonly error: RpcError
}

export function rpcFailure(
	status: ContentfulStatusCode,
	code: string,
	message: string,
	details: string | null = null,
): RpcFailure {
	return { status, error: { code, message, details, hint: null } }
}

export function failureOf(fault: DatabaseFault, signedIn: boolean): RpcFailure {
	const { code, message, detail, hint } = fault
	const status = statusOf(code, signedIn)
	// What goes wrong inside is for the log, not for whoever asks.
	const shown = code === 'XX000' ? 'The backend could not do this; see its log' : message
	return { status, error: { code, message: shown, details: detail, hint } }
}

const exact: Readonly<Record<string, ContentfulStatusCode>> = {
	'23503': 409,
	'23505': 409,
	'25006': 405,
	'42883': 404,
	'42P01': 404,
	'42P17': 500,
	'53400': 500,
	'57P01': 503,
	P0001: 400,
}

const byClass: Readonly<Record<string, ContentfulStatusCode>> = {
	'08': 503,
	'09': 500,
	'0L': 403,
	'0P': 403,
	'25': 500,
	'28': 403,
	'2D': 500,
	'38': 500,
	'39': 500,
	'3B': 500,
	'40': 500,
	'53': 503,
	'54': 500,
	'55': 500,
	'57': 500,
	'58': 500,
	F0: 500,
	HV: 500,
	P0: 500,
	XX: 500,
}

/** PostgREST's mapping of an SQLSTATE to an HTTP status. */
export function statusOf(code: string, signedIn: boolean): ContentfulStatusCode {
	if (code === '42501') return signedIn ? 403 : 401
	return exact[code] ?? byClass[code.slice(0, 2)] ?? 400
}
