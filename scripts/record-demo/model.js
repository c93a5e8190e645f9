/**
 * A scripted stand-in for the model: an HTTP server on loopback that speaks as much of the Messages API
 * as a headless coding agent uses, and streams a story's turns at a human-readable pace.
 */
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { placed } from './tools.js'

/** Pieces of text as a model sends them: a few words each. */
export function* pieces(value, random, low, high) {
	let at = 0
	while (at < value.length) {
		let end = Math.min(value.length, at + low + Math.floor(random() * (high - low)))
		// A piece never ends inside a surrogate pair.
		const unit = value.charCodeAt(end - 1)
		if (unit >= 0xd800 && unit < 0xdc00) end++
		yield value.slice(at, end)
		at = end
	}
}

/** Repeatable noise, so that a recording made again has the same pieces. */
export function seeded(seed) {
	let state = createHash('sha256').update(seed).digest().readUInt32LE(0)
	return () => {
		state = (Math.imul(state, 1664525) + 1013904223) >>> 0
		return state / 2 ** 32
	}
}

const idOf = (prefix, ...parts) =>
	`${prefix}_01${createHash('sha256').update(parts.join('\0')).digest('base64url').replace(/[-_]/g, 'x').slice(0, 22)}`

/** Ids are made of the story's own words, before the project's folder of this run is put in. */
function contentOf(story, index, turn, cwd) {
	return turn.map((block, n) => {
		if (block.thinking !== undefined)
			return { type: 'thinking', thinking: block.thinking, signature: 'c2lnbmF0dXJl' }
		if (block.tool !== undefined) {
			const id = idOf('toolu', story, index, n, JSON.stringify(block))
			return { type: 'tool_use', id, name: block.tool, input: placed(block.input, cwd) }
		}
		return { type: 'text', text: block.text }
	})
}

/** Counts in the proportions of real use: almost all input is read from the cache. */
function usageOf(body, content) {
	const tokens = (value) => Math.ceil(JSON.stringify(value).length / 3.6)
	const conversation = tokens(body.messages)
	const newest = tokens(body.messages.at(-1))
	return {
		input_tokens: 4,
		cache_creation_input_tokens: newest,
		cache_read_input_tokens: 13_400 + Math.max(0, conversation - newest),
		output_tokens: tokens(content),
		service_tier: 'standard',
	}
}

async function stream(response, message, { random, pace, piece }) {
	const send = (type, data) =>
		response.write(`event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`)
	const gap = () => sleep((20 + random() * 40) * pace)
	response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' })
	send('message_start', {
		message: {
			...message,
			content: [],
			stop_reason: null,
			usage: { ...message.usage, output_tokens: 1 },
		},
	})
	for (const [index, block] of message.content.entries()) {
		const delta = async (type, field, value, low, high) => {
			for (const piece of pieces(value, random, low, high)) {
				send('content_block_delta', { index, delta: { type, [field]: piece } })
				await gap()
			}
		}
		if (block.type === 'tool_use') {
			send('content_block_start', { index, content_block: { ...block, input: {} } })
			await delta('input_json_delta', 'partial_json', JSON.stringify(block.input), 60, 140)
		} else if (block.type === 'thinking') {
			send('content_block_start', {
				index,
				content_block: { ...block, thinking: '', signature: '' },
			})
			await delta('thinking_delta', 'thinking', block.thinking, piece, 3 * piece)
			send('content_block_delta', {
				index,
				delta: { type: 'signature_delta', signature: block.signature },
			})
		} else {
			send('content_block_start', { index, content_block: { type: 'text', text: '' } })
			await delta('text_delta', 'text', block.text, piece, 3 * piece)
		}
		send('content_block_stop', { index })
	}
	send('message_delta', {
		delta: { stop_reason: message.stop_reason, stop_sequence: null },
		usage: { output_tokens: message.usage.output_tokens },
	})
	send('message_stop', {})
	response.end()
}

/**
 * Serves `turns` (arrays of blocks: `{thinking}`, `{text}`, `{tool, input}`, or one `{error}`).
 * `piece`: fewest characters of a piece of text; `pace`: 0 leaves out all pauses.
 * The turn of a request is the number of answers in its history, so a repeated request gets the same.
 */
export async function startModel({ story, turns, cwd, pace = 1, piece = 10 }) {
	const problems = []
	const server = createServer(async (request, response) => {
		const json = (status, data) => {
			response.writeHead(status, { 'content-type': 'application/json' })
			response.end(JSON.stringify(data))
		}
		const path = new URL(request.url, 'http://model').pathname
		const raw = await text(request)
		if (request.method !== 'POST' || path !== '/v1/messages')
			return json(404, { type: 'error', error: { type: 'not_found_error', message: 'not served' } })
		const body = JSON.parse(raw)
		const index = body.messages.filter((message) => message.role === 'assistant').length
		let turn = body.tools?.length ? turns[index] : [{ text: 'ok' }]
		if (turn === undefined) {
			problems.push(`the agent asked for turn ${index}, which the story does not have`)
			turn = [{ text: 'ok' }]
		}
		const random = seeded(`${story}${index}${JSON.stringify(turn)}`)
		await sleep((600 + random() * 1100) * pace)
		const error = turn[0].error
		if (error)
			return json(error.status, {
				type: 'error',
				error: { type: error.type, message: error.message },
			})
		const content = contentOf(story, index, turn, cwd)
		const message = {
			id: idOf('msg', story, index, JSON.stringify(turn)),
			type: 'message',
			role: 'assistant',
			model: body.model,
			content,
			stop_reason: content.some((block) => block.type === 'tool_use') ? 'tool_use' : 'end_turn',
			stop_sequence: null,
			usage: usageOf(body, content),
		}
		if (body.stream) await stream(response, message, { random, pace, piece })
		else json(200, message)
	})
	server.listen(0, '127.0.0.1')
	await once(server, 'listening')
	return {
		url: `http://127.0.0.1:${server.address().port}`,
		problems,
		async [Symbol.asyncDispose]() {
			server.closeAllConnections()
			server.close()
			await once(server, 'close')
		},
	}
}
