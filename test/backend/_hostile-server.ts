/** A server that answers what a test says, and keeps what it was asked. */

import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import { onTestFinished } from 'vitest'
import { requiredSchema } from '../../source/backend/rpc.ts'

export interface Asked {
	/** Last part of the path: the function that is called. */
	name: string
	headers: Record<string, unknown>
	body: string
}

type Answer = (response: ServerResponse, asked: Asked) => void

export interface HostileServer {
	url: string
	asked: Asked[]
	/** What the next requests get; the schema version is right unless `also` it is taken over. */
	answer(how: Answer, also?: 'schema_version'): void
	/** Requests for everything but the schema version. */
	calls(): Asked[]
}

export async function hostileServer(): Promise<HostileServer> {
	const asked: Asked[] = []
	let answer: Answer = json(null)
	let everything = false
	const server = createServer(async (request, response) => {
		const chunks: Buffer[] = []
		for await (const chunk of request) chunks.push(chunk)
		const path = new URL(request.url ?? '/', 'http://localhost').pathname
		const name = path.split('/').at(-1) ?? ''
		const one = { name, headers: request.headers, body: Buffer.concat(chunks).toString() }
		asked.push(one)
		if (name === 'schema_version' && !everything) json(requiredSchema)(response)
		else answer(response, one)
	})
	server.listen(0, '127.0.0.1')
	await once(server, 'listening')
	onTestFinished(() => {
		server.closeAllConnections()
		server.close()
	})
	const address = server.address()
	const port = typeof address === 'object' && address ? address.port : 0
	return {
		url: `http://127.0.0.1:${port}`,
		asked,
		answer(how, also) {
			answer = how
			everything = also !== undefined
		},
		calls: () => asked.filter(({ name }) => name !== 'schema_version'),
	}
}

export function text(body: string, status = 200, type = 'application/json') {
	return (response: ServerResponse): void => {
		response.writeHead(status, { 'content-type': type }).end(body)
	}
}

export function json(value: unknown, status = 200) {
	return text(JSON.stringify(value), status)
}
