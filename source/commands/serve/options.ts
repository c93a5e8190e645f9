/** What `serve` is asked for. */
import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { resolveHome } from '../../config/paths.ts'
import { exit, StyrbyError } from '../../protocol/errors.ts'
import type { EmbeddedFolders } from '../../server/discover.ts'
import type { ListenOptions } from '../../server/network-address.ts'
import type { TlsIdentity } from '../../server/self-signed.ts'
import type { Flags } from '../command.ts'
import type { Io } from '../io.ts'

/** A backend in a folder of its own is not found by the commands of this home, and must not be. */
export function foldersOf(flags: Flags, { env, platform, cwd }: Io): EmbeddedFolders {
	const home = resolveHome(env, platform)
	const given = flags.text('data')
	if (given === undefined) return { data: home.data, run: home.run }
	const data = resolve(cwd, given)
	return data === home.data ? { data, run: home.run } : { data, run: join(data, 'run') }
}

export function databaseOf(flags: Flags): string | null {
	const url = flags.text('database-url')
	if (url === undefined) return null
	const scheme = URL.canParse(url) ? new URL(url).protocol : ''
	if (scheme === 'postgres:' || scheme === 'postgresql:') return url
	throw usage(
		'bad_value',
		'--database-url takes an address that begins with postgres:// or postgresql://.',
	)
}

/** `null`: only this machine. Throws `bad_value`, `bad_usage`, `bad_certificate` (exit 2). */
export async function listenOf(flags: Flags, { cwd }: Io): Promise<ListenOptions | null> {
	const given = flags.text('listen')
	const [name, cert, key] = ['name', 'tls-cert', 'tls-key'].map((one) => flags.text(one))
	if (given === undefined) {
		if (name === undefined && cert === undefined && key === undefined) return null
		throw usage('bad_usage', '--name, --tls-cert and --tls-key go with --listen HOST:PORT.')
	}
	const [, bracketed, plain, digits] =
		/^(?:\[([\da-f:.]+)\]|([a-z\d._-]+)):(\d{1,5})$/i.exec(given) ?? []
	const host = bracketed ?? plain
	const port = Number(digits)
	if (host === undefined || !(port >= 1 && port <= 65_535)) {
		throw usage('bad_value', '--listen takes HOST:PORT, such as 192.168.1.5:4815 or 0.0.0.0:4815.')
	}
	if (name !== undefined && !/^[a-z\d._-]{1,253}$/i.test(name)) {
		throw usage(
			'bad_value',
			'--name takes the name or the address of this machine, without a port.',
		)
	}
	return { host, port, name: name ?? null, tls: await tlsOf(cert, key, cwd) }
}

async function tlsOf(
	cert: string | undefined,
	key: string | undefined,
	cwd: string,
): Promise<TlsIdentity | null> {
	if (cert === undefined && key === undefined) return null
	if (cert === undefined || key === undefined) {
		throw usage('bad_usage', '--tls-cert and --tls-key go together: give both, or neither.')
	}
	const [certificate, secret] = await Promise.all(
		[cert, key].map((file) =>
			readFile(resolve(cwd, file), 'utf8').catch((cause: unknown) => {
				const message = `The file ${file} can not be read: check its name and who may read it.`
				throw new StyrbyError('bad_certificate', message, { exitCode: exit.usage, cause })
			}),
		),
	)
	return { certificate: certificate ?? '', key: secret ?? '' }
}

/** It asks a backend that runs, and starts none. */
export function onlyJoinToken(flags: Flags): void {
	const others = ['port', 'database-url', 'listen', 'name', 'tls-cert', 'tls-key']
	const other = others.find(
		(name) => flags.text(name) !== undefined || flags.number(name) !== undefined,
	)
	if (other === undefined) return
	throw usage('bad_usage', `--join-token asks the backend that runs: leave --${other} out.`)
}

function usage(code: string, message: string): StyrbyError {
	return new StyrbyError(code, message, { exitCode: exit.usage })
}
