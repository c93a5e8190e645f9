/**
 * The real OpenCode behind a connection that breaks: `node breaking-opencode.ts PROGRAM FLAG serve …`. While
 * the file FLAG is there, every connection to the server is cut.
 */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { createInterface } from 'node:readline'

const [program = '', flag = '', ...args] = process.argv.slice(2)
const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] })
child.once('exit', (code) => process.exit(code ?? 1))
let port = 0
const open = new Set<Socket>()
const proxy = createServer((socket) => {
	const server = connect(port, '127.0.0.1')
	for (const [one, other] of [
		[socket, server],
		[server, socket],
	] as const) {
		open.add(one)
		one.on('error', () => other.destroy())
		one.once('close', () => {
			open.delete(one)
			other.destroy()
		})
		one.pipe(other)
	}
})
proxy.listen(0, '127.0.0.1', () => {
	const address = proxy.address()
	const own = isAddress(address) ? address.port : 0
	createInterface({ input: child.stdout }).on('line', (line) => {
		const [, real] = /listening on http:\/\/127\.0\.0\.1:(\d+)/.exec(line) ?? []
		if (real !== undefined) port = Number(real)
		process.stdout.write(`${line.replace(`:${real}`, `:${own}`)}\n`)
	})
})
setInterval(() => {
	if (existsSync(flag)) for (const socket of open) socket.destroy()
}, 5)

function isAddress(address: AddressInfo | string | null): address is AddressInfo {
	return typeof address === 'object' && address !== null
}
