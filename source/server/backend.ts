import { randomUUID } from 'node:crypto'
import { version } from '../config/version.ts'
import { exit, StyrbyError } from '../protocol/errors.ts'
import { Cleanup } from './cleanup.ts'
import { openCluster, updateDatabase } from './cluster.ts'
import type { ServerContext } from './context.ts'
import { holdDataFolder } from './data-folder.ts'
import type { Engine } from './engine.ts'
import { DatabaseError } from './engine.ts'
import { type HttpServer, startHttp } from './http-server.ts'
import { backendFolder, ensureAccess, ensureSigningKey } from './installation.ts'
import { JoinSecrets } from './join-secrets.ts'
import { type ListenOptions, networkAddress } from './network-address.ts'
import { readSchema } from './package-files.ts'
import { openPostgres } from './postgres-engine.ts'
import { startFeed } from './realtime-feed.ts'
import { Hub } from './realtime-hub.ts'
import type { SocketLimits } from './realtime-socket.ts'
import { readFunctions } from './rpc-functions.ts'
import { openTokens } from './tokens.ts'

export interface BackendOptions {
	/** Our data folder; the backend lives in `backend/` there. */
	readonly data: string
	/** Port to have where it is free; any other one otherwise. */
	readonly port?: number
	/** Fail with `port_taken` rather than take another port. */
	readonly exactPort?: boolean
	/** Where other machines are let in, too. */
	readonly listen?: ListenOptions | null
	/** Whether a person started it, or a command that needed it. */
	readonly foreground?: boolean
	/** A real PostgreSQL to use in place of the embedded one. */
	readonly databaseUrl?: string | null
	readonly limits?: SocketLimits
	readonly now?: () => number
	readonly log: (line: string) => void
	/** The backend is to end: asked to over HTTP, or its folder was lost. */
	readonly onStop?: (why: string) => void
}

export interface Backend extends AsyncDisposable {
	readonly url: string
	readonly port: number
	readonly anonKey: string
	/** Random id of this start. */
	readonly start: string
	readonly engine: Engine
	readonly http: HttpServer
	readonly joins: JoinSecrets
}

/**
 * Runs the whole backend in this process until it is disposed of. Throws what `holdDataFolder` and
 * `openCluster` throw, `port_taken`, `bad_listen_address`, `bad_certificate`, and `database_unreachable` for a PostgreSQL that does not answer.
 */
export async function startBackend(options: BackendOptions): Promise<Backend> {
	const { data, log, now = Date.now, onStop = () => undefined } = options
	const start = randomUUID()
	const cleanup = new Cleanup()
	try {
		const { folder } = cleanup.use(
			await holdDataFolder({
				folder: backendFolder(data),
				start,
				onLost: () => onStop('another host took the data folder over'),
			}),
		)
		const access = await ensureAccess(folder)
		const tokens = await openTokens(await ensureSigningKey(folder), now)
		const engine = cleanup.use(await openEngine(options, folder))
		const functions = await readFunctions(engine)
		const hub = new Hub()
		cleanup.use(await startFeed({ engine, hub, log }))
		const context: ServerContext = {
			engine,
			tokens,
			access,
			functions,
			joins: new JoinSecrets(now),
			start,
			version,
			now,
			log,
		}
		const { listen = null } = options
		const http = cleanup.use(
			await startHttp({
				context,
				hub,
				port: options.port ?? 0,
				exactPort: options.exactPort ?? false,
				network: listen === null ? null : await networkAddress(folder, listen),
				foreground: options.foreground ?? false,
				onStop: () => onStop('asked to'),
				...(options.limits === undefined ? {} : { limits: options.limits }),
			}),
		)
		return {
			url: http.url,
			port: http.port,
			anonKey: access.anonKey,
			start,
			engine,
			http,
			joins: context.joins,
			async [Symbol.asyncDispose]() {
				await cleanup[Symbol.asyncDispose]()
			},
		}
	} catch (error) {
		await cleanup[Symbol.asyncDispose]()
		throw error
	}
}

async function openEngine(options: BackendOptions, folder: string): Promise<Engine> {
	const { databaseUrl, log } = options
	const schema = readSchema()
	if (databaseUrl == null) return await openCluster({ folder, schema, log })
	const engine = await openPostgres({ databaseUrl, log }).catch(unreachable)
	try {
		await updateDatabase(engine, schema)
		return engine
	} catch (error) {
		await engine.close()
		throw error
	}
}

function unreachable(error: unknown): never {
	const why = error instanceof DatabaseError ? error.message : String(error)
	throw new StyrbyError(
		'database_unreachable',
		`The PostgreSQL server does not answer (${why}); check --database-url and whether it runs.`,
		{ exitCode: exit.unreachable, cause: error },
	)
}
