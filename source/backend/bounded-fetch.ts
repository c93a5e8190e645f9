/** A server that never stops answering must not fill our memory. */

/** Name of the error of an answer that is too large; the client library passes on its name only. */
export const tooLarge = 'AnswerTooLarge'

function answerTooLarge(limit: number): Error {
	const error = new Error(`an answer of more than ${limit} bytes`)
	error.name = tooLarge
	return error
}

/** `fetch`, with answers (after decompression) of at most `limit` bytes. */
export function boundedFetch(limit: number, inner: typeof fetch = fetch): typeof fetch {
	return async (input, init) => {
		const response = await inner(input, init)
		const { headers, body, status, statusText } = response
		if (!body) return response
		const length = headers.get('content-length')
		if (Number(length ?? 0) > limit) {
			await body.cancel()
			throw answerTooLarge(limit)
		}
		// The length of what was sent plainly is kept to by `fetch` itself.
		if (length !== null && !headers.has('content-encoding')) return response
		let size = 0
		const counted = body.pipeThrough(
			new TransformStream<Uint8Array, Uint8Array>({
				transform(chunk, controller) {
					size += chunk.byteLength
					if (size > limit) controller.error(answerTooLarge(limit))
					else controller.enqueue(chunk)
				},
			}),
		)
		return new Response(counted, { status, statusText, headers })
	}
}
