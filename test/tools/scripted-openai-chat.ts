/**
 * A scripted stand-in for the OpenAI Chat Completions API on loopback: just enough of it for a coding
 * agent to run whole sessions without a network. No state: the newest user message picks the rule, the
 * number of assistant messages after it the turn. Requests without tools (titles, summaries) get `aside`.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import * as v from 'valibot'

export type Block =
	| { text: string }
	| { thinking: string }
	| { tool: string; input: Record<string, unknown> }
	/** As the first block an HTTP error, else one in the middle of the stream. */
	| { error: { status: number; message: string } }
	/** The connection breaks. */
	| { drop: true }
	/** The stream stays open and says nothing more. */
	| { hang: true }

export interface Usage {
	/** Of the prompt, cached ones included. */
	prompt: number
	cached: number
	/** Of the answer, those of its reasoning included. */
	completion: number
	reasoning: number
}

export interface Turn {
	blocks: Block[]
	usage?: Partial<Usage>
}

export interface Script {
	rules: { match: RegExp; turns: (Turn | Block[])[] }[]
	/** The answer to a prompt that no rule fits, and to what comes after the last turn. */
	fallback?: string
	aside?: string
	/** The agent gives its model no tools: its requests are all of the session. */
	toolless?: boolean
}

export interface ScriptedOpenaiChat extends AsyncDisposable {
	/** To be given as base URL; ends in `/v1`. */
	url: string
	/** Bodies of all requests for a completion, in order. */
	requests: unknown[]
}

export const defaultUsage: Usage = { prompt: 1000, cached: 400, completion: 50, reasoning: 0 }
export const asideUsage: Usage = { prompt: 10, cached: 0, completion: 5, reasoning: 0 }

const partSchema = v.union([v.string(), v.looseObject({ text: v.optional(v.string(), '') })])
const bodySchema = v.looseObject({
	model: v.string(),
	stream: v.optional(v.boolean(), false),
	tools: v.optional(v.array(v.unknown()), []),
	messages: v.array(
		v.looseObject({
			role: v.string(),
			content: v.nullish(v.union([v.string(), v.array(partSchema)])),
		}),
	),
})
type Body = v.InferOutput<typeof bodySchema>

export async function startScriptedOpenaiChat(script: Script): Promise<ScriptedOpenaiChat> {
	const requests: unknown[] = []
	const server = createServer((request, response) => {
		answer(script, requests, request, response).catch(() => response.destroy())
	})
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
	const address = server.address()
	if (address === null || typeof address === 'string') throw new Error('no port')
	return {
		url: `http://127.0.0.1:${address.port}/v1`,
		requests,
		async [Symbol.asyncDispose]() {
			server.closeAllConnections()
			await new Promise((resolve) => server.close(resolve))
		},
	}
}

async function answer(
	script: Script,
	requests: unknown[],
	request: IncomingMessage,
	response: ServerResponse,
): Promise<void> {
	const chunks: Buffer[] = []
	for await (const chunk of request) chunks.push(chunk)
	if (request.method !== 'POST' || request.url !== '/v1/chat/completions') {
		return json(response, 404, { error: { message: 'not in the scripted API', type: 'not_found' } })
	}
	const body = v.parse(bodySchema, JSON.parse(Buffer.concat(chunks).toString('utf8')))
	requests.push(body)
	const turn = pickTurn(script, body)
	const [first] = turn.blocks
	if (first !== undefined && 'error' in first) {
		const { status, message } = first.error
		return json(response, status, { error: { message, type: 'scripted_error', code: null } })
	}
	stream(response, body.model, turn)
}

function pickTurn(script: Script, body: Body): Turn {
	if (body.tools.length === 0 && script.toolless !== true) {
		return { blocks: [{ text: script.aside ?? 'A title' }], usage: asideUsage }
	}
	const prompt = body.messages.findLastIndex(({ role }) => role === 'user')
	const text = textOf(body.messages[prompt]?.content ?? '')
	const turn = body.messages.slice(prompt).filter(({ role }) => role === 'assistant').length
	const picked = script.rules.find(({ match }) => match.test(text))?.turns[turn]
	if (picked === undefined) return { blocks: [{ text: script.fallback ?? 'fine' }] }
	return Array.isArray(picked) ? { blocks: picked } : picked
}

function textOf(content: string | v.InferOutput<typeof partSchema>[]): string {
	if (typeof content === 'string') return content
	return content.map((part) => (typeof part === 'string' ? part : part.text)).join('\n')
}

function stream(response: ServerResponse, model: string, turn: Turn): void {
	response.writeHead(200, { 'content-type': 'text/event-stream' })
	const send = (more: object) => {
		const chunk = { id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model, ...more }
		response.write(`data: ${JSON.stringify(chunk)}\n\n`)
	}
	const say = (delta: object) => send({ choices: [{ index: 0, delta, finish_reason: null }] })
	say({ role: 'assistant', content: '' })
	let calls = 0
	for (const block of turn.blocks) {
		if ('hang' in block) return
		if ('drop' in block) {
			response.destroy()
			return
		}
		if ('error' in block) {
			response.write(`data: ${JSON.stringify({ error: { message: block.error.message } })}\n\n`)
			response.end()
			return
		}
		if ('tool' in block) {
			const id = `call_${turn.blocks.indexOf(block)}_${counter()}`
			const call = { id, type: 'function', function: { name: block.tool, arguments: '' } }
			say({ tool_calls: [{ index: calls, ...call }] })
			for (const piece of pieces(JSON.stringify(block.input))) {
				say({ tool_calls: [{ index: calls, function: { arguments: piece } }] })
			}
			calls++
		} else if ('thinking' in block) {
			for (const piece of pieces(block.thinking)) say({ reasoning_content: piece })
		} else for (const piece of pieces(block.text)) say({ content: piece })
	}
	const finish_reason = calls > 0 ? 'tool_calls' : 'stop'
	send({ choices: [{ index: 0, delta: {}, finish_reason }] })
	const { prompt, cached, completion, reasoning } = { ...defaultUsage, ...turn.usage }
	send({
		choices: [],
		usage: {
			prompt_tokens: prompt,
			completion_tokens: completion,
			total_tokens: prompt + completion,
			prompt_tokens_details: { cached_tokens: cached },
			completion_tokens_details: { reasoning_tokens: reasoning },
		},
	})
	response.end('data: [DONE]\n\n')
}

let serial = 0
function counter(): number {
	return ++serial
}

function pieces(text: string, size = 12): string[] {
	return text.match(new RegExp(`[^]{1,${size}}`, 'g')) ?? []
}

function json(response: ServerResponse, status: number, body: unknown): void {
	response.writeHead(status, { 'content-type': 'application/json' })
	response.end(JSON.stringify(body))
}
