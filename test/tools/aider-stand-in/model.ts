/** The model's reply, streamed from an OpenAI Chat Completions API. */
import * as v from 'valibot'

export interface Message {
	role: 'system' | 'user' | 'assistant'
	content: string
}

export interface Sent {
	prompt: number
	cached: number
	completion: number
}

/** What the API answers instead. `retry`: Aider tries again. */
export class ApiError extends Error {
	readonly retry: boolean

	constructor(message: string, retry: boolean) {
		super(message)
		this.retry = retry
	}
}

const chunkSchema = v.object({
	choices: v.optional(
		v.array(v.object({ delta: v.object({ content: v.nullish(v.string()) }) })),
		[],
	),
	usage: v.nullish(
		v.object({
			prompt_tokens: v.number(),
			completion_tokens: v.number(),
			prompt_tokens_details: v.nullish(v.object({ cached_tokens: v.nullish(v.number()) })),
		}),
	),
	error: v.optional(v.object({ message: v.string() })),
})

const classes = new Map([
	[400, 'BadRequestError'],
	[401, 'AuthenticationError'],
	[404, 'NotFoundError'],
	[429, 'RateLimitError'],
])

export async function complete(
	messages: readonly Message[],
	model: string,
	signal: AbortSignal,
	onText: (text: string) => void,
): Promise<Sent | null> {
	const base = process.env.OPENAI_API_BASE ?? 'http://127.0.0.1:1/v1'
	const response = await fetch(`${base}/chat/completions`, {
		method: 'POST',
		signal,
		headers: {
			'content-type': 'application/json',
			authorization: `Bearer ${process.env.OPENAI_API_KEY ?? ''}`,
		},
		body: JSON.stringify({
			model,
			messages,
			stream: true,
			stream_options: { include_usage: true },
		}),
	}).catch((error) => {
		if (signal.aborted) throw error
		throw new ApiError('litellm.APIConnectionError: OpenAIException - Connection error.', true)
	})
	if (!response.ok || response.body === null) {
		const name = classes.get(response.status) ?? 'InternalServerError'
		const said = v.safeParse(chunkSchema, await response.json())
		const message = said.success ? said.output.error?.message : ''
		const retry = response.status === 429 || response.status >= 500
		throw new ApiError(`litellm.${name}: ${name}: OpenAIException - ${message}`, retry)
	}
	let sent: Sent | null = null
	let rest = ''
	for await (const bytes of response.body.pipeThrough(new TextDecoderStream())) {
		rest += bytes
		const lines = rest.split('\n')
		rest = lines.pop() ?? ''
		for (const line of lines) {
			if (!line.startsWith('data: {')) continue
			const { choices, usage, error } = v.parse(chunkSchema, JSON.parse(line.slice(6)))
			if (error)
				throw new ApiError(`litellm.APIError: APIError: OpenAIException - ${error.message}`, false)
			onText(choices[0]?.delta.content ?? '')
			if (usage) {
				const cached = usage.prompt_tokens_details?.cached_tokens ?? 0
				sent = { prompt: usage.prompt_tokens, cached, completion: usage.completion_tokens }
			}
		}
	}
	return sent
}
