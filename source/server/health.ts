import { randomBytes } from 'node:crypto'
import { request } from 'node:http'
import * as v from 'valibot'
import { type Access, controlKey, proofOf, sameSecret } from './installation.ts'
import type { Runtime } from './runtime-file.ts'
import { storageState } from './storage-state.ts'

const healthSchema = v.object({
	version: v.string(),
	start: v.string(),
	pid: v.number(),
	proof: v.nullable(v.string()),
})

export interface Health {
	readonly version: string
	readonly start: string
	readonly pid: number
}

const maxAnswerBytes = 4096

/**
 * Asks whoever listens on the port for a proof that it is the daemon of this data folder; the key is
 * shown to nobody before. Null when nobody answers in time, or somebody else does.
 */
export async function findHealthy(
	runtime: Pick<Runtime, 'port'>,
	access: Access,
	timeLimitMs = 2_000,
): Promise<Health | null> {
	const challenge = randomBytes(32).toString('hex')
	const text = await ask(runtime.port, 'GET', `/health?challenge=${challenge}`, timeLimitMs)
	const answer = v.safeParse(healthSchema, parse(text))
	if (!answer.success || answer.output.proof === null) return null
	const { proof, ...health } = answer.output
	const expected = proofOf(access, challenge, runtime.port, health.start)
	return sameSecret(proof, expected) ? health : null
}

/** Asks a daemon that has proved itself to finish what is under way and end. */
export async function askToStop(port: number, access: Access): Promise<boolean> {
	const answer = await ask(port, 'POST', '/control/stop', 2_000, access)
	return answer !== null
}

const stateSchema = v.object({
	now: v.number(),
	storage: storageState,
	/** Whether a person started it. */
	foreground: v.optional(v.boolean(), false),
	/** Where other machines reach it. */
	urls: v.optional(v.array(v.string()), []),
})

/** What a daemon that has proved itself says of its clock (ms since 1970), its storage and its doors; null: nothing. */
export async function askState(
	port: number,
	access: Access,
): Promise<v.InferOutput<typeof stateSchema> | null> {
	const text = await ask(port, 'GET', '/control/state', 10_000, access)
	const answer = v.safeParse(stateSchema, parse(text))
	return answer.success ? answer.output : null
}

const joinSchema = v.object({
	secret: v.string(),
	/** ms since 1970. */
	expiresAt: v.number(),
	token: v.nullable(v.string()),
})
export type JoinOffer = v.InferOutput<typeof joinSchema>

/** A new secret to join with, and the token that holds it where other machines are listened to. */
export async function askForJoin(port: number, access: Access): Promise<JoinOffer | null> {
	const text = await ask(port, 'POST', '/control/join', 10_000, access)
	const answer = v.safeParse(joinSchema, parse(text))
	return answer.success ? answer.output : null
}

/** Loads no HTTP client beyond what Node has loaded: this runs at the start of every command. */
function ask(
	port: number,
	method: 'GET' | 'POST',
	path: string,
	timeLimitMs: number,
	access?: Access,
): Promise<string | null> {
	return new Promise((resolve) => {
		const asking = request({
			host: '127.0.0.1',
			port,
			path,
			method,
			agent: false,
			headers: access ? { apikey: access.anonKey, 'x-styrby-control': controlKey(access) } : {},
		})
		const timer = setTimeout(() => asking.destroy(new Error('no answer in time')), timeLimitMs)
		const end = (text: string | null) => {
			clearTimeout(timer)
			resolve(text)
		}
		asking.on('error', () => end(null))
		asking.on('response', (response) => {
			let text = ''
			response.setEncoding('utf8')
			response.on('data', (chunk: string) => {
				text += chunk
				if (text.length > maxAnswerBytes) asking.destroy(new Error('too long'))
			})
			response.on('error', () => end(null))
			response.on('end', () => end((response.statusCode ?? 500) < 300 ? text : null))
		})
		asking.end()
	})
}

function parse(text: string | null): unknown {
	try {
		return text === null ? null : JSON.parse(text)
	} catch {
		return null
	}
}
