// A small MCP server on its standard streams, for tests: a tool that changes something, and one that asks.
import { createInterface } from 'node:readline'

const send = (message) =>
	process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`)
const text = (said) => ({ content: [{ type: 'text', text: said }] })
const noInput = { type: 'object', properties: {} }
const tools = [
	{
		name: 'poke',
		description: 'Pokes',
		inputSchema: { type: 'object', properties: { what: { type: 'string' } } },
		annotations: { destructiveHint: true, readOnlyHint: false },
	},
	{
		name: 'form',
		description: 'Asks',
		inputSchema: noInput,
		annotations: { readOnlyHint: true },
	},
]
const form = {
	type: 'object',
	properties: {
		colour: { type: 'string', title: 'Colour', enum: ['red', 'blue'] },
		count: { type: 'integer' },
	},
	required: ['colour'],
}
let asked = null

createInterface({ input: process.stdin }).on('line', (line) => {
	const { id, method, params, result } = JSON.parse(line)
	if (method === 'initialize') {
		const serverInfo = { name: 'bench', version: '1' }
		send({
			id,
			result: {
				protocolVersion: params.protocolVersion,
				capabilities: { tools: {} },
				serverInfo,
			},
		})
	} else if (method === 'tools/list') send({ id, result: { tools } })
	else if (method === 'tools/call' && params.name === 'poke') {
		send({ id, result: text(`poked ${params.arguments.what}`) })
	} else if (method === 'tools/call') {
		asked = id
		send({
			id: 'form',
			method: 'elicitation/create',
			params: { message: 'What colour?', requestedSchema: form },
		})
	} else if (id === 'form') send({ id: asked, result: text(JSON.stringify(result)) })
	else if (id !== undefined && method !== undefined) send({ id, result: {} })
})
