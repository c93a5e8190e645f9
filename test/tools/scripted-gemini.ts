/**
 * A scripted stand-in for the Gemini API on loopback: just enough of it for a coding agent to run whole
 * sessions without a network. No state: the newest prompt picks the rule, the number of model answers after
 * it the turn. What Gemini CLI asks beside the conversation (which model to take, summaries) gets `aside`.
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
	/** Of the answer, without those of its thoughts. */
	candidates: number
	thoughts: number
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
}

export interface GeminiRequest {
	path: string
	body: Body
}

export interface ScriptedGemini extends AsyncDisposable {
	/** To be given as base URL. */
	url: string
	/** All requests for content, in order. */
	requests: GeminiRequest[]
	/** Every prompt and function response of the conversation, as text, newest last. */
	said(): string
}

export const defaultUsage: Usage = { prompt: 1000, cached: 400, candidates: 50, thoughts: 20 }
export const asideUsage: Usage = { prompt: 10, cached: 0, candidates: 5, thoughts: 0 }

const partSchema = v.looseObject({
	text: v.optional(v.string()),
	thought: v.optional(v.boolean()),
	functionCall: v.optional(v.unknown()),
	functionResponse: v.optional(v.unknown()),
})
const bodySchema = v.looseObject({
	contents: v.array(
		v.looseObject({ role: v.optional(v.string(), 'user'), parts: v.array(partSchema) }),
	),
	tools: v.optional(v.array(v.unknown()), []),
})
type Body = v.InferOutput<typeof bodySchema>

export async function startScriptedGemini(script: Script): Promise<ScriptedGemini> {
	const requests: GeminiRequest[] = []
	const server = createServer((request, response) => {
		answer(script, requests, request, response).catch(() => response.destroy())
	})
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
	const address = server.address()
	if (address === null || typeof address === 'string') throw new Error('no port')
	return {
		url: `http://127.0.0.1:${address.port}`,
		requests,
		said: () => JSON.stringify(requests.at(-1)?.body.contents ?? []),
		async [Symbol.asyncDispose]() {
			server.closeAllConnections()
			await new Promise((resolve) => server.close(resolve))
		},
	}
}

async function answer(
	script: Script,
	requests: GeminiRequest[],
	request: IncomingMessage,
	response: ServerResponse,
): Promise<void> {
	const chunks: Buffer[] = []
	for await (const chunk of request) chunks.push(chunk)
	const path = request.url ?? ''
	const called = /\/models\/([^/:?]+):(\w+)/.exec(path)
	const [, model = '', method = ''] = called ?? []
	if (request.method !== 'POST' || called === null) return fail(response, 404, 'Not scripted')
	const body = v.parse(bodySchema, JSON.parse(Buffer.concat(chunks).toString('utf8')))
	if (method === 'countTokens') return json(response, 200, { totalTokens: 10 })
	requests.push({ path, body })
	const turn = pickTurn(script, body)
	const [first] = turn.blocks
	if (first !== undefined && 'error' in first) {
		return fail(response, first.error.status, first.error.message)
	}
	if (method === 'streamGenerateContent') return stream(response, model, turn)
	const parts = turn.blocks.flatMap((block) => ('text' in block ? [{ text: block.text }] : []))
	json(response, 200, said(model, parts, turn.usage))
}

function pickTurn(script: Script, body: Body): Turn {
	if (body.tools.length === 0) {
		return { blocks: [{ text: script.aside ?? '{}' }], usage: asideUsage }
	}
	const prompt = body.contents.findLastIndex(
		({ role, parts }) =>
			role === 'user' && parts.every((part) => part.functionResponse === undefined),
	)
	// The first one comes behind what the agent says of the folder, in the same message.
	const text = body.contents[prompt]?.parts.at(-1)?.text ?? ''
	const turn = body.contents.slice(prompt).filter(({ role }) => role === 'model').length
	const picked = script.rules.find(({ match }) => match.test(text))?.turns[turn]
	if (picked === undefined) return { blocks: [{ text: script.fallback ?? 'fine' }] }
	return Array.isArray(picked) ? { blocks: picked } : picked
}

function stream(response: ServerResponse, model: string, turn: Turn): void {
	response.writeHead(200, { 'content-type': 'text/event-stream' })
	const send = (message: unknown) => response.write(`data: ${JSON.stringify(message)}\r\n\r\n`)
	const say = (part: object) => send(said(model, [part]))
	for (const block of turn.blocks) {
		if ('hang' in block) return
		if ('drop' in block) {
			response.destroy()
			return
		}
		if ('error' in block) {
			const { status, message } = block.error
			send({ error: { code: status, message, status: 'INTERNAL' } })
			response.end()
			return
		}
		if ('tool' in block) say({ functionCall: { name: block.tool, args: block.input } })
		else if ('thinking' in block) say({ text: block.thinking, thought: true })
		else for (const piece of pieces(block.text)) say({ text: piece })
	}
	send(said(model, [{ text: '' }], turn.usage ?? {}, 'STOP'))
	response.end()
}

function said(
	model: string,
	parts: object[],
	usage?: Partial<Usage>,
	finishReason?: string,
): unknown {
	const { prompt, cached, candidates, thoughts } = { ...defaultUsage, ...usage }
	const counts = {
		promptTokenCount: prompt,
		cachedContentTokenCount: cached,
		candidatesTokenCount: candidates,
		thoughtsTokenCount: thoughts,
		totalTokenCount: prompt + candidates + thoughts,
	}
	return {
		candidates: [{ content: { role: 'model', parts }, index: 0, finishReason }],
		modelVersion: model,
		responseId: 'scripted',
		...(usage === undefined ? {} : { usageMetadata: counts }),
	}
}

function pieces(text: string, size = 12): string[] {
	return text.match(new RegExp(`[\\s\\S]{1,${size}}`, 'g')) ?? []
}

function fail(response: ServerResponse, code: number, message: string): void {
	const status = code === 400 ? 'INVALID_ARGUMENT' : 'INTERNAL'
	json(response, code, { error: { code, message, status } })
}

function json(response: ServerResponse, status: number, body: unknown): void {
	response.writeHead(status, { 'content-type': 'application/json' })
	response.end(JSON.stringify(body))
}
