// A scripted, offline stand-in for the Anthropic Messages API, for tests with the real agent.
// It serves just enough of the API for Claude Code to run a whole session on loopback.
//
//   node scripted-anthropic.mjs --port 8787 --script script.json [--log requests.jsonl]
//
// or, from a test:
//
//   import { startScriptedAnthropic } from './scripted-anthropic.mjs'
//   const api = await startScriptedAnthropic({ script })      // port 0 = any free port
//   ... spawn the agent with ANTHROPIC_BASE_URL=api.url ...
//   await api.close()
//
// SCRIPT  { "rules": [ { "match": "<regexp>", "turns": [ Turn, Turn, ... ] } ], "fallback": "text" }
//   A request is answered without any server state: the prompt is the newest user
//   message that holds real text (more than tool_result blocks, <system-reminder>
//   text and interrupt markers); the first rule whose `match` fits it is used; the turn
//   index is the number of assistant messages after that prompt. Past the last turn
//   the server answers `fallback`. Requests that carry no tools (titles, summaries,
//   quota probes) never match a rule; they get `fallback`.
// TURN    an array of BLOCKS, or { "blocks": [...], "usage": {...}, "stop_reason": "..." ,
//         "delayMs": 0, "chunkDelayMs": 0 }
// BLOCK   { "text": "..." } | { "thinking": "..." } | { "tool": "Bash", "input": {...}, "id"?: "toolu_x" }
//         | { "error": { "status": 529, "type": "overloaded_error", "message": "..." , "headers": {} } }
//         | { "drop": true }     close the socket in the middle of the stream
//         | { "hang": true }     keep the stream open, send nothing more (for interrupt tests)
// Every string in a block may hold ${cwd}; it is replaced by options.vars.cwd.

import fs from 'node:fs'
import http from 'node:http'
import { pathToFileURL } from 'node:url'

const DEFAULT_MODEL = 'claude-sonnet-4-5-20250929'
let serial = 0
const nextId = (prefix) => `${prefix}_script${String(++serial).padStart(6, '0')}`

/** Text of one message, without tool results, injected reminders and interrupt markers. */
function realText(message) {
	const parts =
		typeof message.content === 'string'
			? [{ type: 'text', text: message.content }]
			: (message.content ?? [])
	return parts
		.filter(
			(p) => p.type === 'text' && !/^\s*(<system-reminder>|\[Request interrupted)/.test(p.text),
		)
		.map((p) => p.text)
		.join('\n')
		.trim()
}

/** Finds the newest prompt, and how many assistant messages came after it. */
export function locate(body) {
	const messages = body.messages ?? []
	let assistantAfter = 0
	for (let i = messages.length - 1; i >= 0; i--) {
		const m = messages[i]
		if (m.role === 'assistant') assistantAfter++
		else if (m.role === 'user') {
			// after an interrupt the next prompt rides in the same message as the tool_result
			const text = realText(m)
			if (text) return { prompt: text, turn: assistantAfter }
		}
	}
	return { prompt: '', turn: 0 }
}

function pickTurn(script, body) {
	const fallback = { blocks: [{ text: script.fallback ?? 'ok' }], label: 'fallback' }
	if (!body.tools?.length) return fallback
	const { prompt, turn } = locate(body)
	for (const rule of script.rules ?? []) {
		if (!new RegExp(rule.match, 's').test(prompt)) continue
		const t = rule.turns[turn]
		if (!t) return { ...fallback, label: `${rule.match}#${turn} (past the end)` }
		return { ...(Array.isArray(t) ? { blocks: t } : t), label: `${rule.match}#${turn}` }
	}
	return fallback
}

function fill(value, vars) {
	if (typeof value === 'string') return value.replace(/\$\{(\w+)\}/g, (all, k) => vars[k] ?? all)
	if (Array.isArray(value)) return value.map((v) => fill(v, vars))
	if (value && typeof value === 'object')
		return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, fill(v, vars)]))
	return value
}

function toContent(block) {
	if (block.tool)
		return {
			type: 'tool_use',
			id: block.id ?? nextId('toolu'),
			name: block.tool,
			input: block.input ?? {},
		}
	if (block.thinking != null)
		return { type: 'thinking', thinking: block.thinking, signature: 'ZmFrZS1zaWduYXR1cmU=' }
	return { type: 'text', text: block.text ?? '' }
}

function* pieces(text, size = 12) {
	for (let i = 0; i < text.length; i += size) yield text.slice(i, i + size)
	if (!text.length) yield ''
}

const sleep = (ms) => new Promise((r) => setTimeout(r, ms))

async function streamTurn(res, message, turn) {
	const send = (event, data) =>
		res.write(`event: ${event}\ndata: ${JSON.stringify({ type: event, ...data })}\n\n`)
	const pause = () => (turn.chunkDelayMs ? sleep(turn.chunkDelayMs) : undefined)
	res.writeHead(200, {
		'content-type': 'text/event-stream',
		'cache-control': 'no-cache',
		'request-id': nextId('req'),
	})
	send('message_start', {
		message: {
			...message,
			content: [],
			stop_reason: null,
			usage: { ...message.usage, output_tokens: 1 },
		},
	})
	send('ping', {})
	let index = 0
	for (const block of turn.blocks) {
		if (block.hang) return // left open on purpose: the client ends it
		if (block.drop) return void res.destroy()
		if (block.error) {
			send('error', { error: { type: block.error.type, message: block.error.message } })
			return void res.end()
		}
		const content = message.content[index]
		if (content.type === 'tool_use') {
			send('content_block_start', { index, content_block: { ...content, input: {} } })
			for (const p of pieces(JSON.stringify(content.input), 24)) {
				send('content_block_delta', { index, delta: { type: 'input_json_delta', partial_json: p } })
				await pause()
			}
		} else if (content.type === 'thinking') {
			send('content_block_start', {
				index,
				content_block: { type: 'thinking', thinking: '', signature: '' },
			})
			for (const p of pieces(content.thinking)) {
				send('content_block_delta', { index, delta: { type: 'thinking_delta', thinking: p } })
				await pause()
			}
			send('content_block_delta', {
				index,
				delta: { type: 'signature_delta', signature: content.signature },
			})
		} else {
			send('content_block_start', { index, content_block: { type: 'text', text: '' } })
			for (const p of pieces(content.text)) {
				send('content_block_delta', { index, delta: { type: 'text_delta', text: p } })
				await pause()
			}
		}
		send('content_block_stop', { index })
		index++
	}
	send('message_delta', {
		delta: { stop_reason: message.stop_reason, stop_sequence: null },
		usage: { output_tokens: message.usage.output_tokens },
	})
	send('message_stop', {})
	res.end()
}

/** Starts the server on loopback. Returns { url, port, requests, setScript, close }. */
export async function startScriptedAnthropic({
	port = 0,
	script = {},
	vars = {},
	logFile,
	keepBodies = false,
} = {}) {
	let current = script
	const requests = []
	const sockets = new Set()
	const note = (entry) => {
		requests.push(entry)
		if (logFile) fs.appendFileSync(logFile, `${JSON.stringify(entry)}\n`)
	}
	const server = http.createServer(async (req, res) => {
		const chunks = []
		for await (const c of req) chunks.push(c)
		const raw = Buffer.concat(chunks).toString('utf8')
		const path = new URL(req.url, 'http://x').pathname
		const entry = { t: Date.now(), method: req.method, path: req.url }
		const json = (status, data, headers = {}) => {
			entry.status = status
			note(entry)
			res.writeHead(status, { 'content-type': 'application/json', ...headers })
			res.end(JSON.stringify(data))
		}
		let body = {}
		try {
			body = raw ? JSON.parse(raw) : {}
		} catch {
			/* not JSON: kept as {} */
		}
		if (req.method === 'POST' && path === '/v1/messages/count_tokens')
			return json(200, { input_tokens: Math.ceil(raw.length / 4) })
		if (req.method === 'GET' && path === '/v1/models')
			return json(200, { data: [], has_more: false })
		if (!(req.method === 'POST' && path === '/v1/messages'))
			return json(404, {
				type: 'error',
				error: { type: 'not_found_error', message: 'not in the scripted API' },
			})

		const turn = fill(pickTurn(current, body), vars)
		Object.assign(entry, {
			model: body.model,
			stream: !!body.stream,
			nMessages: body.messages?.length,
			tools: body.tools?.map((t) => t.name),
			picked: turn.label,
		})
		if (keepBodies) entry.body = body
		if (turn.delayMs) await sleep(turn.delayMs)
		const first = turn.blocks[0]
		if (first?.error?.status)
			return json(
				first.error.status,
				{
					type: 'error',
					error: { type: first.error.type, message: first.error.message },
					request_id: nextId('req'),
				},
				first.error.headers,
			)
		const content = turn.blocks.filter((b) => !b.error && !b.drop && !b.hang).map(toContent)
		const outChars = JSON.stringify(content).length
		const message = {
			id: nextId('msg'),
			type: 'message',
			role: 'assistant',
			model: body.model ?? DEFAULT_MODEL,
			content,
			stop_reason:
				turn.stop_reason ?? (content.some((c) => c.type === 'tool_use') ? 'tool_use' : 'end_turn'),
			stop_sequence: null,
			usage: {
				input_tokens: 1200,
				cache_creation_input_tokens: 300,
				cache_read_input_tokens: 9000,
				output_tokens: Math.ceil(outChars / 4),
				service_tier: 'standard',
				...turn.usage,
			},
		}
		entry.status = 200
		note(entry)
		if (!body.stream) {
			res.writeHead(200, { 'content-type': 'application/json', 'request-id': nextId('req') })
			return void res.end(JSON.stringify(message))
		}
		await streamTurn(res, message, turn)
	})
	server.on('connection', (s) => {
		sockets.add(s)
		s.on('close', () => sockets.delete(s))
	})
	await new Promise((ok, bad) => server.once('error', bad).listen(port, '127.0.0.1', ok))
	const actual = server.address().port
	return {
		port: actual,
		url: `http://127.0.0.1:${actual}`,
		requests,
		setScript: (s) => (current = s),
		close: () =>
			new Promise((ok) => {
				for (const s of sockets) s.destroy()
				server.close(ok)
			}),
	}
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
	const arg = (name, dflt) => {
		const i = process.argv.indexOf(`--${name}`)
		return i > 0 ? process.argv[i + 1] : dflt
	}
	const scriptPath = arg('script')
	const load = () => (scriptPath ? JSON.parse(fs.readFileSync(scriptPath, 'utf8')) : {})
	const api = await startScriptedAnthropic({
		port: Number(arg('port', '0')),
		script: load(),
		vars: { cwd: arg('cwd', process.cwd()) },
		logFile: arg('log'),
		keepBodies: process.argv.includes('--bodies'),
	})
	if (scriptPath) fs.watchFile(scriptPath, { interval: 300 }, () => api.setScript(load()))
	console.log(JSON.stringify({ listening: api.url }))
}
