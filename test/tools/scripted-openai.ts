/**
 * A scripted, offline stand-in for the OpenAI Responses API, for tests with the real Codex: just enough of
 * it for whole sessions on loopback.
 *
 *   node test/tools/scripted-openai.ts --port 8788 --script script.json [--log requests.jsonl]
 *
 * Requests are answered without any server state: the prompt is the newest message of the user that a rule's
 * `match` fits (a message into a running turn fits none); the turn is the number of model responses after it. Past the last turn, and without a rule, `fallback` is said. In strings of a
 * script, `${name}` is replaced by `vars.name`.
 */
import { appendFileSync, readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import * as v from 'valibot'

export type Block =
	| { text: string }
	/** Its summary, which is all that the API shows of it. */
	| { reasoning: string }
	/** A function call. */
	| { tool: string; namespace?: string; input: unknown }
	/** A call of a tool with free text as its input. */
	| { custom: string; text: string }
	| { search: string }
	/** Instead of a stream (as the first block), or in the middle of one. */
	| { error: { status?: number; code: string; message: string } }
	/** Closes the connection in the middle of the stream. */
	| { drop: true }
	/** Keeps the stream open and sends nothing more. */
	| { hang: true }

export interface Tokens {
	input: number
	cached?: number
	/** Of them reasoning: `reasoning`. */
	output: number
	reasoning?: number
}

export interface Turn {
	blocks: Block[]
	usage?: Tokens
	chunkDelayMs?: number
}

export interface Script {
	rules?: { match: string; turns: (Turn | Block[])[] }[]
	fallback?: string
}

export interface ScriptedOpenai {
	port: number
	/** Base of the API, to be given as `base_url`. */
	url: string
	/** What was asked, in order; `body` as it came. */
	requests: { path: string; body: unknown; picked: string }[]
	setScript(script: Script): void
	close(): Promise<void>
}

const requestSchema = v.object({
	model: v.optional(v.string(), 'scripted'),
	input: v.optional(v.array(v.looseObject({ type: v.optional(v.string(), 'message') })), []),
	tools: v.optional(v.array(v.unknown()), []),
})
type Request = v.InferOutput<typeof requestSchema>

const partsSchema = v.array(v.object({ text: v.optional(v.string(), '') }))

const defaultTokens: Tokens = { input: 100, cached: 10, output: 20, reasoning: 5 }

export async function startScriptedOpenai(
	options: { port?: number; script?: Script; vars?: Record<string, string>; logFile?: string } = {},
): Promise<ScriptedOpenai> {
	let script = options.script ?? {}
	const requests: ScriptedOpenai['requests'] = []
	const server = createServer((request, response) => {
		void serve(request, response).catch((error: unknown) => {
			process.stderr.write(`scripted-openai: ${String(error)}\n`)
			response.destroy()
		})
	})

	async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
		const path = new URL(request.url ?? '/', 'http://127.0.0.1').pathname
		const text = await readBody(request)
		if (request.method !== 'POST' || !path.endsWith('/responses')) {
			requests.push({ path, body: text, picked: 'none' })
			response.writeHead(404, { 'content-type': 'application/json' })
			response.end('{"error":{"message":"not here","code":"not_found"}}')
			return
		}
		const body: unknown = JSON.parse(text)
		const asked = v.parse(requestSchema, body)
		const { turn, label } = pickTurn(script, asked)
		requests.push({ path, body, picked: label })
		if (options.logFile !== undefined) {
			appendFileSync(options.logFile, `${JSON.stringify({ path, picked: label, body })}\n`)
		}
		await streamTurn(response, asked.model, filled(turn, options.vars ?? {}))
	}

	await new Promise<void>((resolve) => server.listen(options.port ?? 0, '127.0.0.1', resolve))
	const address = server.address()
	const port = address !== null && typeof address === 'object' ? address.port : 0
	return {
		port,
		url: `http://127.0.0.1:${port}/v1`,
		requests,
		setScript: (next) => {
			script = next
		},
		close: () =>
			new Promise((resolve) => {
				server.close(() => resolve())
				server.closeAllConnections()
			}),
	}
}

function pickTurn(script: Script, { input, tools }: Request): { turn: Turn; label: string } {
	const fallback: Turn = { blocks: [{ text: script.fallback ?? 'ok' }] }
	const equipped = tools.length > 0 || input.some(({ type }) => type === 'additional_tools')
	if (!equipped) return { turn: fallback, label: 'fallback' }
	const prompts = located(input)
	for (const { prompt, turn } of prompts) {
		const rule = script.rules?.find(({ match }) => new RegExp(match, 's').test(prompt))
		if (rule === undefined) continue
		const { match, turns } = rule
		const found = turns[turn]
		if (found === undefined) return { turn: fallback, label: `${match}#${turn} (past the end)` }
		return { turn: Array.isArray(found) ? { blocks: found } : found, label: `${match}#${turn}` }
	}
	return { turn: fallback, label: 'fallback' }
}

/** The prompts, the newest first, and how many responses of the model came after each. */
function* located(
	input: Request['input'],
): Generator<{ prompt: string; turn: number }, void, void> {
	let turn = 0
	let within = false
	for (const item of input.toReversed()) {
		const byModel =
			(item.type === 'message' && item.role === 'assistant') ||
			item.type === 'reasoning' ||
			item.type.endsWith('_call')
		if (byModel && !within) turn++
		within = byModel
		if (item.type !== 'message' || item.role !== 'user') continue
		const prompt = promptText(item.content)
		if (prompt !== '') yield { prompt, turn }
	}
}

/** Text of a message without what Codex puts before a prompt (`<environment_context>`, AGENTS.md). */
function promptText(content: unknown): string {
	const parts = v.safeParse(partsSchema, content)
	if (!parts.success) return ''
	return parts.output
		.map(({ text }) => text)
		.filter((text) => !/^\s*(?:<\w+>|# AGENTS\.md)/.test(text))
		.join('\n')
		.trim()
}

let serial = 0
const nextId = (prefix: string) => `${prefix}_script${String(++serial).padStart(6, '0')}`

async function streamTurn(response: ServerResponse, model: string, turn: Turn): Promise<void> {
	const [first] = turn.blocks
	if (first !== undefined && 'error' in first && first.error.status !== undefined) {
		const { status, code, message } = first.error
		response.writeHead(status, { 'content-type': 'application/json' })
		response.end(JSON.stringify({ error: { type: code, code, message } }))
		return
	}
	const send = (type: string, data: object) =>
		response.write(`event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`)
	const id = nextId('resp')
	response.writeHead(200, { 'content-type': 'text/event-stream', 'x-request-id': nextId('req') })
	send('response.created', { response: { id, model, status: 'in_progress' } })
	for (const [index, block] of turn.blocks.entries()) {
		if ('hang' in block) return
		if ('drop' in block) {
			response.destroy()
			return
		}
		if ('error' in block) {
			const { code, message } = block.error
			send('response.failed', { response: { id, status: 'failed', error: { code, message } } })
			response.end()
			return
		}
		const place = { output_index: index, content_index: 0 }
		const item = itemOf(block)
		send('response.output_item.added', { ...place, item: { ...item, ...emptied(item) } })
		const said = 'text' in block && !('custom' in block) ? block.text : ''
		for (const delta of pieces(said)) {
			send('response.output_text.delta', { ...place, item_id: item.id, delta })
			if (turn.chunkDelayMs !== undefined) await sleep(turn.chunkDelayMs)
		}
		const thought = 'reasoning' in block ? block.reasoning : ''
		for (const delta of pieces(thought)) {
			const summary = { item_id: item.id, output_index: index, summary_index: 0 }
			send('response.reasoning_summary_text.delta', { ...summary, delta })
			if (turn.chunkDelayMs !== undefined) await sleep(turn.chunkDelayMs)
		}
		send('response.output_item.done', { ...place, item })
	}
	const { input, cached = 0, output, reasoning = 0 } = turn.usage ?? defaultTokens
	const usage = {
		input_tokens: input,
		input_tokens_details: { cached_tokens: cached },
		output_tokens: output,
		output_tokens_details: { reasoning_tokens: reasoning },
		total_tokens: input + output,
	}
	send('response.completed', { response: { id, model, status: 'completed', usage } })
	response.end()
}

type Item = Record<string, unknown> & { type: string; id: string }

function itemOf(block: Exclude<Block, { error: unknown } | { drop: true } | { hang: true }>): Item {
	if ('tool' in block) {
		return {
			type: 'function_call',
			id: nextId('fc'),
			call_id: nextId('call'),
			name: block.tool,
			...(block.namespace === undefined ? {} : { namespace: block.namespace }),
			arguments: JSON.stringify(block.input),
		}
	}
	if ('custom' in block) {
		const ids = { id: nextId('ctc'), call_id: nextId('call') }
		return { type: 'custom_tool_call', ...ids, name: block.custom, input: block.text }
	}
	if ('search' in block) {
		const action = { type: 'search', query: block.search }
		return { type: 'web_search_call', id: nextId('ws'), status: 'completed', action }
	}
	if ('reasoning' in block) {
		const summary = [{ type: 'summary_text', text: block.reasoning }]
		return { type: 'reasoning', id: nextId('rs'), summary, encrypted_content: 'c2NyaXB0ZWQ=' }
	}
	const content = [{ type: 'output_text', text: block.text, annotations: [] }]
	return { type: 'message', id: nextId('msg'), role: 'assistant', content }
}

/** How an item starts: without what is streamed. */
function emptied(item: Item): object {
	if (item.type === 'message') return { content: [] }
	if (item.type === 'reasoning') return { summary: [] }
	return {}
}

function* pieces(text: string, size = 12): Generator<string, void, void> {
	for (let i = 0; i < text.length; i += size) yield text.slice(i, i + size)
}

function filled<T>(value: T, vars: Record<string, string>): T
function filled(value: unknown, vars: Record<string, string>): unknown {
	if (typeof value === 'string') return value.replace(/\$\{(\w+)\}/g, (all, k) => vars[k] ?? all)
	if (Array.isArray(value)) return value.map((item: unknown) => filled(item, vars))
	if (value === null || typeof value !== 'object') return value
	return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, filled(item, vars)]))
}

async function readBody(request: IncomingMessage): Promise<string> {
	const chunks: Buffer[] = []
	for await (const chunk of request) chunks.push(Buffer.from(chunk))
	return Buffer.concat(chunks).toString('utf8')
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
	const { values } = parseArgs({
		options: {
			port: { type: 'string' },
			script: { type: 'string' },
			log: { type: 'string' },
		},
	})
	const script: Script =
		values.script === undefined ? {} : JSON.parse(readFileSync(values.script, 'utf8'))
	const api = await startScriptedOpenai({
		port: Number(values.port ?? 0),
		script,
		vars: { cwd: process.cwd() },
		...(values.log === undefined ? {} : { logFile: values.log }),
	})
	process.stdout.write(`${api.url}\n`)
}
