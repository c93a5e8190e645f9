/** A PostgreSQL of the system's own packages, in a folder of its own, on a port of its own. */
import { execFile, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chown, mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'

const run = promisify(execFile)
const programs = '/usr/lib/postgresql/15/bin'

/** Whether the Debian package `postgresql-15` is installed. */
export const hasPostgres = existsSync(join(programs, 'initdb'))

interface User {
	uid: number
	gid: number
}

export class PostgresServer implements AsyncDisposable {
	readonly #folder: string
	readonly #user: User | null
	readonly port: number

	private constructor(folder: string, user: User | null, port: number) {
		this.#folder = folder
		this.#user = user
		this.port = port
	}

	static async start(): Promise<PostgresServer> {
		const folder = await mkdtemp(join(tmpdir(), 'styrby-postgres-'))
		const user = await serverUser()
		if (user) await chown(folder, user.uid, user.gid)
		const server = new PostgresServer(folder, user, await freePort())
		const cluster = ['-D', server.#cluster, '-U', 'postgres', '-A', 'trust', '--encoding=UTF8']
		await run(join(programs, 'initdb'), cluster, { ...user, cwd: folder })
		await server.up()
		return server
	}

	get #cluster(): string {
		return join(this.#folder, 'cluster')
	}

	/** Starts it, and waits until it answers. */
	async up(): Promise<void> {
		const settings = { listen_addresses: '127.0.0.1', port: this.port, unix_socket_directories: '' }
		const options = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
		const child = spawn(join(programs, 'postgres'), ['-D', this.#cluster, ...options], {
			...this.#user,
			cwd: this.#folder,
			stdio: 'ignore',
			detached: true,
		})
		child.unref()
		for (let tries = 0; ; tries++) {
			try {
				await run(join(programs, 'pg_isready'), ['-h', '127.0.0.1', '-p', String(this.port)])
				return
			} catch (error) {
				if (tries > 300 || child.exitCode !== null) throw error
				await sleep(100)
			}
		}
	}

	/** Stops it as a machine that goes down does: without asking anyone. */
	async down(): Promise<void> {
		const stop = ['-D', this.#cluster, '-m', 'immediate', '-w', 'stop']
		await run(join(programs, 'pg_ctl'), stop, { ...this.#user, cwd: this.#folder })
	}

	/** Runs statements as the superuser. */
	async sql(...statements: string[]): Promise<void> {
		const args = [
			'-h',
			'127.0.0.1',
			'-p',
			String(this.port),
			'-U',
			'postgres',
			'-v',
			'ON_ERROR_STOP=1',
		]
		await run(join(programs, 'psql'), [...args, ...statements.flatMap((one) => ['-c', one])])
	}

	/** Makes an empty database, owned by a role that is no superuser, and gives its address. */
	async database(name: string): Promise<string> {
		const owner = `create role ${name} login createrole`
		await this.sql(owner, `create database ${name} owner ${name}`)
		return `postgres://${name}@127.0.0.1:${this.port}/${name}`
	}

	async [Symbol.asyncDispose](): Promise<void> {
		const pid = await readFile(join(this.#cluster, 'postmaster.pid'), 'utf8').catch(() => null)
		if (pid !== null) await this.down()
		await rm(this.#folder, { recursive: true, force: true })
	}
}

/** PostgreSQL does not run as root. */
async function serverUser(): Promise<User | null> {
	if (userInfo().uid !== 0) return null
	const id = async (flag: string) => Number((await run('id', [flag, 'postgres'])).stdout)
	return { uid: await id('-u'), gid: await id('-g') }
}

function freePort(): Promise<number> {
	return new Promise((resolve, reject) => {
		const probe = createServer()
		probe.once('error', reject)
		probe.listen(0, '127.0.0.1', () => {
			const address = probe.address()
			const port = typeof address === 'object' && address ? address.port : 0
			probe.close(() => resolve(port))
		})
	})
}
