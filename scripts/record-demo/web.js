/**
 * What the stories' commands reach of the outside: a package registry that knows one package, and a
 * web proxy that knows one page. Both on loopback, so that `npm install` and `curl` truly run offline.
 */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Packs an installed package again: its packument and its tarball. */
async function packageFrom(folder, origin) {
	const target = await mkdtemp(join(tmpdir(), 'pack-'))
	const { stdout } = await run('npm', [
		'pack',
		folder,
		'--pack-destination',
		target,
		'--json',
		'--ignore-scripts',
	])
	const [{ filename }] = JSON.parse(stdout)
	const tarball = await readFile(join(target, filename))
	await rm(target, { recursive: true })
	const manifest = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'))
	const { name, version, peerDependencies, peerDependenciesMeta } = manifest
	const integrity = `sha512-${createHash('sha512').update(tarball).digest('base64')}`
	const dist = { tarball: `${origin}/${name}/-/${filename}`, integrity }
	const packument = {
		name,
		'dist-tags': { latest: version },
		versions: { [version]: { name, version, peerDependencies, peerDependenciesMeta, dist } },
	}
	return { name, packument, tarball }
}

/** `pages`: absolute address → text. `packageFolder`: the one installable package. */
export async function startWeb({ packageFolder, pages }) {
	let served = null
	const server = createServer((request, response) => {
		const page = pages[request.url]
		if (page !== undefined) {
			response.writeHead(200, { 'content-type': 'text/plain' })
			return response.end(page)
		}
		if (served && request.url === `/${served.name}`) {
			response.writeHead(200, { 'content-type': 'application/json' })
			return response.end(JSON.stringify(served.packument))
		}
		if (served && request.url?.endsWith('.tgz')) {
			response.writeHead(200, { 'content-type': 'application/octet-stream' })
			return response.end(served.tarball)
		}
		response.writeHead(404, { 'content-type': 'application/json' })
		response.end('{}')
	})
	server.listen(0, '127.0.0.1')
	await once(server, 'listening')
	const origin = `http://127.0.0.1:${server.address().port}`
	served = await packageFrom(packageFolder, origin)
	return {
		origin,
		async [Symbol.asyncDispose]() {
			server.closeAllConnections()
			server.close()
			await once(server, 'close')
		},
	}
}
