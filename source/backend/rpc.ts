/** Calls the SQL functions behind the gateway, and checks what they answer. */
import * as v from 'valibot'
import { exit, StyrbyError } from '../protocol/errors.ts'
import { tooLarge } from './bounded-fetch.ts'
import type { SupabaseClient } from './client.ts'
import {
	failureOf,
	lacksMigrations,
	malformedAnswer,
	tooOld,
	wrongCertificate,
	wrongCertificateName,
} from './failure.ts'
import { retrying } from './retry.ts'
import { schemaVersion } from './schemas.ts'

/** The version of the functions that this program was written for. */
export const requiredSchema = 2

export interface RpcOptions {
	client: SupabaseClient
	/** Throws `not_signed_in` or `backend_unreachable`. */
	accessToken(): Promise<string>
	/** Ends all calls. */
	signal: AbortSignal
	/** What to do about a backend without the functions, the end of a sentence. */
	schemaHelp?: string | undefined
}

/** Time of one attempt, ms. */
const patience = 15_000

export class Rpc {
	readonly #options: RpcOptions
	#schema: Promise<void> | null = null

	constructor(options: RpcOptions) {
		this.#options = options
	}

	/**
	 * Calls `name`, again when the backend was out of reach, and returns its checked answer. Throws as
	 * the gateway says. `patienceMs`: time of one attempt.
	 */
	async call<S extends v.GenericSchema>(
		name: string,
		args: Record<string, unknown>,
		schema: S,
		patienceMs = patience,
	): Promise<v.InferOutput<S>> {
		const { signal } = this.#options
		return retrying(
			async () => {
				const calling = this.#once(name, args, schema, patienceMs)
				const [answer] = await Promise.all([calling, this.#checkSchema()]).catch((error) =>
					this.#explain(error),
				)
				return answer
			},
			{ signal },
		)
	}

	/** A function that lacks is named by its cause: a project that has none of them, or older ones. */
	async #explain(error: unknown): Promise<never> {
		if (!isTooOld(error)) throw error
		await this.#checkSchema()
		throw tooOld(this.#options.schemaHelp, error)
	}

	/** Once a process, beside the first call. */
	#checkSchema(): Promise<void> {
		this.#schema ??= this.#once('schema_version', {}, schemaVersion, patience).then(
			(found) => {
				if (found < requiredSchema) throw tooOld(this.#options.schemaHelp)
			},
			(error) => {
				this.#schema = null
				throw isTooOld(error) ? lacksMigrations(this.#options.schemaHelp, error) : error
			},
		)
		return this.#schema
	}

	async #once<S extends v.GenericSchema>(
		name: string,
		args: Record<string, unknown>,
		schema: S,
		patienceMs: number,
	): Promise<v.InferOutput<S>> {
		const { client, signal } = this.#options
		if (signal.aborted) throw closed()
		await this.#options.accessToken()
		const { data, error, status } = await client
			.rpc(name, args)
			.abortSignal(AbortSignal.any([signal, AbortSignal.timeout(patienceMs)]))
		if (signal.aborted) throw closed()
		if (error) {
			const message = String(error.message ?? '')
			if (status === 0 && message.startsWith(tooLarge)) throw malformedAnswer(name)
			if (status === 0 && message.startsWith(wrongCertificateName)) throw wrongCertificate()
			// An answer of success that is not JSON.
			if (status >= 200 && status < 300) throw malformedAnswer(name)
			const details = String(error.details ?? '')
			throw failureOf({ status, code: String(error.code ?? ''), message, details })
		}
		const result = v.safeParse(schema, data)
		if (!result.success) {
			throw malformedAnswer(name, new Error(v.summarize(result.issues).slice(0, 500)))
		}
		return result.output
	}
}

function isTooOld(error: unknown): error is StyrbyError {
	return error instanceof StyrbyError && error.code === 'backend_too_old'
}

function closed(): StyrbyError {
	return new StyrbyError('interrupted', 'The connection to the backend was closed.', {
		exitCode: exit.interrupted,
	})
}
